"""Routes each input of billing to the document it changes (`route`) and decides what happens there (`decide`).

Theory of operation
* enrolments (worker_id): verdicts and deaths, so that a run finds its candidates in its own store.
* links (worker_id): who was merged into whom, so that a month is billed once for both: shared/persons.
* commands (name of the input): well-formed commands, passed on to their budget or invoice: domain/commands.py.
* budgets (regency|year|funding): ceilings, and runs one after the other: domain/budgets.py.
* runs (run_id): pages of candidates, money drawn in priority order: domain/runs.py.
* premiums (worker_id|period): inserted once across all funders; skips (run_id|worker_id): a run came second:
  domain/premiums.py.
* invoices (invoice_id): opened by a run's close, paid once with the exact amount: domain/invoices.py.
* refusals (name of the input): commands with a wrong form.

`TABLE` says what each part does to a document at each of its stages.

Invariants: pure, total, deterministic; a refusal is an outcome with reasons; an ignored input says why.
"""

from __future__ import annotations

from services.billing.domain import budgets, commands, enrolments, forms, invoices, outcomes, premiums, rules, runs
from services.billing.domain.forms import Ceilings, Payment, RefusedCommand, RunOrder
from services.billing.domain.state import (
    Budget,
    Enrolment,
    Facts,
    ForwardedCommand,
    Invoice,
    InvoiceStatus,
    Premium,
    Reference,
    Refusal,
    Run,
    RunStatus,
    Skip,
)
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
    RunStep,
    StepReserved,
)
from shared.contracts.claims import WorkerDied
from shared.contracts.reasons import Reason
from shared.contracts.registration import WorkerRegistered, WorkerWithdrawn
from shared.contracts.verification import IdentityEnded, IdentityHeld, IdentityRejected, IdentityVerified
from shared.kernel.decision import Address, Decision
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event, Intake, Routed
from shared.persons import merges
from shared.persons.links import Link


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses an input whose name was used before with other content, in a separate document from the first one's."""
    part = forms.refused(event, [Reason.CONFLICTING_DUPLICATE])
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), part)


def _drawn(event: Event[RunDrawn], reference: Reference) -> tuple[Routed, ...]:
    return (Routed(Address("runs", event.data.run_id), event.data), *premiums.parts(event, reference))


def _set_budget(event: Event[SetBudget], reference: Reference) -> tuple[Routed, ...]:
    return _passed_on(event, forms.ceilings(event, reference))


def _order_run(event: Event[RunBilling], reference: Reference) -> tuple[Routed, ...]:
    return _passed_on(event, forms.run_order(event, reference))


def _pay(event: Event[PayInvoice], reference: Reference) -> tuple[Routed, ...]:
    return _passed_on(event, forms.payment(event, reference))


def _passed_on(event: Event, part: Ceilings | RunOrder | Payment | RefusedCommand) -> tuple[Routed, ...]:
    if isinstance(part, RefusedCommand):
        return (Routed(Address("refusals", event.name), part),)
    return commands.route(event, part)


def _refused(state: Refusal | None, event: Event[RefusedCommand], facts: Facts) -> Decision[Refusal]:
    part = event.data
    return Decision(
        state=Refusal(part.command, tuple(part.answer.reasons)),
        outcomes=(outcomes.refusal(part.command, part.answer),),
    )


def _worker(data: IdentityVerified | IdentityRejected | IdentityHeld | IdentityEnded | WorkerDied) -> str:
    return data.worker_id


def _run(step: RunStep) -> str:
    return step.run_id


def _budget(step: RunStep) -> str:
    return rules.budget_key(step.regency, step.period, step.funding)


def _invoice(data: InvoiceOpened | InvoiceOverdue) -> str:
    return data.invoice_id


def _skip(data: PremiumSkipped) -> str:
    return f"{data.run_id}|{data.worker_id}"


_enrolments = Documents[Enrolment, Facts]("enrolments", Kind(Enrolment))
_enrolments.on(IdentityVerified, _worker).always(enrolments.verified)
_enrolments.on(IdentityRejected, _worker).always(enrolments.rejected)
_enrolments.on(IdentityHeld, _worker).always(enrolments.held)
_enrolments.on(IdentityEnded, _worker).always(enrolments.ended)
_enrolments.on(WorkerDied, _worker).always(enrolments.died)

_links = Documents[Link, Facts]("links", Kind(Link))
_links.on(WorkerWithdrawn).always(merges.merged)
_links.on(WorkerRegistered).always(merges.registered)

_commands = Documents[ForwardedCommand, Facts]("commands", Kind(ForwardedCommand))
_commands.on(commands.Passed).always(commands.passed)

BUDGET = Kind(Budget)
_budgets = Documents[Budget, Facts]("budgets", BUDGET)
_budgets.on(Ceilings).always(budgets.ceilings_set)
_budgets.on(RunOrder).always(budgets.run_ordered)
_budgets.on(RunStart, _budget).at(BUDGET, budgets.run_started).ignored(budgets.NOT_ITS_TURN)
_budgets.on(RunMore, _budget).at(BUDGET, budgets.run_asked).ignored(budgets.NOT_ITS_TURN)
_budgets.on(RunReleased, _budget).at(BUDGET, budgets.run_released).ignored(budgets.NOT_ITS_TURN)

RUN = Kind(Run, RunStatus, lambda run: run.status)
_runs = Documents[Run, Facts]("runs", RUN, due=runs.wait)
_runs.on(RunRequested, _run).absent(runs.requested).ignored("run-known")
(
    _runs.on(RunFunded, _run)
    .at(RUN, runs.funded, RunStatus.WAITING)
    .at(RUN, runs.answered, RunStatus.ASKING)
    .ignored("run-not-waiting")
)
_runs.on(RunPage, _run).at(RUN, runs.stepped, RunStatus.RUNNING).ignored(runs.STALE)
_runs.on(RunSettle, _run).at(RUN, runs.settled, RunStatus.RUNNING).ignored("run-not-running")
_runs.on(RunClosing, _run).at(RUN, runs.closing, RunStatus.RUNNING).ignored("run-not-running")
_runs.on(RunDrawn).at(RUN, runs.drawn, RunStatus.RUNNING).ignored(runs.STALE)
_runs.on(RunCounting, _run).at(RUN, runs.counted, RunStatus.RUNNING).ignored("run-not-running")
_runs.on(RunCounted, _run).at(RUN, runs.closed, RunStatus.RUNNING).ignored("run-not-running")

PREMIUM = Kind(Premium)
_premiums = Documents[Premium, Facts]("premiums", PREMIUM)
_premiums.on(premiums.Reserved).absent(premiums.billed).at(PREMIUM, premiums.billed_before)

_skips = Documents[Skip, Facts]("skips", Kind(Skip))
_skips.on(PremiumSkipped, _skip).absent(premiums.skipped).ignored("skip-known")

INVOICE = Kind(Invoice, InvoiceStatus, lambda invoice: invoice.status)
_invoices = Documents[Invoice, Facts]("invoices", INVOICE, due=invoices.watch)
(
    _invoices.on(InvoiceOpened, _invoice)
    .absent(invoices.opened)
    .at(INVOICE, invoices.opened, InvoiceStatus.UNKNOWN)
    .ignored("invoice-known")
)
_invoices.on(Payment).always(invoices.paid)
_invoices.on(InvoiceOverdue, _invoice).at(INVOICE, invoices.overdue, InvoiceStatus.OPEN).ignored("invoice-not-open")

_refusals = Documents[Refusal, Facts]("refusals", Kind(Refusal))
_refusals.on(RefusedCommand).always(_refused)

TABLE = Table[Facts, Reference](
    _enrolments, _links, _commands, _budgets, _runs, _premiums, _skips, _invoices, _refusals
)
TABLE.reads(SetBudget, _set_budget).reads(RunBilling, _order_run).reads(PayInvoice, _pay)
TABLE.reads(WorkerWithdrawn, merges.route).reads(WorkerRegistered, merges.route)
TABLE.reads(BudgetOrdered, commands.ceilings).reads(RunOrdered, commands.run_order)
TABLE.reads(PaymentOrdered, commands.payment).reads(RunDrawn, _drawn).reads(StepReserved, premiums.parts)
route, decide = TABLE.route, TABLE.decide
