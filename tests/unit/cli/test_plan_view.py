"""The plan of a run as the operator reads it."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from payung.plan_view import IDS_SHOWN, show_plan

PLAN: dict[str, Any] = {
    "regency": "64.08",
    "period": "2026-11",
    "funding": "csr",
    "cutoff": "2026-11-30",
    "reasons": ["budget-missing"],
    "candidates": 12,
    "needed": {"jkk": 120_000, "jkm": 81_600},
    "billed_workers": 0,
    "total": 0,
    "left_out": [
        {"district": "64.08.04", "reason": "budget-missing", "workers": 12, "total": 201_600},
        {"district": "64.08.05", "reason": "too-young", "workers": 1, "total": 0},
    ],
    "left_out_workers": [
        {"worker_id": f"w{n}", "district": "64.08.04", "reason": "budget-missing", "total": 16_800} for n in range(12)
    ],
    "budget_left": {"jkk": 0, "jkm": 0},
}


def test_a_plan_names_the_left_out_and_the_reasons() -> None:
    shown = io.StringIO()
    show_plan(PLAN, Console(file=shown, width=120))
    lines = shown.getvalue().splitlines()
    assert lines[0] == "a run would be refused: budget-missing"
    assert any("64.08.04" in line and "12" in line and "Rp201.600" in line for line in lines)
    assert any("too-young" in line and line.rstrip().endswith("-") for line in lines)
    assert sum(line.strip().startswith("w") and "budget-missing" in line for line in lines) == IDS_SHOWN
    assert lines[-1].strip() == "more worker ids: --json"
