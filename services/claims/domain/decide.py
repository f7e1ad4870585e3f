"""Routes each input of claims to the document it changes (`route`) and decides what happens there (`decide`).

Theory of operation
* covers (worker_id|period), invoices, runs: what billing published, inserted once: domain/covers.py.
* claims (regency/agency/claim_no): first saved as waiting, then assessed: domain/claims.py with domain/assessments.py.
* links (worker_id): who was merged into whom, by registration's events: domain/links.py.
* deaths (worker_id): what claims took of a worker's entitlement, each part once: domain/entitlements.py.
* refusals (name of the input): commands that name no claim, or a claim that had to be looked up first.

`TABLE` says what each part does to a document at each of its stages.

Invariants: pure, total, deterministic; every reason that holds is published; an ignored input says why; no personal
data enters an outcome.
"""

from __future__ import annotations

from services.claims.domain import claims, covers, entitlements, forms, links, outcomes, wakes
from services.claims.domain.covers import InvoiceWake, RunWake
from services.claims.domain.forms import (
    Added,
    ClaimSubmission,
    Decided,
    RefusedInput,
    Rejected,
    Sender,
    Unnamed,
    Unplaced,
    Withdrawn,
)
from services.claims.domain.state import (
    Claim,
    ClaimStatus,
    CompletedRun,
    Cover,
    Entitlement,
    Facts,
    PaidInvoice,
    Reference,
    Refusal,
    Ruling,
    claim_key,
)
from shared.contracts.billing import PremiumBilled, PremiumPaid, RunCompleted
from shared.contracts.claims import AddDocuments, DecideClaim, SubmitClaim, WithdrawClaim
from shared.contracts.claims_work import (
    AssessClaim,
    AwaitEvent,
    BenefitRefused,
    BenefitTransferred,
    ClaimCleared,
    ClaimRuled,
    ClaimStep,
    EventMoved,
    EventReserved,
    EventTaken,
    ReleaseEvent,
    ReserveEvent,
    SettleEvent,
    WakeCover,
    WakeWorker,
)
from shared.contracts.reasons import Reason
from shared.contracts.registration import WorkerRegistered, WorkerWithdrawn
from shared.kernel.decision import Address, Decision
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event, Intake, Routed
from shared.persons import merges
from shared.persons.links import Link


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses an input whose name was used before with other content, in a separate document from the first one's."""
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), forms.conflicting(event))


def _submit(event: Event[SubmitClaim], reference: Reference) -> tuple[Routed, ...]:
    return _addressed(event, forms.submission(event, reference))


def _add_documents(event: Event[AddDocuments], reference: Reference) -> tuple[Routed, ...]:
    return _addressed(event, forms.added(event))


def _withdraw(event: Event[WithdrawClaim], reference: Reference) -> tuple[Routed, ...]:
    return _addressed(event, forms.withdrawn(event))


def _decide_claim(event: Event[DecideClaim], reference: Reference) -> tuple[Routed, ...]:
    return _addressed(event, forms.decided(event))


def _addressed(
    event: Event, part: ClaimSubmission | Rejected | Added | Withdrawn | Decided | RefusedInput
) -> tuple[Routed, ...]:
    """Routes a part to its claim. A part that names no claim, or not the whole of its key, goes to a document of
    its own.
    """
    if isinstance(part, RefusedInput | Unnamed | Unplaced):
        return (Routed(Address("refusals", event.name), part),)
    return (Routed(Address("claims", claim_key(part.sender.regency, part.sender.agency, part.claim_no)), part),)


def _ruling(event: Event[ClaimRuled], reference: Reference) -> tuple[Routed, ...]:
    data = event.data
    sender, ruling = Sender(data.regency, data.agency), Ruling(data.approved, data.officer, data.reason)
    key = claim_key(data.regency, data.agency, data.claim_no)
    return (Routed(Address("claims", key), Decided(sender, data.claim_no, ruling)),)


def _unplaced(state: Refusal | None, event: Event[Unplaced], facts: Facts) -> Decision[Refusal]:
    """Sends a decision without a regency on to the only claim that it can mean."""
    part = event.data
    found = facts.named.get((part.sender.agency, part.claim_no), ())
    if len(found) == 1:
        step = outcomes.ruled(Sender(found[0], part.sender.agency), part.claim_no, part.ruling)
        return Decision(state=Refusal(event.type, ()), outcomes=(step,))
    reasons = (f"{Reason.FIELD_INVALID}:agency",) if found else (str(Reason.NOT_REGISTERED),)
    shown = part.claim_no if found else forms.unknown_number(part.claim_no)
    told = outcomes.refusal(part.sender, event.type, shown, reasons, event.id)
    return Decision(state=Refusal(event.type, reasons), outcomes=told)


def _refused(state: Refusal | None, event: Event[RefusedInput], facts: Facts) -> Decision[Refusal]:
    part = event.data
    told = outcomes.refusal(part.sender, part.command, part.claim_no, part.reasons, event.id)
    return Decision(state=Refusal(part.command, part.reasons), outcomes=told)


def _unnamed(state: Refusal | None, event: Event[Unnamed], facts: Facts) -> Decision[Refusal]:
    part = event.data
    return Decision(state=Refusal(event.type, part.reasons), outcomes=outcomes.form_rejected(part, event.id))


def _month(data: PremiumBilled) -> str:
    return f"{data.worker_id}|{data.period}"


def _invoice(data: PremiumPaid) -> str:
    return data.invoice_id


def _run(data: RunCompleted) -> str:
    return data.run_id


def _worker(data: WakeWorker | ReserveEvent | ReleaseEvent | AwaitEvent | SettleEvent) -> str:
    return data.worker_id


def _claim(step: ClaimStep) -> str:
    return step.claim


_covers = Documents[Cover, Facts]("covers", Kind(Cover))
_covers.on(PremiumBilled, _month).absent(covers.billed).ignored(covers.KNOWN, remember=False)

INVOICE = Kind(PaidInvoice)
_invoices = Documents[PaidInvoice, Facts]("invoices", INVOICE)
_invoices.on(PremiumPaid, _invoice).absent(covers.paid).ignored(covers.KNOWN, remember=False)
_invoices.on(InvoiceWake).at(INVOICE, covers.invoice_wakes_claims).ignored(wakes.UNKNOWN)

RUN = Kind(CompletedRun)
_runs = Documents[CompletedRun, Facts]("runs", RUN)
_runs.on(RunCompleted, _run).absent(covers.completed).ignored(covers.KNOWN, remember=False)
_runs.on(RunWake).at(RUN, covers.run_wakes_claims).ignored(wakes.UNKNOWN)

LINK = Kind(Link)
_links = Documents[Link, Facts]("links", LINK)
_links.on(WorkerWithdrawn).always(links.merged)
_links.on(WorkerRegistered).always(links.registered)
_links.on(WakeWorker, _worker).at(LINK, links.link_wakes_claims).ignored(wakes.UNKNOWN)

CLAIM = Kind(Claim, ClaimStatus, lambda claim: claim.status)
_S = ClaimStatus
_claims = Documents[Claim, Facts]("claims", CLAIM)
(
    _claims.on(ClaimSubmission)
    .absent(claims.submitted)
    .at(CLAIM, claims.submitted, _S.UNKNOWN, _S.REJECTED)
    .at(CLAIM, claims.submitted_while_held, _S.HELD)
    .at(CLAIM, claims.submitted_again)
)
(
    _claims.on(Rejected)
    .absent(claims.rejected_form)
    .at(CLAIM, claims.rejected_form, _S.UNKNOWN, _S.REJECTED)
    .at(CLAIM, claims.rejected_form_of_open)
)
_claims.on(Added).always(claims.documents_added)
_claims.on(Withdrawn).always(claims.withdrawn)
_claims.on(Decided).always(claims.officer_decided)
(
    _claims.on(AssessClaim, _claim)
    .at(CLAIM, claims.assessed, _S.REGISTERED, _S.HELD, _S.REJECTED, _S.PAID)
    .ignored(claims.STALE, remember=False)
)
_claims.on(EventReserved, _claim).at(CLAIM, claims.reserved, _S.ASSESSED).ignored(claims.STALE, remember=False)
_claims.on(EventMoved, _claim).at(CLAIM, claims.moved, _S.ASSESSED).ignored(claims.STALE, remember=False)
_claims.on(ClaimCleared, _claim).at(CLAIM, claims.cleared, _S.ASSESSED).ignored(claims.STALE, remember=False)
_claims.on(EventTaken, _claim).at(CLAIM, claims.event_taken, _S.ASSESSED).ignored(claims.STALE, remember=False)
_claims.on(BenefitTransferred, _claim).at(CLAIM, claims.transferred, _S.APPROVED).ignored(claims.STALE, remember=False)
_claims.on(BenefitRefused, _claim).at(CLAIM, claims.account_refused, _S.APPROVED).ignored(claims.STALE, remember=False)

_entitlements = Documents[Entitlement, Facts]("deaths", Kind(Entitlement))
_entitlements.on(ReserveEvent, _worker).always(entitlements.reserve_part)
_entitlements.on(ReleaseEvent, _worker).always(entitlements.released)
_entitlements.on(AwaitEvent, _worker).always(entitlements.awaited)
_entitlements.on(SettleEvent, _worker).always(entitlements.payment_noted)

_refusals = Documents[Refusal, Facts]("refusals", Kind(Refusal))
_refusals.on(RefusedInput).always(_refused)
_refusals.on(Unnamed).always(_unnamed)
_refusals.on(Unplaced).always(_unplaced)

TABLE = Table[Facts, Reference](_covers, _invoices, _runs, _links, _claims, _entitlements, _refusals)
TABLE.reads(SubmitClaim, _submit).reads(AddDocuments, _add_documents).reads(WithdrawClaim, _withdraw)
TABLE.reads(DecideClaim, _decide_claim).reads(ClaimRuled, _ruling).reads(WakeCover, covers.parts)
TABLE.reads(WorkerWithdrawn, merges.route).reads(WorkerRegistered, merges.route)
route, decide = TABLE.route, TABLE.decide
