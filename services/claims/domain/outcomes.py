"""The events that claims publishes, each made in one place; every progress goes to the agency as well."""

from __future__ import annotations

from typing import Any, Literal

from services.claims.domain.parts import Refused, Sender
from services.claims.domain.state import STAGES, Claim
from shared.contracts import claims as contract
from shared.contracts import claims_work, topics
from shared.kernel.decision import Outcome

Progress = Literal["registered", "held", "rejected", "approved"]
_MODELS: dict[Progress, type[contract.ClaimProgress]] = {
    "registered": contract.ClaimRegistered,
    "held": contract.ClaimHeld,
    "rejected": contract.ClaimRejected,
    "approved": contract.ClaimApproved,
}


def progress(claim: Claim, what: Progress) -> tuple[Outcome, ...]:
    """Where the claim stands now, on the open stream and to the agency."""
    data = _MODELS[what](
        claim_no=claim.claim_no,
        agency=claim.agency,
        worker_id=claim.worker_id,
        regency=claim.regency,
        kind=claim.kind,
        stage="persetujuan" if what == "approved" else STAGES[claim.status],
        reasons=[str(reason) for reason in claim.reasons],
        missing_documents=list(claim.missing),
        benefits=list(claim.benefits),
        total=claim.total,
    )
    return _both(claim.regency, claim.agency, claim.worker_id, claim.claim_no, f"claim.{what}.v1", data)


def paid(claim: Claim) -> tuple[Outcome, ...]:
    """The claim is paid."""
    data = contract.ClaimPaid(
        claim_no=claim.claim_no,
        agency=claim.agency,
        worker_id=claim.worker_id,
        regency=claim.regency,
        district=claim.district,
        sex=claim.sex,
        kind=claim.kind,
        benefits=list(claim.benefits),
        total=claim.total,
        paid_on=claim.paid_on or claim.submitted_on,
        reference=claim.reference or "",
    )
    return _both(claim.regency, claim.agency, claim.worker_id, claim.claim_no, "claim.paid.v1", data)


def died(claim: Claim) -> Outcome:
    """A paid death: billing ends from the next month."""
    data = contract.WorkerDied(worker_id=claim.worker_id, regency=claim.regency, died_on=claim.event_date)
    return Outcome(topics.events("claims"), claim.worker_id, "worker.died.v1", data)


def refused(event_id: str, part: Refused) -> tuple[Outcome, ...]:
    """A command that cannot be read: a claim is rejected, another command refused."""
    sender = part.sender
    data: Any
    if part.command == "claim.submit.v1":
        kind: Any = part.kind
        data = contract.ClaimRejected(
            claim_no=sender.claim_no,
            agency=sender.agency,
            worker_id=part.worker_id,
            regency=sender.regency,
            kind=kind,
            stage="selesai",
            reasons=[str(reason) for reason in part.reasons],
        )
        key = part.worker_id or sender.claim_no or event_id
        return _both(sender.regency, sender.agency, key, sender.claim_no or event_id, "claim.rejected.v1", data)
    return command_refused(event_id, sender, part.command, part.reasons)


def command_refused(event_id: str, sender: Sender, command: str, reasons: tuple[str, ...]) -> tuple[Outcome, ...]:
    """A command on a claim that cannot be taken; the claim itself is unchanged."""
    kind = command.removesuffix(".v1") + ".refused.v1"
    data = contract.CommandRefused(
        claim_no=sender.claim_no, agency=sender.agency, reasons=[str(one) for one in reasons]
    )
    key = sender.claim_no or event_id
    return _both(sender.regency, sender.agency, key, key, kind, data)


def work(key: str, kind: str, data: Any) -> Outcome:
    """A step of our own."""
    return Outcome(topics.work("claims"), key, kind, data)


def assess(claim: str) -> Outcome:
    """Look at a claim, once it is saved as waiting."""
    return work(claim, "claim.assess.v1", claims_work.AssessClaim(claim=claim))


def _both(regency: str, agency: str, key: str, feedback_key: str, kind: str, data: Any) -> tuple[Outcome, ...]:
    return (
        Outcome(topics.events("claims"), key, kind, data),
        Outcome(topics.feedback(regency, agency), feedback_key, kind, data),
    )
