"""The ceilings of a regency, year and funding, and the order of the runs that draw from them.

Theory of operation
A run gets its number and its place in the queue with its command. When the first run of the queue may start, all free
money is set aside for it (`reserved`); every later run of the same budget waits until it closes. So a run never has to
guess what it needs, and two runs can never promise the same rupiah. At the close the premiums that were really billed
become `committed`, and the rest is free again.

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
from shared.contracts.billing_work import InvoiceOpened, RunFunded, RunReleased, RunRequested, RunStart
from shared.contracts.reasons import Reason
from shared.kernel.decision import Decision, Outcome
from shared.kernel.event import Event


def ceilings_set(state: Budget | None, event: Event, facts: Facts) -> Decision[Budget]:
    """Replaces the ceilings; refuses values below what is billed or set aside."""
    order: Ceilings = event.data
    budget = state or Budget(regency=order.regency, year=order.year, funding=order.funding)
    if not order.amounts.carries(budget.committed + budget.reserved):
        answer = CommandRefused(
            regency=order.regency,
            year=order.year,
            funding=order.funding,
            reasons=[Reason.BUDGET_BELOW_COMMITTED],
        )
        return Decision(state=budget, outcomes=(outcomes.refusal(event.type, answer),))
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
    return Decision(state=budget, outcomes=(outcomes.told("budget.set-accepted.v1", order.regency, accepted),))


def run_ordered(state: Budget | None, event: Event, facts: Facts) -> Decision[Budget]:
    """Numbers a run and queues it; without ceilings the command is refused."""
    order: RunOrder = event.data
    budget = state or Budget(regency=order.regency, year=int(order.period[:4]), funding=order.funding)
    if budget.ceilings is None:
        answer = CommandRefused(
            regency=order.regency, period=order.period, funding=order.funding, reasons=[Reason.BUDGET_MISSING]
        )
        return Decision(state=budget, outcomes=(outcomes.refusal(event.type, answer),))
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


def run_started(state: Budget | None, event: Event, facts: Facts) -> Decision[Budget]:
    """Sets all free money aside for the run whose turn it is."""
    start: RunStart = event.data
    if state is None or not state.queue or state.queue[0] != start.run_id or state.reserved != NOTHING:
        return Decision(state=state, ignored="not-its-turn")
    free = state.free
    funded = RunFunded(
        run_id=start.run_id,
        regency=start.regency,
        period=start.period,
        funding=start.funding,
        cutoff=start.cutoff,
        jkk=free.jkk,
        jkm=free.jkm,
    )
    return Decision(
        state=replace(state, reserved=free),
        outcomes=(outcomes.step("run.funded", start.regency, start.period, funded),),
    )


def run_released(state: Budget | None, event: Event, facts: Facts) -> Decision[Budget]:
    """Commits what the run billed and frees the rest.

    Then it publishes the run's result. If there is an invoice, the invoice publishes the result when it opens.
    """
    final: RunReleased = event.data
    if state is None or not state.queue or state.queue[0] != final.run_id:
        return Decision(state=state, ignored="not-its-turn")
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
    return outcomes.step("invoice.opened", final.regency, final.period, data)


def _exhausted(budget: Budget, final: RunReleased) -> list[Outcome]:
    """One event for each account that is too small, and the warning of rules.md T2."""
    left, missing = budget.free, Accounts(final.missed_jkk, final.missed_jkm) - budget.free
    accounts: tuple[tuple[Programme, int, int], ...] = (
        ("JKK", left.jkk, missing.jkk),
        ("JKM", left.jkm, missing.jkm),
    )
    told = [
        outcomes.told(
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
    return [*told, outcomes.told("coverage.at-risk.v1", final.regency, at_risk)]
