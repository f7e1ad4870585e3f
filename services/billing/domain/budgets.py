"""The ceilings of a regency, year and funding, and the order of the runs that draw from them.

Theory of operation
A run gets its number and its place in the queue with its command. When the first run of the queue may start, as much
free money is set aside for it (`reserved`) as all its candidates would cost; every later run of the same budget waits
until it closes. So two runs can never promise the same rupiah, and the ceilings can be revised meanwhile, down to what
is committed and reserved. A run that would miss workers asks once more: somebody may have been verified after it
started, or the ceilings may have been raised. At the close the premiums that were really billed become `committed`, and
the rest is free again.

Commands come to the budget over `billing-work`, by the same key as the steps of its runs: see domain/commands.py.

Invariants
* committed + reserved never exceed the ceilings, in either account.
* committed is the sum of the premiums of all closed runs.
"""

from __future__ import annotations

from dataclasses import replace

from services.billing.domain import outcomes, rules
from services.billing.domain.forms import Ceilings, RunOrder
from services.billing.domain.state import NOTHING, Accounts, Budget, Facts
from shared.contracts import tokens
from shared.contracts.base import Programme
from shared.contracts.billing import BudgetExhausted, BudgetSetAccepted, CommandRefused, CoverageAtRisk, RunCompleted
from shared.contracts.billing_work import (
    InvoiceOpened,
    RunFunded,
    RunMore,
    RunReleased,
    RunRequested,
    RunStart,
    RunStep,
)
from shared.contracts.reasons import Reason
from shared.kernel.decision import Decision, Outcome
from shared.kernel.event import Event

NOT_ITS_TURN = "not-its-turn"


def ceilings_set(state: Budget | None, event: Event[Ceilings], facts: Facts) -> Decision[Budget]:
    """Replaces the ceilings; refuses values below what is billed or set aside."""
    order = event.data
    budget = state or Budget(regency=order.regency, year=order.year, funding=order.funding)
    if not order.amounts.carries(budget.committed + budget.reserved):
        answer = CommandRefused(
            regency=order.regency,
            year=order.year,
            funding=order.funding,
            reasons=[Reason.BUDGET_BELOW_COMMITTED],
        )
        return Decision(state=budget, outcomes=(outcomes.refusal(rules.SET_BUDGET, answer),))
    budget = replace(
        budget,
        ceilings=order.amounts,
        decree_no=order.decree_no,
        target_workers=order.target_workers,
        targets=dict(order.targets),
    )
    accepted = BudgetSetAccepted(
        regency=order.regency,
        year=order.year,
        funding=order.funding,
        jkk=order.amounts.jkk,
        jkm=order.amounts.jkm,
        committed_jkk=budget.committed.jkk,
        committed_jkm=budget.committed.jkm,
        decree_no=tokens.number_or_nothing(order.decree_no),
        target_workers=order.target_workers,
        targets=dict(order.targets),
    )
    return Decision(state=budget, outcomes=(outcomes.issued("budget.set-accepted.v1", order.regency, accepted),))


def run_ordered(state: Budget | None, event: Event[RunOrder], facts: Facts) -> Decision[Budget]:
    """Numbers a run and queues it; without ceilings the command is refused."""
    order = event.data
    budget = state or Budget(regency=order.regency, year=int(order.period[:4]), funding=order.funding)
    if budget.ceilings is None:
        answer = CommandRefused(
            regency=order.regency, period=order.period, funding=order.funding, reasons=[Reason.BUDGET_MISSING]
        )
        return Decision(state=budget, outcomes=(outcomes.refusal(rules.RUN_BILLING, answer),))
    number = budget.runs.get(order.period, 0) + 1
    run_id = rules.run_id(order.regency, order.period, order.funding, number)
    requested = RunRequested(
        run_id=run_id,
        invoice_id=rules.invoice_id(order.regency, order.period, order.funding, number),
        regency=order.regency,
        period=order.period,
        funding=order.funding,
        cutoff=order.cutoff,
        due_date=order.due_date,
    )
    return Decision(
        state=replace(budget, queue=(*budget.queue, run_id), runs={**budget.runs, order.period: number}),
        outcomes=(outcomes.step("run.requested", order.regency, order.period, requested),),
    )


def run_started(state: Budget, event: Event[RunStart], facts: Facts) -> Decision[Budget]:
    """Sets aside what the run needs, as far as there is free money, when it is the run's turn."""
    start = event.data
    if not _is_first(state, start.run_id) or state.reserved != NOTHING:
        # Not remembered: a restored store may read it before the run is ordered, and then needs its repeat.
        return Decision(state=None, ignored=NOT_ITS_TURN)
    free = state.free
    needed = free if start.jkk is None or start.jkm is None else Accounts(start.jkk, start.jkm)
    return _set_aside(state, start, needed)


def run_asked(state: Budget, event: Event[RunMore], facts: Facts) -> Decision[Budget]:
    """Sets more aside for a run that would miss workers, as far as there is free money. The amount may be zero."""
    more = event.data
    if not _is_first(state, more.run_id):
        return Decision(state=state, ignored=NOT_ITS_TURN)
    return _set_aside(state, more, Accounts(more.jkk, more.jkm))


def _is_first(budget: Budget, run_id: str) -> bool:
    return bool(budget.queue) and budget.queue[0] == run_id


def _set_aside(state: Budget, step: RunStep, needed: Accounts) -> Decision[Budget]:
    free = state.free
    aside = Accounts(min(free.jkk, needed.jkk), min(free.jkm, needed.jkm))
    funded = RunFunded(
        run_id=step.run_id,
        regency=step.regency,
        period=step.period,
        funding=step.funding,
        cutoff=step.cutoff,
        jkk=aside.jkk,
        jkm=aside.jkm,
    )
    return Decision(
        state=replace(state, reserved=state.reserved + aside),
        outcomes=(outcomes.step("run.funded", step.regency, step.period, funded),),
    )


def run_released(state: Budget, event: Event[RunReleased], facts: Facts) -> Decision[Budget]:
    """Commits what the run billed and frees the rest.

    Then it publishes the run's result. If there is an invoice, the invoice publishes the result when it opens.
    """
    final = event.data
    if not _is_first(state, final.run_id):
        return Decision(state=state, ignored=NOT_ITS_TURN)
    committed = state.committed + rules.drawn(final.lines)
    budget = replace(state, committed=committed, reserved=NOTHING, queue=state.queue[1:])
    completed = _completed(budget, final)
    told = [_invoice(final, completed) if final.billed_workers else outcomes.completed(completed)]
    if final.missed_workers:
        told.extend(_exhausted(budget, final))
    return Decision(state=budget, outcomes=tuple(told))


def _completed(budget: Budget, final: RunReleased) -> RunCompleted:
    not_billed = {
        Reason.BUDGET_EXHAUSTED.value: final.missed_workers,
        Reason.ALREADY_BILLED.value: final.already_billed,
        Reason.NOT_ELIGIBLE.value: final.not_eligible,
        **final.barred,
    }
    return RunCompleted(
        run_id=final.run_id,
        invoice_id=final.invoice_id if final.billed_workers else None,
        regency=final.regency,
        period=final.period,
        funding=final.funding,
        billed_workers=final.billed_workers,
        total=sum(line.amount for line in final.lines),
        lines=final.lines,
        not_billed={reason: count for reason, count in not_billed.items() if count},
        budget_left={"jkk": budget.free.jkk, "jkm": budget.free.jkm},
    )


def _invoice(final: RunReleased, completed: RunCompleted) -> Outcome:
    data = InvoiceOpened(
        run_id=final.run_id,
        regency=final.regency,
        period=final.period,
        funding=final.funding,
        cutoff=final.cutoff,
        invoice_id=final.invoice_id,
        due_date=final.due_date,
        workers=final.billed_workers,
        lines=final.lines,
        completed=completed,
    )
    return outcomes.for_invoice("invoice.opened", final.invoice_id, data)


def _exhausted(budget: Budget, final: RunReleased) -> list[Outcome]:
    """One event for each account that is too small, and a warning that families may lose their full death benefit
    (docs/rules.md#cover-and-arrears).
    """
    left, missing = budget.free, Accounts(final.missed_jkk, final.missed_jkm) - budget.free
    accounts: tuple[tuple[Programme, int, int], ...] = (
        ("JKK", left.jkk, missing.jkk),
        ("JKM", left.jkm, missing.jkm),
    )
    told = [
        outcomes.issued(
            "budget.exhausted.v1",
            final.regency,
            BudgetExhausted(
                regency=final.regency,
                period=final.period,
                funding=final.funding,
                account=account,
                left=left_in_it,
                shortfall=shortfall,
                workers=final.missed_workers,
            ),
        )
        for account, left_in_it, shortfall in accounts
        if shortfall > 0
    ]
    at_risk = CoverageAtRisk(
        regency=final.regency,
        period=final.period,
        workers=final.missed_workers,
        reason=Reason.BUDGET_EXHAUSTED,
    )
    return [*told, outcomes.issued("coverage.at-risk.v1", final.regency, at_risk)]
