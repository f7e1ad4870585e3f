"""Routes each input of billing to the document it changes (`route`) and decides what happens there (`decide`).

Theory of operation
* enrolments (worker_id): verdicts and deaths, so that a run finds its candidates in its own store.
* links (worker_id): who was merged into whom, so that a month is billed once for both: shared/contracts/merges.py.
* commands (name of the input): well-formed commands, passed on to their budget or invoice: domain/commands.py.
* budgets (regency|year|funding): ceilings, and runs one after the other: domain/budgets.py.
* runs (run_id): pages of candidates, money drawn in priority order: domain/runs.py.
* premiums (worker_id|period): inserted once across all funders; skips (run_id|worker_id): a run came second:
  domain/premiums.py.
* invoices (invoice_id): opened by a run's close, paid once with the exact amount: domain/invoices.py.
* refusals (name of the input): commands with a wrong form.

Invariants: pure, total, deterministic; a refusal is an outcome with reasons; an ignored input says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.billing.domain import budgets, commands, enrolments, forms, invoices, outcomes, premiums, rules, runs
from services.billing.domain.forms import Ceilings, Payment, Refused, RunOrder
from services.billing.domain.state import Facts, Reference, Refusal
from shared.contracts import merges
from shared.contracts.billing import PayInvoice, RunBilling, SetBudget
from shared.contracts.billing_work import (
    BudgetOrdered,
    InvoiceOpened,
    InvoiceOverdue,
    PaymentOrdered,
    PremiumSkipped,
    RunClosing,
    RunCounted,
    RunCounting,
    RunDrawn,
    RunFunded,
    RunMore,
    RunOrdered,
    RunPage,
    RunReleased,
    RunRequested,
    RunSettle,
    RunStart,
    StepReserved,
)
from shared.contracts.claims import WorkerDied
from shared.contracts.reasons import Reason
from shared.contracts.registration import WorkerRegistered, WorkerWithdrawn
from shared.contracts.verification import IdentityEnded, IdentityHeld, IdentityRejected, IdentityVerified
from shared.kernel.decision import Address, Decision
from shared.kernel.event import Event, Routed


def route(event: Event, reference: Reference) -> tuple[Routed, ...]:
    """The documents that an input changes, each with its part. Few of registration's events change any."""
    if isinstance(event.data, WorkerWithdrawn | WorkerRegistered):
        return merges.route(event)
    return _ROUTES[type(event.data)](event, reference)


def decide(state: Any, event: Event, facts: Facts, now: datetime) -> Decision[Any]:
    """Decides one part on its document. `now` is the event's own `at`."""
    return _DECISIONS[type(event.data)](state, event, facts)


def conflicting(event: Event) -> Routed:
    """Refuses an input whose name was used before with other content, in a separate document from the first one's."""
    part = forms.refused(event, [Reason.CONFLICTING_DUPLICATE])
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), part)


def _worker(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (Routed(Address("enrolments", event.data.worker_id), event.data),)


def _run(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (Routed(Address("runs", event.data.run_id), event.data),)


def _budget(event: Event, reference: Reference) -> tuple[Routed, ...]:
    data = event.data
    return (Routed(Address("budgets", rules.budget_key(data.regency, data.period, data.funding)), data),)


def _invoice(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (Routed(Address("invoices", event.data.invoice_id), event.data),)


def _skip(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (Routed(Address("skips", f"{event.data.run_id}|{event.data.worker_id}"), event.data),)


def _premiums(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return premiums.parts(event.data)


def _drawn(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (*_run(event, reference), *premiums.parts(event.data))


def _ordered_budget(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (commands.ceilings(event.data),)


def _ordered_run(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (commands.run_order(event.data),)


def _ordered_payment(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (commands.payment(event.data),)


def _set_budget(event: Event, reference: Reference) -> tuple[Routed, ...]:
    part = forms.ceilings(event, reference)
    if isinstance(part, Refused):
        return _refusal(event, part)
    return commands.route(event, part)


def _order_run(event: Event, reference: Reference) -> tuple[Routed, ...]:
    part = forms.run_order(event, reference)
    if isinstance(part, Refused):
        return _refusal(event, part)
    return commands.route(event, part)


def _pay(event: Event, reference: Reference) -> tuple[Routed, ...]:
    part = forms.payment(event, reference)
    if isinstance(part, Refused):
        return _refusal(event, part)
    return commands.route(event, part)


def _refusal(event: Event, part: Refused) -> tuple[Routed, ...]:
    return (Routed(Address("refusals", event.name), part),)


def _refused(state: Refusal | None, event: Event, facts: Facts) -> Decision[Refusal]:
    part: Refused = event.data
    return Decision(
        state=Refusal(part.command, tuple(part.answer.reasons)),
        outcomes=(outcomes.refusal(part.command, part.answer),),
    )


_ROUTES: Mapping[type, Callable[[Event, Reference], tuple[Routed, ...]]] = {
    SetBudget: _set_budget,
    RunBilling: _order_run,
    PayInvoice: _pay,
    IdentityVerified: _worker,
    IdentityRejected: _worker,
    IdentityHeld: _worker,
    IdentityEnded: _worker,
    WorkerDied: _worker,
    RunRequested: _run,
    RunStart: _budget,
    RunFunded: _run,
    RunMore: _budget,
    RunPage: _run,
    BudgetOrdered: _ordered_budget,
    RunOrdered: _ordered_run,
    PaymentOrdered: _ordered_payment,
    RunDrawn: _drawn,
    StepReserved: _premiums,
    PremiumSkipped: _skip,
    RunSettle: _run,
    RunClosing: _run,
    RunCounting: _run,
    RunCounted: _run,
    RunReleased: _budget,
    InvoiceOpened: _invoice,
    InvoiceOverdue: _invoice,
}

_DECISIONS: Mapping[type, Callable[[Any, Event, Facts], Decision[Any]]] = {
    Refused: _refused,
    commands.Passed: commands.passed,
    Ceilings: budgets.ceilings_set,
    RunOrder: budgets.run_ordered,
    Payment: invoices.paid,
    IdentityVerified: enrolments.verified,
    IdentityRejected: enrolments.rejected,
    IdentityHeld: enrolments.held,
    IdentityEnded: enrolments.ended,
    WorkerWithdrawn: merges.merged,
    WorkerRegistered: merges.registered,
    WorkerDied: enrolments.died,
    RunRequested: runs.requested,
    RunStart: budgets.run_started,
    RunFunded: runs.funded,
    RunMore: budgets.run_asked,
    RunPage: runs.stepped,
    RunDrawn: runs.drawn,
    premiums.Reserved: premiums.billed,
    PremiumSkipped: premiums.skipped,
    RunSettle: runs.settled,
    RunClosing: runs.closing,
    RunCounting: runs.counted,
    RunCounted: runs.closed,
    RunReleased: budgets.run_released,
    InvoiceOpened: invoices.opened,
    InvoiceOverdue: invoices.overdue,
}
