"""A warning of any month is shown while money is due, and ends with payment or billing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.reporting.facts import read_warnings
from shared.kernel.event import Event

Make = Callable[..., Event]


def late(make: Make, month: str, invoice: str, workers: int) -> Event:
    data = {"regency": "64.08", "period": month, "workers": workers, "reason": "awaiting-premium"}
    return make("coverage.at-risk.v1", name=invoice, subject=invoice, **data)


def paid(make: Make, month: str, invoice: str) -> Event:
    data = {"invoice_id": invoice, "regency": "64.08", "period": month, "funding": "apbd-regency"}
    return make("premium.paid.v1", name=f"p{invoice}", total=1, workers=1, reference="S", paid_on="2026-03-05", **data)


def run(make: Make, number: int, funding: str, billed: int, missed: int) -> list[Event]:
    """A completed run, and what it reports when the budget was too small."""
    about = {"regency": "64.08", "period": "2026-03", "funding": funding}
    not_billed = {"budget-exhausted": missed} if missed else {}
    data = {"run_id": f"r{number}", "invoice_id": f"i{number}", "total": 1, "lines": [], "budget_left": {}}
    done = make(
        "billing.run-completed.v1", name=f"r{number}", billed_workers=billed, not_billed=not_billed, **data, **about
    )
    done = Event(**{name: getattr(done, name) for name in Event.__slots__} | {"at": done.at + timedelta(days=number)})
    if not missed:
        return [done]
    short = {"account": "JKM", "left": 0, "shortfall": missed * 6_800, "workers": missed}
    risk = {"regency": "64.08", "period": "2026-03", "workers": missed, "reason": "budget-exhausted"}
    return [
        make("budget.exhausted.v1", name=f"x{number}", sequence=number, **about, **short),
        make("coverage.at-risk.v1", name=f"k{number}", sequence=number, **risk),
        done,
    ]


async def open_ones(context: Any) -> list[tuple[str, str, int]]:
    return [(row["kind"], row["period"], row["workers"]) for row in await read_warnings(context, "64.08")]


async def test_a_late_invoice_warns_for_any_month_until_it_is_paid(context: Any, make: Make) -> None:
    context.take(late(make, "2026-03", "i1", 40), late(make, "2026-03", "i2", 2), late(make, "2026-01", "i3", 7))
    context.take(paid(make, "2026-02", "other"))
    assert await open_ones(context) == [("risk", "2026-01", 7), ("risk", "2026-03", 40), ("risk", "2026-03", 2)]
    context.take(paid(make, "2026-03", "i1"))
    assert await open_ones(context) == [("risk", "2026-01", 7), ("risk", "2026-03", 2)]
    context.take(paid(make, "2026-03", "i2"), paid(make, "2026-01", "i3"))
    assert await open_ones(context) == []
    assert await read_warnings(context, "64.02") == []


@pytest.mark.parametrize(
    ("later", "left"),
    [
        ([], 30),
        ([("apbd-regency", 30, 0)], 0),
        ([("apbd-regency", 20, 10)], 10),
        ([("csr", 25, 0)], 5),
        ([("csr", 25, 0), ("self", 5, 0)], 0),
    ],
)
async def test_a_budget_that_did_not_reach_warns_until_all_are_billed(
    context: Any, make: Make, later: list[tuple[str, int, int]], left: int
) -> None:
    for number, (funding, billed, missed) in enumerate([("apbd-regency", 70, 30), *later]):
        context.take(*run(make, number, funding, billed, missed))
    assert await open_ones(context) == ([("exhausted", "2026-03", left)] if left else [])
