"""Performs billing's waits: a run waits for its turn and for earlier verdicts, an invoice for its due date."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from services.billing import facts
from services.billing.domain import invoices, rules, runs
from services.billing.domain.state import Budget, Invoice, Run, RunStatus
from shared.contracts import topics
from shared.contracts.base import Funding
from shared.contracts.billing_work import RunStart
from shared.kernel.decision import Due
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Reader
from shared.runtime.spec import Performer, Workplace, WorkResult
from shared.runtime.store import editions

# These topics say who may be billed (verdicts, deaths, merged workers), so they must be counted before a run starts.
BEFORE_A_RUN = (topics.events("verification"), topics.events("claims"), topics.events("registration"))
LOOK_AGAIN_S = 0.1
LOOKS_MAX = 300
REGENCY: Funding = "apbd-regency"
PROVINCE: Funding = "apbd-province"


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


async def start_of(reader: Reader, run: Run) -> RunStart:
    """The event that starts a run, with the price of all its candidates by the newest rates."""
    known = await editions.load(reader)
    return runs.start_of(run, await facts.candidates_by_price(reader, run), known.named(known.newest))


async def is_its_turn(reader: Reader, run: Run) -> bool:
    """Whether the run is first in its budget's queue, and no other funder's earlier run over the same month is open.

    The first condition is an invariant of the budget. The second saves work: simultaneous runs of two funders would
    reserve the same workers, and one of them would give everything back. If they still meet, the insert of the premium
    decides. A province pays only for workers for whom no regency pays: its run waits for every open run of the regency
    over the month.
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
    # All runs use one order, and a regency's run never waits for a province's waiting run, so runs never wait in a
    # circle.
    return other.run_id in first and _order(other) < _order(run)


def _order(run: Run) -> tuple[bool, str, str]:
    return run.funding == PROVINCE, run.requested_at, run.run_id


async def watch_due_date(invoice_id: str, invoice: Invoice, due: Due, place: Workplace) -> WorkResult:
    """Answers that the due date has passed. The invoice itself knows whether it was paid in time."""
    return WorkResult("invoice.overdue", rules.invoice_work_key(invoice.invoice_id), invoices.overdue_of(invoice))


PERFORMERS: Mapping[str, Performer] = {runs.CATCH_UP: catch_up, invoices.OVERDUE: watch_due_date}
