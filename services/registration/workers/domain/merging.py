"""Effects of a suspicion and its outcome on each of the two workers: blocked, cleared, merged, or separated again.

A pair of workers has its own document, where it is decided (`pairs`). Each worker learns of it through an event on the
work topic. A suspicion blocks only money: verification holds the identity while `worker.suspected.v1` is in force.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from services.registration.intake.domain.state import Sender
from services.registration.workers.domain import outcomes
from services.registration.workers.domain.history import known_since
from services.registration.workers.domain.state import Facts, LatestSubmission, Suspicion, Verdict, Worker, WorkerStatus
from shared.contracts.reasons import Reason
from shared.contracts.registration_work import AbsorbWorker, MergeWorker, SuspicionStands, UnmergeWorker
from shared.kernel.calendar import parse_date
from shared.kernel.decision import Decision
from shared.kernel.event import Event

UNKNOWN = "worker-unknown"
OLDER = "older-suspicion"


def suspicion_changed(state: Worker, event: Event[SuspicionStands], facts: Facts) -> Decision[Worker]:
    """Notes that a suspicion is open or closed. The pair's sequence number tells which message is the later one."""
    part = event.data
    known = next((one for one in state.suspects if one.other == part.other), None)
    sequence = event.sequence or 0
    if known is not None and known.sequence >= sequence:
        return Decision(state=state, ignored=OLDER)
    fresh = Suspicion(part.other, sequence, part.open)
    changed = replace(state, suspects=(*(one for one in state.suspects if one.other != part.other), fresh))
    if changed.suspected == state.suspected and not part.open:
        return Decision(state=changed)
    said = outcomes.suspected if changed.suspected else outcomes.cleared
    return Decision(state=changed, outcomes=(said(part.worker_id, changed, part),))


def merge(state: Worker, event: Event[MergeWorker], facts: Facts) -> Decision[Worker]:
    """This worker turned out to be another one: they leave, their agencies are answered, and what the agencies said
    moves to the other worker.
    """
    part = event.data
    merged = replace(
        state,
        status=WorkerStatus.MERGED,
        merged_into=part.into,
        waiting=(),
        verdict=None,
        registration_version=state.registration_version + 1,
    )
    told = Verdict(
        identity=WorkerStatus.REJECTED,
        reasons=(Reason.DUPLICATE_IDENTITY,),
        registration_version=merged.registration_version,
    )
    own = tuple(word for word in state.words if not word.via)
    submissions = dict.fromkeys((*state.waiting, *((word.agency, word.submission_id) for word in own)))
    left = outcomes.withdrawn(part.worker_id, merged, "other", _leaving_day(state, part), merged_into=part.into)
    return Decision(
        state=merged,
        outcomes=(
            left,
            outcomes.absorb(part.into, part.worker_id, own),
            *(
                outcomes.settled(state.regency, agency, submission, part.worker_id, told)
                for agency, submission in submissions
                if submission
            ),
        ),
    )


def _leaving_day(worker: Worker, part: MergeWorker) -> str:
    """The leaving day: the end of the month before the worker was first known, so that no run bills any month of
    theirs.
    """
    known = parse_date(known_since(worker))
    return (known.replace(day=1) - timedelta(days=1)).isoformat() if known is not None else part.effective_on


def unmerge(state: Worker, event: Event[UnmergeWorker], facts: Facts) -> Decision[Worker]:
    """This worker is a separate person after all: they re-enter with a new check."""
    part = event.data
    if state.merged_into != part.out_of:
        return Decision(state=state, ignored=UNKNOWN)
    back = replace(
        state,
        status=WorkerStatus.CHECKING,
        merged_into="",
        registration_version=state.registration_version + 1,
        asked=len(state.words),
    )
    first = state.words[0]
    sender = Sender(regency=state.regency, agency=first.agency, submission_id=first.submission_id or None)
    return Decision(
        state=back,
        outcomes=(
            outcomes.registered(part.worker_id, back, sender),
            outcomes.check_requested(part.worker_id, back),
            outcomes.absorb(part.out_of, part.worker_id, (), undone=True),
        ),
    )


def absorb(state: Worker, event: Event[AbsorbWorker], facts: Facts) -> Decision[Worker]:
    """What agencies attested of the merged worker counts for the worker who stays, until the merge is undone."""
    part = event.data
    kept = tuple(one for one in state.words if one.via != part.other)
    fresh = tuple(
        LatestSubmission(
            agency=one.agency,
            submission_id="",
            sector=one.sector,
            occupation=one.occupation,
            said_on=one.said_on,
            fingerprint="",
            via=part.other,
        )
        for one in part.words
    )
    return Decision(state=replace(state, words=(*kept, *fresh)))
