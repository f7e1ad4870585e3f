"""Applies verification's verdicts to a worker, and asks again as time passes or when another agency's statement
differs."""

from __future__ import annotations

from dataclasses import replace

from services.registration.workers.domain import outcomes, sources
from services.registration.workers.domain.registrations import FINAL
from services.registration.workers.domain.state import Facts, Verdict, Worker, WorkerStatus
from shared.contracts.reasons import Reason
from shared.contracts.registration_work import RecheckDue
from shared.contracts.verification import IdentityUnverified, IdentityVerified
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision
from shared.kernel.event import Event

OLDER = "older-registration-version"
EARLY = "early-verdict"
# Rejections that say which field about the person is wrong, so that another agency's value may be the right one.
_REFUTED: dict[str, str] = {
    Reason.NAME_MISMATCH: "name",
    Reason.BIRTH_DATE_MISMATCH: "birth_date",
    Reason.SEX_MISMATCH: "sex",
}


def verified(state: Worker, event: Event[IdentityVerified], facts: Facts) -> Decision[Worker]:
    """Verified: a living, unique, eligible person."""
    part = event.data
    return _with_verdict(state, event, WorkerStatus.VERIFIED, (), part.valid_until, facts)


def held(state: Worker, event: Event[IdentityUnverified], facts: Facts) -> Decision[Worker]:
    """Held: an officer must look."""
    part = event.data
    return _with_verdict(state, event, WorkerStatus.HELD, tuple(part.reasons), "", facts)


def ended(state: Worker, event: Event[IdentityUnverified], facts: Facts) -> Decision[Worker]:
    """Rejected, or the end of a verified worker's eligibility."""
    part = event.data
    return _with_verdict(state, event, WorkerStatus.REJECTED, tuple(part.reasons), "", facts)


def recheck(state: Worker, event: Event[RecheckDue], facts: Facts) -> Decision[Worker]:
    """A birthday or the end of a validity has come: asks verification to judge by this day."""
    part = event.data
    if part.registration_version != state.registration_version:
        return Decision(state=state, ignored=OLDER)
    return _request_check(state, part.worker_id)


def _request_check(worker: Worker, worker_id: str) -> Decision[Worker]:
    asked = replace(
        worker,
        status=WorkerStatus.CHECKING,
        verdict=None,
        registration_version=worker.registration_version + 1,
        asked=len(worker.words),
    )
    return Decision(state=asked, outcomes=(outcomes.check_requested(worker_id, asked),))


def _with_verdict(
    state: Worker,
    event: Event[IdentityVerified | IdentityUnverified],
    identity: WorkerStatus,
    reasons: tuple[str, ...],
    valid_until: str,
    facts: Facts,
) -> Decision[Worker]:
    worker_id, version = event.data.worker_id, event.data.registration_version
    worker = state
    if version > worker.registration_version:
        # A restored store may read a verdict before the request that it answers. The verdict is not remembered, so it
        # takes effect when it is read again.
        return Decision(state=None, ignored=EARLY)
    if version != worker.registration_version or worker.status in (WorkerStatus.WITHDRAWN, WorkerStatus.MERGED):
        return Decision(state=worker, ignored=OLDER)
    if worker.verdict is not None and (worker.verdict.identity, worker.verdict.reasons) == (identity, reasons):
        return Decision(state=worker, ignored="same-verdict")
    other = _otherwise(worker, identity, reasons, facts)
    if other is not None:
        return _request_check(other, worker_id)
    verdict = Verdict(
        identity=identity,
        reasons=reasons,
        registration_version=version,
        given_on=business_day(event.at).isoformat(),
        valid_until=valid_until,
    )
    if identity is WorkerStatus.HELD and worker.status is WorkerStatus.CHECKING and Reason.NAME_MISMATCH in reasons:
        # The doubt is kept with the statement: an agency that contradicts it later counts as if it had contradicted it
        # today.
        worker = sources.with_statements(worker, sources.doubt(worker, "name"), facts.precedence)
    told = dict.fromkeys(
        (*worker.waiting, *((word.agency, word.submission_id) for word in worker.words if not word.via))
    )
    waiting = () if identity in FINAL else worker.waiting
    judged = replace(worker, status=identity, verdict=verdict, waiting=waiting)
    return Decision(
        state=sources.confirm_doubted(judged, facts.precedence) if identity is WorkerStatus.VERIFIED else judged,
        outcomes=tuple(
            outcomes.settled(worker.regency, agency, submission, worker_id, verdict)
            for agency, submission in told
            if submission
        ),
    )


def _otherwise(worker: Worker, identity: WorkerStatus, reasons: tuple[str, ...], facts: Facts) -> Worker | None:
    """The worker with another agency's statement as the present value, when that statement has not been judged yet;
    None when there is none.

    Without this, a typing error of the first agency would reject the correct form of the second agency; only the order
    of arrival would decide.
    """
    if worker.status is not WorkerStatus.CHECKING:
        return None
    if identity is WorkerStatus.HELD and reasons == (Reason.ATTESTATION_MISSING,) and len(worker.words) > worker.asked:
        return worker
    if identity is WorkerStatus.HELD and Reason.NAME_MISMATCH in reasons:
        other = sources.with_statements(worker, sources.doubt(worker, "name"), facts.precedence)
        return other if other.form.name != worker.form.name else None
    wrong = {_REFUTED.get(reason, "") for reason in reasons}
    if identity is not WorkerStatus.REJECTED or not worker.said or not wrong or "" in wrong:
        return None
    said = [
        replace(one, refuted=True) if one.field in wrong and one.value == getattr(worker.form, one.field) else one
        for one in worker.said
    ]
    other = sources.with_statements(worker, said, facts.precedence)
    standing = sources.origins(other, facts.precedence)
    return None if any(standing[name].refuted for name in wrong) else other
