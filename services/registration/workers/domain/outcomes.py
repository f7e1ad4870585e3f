"""Builds the events about workers, each in one place."""

from __future__ import annotations

from typing import Any

from services.registration.intake.domain.answers import key_of
from services.registration.intake.domain.outcomes import open_event, work_event
from services.registration.intake.domain.state import Sender
from services.registration.workers.domain.state import LatestSubmission, Verdict, Worker, WorkerForm
from shared.contracts import registration as contract
from shared.contracts import registration_work as work
from shared.contracts import topics
from shared.kernel.decision import Outcome
from shared.reference import occupations


def settled(regency: str, agency: str, submission_id: str, worker_id: str, verdict: Verdict) -> Outcome:
    """The result of the identity check, for one agency and one submission."""
    identity: Any = verdict.identity.value
    return Outcome(
        topics.feedback(regency, agency),
        key_of(submission_id, worker_id),
        "submission.settled.v1",
        contract.SubmissionSettled(
            submission_id=submission_id, worker_id=worker_id, identity=identity, reasons=list(verdict.reasons)
        ),
    )


def _fields(worker_id: str, worker: Worker, sender: Sender) -> dict[str, Any]:
    form = worker.form
    # Agencies write names and telephones into numbers and occupations, so other readers get only codes and keyed names.
    return {
        "worker_id": worker_id,
        "regency": worker.regency,
        "district": form.district,
        "village": form.village,
        "sector": form.sector,
        "occupation": occupations.code_of(form.occupation),
        "sex": form.sex,
        "birth_month": form.birth_date[:7],
        "income_base": form.monthly_income,
        "agency": sender.agency,
        "submission": sender.submission,
    }


def registered(worker_id: str, worker: Worker, sender: Sender) -> Outcome:
    """A worker is new or has come back."""
    return open_event(
        worker_id, "worker.registered.v1", contract.WorkerRegistered(**_fields(worker_id, worker, sender))
    )


def updated(worker_id: str, worker: Worker, sender: Sender) -> Outcome:
    """A worker's fields after a change."""
    return open_event(worker_id, "worker.updated.v1", contract.WorkerUpdated(**_fields(worker_id, worker, sender)))


def withdrawn(worker_id: str, worker: Worker, reason: Any, effective_on: str, merged_into: str = "") -> Outcome:
    """A worker leaves."""
    return open_event(
        worker_id,
        "worker.withdrawn.v1",
        contract.WorkerWithdrawn(
            **_where(worker_id, worker), reason=reason, effective_on=effective_on, merged_into=merged_into or None
        ),
    )


def check_requested(worker_id: str, worker: Worker) -> Outcome:
    """Asks verification for a verdict. This is registration's only event with a worker's form in it."""
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


def _where(worker_id: str, worker: Worker) -> dict[str, Any]:
    form = worker.form
    return {
        "worker_id": worker_id,
        "regency": worker.regency,
        "district": form.district,
        "village": form.village,
        "sector": form.sector,
    }


def suspected(worker_id: str, worker: Worker, found: work.SuspicionStands) -> Outcome:
    """Blocks money for this worker until an officer has looked."""
    data = contract.WorkerSuspected(
        **_where(worker_id, worker), others=sorted(worker.suspected), score=found.score, reasons=list(found.reasons)
    )
    return open_event(worker_id, "worker.suspected.v1", data)


def cleared(worker_id: str, worker: Worker, _: work.SuspicionStands) -> Outcome:
    """The last open suspicion about this worker is closed."""
    return open_event(worker_id, "worker.cleared.v1", contract.WorkerCleared(**_where(worker_id, worker)))


def disputed(worker_id: str, before: Worker, after: Worker) -> list[Outcome]:
    """Names the fields on which agencies disagree, when that list has changed. The values themselves are not
    published.
    """
    was, now = _disputes(before), _disputes(after)
    if was == now:
        return []
    data = contract.FieldsDisputed(
        **_where(worker_id, after), fields=sorted({name for name, _ in now}), agencies=sorted({who for _, who in now})
    )
    return [open_event(worker_id, "worker.disputed.v1", data)]


def _disputes(worker: Worker) -> set[tuple[str, str]]:
    return {(one.field, one.agency) for one in worker.said if one.value != getattr(worker.form, one.field)}


def absorb(worker_id: str, other: str, words: tuple[LatestSubmission, ...], *, undone: bool = False) -> Outcome:
    """The step that carries the agencies' statements about the merged worker to the worker who stays."""
    absorbed = [
        work.AbsorbedWord(
            agency=one.agency,
            sector=one.sector,
            occupation=occupations.code_of(one.occupation),
            said_on=one.said_on,
        )
        for one in words
    ]
    data = work.AbsorbWorker(worker_id=worker_id, other=other, words=absorbed, undone=undone)
    return work_event(worker_id, "worker.absorb.v1", data)
