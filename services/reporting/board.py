"""The figures as they stand: counted once for all who ask, shown live, published as snapshots. Knows no HTTP.

Theory of operation
Whoever asks gets figures that were counted after the last saved batch, or less than a second ago. A count is shared by
everyone who waits for it. Another instance may have saved what this one does not know of, so nothing older than
`stale_s` is served at all.
Snapshots go to the compacted topic when an area's counts changed. Their id follows from their content: publishing one
again, after a restart, is a repeat and not news.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.reporting import facts
from services.reporting.domain import coverage
from services.reporting.facts import Filters, Reference, Report
from shared.contracts import topics
from shared.contracts.reporting import CoverageCounted
from shared.kernel.decision import Outcome
from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Reader

CACHE_MAX = 256
BEHIND = "behind"
# Nothing changed for so long: look all the same, for what another instance saved.
QUIET_S = 30.0


class House(Protocol):
    """What reporting uses of the running service."""

    reader: Any
    reference: Any

    @property
    def changes(self) -> int: ...
    async def lag(self) -> int: ...
    async def emit(self, outcomes: Sequence[Outcome]) -> None: ...


@dataclass(slots=True)
class _Kept:
    value: Any
    changes: int
    at_s: float


class Board:
    """Figures on request, each counted at most once a change and once a second."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._reader: Reader = house.reader
        self.reference: Reference = house.reference
        self._kept: OrderedDict[tuple[Any, ...], _Kept] = OrderedDict()
        self._counting: dict[tuple[Any, ...], asyncio.Lock] = {}
        self.streams = 0

    @property
    def changes(self) -> int:
        """Grows with every saved batch."""
        return self._house.changes

    async def behind(self) -> int:
        """Records not yet read."""
        return int(await self._fresh((BEHIND,), self._house.lag))

    async def as_of(self) -> str | None:
        """When the last counted event happened."""
        latest: str | None = await self._fresh(("as_of",), lambda: facts.as_of(self._reader))
        return latest

    async def report(self, kind: str, ask: Filters) -> Report:
        """One of coverage, budget, claims, compliance, quality."""
        read = _REPORTS[kind]
        found: Report = await self._fresh((kind, ask), lambda: read(self._reader, self.reference, ask))
        return found

    async def months(self, regency: str | None) -> list[facts.Row]:
        """Workers billed and covered by month, the earliest first."""
        rows: list[facts.Row] = await self._fresh(("months", regency), lambda: facts.read_months(self._reader, regency))
        return rows

    async def warnings(self, regency: str | None, period: str | None) -> list[facts.Row]:
        """What stopped runs or puts cover at risk in a period."""
        key = ("warnings", regency, period)
        rows: list[facts.Row] = await self._fresh(key, lambda: facts.read_warnings(self._reader, regency, period))
        return rows

    async def _fresh(self, key: tuple[Any, ...], count: Callable[[], Awaitable[Any]]) -> Any:
        kept = self._kept.get(key)
        if kept is not None and self._serves(key, kept):
            return kept.value
        async with self._counting.setdefault(key, asyncio.Lock()):
            kept = self._kept.get(key)
            if kept is None or not self._serves(key, kept):
                # Read before the count: what is saved meanwhile makes these figures old, never unnoticed.
                changes = self._house.changes
                kept = _Kept(await count(), changes, clock.monotonic())
                self._kept[key] = kept
                self._kept.move_to_end(key)
                while len(self._kept) > CACHE_MAX:
                    old, _ = self._kept.popitem(last=False)
                    self._counting.pop(old, None)
        return kept.value

    def _serves(self, key: tuple[Any, ...], kept: _Kept) -> bool:
        settings = self.reference.settings
        age_s = clock.monotonic() - kept.at_s
        if age_s < settings.recount_s:
            return True
        # The lag moves without a save of ours, so only the figures may live as long as nothing was saved.
        return key[0] != BEHIND and kept.changes == self._house.changes and age_s < settings.stale_s


_REPORTS: dict[str, Callable[[Reader, Reference, Filters], Awaitable[Report]]] = {
    "coverage": lambda reader, reference, ask: facts.read_coverage(reader, reference.areas, ask),
    "budget": lambda reader, reference, ask: facts.read_budget(reader, ask),
    "claims": lambda reader, reference, ask: facts.read_claims(reader, ask),
    "compliance": lambda reader, reference, ask: facts.read_compliance(reader, ask),
    "quality": lambda reader, reference, ask: facts.read_quality(reader, ask),
}
KINDS = tuple(_REPORTS)


class Snapshots:
    """Publishes the counts of areas that changed since they were last published."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._published: dict[str, CoverageCounted] = {}
        self._settled: dict[str, facts.Row] = {}

    async def publish_changed(self) -> int:
        """Counts again and publishes what differs; returns how many areas that were."""
        counted = [one for period in await self._periods() for one in await self._count(period)]
        changed = [one for one in counted if self._published.get(_key(one)) != one]
        if changed:
            await self._house.emit([_outcome(one) for one in changed])
            self._published.update({_key(one): one for one in changed})
        return len(changed)

    async def _periods(self) -> list[str]:
        """The period that the reports show, and any other whose runs or payments changed since the last time."""
        reader = self._house.reader
        months = {row["period"]: row for row in await facts.read_months(reader, None)}
        current = await facts.default_period(reader, None)
        due = [period for period, row in months.items() if self._settled.get(period) != row and period != current]
        self._settled = months
        return due if current is None else [*due, current]

    async def _count(self, period: str) -> list[CoverageCounted]:
        reference: Reference = self._house.reference
        found: list[CoverageCounted] = []
        for by in ("regency", "district"):
            ask = Filters(None, "regency" if by == "regency" else "district", period)
            report = await facts.read_coverage(self._house.reader, reference.areas, ask)
            for row in report.rows:
                if any(row[figure] for figure in coverage.FIGURES):
                    figures = {figure: row[figure] for figure in coverage.FIGURES}
                    found.append(CoverageCounted(area=row["area"], name=row["name"], period=period, **figures))
        return found


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


async def keep_publishing(house: House) -> None:
    """Publishes changed areas while the service runs; counting takes a bounded share of the time."""
    settings = house.reference.settings
    snapshots = Snapshots(house)
    counted: int | None = None
    last_s = clock.monotonic()
    while True:
        started_s = clock.monotonic()
        changes = house.changes
        if changes != counted or started_s - last_s > QUIET_S:
            try:
                await snapshots.publish_changed()
                counted, last_s = changes, started_s
            except Unavailable:
                # The pipeline retries, reports and ends the process when it must; figures only come later.
                pass
        took_s = clock.monotonic() - started_s
        await asyncio.sleep(max(settings.recount_s, took_s * (1 / settings.counting_share - 1)))
