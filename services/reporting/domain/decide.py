"""Turns each event into a figure that cannot be counted twice.

Theory of operation
* Every event changes exactly one document, named by its subject: a worker, a worker's month, an invoice, a claim. A
  figure is a count of documents and never a separate counter, so redelivery and replay cannot change it.
* Most documents are inserted once and never change (premiums, invoices, runs, answers). The others hold the latest
  state of one aggregate of another service. An event older than that state is ignored, so any interleaving of topics
  gives the same end.
* Payments are a deliberate exception: a payment always adds to its claim, even after later events, because scholarship
  payments of several years add up. The shell never delivers the same payment twice.
* Nothing is published here: snapshots are made from figures, not from single events.
"""

from __future__ import annotations

from services.reporting.domain import claims, field, money, people
from services.reporting.domain.rules import ALREADY_COUNTED, FEEDBACK_PREFIX, answering_agency
from services.reporting.domain.state import (
    Budget,
    Claim,
    Exhaustion,
    Finding,
    Identity,
    Invoice,
    Meeting,
    Premium,
    Project,
    Registration,
    Risk,
    Run,
    Settlement,
    SubmissionAnswer,
)
from shared.contracts.billing import (
    BudgetExhausted,
    BudgetSetAccepted,
    CoverageAtRisk,
    PremiumBilled,
    PremiumPaid,
    RunCompleted,
)
from shared.contracts.claims import (
    ClaimApproved,
    ClaimHeld,
    ClaimPaid,
    ClaimProgress,
    ClaimRegistered,
    ClaimRejected,
    ClaimReopened,
    CommandRefused,
)
from shared.contracts.registration import (
    SubmissionAnswered,
    SubmissionSettled,
    WorkerRegistered,
    WorkerUpdated,
    WorkerWithdrawn,
)
from shared.contracts.registration_duties import (
    EmployerFoundNoncompliant,
    OutreachHeld,
    OutreachPlanned,
    ProjectRegistered,
)
from shared.contracts.verification import (
    IdentityEnded,
    IdentityHeld,
    IdentityRejected,
    IdentityUnverified,
    IdentityVerified,
)
from shared.kernel.decision import Address
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event, Routed


def counted(kind: str, data: type) -> bool:
    """Whether an event type is counted. Only one kind of refusal is: that of a claim's submission, because it answers a
    row."""
    return data in TABLE.inputs and (data is not CommandRefused or kind == "claim.submit.refused.v1")


def _claim(event: Event[ClaimProgress], reference: object) -> tuple[Routed, ...]:
    # On a feedback topic the same event may be the answer to an agency's row. On claims-events it is for everyone.
    return _claim_answer(event, reference) if event.topic.startswith(FEEDBACK_PREFIX) else _claim_of(event)


def _payment(event: Event[ClaimPaid], reference: object) -> tuple[Routed, ...]:
    return () if event.topic.startswith(FEEDBACK_PREFIX) else _claim_of(event)


def _claim_of(event: Event[ClaimProgress | ClaimPaid]) -> tuple[Routed, ...]:
    claim = event.data
    # A submission without a number is counted by itself, under the event's own name.
    number = claim.claim_no if claim.claim_no is not None else f"?{event.name}"
    return (Routed(Address("claims", f"{claim.regency}/{claim.agency}/{number}"), claim),)


def _answer(event: Event[SubmissionAnswered], reference: object) -> tuple[Routed, ...]:
    if answering_agency(event.topic) is None:
        return ()
    return (Routed(Address("answers", event.name), event.data),)


def _claim_answer(event: Event[ClaimProgress | CommandRefused], reference: object) -> tuple[Routed, ...]:
    answer = people.claim_answer(event)
    # Not under the name of the submission: an agency's own feedback topic repeats the agency's number unchanged.
    return () if answer is None else (Routed(Address("answers", event.name), answer),)


def _settlement(event: Event[SubmissionSettled], reference: object) -> tuple[Routed, ...]:
    agency = answering_agency(event.topic)
    if agency is None:
        return ()
    return (Routed(Address("settlements", f"{agency.regency}/{agency.agency}|{event.data.worker_id}"), event.data),)


def _risk(event: Event[CoverageAtRisk], reference: object) -> tuple[Routed, ...]:
    # A month may have several invoices, and each can be late.
    key = "|".join(filter(None, (event.data.regency, event.data.period, event.subject)))
    return (Routed(Address("risks", key), event.data),)


def _worker(data: WorkerRegistered | WorkerWithdrawn | IdentityVerified | IdentityUnverified) -> str:
    return data.worker_id


def _meeting(data: OutreachPlanned) -> str:
    return f"{data.regency}|{data.meeting_id}"


_registrations = Documents[Registration, None]("registrations", Kind(Registration))
_registrations.on(WorkerRegistered, _worker).always(people.registered)
_registrations.on(WorkerUpdated, _worker).always(people.registered)
_registrations.on(WorkerWithdrawn, _worker).always(people.withdrawn)

_identities = Documents[Identity, None]("identities", Kind(Identity))
_identities.on(IdentityVerified, _worker).always(people.judged)
_identities.on(IdentityRejected, _worker).always(people.judged)
_identities.on(IdentityHeld, _worker).always(people.judged)
_identities.on(IdentityEnded, _worker).always(people.judged)

_premiums = Documents[Premium, None]("premiums", Kind(Premium))
(
    _premiums.on(PremiumBilled, lambda premium: f"{premium.worker_id}|{premium.period}")
    .absent(money.billed)
    .ignored(ALREADY_COUNTED, remember=False)
)

_invoices = Documents[Invoice, None]("invoices", Kind(Invoice))
(
    _invoices.on(PremiumPaid, lambda payment: payment.invoice_id)
    .absent(money.invoice_paid)
    .ignored(ALREADY_COUNTED, remember=False)
)

_runs = Documents[Run, None]("runs", Kind(Run))
(_runs.on(RunCompleted, lambda run: run.run_id).absent(money.run_completed).ignored(ALREADY_COUNTED, remember=False))

_budgets = Documents[Budget, None]("budgets", Kind(Budget))
_budgets.on(BudgetSetAccepted, lambda one: f"{one.regency}|{one.year}|{one.funding}").always(money.budget_set)

_exhaustions = Documents[Exhaustion, None]("exhaustions", Kind(Exhaustion))
(
    _exhaustions.on(BudgetExhausted, lambda one: f"{one.regency}|{one.period}|{one.funding}|{one.account}").always(
        money.exhausted
    )
)

_risks = Documents[Risk, None]("risks", Kind(Risk))
_risks.on(CoverageAtRisk).always(money.at_risk)

_claims = Documents[Claim, None]("claims", Kind(Claim))
_claims.on(ClaimRegistered).always(claims.moved)
_claims.on(ClaimHeld).always(claims.moved)
_claims.on(ClaimRejected).always(claims.moved)
_claims.on(ClaimApproved).always(claims.moved)
_claims.on(ClaimReopened).always(claims.moved)
_claims.on(ClaimPaid).always(claims.paid)

_answers = Documents[SubmissionAnswer, None]("answers", Kind(SubmissionAnswer))
_answers.on(SubmissionAnswered).absent(people.answered).ignored(ALREADY_COUNTED, remember=False)
_answers.on(people.ClaimAnswer).absent(people.claim_answered).ignored(ALREADY_COUNTED, remember=False)

_settlements = Documents[Settlement, None]("settlements", Kind(Settlement))
_settlements.on(SubmissionSettled).always(people.settled)

_findings = Documents[Finding, None]("findings", Kind(Finding))
_findings.on(EmployerFoundNoncompliant, lambda finding: finding.finding_id).always(field.found)

_projects = Documents[Project, None]("projects", Kind(Project))
_projects.on(ProjectRegistered, lambda project: f"{project.regency}|{project.project_no}").always(field.project)

_meetings = Documents[Meeting, None]("meetings", Kind(Meeting))
_meetings.on(OutreachPlanned, _meeting).always(field.met)
_meetings.on(OutreachHeld, _meeting).always(field.met)

TABLE = Table[None, object](
    _registrations,
    _identities,
    _premiums,
    _invoices,
    _runs,
    _budgets,
    _exhaustions,
    _risks,
    _claims,
    _answers,
    _settlements,
    _findings,
    _projects,
    _meetings,
)
TABLE.reads(ClaimRegistered, _claim).reads(ClaimHeld, _claim).reads(ClaimRejected, _claim)
TABLE.reads(ClaimApproved, _claim).reads(ClaimReopened, _claim).reads(ClaimPaid, _payment)
TABLE.reads(CommandRefused, _claim_answer)
TABLE.reads(SubmissionAnswered, _answer).reads(SubmissionSettled, _settlement).reads(CoverageAtRisk, _risk)
route, decide = TABLE.route, TABLE.decide
