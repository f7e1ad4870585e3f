"""The table of a service as text: for each part of an event, what every stage of its document makes of it.

`python -m tests.tables` writes the texts anew into `tests/cases/tables`, for the tests that hold them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.billing.domain import decide as billing
from services.claims.domain import decide as claims
from services.registration.domain import decide as registration
from services.reporting.domain import decide as reporting
from services.verification.domain import decide as verification
from shared.kernel.dispatch import Table

CASES = Path(__file__).parent / "cases" / "tables"
TABLES: Mapping[str, Table[Any, Any]] = {
    "billing": billing.TABLE,
    "claims": claims.TABLE,
    "registration": registration.TABLE,
    "reporting": reporting.TABLE,
    "verification": verification.TABLE,
}


def text(table: Table[Any, Any]) -> str:
    """One paragraph for each collection, one line for each part and each thing that is done with it."""
    lines: list[str] = []
    for collection, rows in table.matrix().items():
        lines.append(collection)
        for part, cells in rows.items():
            by_label: dict[str, list[str]] = {}
            for stage, label in cells.items():
                by_label.setdefault(label, []).append(stage)
            lines.append(f"  {part}")
            lines.extend(f"    {label}: {', '.join(stages)}" for label, stages in by_label.items())
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    for name, table in TABLES.items():
        (CASES / f"{name}.txt").write_text(text(table), encoding="utf-8")
