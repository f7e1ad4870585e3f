"""What billing's decisions look up in its own store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from services.billing import settings
from services.billing.domain import rules
from services.billing.domain.state import Enrolment, Facts, Page, Reference, Run, Skipped
from shared.contracts.base import PremiumLine
from shared.contracts.billing_work import RunCounting, RunDrawn, RunPage
from shared.kernel.event import Event, Routed
from shared.persons.facts import persons
from shared.persons.links import Persons
from shared.reference import areas, rates
from shared.reference.rates import Editions
from shared.runtime.ports import Reader
from shared.runtime.store import editions


async def reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """Areas and rates as the product ships them, and the settings."""
    chosen = settings.from_environment(environ)
    return Reference(areas.load(), rates.load(), chosen.step_workers)


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> Facts:
    """Looks up the pages that this batch's steps draw; for a closing run, the premiums that others billed first and the
    number of workers ever verified.
    """
    asked = any(isinstance(event.data, RunPage | RunDrawn) for _, event in routed)
    known = await editions.load(reader) if asked else Editions()
    pages: dict[tuple[str, int], Page] = {}
    enrolled: dict[str, int] = {}
    skipped: dict[str, Skipped] = {}
    for _, event in routed:
        data = event.data
        if isinstance(data, RunPage | RunDrawn) and (number := _page_to_draw(data)):
            if (data.run_id, number) in pages:
                continue
            pages[data.run_id, number] = await page(
                reader,
                regency=data.regency,
                period=data.period,
                cutoff=data.cutoff,
                cursor=data.cursor,
                limit=reference.step_workers,
            )
        elif isinstance(data, RunCounting):
            enrolled[data.regency] = await ever_verified(reader, data.regency)
            skipped[data.run_id] = await billed_by_others(reader, data.run_id)
    return Facts(known, pages, enrolled, skipped)


def _page_to_draw(data: RunPage | RunDrawn) -> int:
    """The number of the page that this step draws; 0 when it draws none."""
    if isinstance(data, RunDrawn):
        return 0 if data.last else data.number + 1
    return data.number


async def page(reader: Reader, *, regency: str, period: str, cutoff: str, cursor: str, limit: int) -> Page:
    """The next candidates after a place: verified on or before the cutoff, and not ended before the period."""
    found = await candidates(reader, regency=regency, period=period, cutoff=cutoff, cursor=cursor, limit=limit)
    workers = [one for one, _ in found]
    taken = await taken_months(reader, await persons(reader, workers), workers, (period,)) if workers else NOBODY
    return Page(tuple(found), taken.merged.union(taken.months), last=len(found) < limit)


async def candidates(
    reader: Reader, *, regency: str, period: str, cutoff: str, cursor: str, limit: int
) -> list[tuple[str, Enrolment]]:
    """The same workers, without a look at what is billed already."""
    where = _candidates(regency, period, cutoff, cursor)
    return await reader.find("enrolments", where, order=("state.place",), limit=limit)


def _candidates(regency: str, period: str, cutoff: str, cursor: str = "") -> dict[str, Any]:
    return {
        "state.regency": regency,
        "state.place": {"$gt": cursor, "$lt": rules.last_place(cutoff)},
        "state.until": {"$gte": period},
    }


async def candidates_by_price(reader: Reader, run: Run) -> list[tuple[int, str, int]]:
    """All candidates of a run in groups with one price: income base, sector, number of workers."""
    where = _candidates(run.regency, run.period, run.cutoff)
    rows = await reader.tally("enrolments", where, ("state.income_base", "state.sector"))
    return [(row["income_base"], row["sector"], row["count"]) for row in rows]


class Taken(NamedTuple):
    """Which workers cannot be billed: by worker the months that are billed under their id or another id of the same
    person, and those who were merged into another worker."""

    months: Mapping[str, frozenset[str]]
    merged: frozenset[str]


NOBODY = Taken({}, frozenset())


async def taken_months(reader: Reader, known: Persons, workers: Sequence[str], periods: Sequence[str]) -> Taken:
    """Which of these months are billed already, by any funder."""
    linked = known.linked
    groups = {worker: known.group(worker) if worker in linked else frozenset((worker,)) for worker in workers}
    keys = {
        rules.premium_key(one, period): (one, period)
        for group in groups.values()
        for one in group
        for period in periods
    }
    premiums = {keys[key] for key in await reader.states("premiums", list(keys))} if keys else set()
    billed: dict[str, frozenset[str]] = {}
    if premiums:
        for worker, group in groups.items():
            months = frozenset(period for period in periods if any((one, period) in premiums for one in group))
            if months:
                billed[worker] = months
    return Taken(billed, frozenset(worker for worker in linked.intersection(workers) if known.who(worker) != worker))


async def months_with_runs(reader: Reader, periods: Sequence[str]) -> tuple[str, ...]:
    """Those of these months that any run has billed or may bill; the others have no premiums."""
    rows = await reader.tally("runs", {"state.period": {"$in": list(periods)}}, ("state.period",))
    return tuple(sorted(row["period"] for row in rows))


async def runs_of_year(reader: Reader, regency: str, funding: str, year: int) -> list[dict[str, Any]]:
    """The runs of one budget by `period` and `status`, with the workers they have `billed`."""
    where = {
        "state.regency": regency,
        "state.funding": funding,
        "state.period": {"$gte": f"{year:04d}-01", "$lte": f"{year:04d}-12"},
    }
    return await reader.tally("runs", where, ("state.period", "state.status"), sums=("state.billed",))


async def ever_verified(reader: Reader, regency: str) -> int:
    """The number of workers of a regency who were ever verified."""
    return await reader.count("enrolments", {"state.regency": regency, "state.place": {"$gt": ""}})


async def ever_verified_by_district(reader: Reader, regency: str) -> dict[str, int]:
    """The same by district."""
    where = {"state.regency": regency, "state.place": {"$gt": ""}}
    rows = await reader.tally("enrolments", where, ("state.district",))
    return {row["district"]: row["count"] for row in rows}


async def billed_by_others(reader: Reader, run_id: str) -> Skipped:
    """The premiums that a run had reserved but other runs billed first."""
    rows = await reader.tally(
        "skips", {"state.run_id": run_id}, ("state.jkk_rule", "state.jkm_rule"), sums=("state.jkk", "state.jkm")
    )
    lines: tuple[PremiumLine, ...] = ()
    for row in rows:
        more = (
            PremiumLine(programme="JKK", amount=row["jkk"], rule=row["jkk_rule"]),
            PremiumLine(programme="JKM", amount=row["jkm"], rule=row["jkm_rule"]),
        )
        lines = rules.add_lines(lines, more)
    return Skipped(sum(row["count"] for row in rows), lines)
