"""The present figures: counted once for all readers, shown live, published as snapshots. Knows no HTTP.

Theory of operation
A reader gets figures that were counted after the last saved batch, or so recently that another count would take more
than its share of the time; `behind` says so. Everyone who waits for a count shares it. Another instance may have saved
events that this one does not know of, so figures older than `stale_s` are not served at all.
Snapshots go to the compacted topic when an area's counts have changed. Their id follows from their content, so a
snapshot that is published again after a restart is a repeat.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services.reporting import facts
from services.reporting.domain import coverage
from services.reporting.facts import Filters, Ledger, Reference, ReportRows
from shared.contracts import topics
from shared.contracts.reporting import CoverageCounted
from shared.kernel.calendar import business_day, period_of
from shared.kernel.decision import Outcome
from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Reader
from shared.runtime.service_context import ServiceContext

CACHE_MAX = 256
# A rebuilt read model may hold as many premiums as before but different ones, so sums are made anew after this time.
LEDGER_S = 600.0
# After this much time without changes, count again anyway, because another instance may have saved something.
QUIET_S = 30.0
PUBLISHING = "coverage"


def this_month() -> str:
    """The month in which the figures are asked for."""
    return period_of(business_day(clock.now()))


@dataclass(frozen=True, slots=True)
class Counted:
    """A report with its freshness: the time of the last event in it, and the number of records not yet in it.

    `behind` is None when the broker does not answer.
    """

    report: ReportRows
    as_of: str | None
    behind: int | None


@dataclass(frozen=True, slots=True)
class _CachedFigures:
    value: Any
    changes: int
    at_s: float
    took_s: float


class Board:
    """Gives figures on request, counted once for all readers."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._reader: Reader = context.reader
        self._ledger, self._ledger_since_s = Ledger(), clock.monotonic()
        self.reference: Reference = context.reference
        self._kept: OrderedDict[tuple[Any, ...], _CachedFigures] = OrderedDict()
        self._counting: dict[tuple[Any, ...], asyncio.Lock] = {}
        self.streams = 0
        self._stored_as_of: str | None = None
        self._looked_back = False

    async def counted(self, kind: str, ask: Filters) -> Counted:
        """A report with its freshness.

        `behind` 0 means that it includes every record that was in Kafka when the service last looked, one or two
        seconds before the call.
        """
        kept = await self._fresh((kind, ask), lambda: self._count(kind, ask))
        report, as_of = kept.value
        behind = self._context.lag
        if behind == 0 and self._context.changes != kept.changes:
            # Records were read and saved, but are not in these figures yet.
            behind = 1
        return Counted(report, as_of, behind)

    async def report(self, kind: str, ask: Filters) -> ReportRows:
        """A report of one of KINDS."""
        report: ReportRows = (await self._fresh((kind, ask), lambda: self._count(kind, ask))).value[0]
        return report

    async def months(self, regency: str | None) -> list[facts.Row]:
        """Billed and covered workers by month, the earliest first."""
        kept = await self._fresh(("months", regency), lambda: facts.read_months(self._reader, regency))
        return list(kept.value)

    async def warnings(self, regency: str | None) -> list[facts.Row]:
        """What puts cover at risk now, of any month."""
        kept = await self._fresh(("warnings", regency), lambda: facts.read_warnings(self._reader, regency))
        return list(kept.value)

    async def _as_of(self) -> str | None:
        """The newest counted event: this process's own last record, or the newest in the store at its start.

        The store is asked only once, because that reads whole collections; an index for it would slow down every
        insert.
        """
        if not self._looked_back:
            self._stored_as_of = await facts.as_of(self._reader)
            self._looked_back = True
        return max((at for at in (self._stored_as_of, self._context.latest) if at is not None), default=None)

    async def _count(self, kind: str, ask: Filters) -> tuple[ReportRows, str | None]:
        # The time is read first: the figures may include later events than it says, but never lack earlier ones.
        as_of = await self._as_of()
        reader, areas = self._reader, self.reference.areas
        match kind:
            case "coverage":
                return await facts.read_coverage(reader, areas, ask, this_month()), as_of
            case "budget":
                return await facts.read_budget(reader, self._books(), ask), as_of
            case "claims":
                return await facts.read_claims(reader, ask), as_of
            case "quality":
                return await facts.read_quality(reader, ask), as_of
            case "deaths":
                return await facts.read_deaths(reader, areas, ask), as_of
            case "outreach":
                return await facts.read_outreach(reader, ask), as_of
            case _:
                return await facts.read_compliance(reader, ask), as_of

    def _books(self) -> Ledger:
        now_s = clock.monotonic()
        if now_s - self._ledger_since_s > LEDGER_S:
            self._ledger, self._ledger_since_s = Ledger(), now_s
        return self._ledger

    async def _fresh(self, key: tuple[Any, ...], count: Callable[[], Awaitable[Any]]) -> _CachedFigures:
        kept = self._kept.get(key)
        if kept is not None and self._serves(kept):
            return kept
        async with self._counting.setdefault(key, asyncio.Lock()):
            kept = self._kept.get(key)
            if kept is not None and self._serves(kept):
                return kept
            # Read before the count: a save in the meantime makes these figures outdated, and this is noticed.
            changes, started_s = self._context.changes, clock.monotonic()
            value = await count()
            now_s = clock.monotonic()
            kept = _CachedFigures(value, changes, now_s, now_s - started_s)
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > CACHE_MAX:
                old, _ = self._kept.popitem(last=False)
                self._counting.pop(old, None)
        return kept

    def _serves(self, kept: _CachedFigures) -> bool:
        settings = self.reference.settings
        age_s = clock.monotonic() - kept.at_s
        if age_s < settings.rest_s(kept.took_s):
            return True
        return kept.changes == self._context.changes and age_s < settings.stale_s


KINDS = ("coverage", "budget", "claims", "compliance", "quality", "outreach", "deaths")


class Snapshots:
    """Publishes the counts of areas that changed since they were last published."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._published: dict[str, CoverageCounted] = {}
        self._settled: dict[str, facts.Row] = {}

    async def publish_changed(self) -> int:
        """Counts again and publishes what differs; returns the number of published areas."""
        counted = [one for period in await self._periods() for one in await self._count(period)]
        changed = [one for one in counted if self._published.get(_key(one)) != one]
        if changed:
            await self._context.emit([_outcome(one) for one in changed])
            self._published.update({_key(one): one for one in changed})
        return len(changed)

    async def _periods(self) -> list[str]:
        """The period that the reports show, and all others whose runs or payments changed since the last call."""
        reader = self._context.reader
        months = {row["period"]: row for row in await facts.read_months(reader, None)}
        current = await facts.default_period(reader, None, this_month())
        due = [period for period, row in months.items() if self._settled.get(period) != row and period != current]
        self._settled = months
        return due if current is None else [*due, current]

    async def _count(self, period: str) -> list[CoverageCounted]:
        reference: Reference = self._context.reference
        return [
            CoverageCounted(
                area=row["area"],
                name=row["name"],
                period=period,
                **{figure: row[figure] for figure in coverage.FIGURES},
            )
            for row in await facts.read_areas(self._context.reader, reference.areas, period, this_month())
            if any(row[figure] for figure in coverage.FIGURES)
        ]


def _key(counted: CoverageCounted) -> str:
    return f"{counted.area}|{counted.period}"


def _outcome(counted: CoverageCounted) -> Outcome:
    return Outcome(
        topic=topics.REPORTING_COVERAGE,
        key=_key(counted),
        type="coverage.counted.v1",
        data=counted,
        subject=counted.area,
    )


async def keep_publishing(context: ServiceContext) -> None:
    """Publishes changed areas while the service runs; counting takes a limited share of the time.

    Only one process of the service publishes, under a lease: of two, the slower one would publish older counts over
    newer ones. Events that only another process saved are counted within QUIET_S.
    """
    settings = context.reference.settings
    snapshots = Snapshots(context)
    counted: int | None = None
    last_s = clock.monotonic()
    while True:
        if not await _holds_publishing_lease(context):
            # Another process publishes now, so this one no longer knows what was published.
            snapshots, counted = Snapshots(context), None
            await asyncio.sleep(settings.look_s)
            continue
        started_s = clock.monotonic()
        changes = context.changes
        if changes != counted or started_s - last_s > QUIET_S:
            try:
                await snapshots.publish_changed()
                counted, last_s = changes, started_s
            except Unavailable:
                # The pipeline retries, reports, and ends the process when it must; here the figures only come later.
                pass
        took_s = clock.monotonic() - started_s
        await asyncio.sleep(max(settings.look_s, settings.rest_s(took_s)))


async def _holds_publishing_lease(context: ServiceContext) -> bool:
    try:
        return await context.leases.mine(PUBLISHING)
    except Unavailable:
        return False
