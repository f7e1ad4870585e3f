"""What billing's decisions look up in its own store, and what its runs and invoices wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from services.billing import settings
from services.billing.domain import invoices, rules, runs
from services.billing.domain.state import Budget, Facts, Invoice, Page, Reference, Run
from shared.contracts import topics
from shared.contracts.billing_work import RunClosing, RunPage
from shared.kernel.decision import Due
from shared.kernel.event import Event, Routed
from shared.reference import areas, rates
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Answer, Performer, Reader, Workplace

WORK = topics.work("billing")
# Whatever says who may be billed must be counted before a run starts: verdicts, and deaths.
BEFORE_A_RUN = (topics.events("verification"), topics.events("claims"))
LOOK_AGAIN_S = 0.1
LOOKS_MAX = 300


async def reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """Areas and rates as the product ships them, and the settings."""
    chosen = settings.from_environment(environ)
    return Reference(areas.load(), rates.load(), chosen.step_workers)


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> Facts:
    """The pages that steps of this batch take, and how many workers were ever verified where a run closes."""
    pages: dict[tuple[str, int], Page] = {}
    enrolled: dict[str, int] = {}
    for _, event in routed:
        data = event.data
        if isinstance(data, RunPage):
            pages[data.run_id, data.number] = await page(
                reader,
                regency=data.regency,
                period=data.period,
                cutoff=data.cutoff,
                cursor=data.cursor,
                limit=reference.step_workers,
            )
        elif isinstance(data, RunClosing) and data.regency not in enrolled:
            enrolled[data.regency] = await ever_verified(reader, data.regency)
    return Facts(reference.rates, pages, enrolled)


async def page(reader: Reader, *, regency: str, period: str, cutoff: str, cursor: str, limit: int) -> Page:
    """The next candidates after a place: verified on or before the cutoff and not ended before the period."""
    where = {
        "state.regency": regency,
        "state.place": {"$gt": cursor, "$lt": rules.last_place(cutoff)},
        "state.until": {"$gte": period},
    }
    found = await reader.find("enrolments", where, order=("state.place",), limit=limit)
    keys = {rules.premium_key(worker_id, period): worker_id for worker_id, _ in found}
    premiums = await reader.states("premiums", list(keys)) if keys else {}
    billed = frozenset(keys[key] for key in premiums)
    return Page(tuple(found), billed, last=len(found) < limit)


async def ever_verified(reader: Reader, regency: str) -> int:
    """Workers of a regency who were verified at some time."""
    return await reader.count("enrolments", {"state.regency": regency, "state.place": {"$gt": ""}})


async def catch_up(run_id: str, run: Run, due: Due, place: Workplace) -> Answer:
    """Answers when the run may start: its budget is free, and all that was verified before it is counted."""
    key = rules.budget_key(run.regency, run.period, run.funding)
    for _ in range(LOOKS_MAX):
        budget: Budget | None = (await place.reader.states("budgets", [key])).get(key)
        if budget is not None and budget.queue[:1] == (run_id,) and await place.caught_up(BEFORE_A_RUN):
            return Answer("run.start", rules.work_key(run.regency, run.period), runs.start_of(run))
        await asyncio.sleep(LOOK_AGAIN_S)
    raise Unavailable("the run's turn has not come yet")


async def watch_due_date(invoice_id: str, invoice: Invoice, due: Due, place: Workplace) -> Answer:
    """Says that the due date has passed; whether it was paid in time is for the invoice to know."""
    return Answer("invoice.overdue", rules.work_key(invoice.regency, invoice.period), invoices.overdue_of(invoice))


PERFORMERS: Mapping[str, Performer] = {runs.CATCH_UP: catch_up, invoices.OVERDUE: watch_due_date}


async def plan(reader: Reader, reference: Reference, run: Run) -> Run:
    """The figures that this run would end with now; changes nothing."""
    while True:
        candidates = await page(
            reader,
            regency=run.regency,
            period=run.period,
            cutoff=run.cutoff,
            cursor=run.cursor,
            limit=reference.step_workers,
        )
        run = runs.draw(run, candidates, reference.rates).run
        if candidates.last:
            return run
