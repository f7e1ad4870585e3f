"""The board for callers without a log-in: sums of people with small counts hidden, and no single person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from fastapi import HTTPException

from services.reporting import facts
from services.reporting.api.board import Board, Counted
from services.reporting.domain import coverage
from services.reporting.domain.suppression import CountedShape, all_hidden, suppressed
from services.reporting.facts import Filters, Reference, ReportRows
from shared.runtime.http.auth import OPERATOR, READER, ROLES, Caller

_COVERAGE = CountedShape(figures=coverage.COUNTS, parts=(("registered", ("verified", "held", "rejected")),), follow={})
# A village's district and a district's regency have their own reports, which show the sums: the letters of their codes.
_PARENT_LETTERS = {"village": (8, 5), "district": (5,), "regency": (5,)}
_SHAPES = {
    "claims": CountedShape(
        figures=("claims", "held", "rejected"),
        follow={"total": "claims", "paid": "claims"},
        parents=(lambda row: row["kind"],),
    ),
    "quality": CountedShape(
        figures=("sent", "accepted", "rejected", "refuted"),
        parts=(("sent", ("accepted", "rejected")),),
        follow={"score": "accepted"},
    ),
    "months": CountedShape(figures=("billed", "covered"), follow={}),
}
_REGENCY_LETTERS = 5
# Rows about single employers, meetings and dead workers are only for callers with a role.
_FOR_ROLES = ("compliance", "outreach", "deaths")


def sees_all(caller: Caller | None, regency: str | None) -> bool:
    """Whether this caller sees every figure of a regency (None: of all). `caller` is None for a caller without a
    log-in.
    """
    if caller is None:
        return False
    if caller.agencies is None:
        return True
    if regency is None:
        # All regencies at once are for roles that are bound to no regency.
        return bool({READER, OPERATOR} & caller.roles)
    return any(caller.has_role(role, regency) for role in ROLES)


class Veil:
    """A board that hides small cells."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.reference: Reference = board.reference

    async def counted(self, kind: str, ask: Filters) -> Counted:
        """A report with its freshness, as everybody may see it; raises 403 for reports and months that need a role."""
        if kind in _FOR_ROLES:
            raise HTTPException(403, f"the report {kind} is for those who have a role in the regency")
        if kind == "coverage" and ask.period is not None:
            now = (await self._board.counted(kind, replace(ask, period=None))).report.filters["period"]
            if ask.period != now:
                # The difference between two months would be a small count that is not hidden.
                raise HTTPException(403, "other months than the present one are for those who have a role")
        counted = await self._board.counted(kind, ask)
        return replace(counted, report=_veiled(kind, ask, counted.report))

    async def report(self, kind: str, ask: Filters) -> ReportRows:
        """A report, as everybody may see it."""
        return (await self.counted(kind, ask)).report

    async def months(self, regency: str | None) -> list[facts.Row]:
        """Billed and covered workers by month."""
        return suppressed(rows := await self._board.months(regency), _sums(rows), _SHAPES["months"])[0]

    async def warnings(self, regency: str | None) -> list[facts.Row]:
        """No warnings: a warning counts the workers of one run."""
        return []


def _by_area(shape: CountedShape, letters: Sequence[int], *, apart: bool) -> CountedShape:
    """The shape of a report by area. In the report of one regency, its own sums are the totals. `apart`: the report
    covers all regencies."""

    def parent(length: int) -> Callable[[facts.Row], str]:
        return lambda row: str(row["area"])[:length]

    return replace(shape, parents=tuple(parent(one) for one in letters if apart or one > _REGENCY_LETTERS), apart=apart)


def _sums(rows: list[facts.Row]) -> facts.Row:
    return {name: sum(row[name] for row in rows) for name in ("billed", "covered")}


def _veiled(kind: str, ask: Filters, report: ReportRows) -> ReportRows:
    if kind == "budget":
        # The money of a regency's budget is public anyway.
        return report
    rows: list[dict[str, Any]] = [dict(row) for row in report.rows]
    totals = dict(report.totals)
    if kind == "quality":
        for one in (*rows, totals):
            one.update(outcomes={}, reasons={})
    shape = _SHAPES.get(kind, _COVERAGE)
    if kind == "coverage" and ask.by in _PARENT_LETTERS:
        shape = _by_area(shape, _PARENT_LETTERS[ask.by], apart=ask.regency is None)
    elif ask.regency is None and kind in ("coverage", "claims"):
        # The groups of all regencies minus those of the other regencies would reveal what one regency hides.
        shown, sums = all_hidden(rows, totals, shape)
        return replace(report, rows=shown, totals=sums)
    shown, sums = suppressed(rows, totals, shape)
    return replace(report, rows=shown, totals=sums)
