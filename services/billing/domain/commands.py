"""Passes well-formed commands on to the budget or invoice that they are for.

Theory of operation
A command comes over `billing-intake`, the steps of runs over `billing-work`. Nothing orders two topics: a store that
was restored from an older copy reads both again and may meet a run's last step before the command for the run.
Therefore this module only notes a command and passes it on over `billing-work`, by the key of the document that it is
for. All inputs of a budget or an invoice are then in one partition, and every reader meets them in the same order.

The document takes the command under the name of the step, and its answers name the command as their cause.
"""

from __future__ import annotations

from services.billing.domain import outcomes, rules
from services.billing.domain.forms import Ceilings, Payment, RunOrder
from services.billing.domain.state import Accounts, Facts, ForwardedCommand
from shared.contracts.base import Data
from shared.contracts.billing_work import BudgetOrdered, PaymentOrdered, RunOrdered
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event, Routed
from shared.kernel.values import value


@value(frozen=True, slots=True)
class Passed:
    """A command and the step that passes it on."""

    command: str
    step: Outcome


def route(event: Event, part: Ceilings | RunOrder | Payment) -> tuple[Routed, ...]:
    """A document of its own for each command."""
    return (Routed(Address("commands", event.name), Passed(event.type, _step(part))),)


def passed(state: ForwardedCommand | None, event: Event[Passed], facts: Facts) -> Decision[ForwardedCommand]:
    """Notes the command and passes it on."""
    part = event.data
    return Decision(state=ForwardedCommand(part.command), outcomes=(part.step,))


def _step(part: Ceilings | RunOrder | Payment) -> Outcome:
    data: Data
    if isinstance(part, Ceilings):
        data = BudgetOrdered(
            regency=part.regency,
            year=part.year,
            funding=part.funding,
            jkk=part.amounts.jkk,
            jkm=part.amounts.jkm,
            decree_no=part.decree_no,
            target_workers=part.target_workers,
            targets=dict(part.targets),
        )
        return outcomes.for_budget("budget.ordered", rules.year_key(part.regency, part.year, part.funding), data)
    if isinstance(part, RunOrder):
        data = RunOrdered(
            regency=part.regency,
            period=part.period,
            funding=part.funding,
            cutoff=part.cutoff,
            due_date=part.due_date,
        )
        return outcomes.for_budget("run.ordered", rules.budget_key(part.regency, part.period, part.funding), data)
    data = PaymentOrdered(
        invoice_id=part.invoice_id,
        amount=part.amount,
        paid_on=part.paid_on,
        reference=part.reference,
        sender=part.source,
    )
    return outcomes.for_invoice("payment.ordered", part.invoice_id, data)


def ceilings(event: Event[BudgetOrdered], reference: object) -> tuple[Routed, ...]:
    """The command on its budget."""
    data = event.data
    key = rules.year_key(data.regency, data.year, data.funding)
    amounts = Accounts(data.jkk, data.jkm)
    part = Ceilings(
        data.regency, data.year, data.funding, amounts, data.decree_no, data.target_workers, dict(data.targets)
    )
    return (Routed(Address("budgets", key), part, for_cause=True),)


def run_order(event: Event[RunOrdered], reference: object) -> tuple[Routed, ...]:
    """The command on its budget."""
    data = event.data
    key = rules.budget_key(data.regency, data.period, data.funding)
    part = RunOrder(data.regency, data.period, data.funding, data.cutoff, data.due_date)
    return (Routed(Address("budgets", key), part, for_cause=True),)


def payment(event: Event[PaymentOrdered], reference: object) -> tuple[Routed, ...]:
    """The command on its invoice."""
    data = event.data
    part = Payment(data.invoice_id, data.amount, data.paid_on, data.reference, data.sender)
    return (Routed(Address("invoices", data.invoice_id), part, for_cause=True),)
