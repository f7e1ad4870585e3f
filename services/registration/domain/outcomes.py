"""The events that registration publishes, each made in one place."""

from __future__ import annotations

from typing import Any, Literal

from services.registration.domain.parts import Sender
from services.registration.domain.state import Verdict, Worker, WorkerForm
from shared.contracts import registration as contract
from shared.contracts import topics
from shared.kernel.decision import Outcome

Answer = Literal["registered", "already-registered", "attested", "updated", "withdrawn", "accepted", "rejected"]


def answered(
    event_id: str,
    sender: Sender,
    outcome: Answer,
    *,
    reasons: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    worker_id: str | None = None,
) -> Outcome:
    """The answer to the agency; keyed by its own number, else by the event."""
    return Outcome(
        topics.feedback(sender.regency, sender.agency),
        sender.submission_id or event_id,
        "submission.answered.v1",
        contract.SubmissionAnswered(
            submission_id=sender.submission_id,
            outcome=outcome,
            reasons=list(reasons),
            warnings=list(warnings),
            worker_id=worker_id,
        ),
    )


def settled(regency: str, agency: str, submission_id: str, worker_id: str, verdict: Verdict) -> Outcome:
    """What became of the identity check, to one agency for one submission."""
    identity: Any = verdict.identity.value
    return Outcome(
        topics.feedback(regency, agency),
        submission_id,
        "submission.settled.v1",
        contract.SubmissionSettled(
            submission_id=submission_id, worker_id=worker_id, identity=identity, reasons=list(verdict.reasons)
        ),
    )


def _fields(worker_id: str, worker: Worker, sender: Sender) -> dict[str, Any]:
    form = worker.form
    return {
        "worker_id": worker_id,
        "regency": worker.regency,
        "district": form.district,
        "village": form.village,
        "sector": form.sector,
        "occupation": form.occupation,
        "sex": form.sex,
        "birth_month": form.birth_date[:7],
        "income_base": form.monthly_income,
        "agency": sender.agency,
        "submission_id": sender.submission_id or "",
    }


def registered(worker_id: str, worker: Worker, sender: Sender) -> Outcome:
    """A worker is new, or back."""
    return _open(worker_id, "worker.registered.v1", contract.WorkerRegistered(**_fields(worker_id, worker, sender)))


def updated(worker_id: str, worker: Worker, sender: Sender) -> Outcome:
    """A worker's fields after a change."""
    return _open(worker_id, "worker.updated.v1", contract.WorkerUpdated(**_fields(worker_id, worker, sender)))


def withdrawn(worker_id: str, worker: Worker, reason: Any, effective_on: str) -> Outcome:
    """A worker leaves."""
    return _open(
        worker_id,
        "worker.withdrawn.v1",
        contract.WorkerWithdrawn(
            worker_id=worker_id,
            regency=worker.regency,
            district=worker.form.district,
            village=worker.form.village,
            sector=worker.form.sector,
            reason=reason,
            effective_on=effective_on,
        ),
    )


def check_requested(worker_id: str, worker: Worker) -> Outcome:
    """Registration asks for a verdict. The one event of ours with personal data."""
    form: WorkerForm = worker.form
    return Outcome(
        topics.IDENTITY_CHECKS,
        worker_id,
        "identity.check-requested.v1",
        contract.IdentityCheckRequested(
            worker_id=worker_id,
            regency=worker.regency,
            nik=form.nik,
            name=form.name,
            birth_date=form.birth_date,
            sex=form.sex,
            birth_place=form.birth_place,
            district=form.district,
            village=form.village,
            sector=form.sector,
            income_base=form.monthly_income,
            attestations=[
                contract.Attestation(
                    agency=word.agency, sector=word.sector, occupation=word.occupation, attested_on=word.said_on
                )
                for word in worker.words
            ],
            registration_version=worker.registration_version,
        ),
        personal=True,
    )


def _open(worker_id: str, kind: str, data: Any) -> Outcome:
    return Outcome(topics.events("registration"), worker_id, kind, data)
