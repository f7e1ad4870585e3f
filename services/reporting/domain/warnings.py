"""The open warnings: a late invoice until it is paid, a budget that was too small until all workers are billed.
Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from services.reporting.domain.state import Exhaustion, Risk, Run

Row = dict[str, Any]


def still_open(
    late: Iterable[Risk], paid_invoices: Collection[str], runs: Sequence[Run], stopped: Iterable[Exhaustion]
) -> list[Row]:
    """Rows of kind, regency, period and workers, the earliest month first; months of any age."""
    missed = missed_workers(runs)
    rows: list[Row] = [
        {"kind": "risk", "regency": one.regency, "period": one.period, "workers": one.workers, "reason": one.reason}
        for one in late
        if one.invoice_id not in paid_invoices
    ]
    rows.extend(
        {"kind": "exhausted", "regency": one.regency, "period": one.period, "account": one.account}
        | {"funding": one.funding, "workers": missed[one.regency, one.period]}
        | {"shortfall": one.shortfall, "left": one.left}
        for one in stopped
        if missed.get((one.regency, one.period))
    )
    return sorted(rows, key=lambda row: (row["period"], row["regency"], row["kind"], row.get("account", "")))


def missed_workers(runs: Iterable[Run]) -> dict[tuple[str, str], int]:
    """The number of workers of a regency's month who are still unbilled because the budget was too small.

    A stopped run says how many workers it missed. Every later run, of any funder, bills some of them. A later run of
    the same funding that misses nobody has billed all of them.
    """
    missed: dict[tuple[str, str], int] = {}
    stopped: dict[tuple[str, str], str] = {}
    for run in sorted(runs, key=lambda one: one.at):
        month = (run.regency, run.period)
        if run.missed:
            missed[month], stopped[month] = run.missed, run.funding
        elif stopped.get(month) == run.funding:
            missed[month] = 0
        elif month in missed:
            missed[month] = max(0, missed[month] - run.billed_workers)
    return missed
