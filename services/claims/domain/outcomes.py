"""Addresses of what claims publishes: progress to everyone and to the agency, its own steps by the next document.

Nothing here carries personal data: a worker is a worker_id, a claim its number. One step is the exception: it carries
an officer's name and reason (`ruled`), and is marked as personal.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from services.claims.domain.forms import Rejected, Sender
from services.claims.domain.state import Claim, ClaimStatus, Ruling, claim_key
from shared.contracts import topics
from shared.contracts.claims import (
    ClaimApproved,
    ClaimHeld,
    ClaimPaid,
    ClaimProgress,
    ClaimRegistered,
    ClaimRejected,
    ClaimReopened,
    CommandRefused,
    Stage,
    WorkerDied,
)
from shared.contracts.claims_work import AssessClaim, ClaimRuled, ClaimStep
from shared.kernel.calendar import day_after
from shared.kernel.decision import Due, Outcome

EVENTS = topics.events("claims")
WORK = topics.work("claims")
PAYMENT, WATCH, CLEAR, ARREARS = "bpjs-payment", "watch-run", "clear-claim", "await-arrears"
# The delay of the first look at a run whose premiums are still arriving; the shell's own backoff spaces later looks.
WATCH_AFTER = timedelta(seconds=1)

_NAMES: dict[ClaimStatus, tuple[str, type[ClaimProgress]]] = {
    ClaimStatus.REGISTERED: ("claim.registered.v1", ClaimRegistered),
    ClaimStatus.ASSESSED: ("claim.registered.v1", ClaimRegistered),
    ClaimStatus.HELD: ("claim.held.v1", ClaimHeld),
    ClaimStatus.APPROVED: ("claim.approved.v1", ClaimApproved),
    ClaimStatus.REJECTED: ("claim.rejected.v1", ClaimRejected),
}


def progress(claim: Claim, stage: Stage | None = None) -> tuple[Outcome, ...]:
    """The state of a claim, on claims-events and to its agency."""
    sender = Sender(claim.regency, claim.agency)
    if claim.status is ClaimStatus.PAID:
        return both(sender, "claim.paid.v1", paid_of(claim), claim.worker_id or claim.key, claim.claim_no)
    kind, model = _NAMES[claim.status]
    form = claim.form
    data = model(
        claim_no=claim.claim_no,
        agency=claim.agency,
        worker_id=claim.worker_id,
        regency=claim.regency,
        kind=form.kind if form is not None else None,
        stage=stage or claim.stage,
        reasons=list(claim.reasons),
        missing_documents=list(claim.missing),
        benefits=list(claim.benefits),
        total=claim.total,
    )
    return both(sender, kind, data, claim.worker_id or claim.key, claim.claim_no)


def reopened(before: Claim, after: Claim) -> tuple[Outcome, ...]:
    """A decided claim is open again: its earlier reasons, and what it is entitled to after the new events."""
    data = ClaimReopened(
        claim_no=after.claim_no,
        agency=after.agency,
        worker_id=after.worker_id,
        regency=after.regency,
        kind=after.form.kind if after.form is not None else None,
        stage="penetapan",
        reasons=list(before.reasons),
        benefits=list(after.benefits),
        total=after.total,
    )
    sender = Sender(after.regency, after.agency)
    return both(sender, "claim.reopened.v1", data, after.worker_id or after.key, after.claim_no)


def form_rejected(part: Rejected, name: str) -> tuple[Outcome, ...]:
    """Rejects a submission with a wrong form. `name` is the event's id, the key when no claim is named."""
    sender = part.sender
    data = ClaimRejected(
        claim_no=part.claim_no or None,
        agency=sender.agency,
        worker_id=part.worker_id,
        regency=sender.regency,
        kind=part.kind,
        stage="selesai",
        reasons=list(part.reasons),
    )
    key = claim_key(sender.regency, sender.agency, part.claim_no) if part.claim_no else name
    return both(sender, "claim.rejected.v1", data, part.worker_id or key, part.claim_no or name)


def both(sender: Sender, kind: str, data: BaseModel, key: str, subject: str) -> tuple[Outcome, ...]:
    """One event for everyone and the same event for the agency. An officer's decision may name no agency; then there is
    only the first.
    """
    told = Outcome(EVENTS, key, kind, data, subject)
    if not sender.regency:
        return (told,)
    return (told, Outcome(topics.feedback(sender.regency, sender.agency), subject, kind, data, subject))


def refusal(
    sender: Sender, command: str, claim_no: str | None, reasons: Sequence[str], name: str
) -> tuple[Outcome, ...]:
    """`<command>.refused.v1`; `name` is the event's id, the key when no claim is named."""
    kind = f"{command.removesuffix('.v1')}.refused.v1"
    data = CommandRefused(claim_no=claim_no, agency=sender.agency or None, reasons=list(reasons))
    key = claim_key(sender.regency, sender.agency, claim_no) if claim_no is not None else name
    return both(sender, kind, data, key, claim_no if claim_no is not None else name)


def step(kind: str, key: str, data: ClaimStep) -> Outcome:
    """One of claims' own steps, keyed by the document that it changes."""
    return Outcome(WORK, key, kind, data)


def ruled(sender: Sender, claim_no: str, ruling: Ruling) -> Outcome:
    """The step that carries an officer's decision to the claim that was found for it."""
    key = claim_key(sender.regency, sender.agency, claim_no)
    data = ClaimRuled(
        regency=sender.regency,
        agency=sender.agency,
        claim_no=claim_no,
        approved=ruling.approved,
        officer=ruling.officer,
        reason=ruling.reason,
    )
    return Outcome(WORK, key, "claim.ruled", data, personal=True)


def look(claim: Claim) -> tuple[Outcome, ...]:
    """Asks for an assessment, which comes after the present save."""
    return () if claim.form is None else (step("claim.assess", claim.key, assess_of(claim)),)


def assess_of(claim: Claim) -> AssessClaim:
    """The step that assesses a claim. Raises ValueError for a claim without a form."""
    if claim.form is None:
        raise ValueError("a claim without a form is never assessed")
    regency = claim.waiting.split("|")[0] if claim.waiting is not None else claim.regency
    return AssessClaim(
        claim=claim.key,
        round=claim.round,
        worker_id=claim.form.worker_id,
        regency=regency,
        event_date=claim.form.event_date,
    )


def paid_of(claim: Claim) -> ClaimPaid:
    """The payment of a claim, with the worker's district and sex for statistics. Raises ValueError when it is
    not paid.
    """
    form, cover = claim.form, claim.cover
    if form is None or claim.paid_on is None:
        raise ValueError("the claim is not paid")
    return ClaimPaid(
        claim_no=claim.claim_no,
        agency=claim.agency,
        worker_id=claim.worker_id or form.worker_id,
        regency=claim.regency,
        district=cover.district if cover is not None else None,
        sex=cover.sex if cover is not None else None,
        kind=form.kind,
        benefits=list(claim.to_pay),
        total=sum(line.amount for line in claim.to_pay),
        paid_on=claim.paid_on,
        reference=claim.reference or "",
    )


def died(claim: Claim) -> tuple[Outcome, ...]:
    """`worker.died.v1` once a death is paid: billing ends from the next month. A later difference does not publish it
    again.
    """
    form = claim.form
    if form is None or not form.is_death or claim.paid_before:
        return ()
    regency = claim.cover.regency if claim.cover is not None else claim.regency
    # For a merged worker this is the worker who stayed, because their premium ends.
    who = claim.worker_id or form.worker_id
    data = WorkerDied(worker_id=who, regency=regency, died_on=form.event_date)
    return (Outcome(EVENTS, who, "worker.died.v1", data, who),)


def due_of(claim: Claim, at: datetime) -> Due | None:
    """The due work of a claim in its present state. The same claim always has the same work under the same id."""
    data: dict[str, Any] = {"correlation_id": claim.correlation}
    looked = f"{claim.key}|{claim.round}|{claim.looks}"
    if claim.status is ClaimStatus.APPROVED:
        # The first payment of a round keeps the id of earlier releases. The id of a difference names what was paid
        # before: so no difference is paid twice, however often a restored store looks.
        before = sum(line.amount for line in claim.paid_before)
        name = f"{claim.key}|{claim.round}" + (f"|{before}" if before else "")
        return Due(_id(f"{PAYMENT}|{name}"), PAYMENT, at, data)
    if claim.clearing:
        return Due(_id(f"{CLEAR}|{looked}"), CLEAR, at, data)
    if claim.watching:
        return Due(_id(f"{WATCH}|{claim.key}|{claim.round}|{claim.looks}"), WATCH, at + WATCH_AFTER, data)
    if claim.waits_until is not None:
        return Due(
            _id(f"{ARREARS}|{claim.key}|{claim.round}|{claim.looks}"), ARREARS, day_after(claim.waits_until), data
        )
    return None


def _id(name: str) -> str:
    # The id is a header of the call to BPJS, so it must be plain ASCII, whatever a claim number contains.
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:payung:claims:{name}"))
