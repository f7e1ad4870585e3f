"""Routes each input of claims to the document it changes (`route`) and decides what happens there (`decide`).

Theory of operation
* covers (worker_id|period), invoices, runs: what billing said, inserted once: domain/covers.py.
* claims (regency/agency/claim_no): first saved as waiting, then assessed: domain/claims.py with domain/assessments.py.
* links (worker_id): who was merged into whom, as registration says: domain/links.py.
* deaths (worker_id): what claims took of a worker's entitlement, each part once: domain/entitlements.py.
* refusals (name of the input): commands that name no claim, or a claim that had to be looked up first.

Invariants: pure, total, deterministic; every reason that holds is told; an ignored input says why; no personal data
enters an outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.claims.domain import claims, covers, entitlements, forms, links, outcomes
from services.claims.domain.forms import Added, Decided, Refused, Rejected, Sender, Submission, Withdrawn
from services.claims.domain.state import Facts, Reference, Refusal, Ruling, claim_key
from shared.contracts import merges
from shared.contracts.billing import PremiumBilled, PremiumPaid, RunCompleted
from shared.contracts.claims import AddDocuments, DecideClaim, SubmitClaim, WithdrawClaim
from shared.contracts.claims_work import (
    AssessClaim,
    AwaitEvent,
    BenefitRefused,
    BenefitTransferred,
    ClaimCleared,
    ClaimRuled,
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
from shared.kernel.event import Event, Routed


def route(event: Event, reference: Reference) -> tuple[Routed, ...]:
    """The document that an input changes, with its part. Few of registration's events change any."""
    if isinstance(event.data, WorkerWithdrawn | WorkerRegistered):
        return merges.route(event, reference)
    return (_ROUTES[type(event.data)](event, reference),)


def decide(state: Any, event: Event, facts: Facts) -> Decision[Any]:
    """Decides one part on its document."""
    return _DECISIONS[type(event.data)](state, event, facts)


def conflicting(event: Event) -> Routed:
    """Refuses an input whose name was used before with other content, in a separate document from the first one's."""
    part = forms.refused(event, [Reason.CONFLICTING_DUPLICATE])
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), part)


def _cover(event: Event, reference: Reference) -> Routed:
    data: PremiumBilled = event.data
    return Routed(Address("covers", f"{data.worker_id}|{data.period}"), data)


def _invoice(event: Event, reference: Reference) -> Routed:
    return Routed(Address("invoices", event.data.invoice_id), event.data)


def _run(event: Event, reference: Reference) -> Routed:
    return Routed(Address("runs", event.data.run_id), event.data)


def _wake(event: Event, reference: Reference) -> Routed:
    return Routed(Address(event.data.collection, event.data.id), event.data)


def _step(event: Event, reference: Reference) -> Routed:
    return Routed(Address("claims", event.data.claim), event.data)


def _entitlement(event: Event, reference: Reference) -> Routed:
    return Routed(Address("deaths", event.data.worker_id), event.data)


def _link(event: Event, reference: Reference) -> Routed:
    return Routed(Address("links", event.data.worker_id), event.data)


def _submit(event: Event, reference: Reference) -> Routed:
    return _addressed(event, forms.submission(event, reference))


def _add_documents(event: Event, reference: Reference) -> Routed:
    return _addressed(event, forms.added(event))


def _withdraw(event: Event, reference: Reference) -> Routed:
    return _addressed(event, forms.withdrawn(event))


def _decide_claim(event: Event, reference: Reference) -> Routed:
    return _addressed(event, forms.decided(event))


def _addressed(event: Event, part: Submission | Rejected | Added | Withdrawn | Decided | Refused) -> Routed:
    """Routes a part to its claim. A part without a (known) claim, or an unreadable one, goes to a document of
    its own.
    """
    if part.claim_no is None or isinstance(part, Refused) or not part.sender.regency:
        return Routed(Address("refusals", event.name), part)
    return Routed(Address("claims", claim_key(part.sender.regency, part.sender.agency, part.claim_no)), part)


def _ruling(event: Event, reference: Reference) -> Routed:
    data: ClaimRuled = event.data
    sender, ruling = Sender(data.regency, data.agency), Ruling(data.approved, data.officer, data.reason)
    key = claim_key(data.regency, data.agency, data.claim_no)
    return Routed(Address("claims", key), Decided(sender, data.claim_no, ruling))


def _decided(state: Any, event: Event, facts: Facts) -> Decision[Any]:
    """Applies a decision to its claim. A decision without a regency goes to the only claim that it can mean."""
    part: Decided = event.data
    if part.sender.regency:
        return claims.ruled(state, event, facts)
    found = facts.named.get((part.sender.agency, part.claim_no), ())
    if len(found) == 1:
        step = outcomes.ruled(Sender(found[0], part.sender.agency), part.claim_no, part.ruling)
        return Decision(state=Refusal(event.type, ()), outcomes=(step,))
    reasons = (f"{Reason.FIELD_INVALID}:agency",) if found else (str(Reason.NOT_REGISTERED),)
    shown = part.claim_no if found else forms.unknown_number(part.claim_no)
    told = outcomes.refusal(part.sender, event.type, shown, reasons, event.id)
    return Decision(state=Refusal(event.type, reasons), outcomes=told)


def _refused(state: Refusal | None, event: Event, facts: Facts) -> Decision[Refusal]:
    part: Refused = event.data
    told = outcomes.refusal(part.sender, part.command, part.claim_no, part.reasons, event.id)
    return Decision(state=Refusal(part.command, part.reasons), outcomes=told)


def _rejected(state: Any, event: Event, facts: Facts) -> Decision[Any]:
    part: Rejected = event.data
    if part.claim_no is not None:
        return claims.rejected_form(state, event, facts)
    return Decision(state=Refusal(event.type, part.reasons), outcomes=outcomes.form_rejected(part, event.id))


_ROUTES: Mapping[type, Callable[[Event, Reference], Routed]] = {
    PremiumBilled: _cover,
    PremiumPaid: _invoice,
    RunCompleted: _run,
    SubmitClaim: _submit,
    AddDocuments: _add_documents,
    WithdrawClaim: _withdraw,
    DecideClaim: _decide_claim,
    AssessClaim: _step,
    ReserveEvent: _entitlement,
    EventReserved: _step,
    ClaimCleared: _step,
    EventTaken: _step,
    ClaimRuled: _ruling,
    EventMoved: _step,
    AwaitEvent: _entitlement,
    SettleEvent: _entitlement,
    ReleaseEvent: _entitlement,
    WakeCover: _wake,
    WakeWorker: _link,
    BenefitTransferred: _step,
    BenefitRefused: _step,
}

_DECISIONS: Mapping[type, Callable[[Any, Event, Facts], Decision[Any]]] = {
    PremiumBilled: covers.billed,
    PremiumPaid: covers.paid,
    RunCompleted: covers.completed,
    WakeCover: covers.woken,
    WorkerWithdrawn: links.merged,
    WorkerRegistered: links.registered,
    WakeWorker: links.woken,
    Submission: claims.submitted,
    Rejected: _rejected,
    Added: claims.documents_added,
    Withdrawn: claims.withdrawn,
    Decided: _decided,
    Refused: _refused,
    AssessClaim: claims.assessed,
    EventReserved: claims.reserved,
    ClaimCleared: claims.cleared,
    EventTaken: claims.taken,
    EventMoved: claims.moved,
    BenefitTransferred: claims.transferred,
    BenefitRefused: claims.account_refused,
    ReserveEvent: entitlements.asked,
    ReleaseEvent: entitlements.released,
    AwaitEvent: entitlements.awaited,
    SettleEvent: entitlements.settled,
}
