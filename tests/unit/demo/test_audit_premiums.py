"""The demo's own count of covered workers: every paid run of the folder counts, whichever demo began it."""

from __future__ import annotations

from typing import Any

from payung.demo.audit import Premiums


def billed(run: str, worker: str, period: str, regency: str = "64.08") -> dict[str, Any]:
    data = {"regency": regency, "run_id": run, "worker_id": worker, "period": period, "total": 16_800}
    return {"type": "premium.billed.v1", "data": data}


def completed(run: str, period: str, invoice: str | None) -> dict[str, Any]:
    data = {"regency": "64.08", "run_id": run, "period": period, "invoice_id": invoice}
    return {"type": "billing.run-completed.v1", "data": data}


def paid(invoice: str, regency: str = "64.08") -> dict[str, Any]:
    return {"type": "premium.paid.v1", "data": {"regency": regency, "invoice_id": invoice}}


def counted(*events: dict[str, Any]) -> Premiums:
    found = Premiums("64.08")
    for one in events:
        found.see(one)
    return found


FIRST_DEMO = (
    billed("R-1", "ani", "2026-11"),
    billed("R-1", "budi", "2026-11"),
    completed("R-1", "2026-11", "INV-1"),
    paid("INV-1"),
)


def test_a_second_demo_that_bills_nobody_still_counts_the_first() -> None:
    found = counted(*FIRST_DEMO, completed("R-2", "2026-11", None))
    assert found.covered("2026-11") == 2


def test_a_second_demo_that_bills_others_counts_both() -> None:
    found = counted(*FIRST_DEMO, billed("R-2", "citra", "2026-11"), completed("R-2", "2026-11", "INV-2"), paid("INV-2"))
    assert found.covered("2026-11") == 3
    assert found.amounts == {"R-1": 33_600, "R-2": 16_800}


def test_what_is_not_paid_or_of_another_month_or_regency_does_not_count() -> None:
    found = counted(
        *FIRST_DEMO,
        billed("R-2", "citra", "2026-11"),
        completed("R-2", "2026-11", "INV-2"),
        billed("R-3", "dedi", "2026-10"),
        completed("R-3", "2026-10", "INV-3"),
        paid("INV-3"),
        billed("R-4", "eka", "2026-11", "64.02"),
        paid("INV-2", "64.02"),
    )
    assert (found.covered("2026-11"), found.covered("2026-10"), found.covered("2026-09")) == (2, 1, 0)
