"""What billing's decisions look up in its own store, and the waits of its runs and invoices."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from services.billing import settings
from services.billing.domain import invoices, rules, runs
from services.billing.domain.state import Accounts, Budget, Facts, Invoice, Page, Reference, Run, RunStatus, Skipped
from shared.contracts import topics
from shared.contracts.base import Funding, PremiumLine
from shared.contracts.billing_work import RunCounting, RunDrawn, RunPage, RunStart
from shared.kernel.decision import Due
from shared.kernel.event import Event, Routed
from shared.persons.facts import persons
from shared.reference import areas, rates
from shared.reference.rates import Editions
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Reader
from shared.runtime.spec import Performer, Workplace, WorkResult
from shared.runtime.store import editions

WORK = topics.work("billing")
# These topics say who may be billed (verdicts, deaths, merged workers), so they must be counted before a run starts.
BEFORE_A_RUN = (topics.events("verification"), topics.events("claims"), topics.events("registration"))
LOOK_AGAIN_S = 0.1
LOOKS_MAX = 300
REGENCY: Funding = "apbd-regency"
PROVINCE: Funding = "apbd-province"


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
    where = _candidates(regency, period, cutoff, cursor)
    found = await reader.find("enrolments", where, order=("state.place",), limit=limit)
    return Page(tuple(found), await _billed(reader, [one for one, _ in found], period), last=len(found) < limit)


def _candidates(regency: str, period: str, cutoff: str, cursor: str = "") -> dict[str, Any]:
    return {
        "state.regency": regency,
        "state.place": {"$gt": cursor, "$lt": rules.last_place(cutoff)},
        "state.until": {"$gte": period},
    }


async def start_of(reader: Reader, run: Run) -> RunStart:
    """The start of a run, with the price of all its candidates: the most it can need, if nobody is verified meanwhile.

    Whoever turns out to be billed already or not of age is counted too: it is money that comes back at the close.
    """
    known = await editions.load(reader)
    prices = known.named(known.newest)
    where = _candidates(run.regency, run.period, run.cutoff)
    rows = await reader.tally("enrolments", where, ("state.income_base", "state.sector"))
    needed = Accounts()
    for row in rows:
        _, price = rules.price_of(prices, run.funding, row["income_base"], row["sector"], run.period)
        needed = needed + Accounts(price.jkk * row["count"], price.jkm * row["count"])
    return runs.start_of(run, needed)


async def _billed(reader: Reader, workers: Sequence[str], period: str) -> frozenset[str]:
    """The workers who cannot be billed for this month: it is billed under their id or another id of the same person, or
    they were merged into another worker.
    """
    if not workers:
        return frozenset()
    known = await persons(reader, workers)
    groups = {worker: known.group(worker) for worker in workers}
    keys = {rules.premium_key(one, period): one for group in groups.values() for one in group}
    premiums = {keys[key] for key in await reader.states("premiums", list(keys))}
    return frozenset(
        worker for worker, group in groups.items() if known.who(worker) != worker or not premiums.isdisjoint(group)
    )


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


async def catch_up(run_id: str, run: Run, due: Due, place: Workplace) -> WorkResult:
    """Answers when it is the run's turn and every verdict published before it is counted. Raises Unavailable
    after 30 s.
    """
    for _ in range(LOOKS_MAX):
        if await is_its_turn(place.reader, run) and await place.caught_up(BEFORE_A_RUN):
            start = await start_of(place.reader, run)
            return WorkResult("run.start", rules.budget_key(run.regency, run.period, run.funding), start)
        await asyncio.sleep(LOOK_AGAIN_S)
    raise Unavailable("the run's turn has not come yet")


async def is_its_turn(reader: Reader, run: Run) -> bool:
    """Whether the run is first in its budget's queue, and no other funder's earlier run over the same month is open.

    The first condition is an invariant of the budget. The second saves work: simultaneous runs of two funders would
    reserve the same workers, and one of them would give everything back. If they still meet, the insert of the premium
    decides. A province pays only whom no regency pays: its run lets every open run of the regency over the month go
    first.
    """
    where = {
        "state.regency": run.regency,
        "state.period": run.period,
        "state.status": {"$in": [one.value for one in RunStatus if one is not RunStatus.CLOSED]},
    }
    around: list[Run] = [other for _, other in await reader.find("runs", where)]
    keys = [rules.budget_key(one.regency, one.period, one.funding) for one in (run, *around)]
    budgets: Mapping[str, Budget] = await reader.states("budgets", list(set(keys)))
    first = {budget.queue[0] for budget in budgets.values() if budget.queue}
    blocked = any(_goes_before(other, run, first) for other in around if other.run_id != run.run_id)
    return run.run_id in first and not blocked


def _goes_before(other: Run, run: Run, first: Collection[str]) -> bool:
    if other.status is not RunStatus.WAITING:
        return other.run_id in first
    if run.funding == PROVINCE and other.funding == REGENCY:
        return True
    # Only a run that could start blocks this one: a run that waits for its own budget must not hold up another budget.
    # All use one order, and no run of a regency waits for a waiting one of a province, so nobody waits in a circle.
    return other.run_id in first and _order(other) < _order(run)


def _order(run: Run) -> tuple[bool, str, str]:
    return run.funding == PROVINCE, run.requested_at, run.run_id


async def watch_due_date(invoice_id: str, invoice: Invoice, due: Due, place: Workplace) -> WorkResult:
    """Says that the due date has passed. The invoice itself knows whether it was paid in time."""
    return WorkResult("invoice.overdue", rules.invoice_work_key(invoice.invoice_id), invoices.overdue_of(invoice))


PERFORMERS: Mapping[str, Performer] = {runs.CATCH_UP: catch_up, invoices.OVERDUE: watch_due_date}
