"""Builds the events about pairs, each in one place."""

from __future__ import annotations

from typing import Any

from services.registration.intake.domain.outcomes import open_event, work_event
from services.registration.suspects.domain.state import Pair, PairDecision
from shared.contracts import registration as contract
from shared.contracts import registration_work as work
from shared.kernel.calendar import business_day
from shared.kernel.decision import Outcome


def suspicion_changed(worker_id: str, other: str, pair: Pair, *, is_open: bool) -> Outcome:
    """The step that notes with one of the two workers whether the pair's suspicion is open."""
    data = work.SuspicionStands(
        worker_id=worker_id, other=other, open=is_open, score=pair.score, reasons=list(pair.reasons)
    )
    return work_event(worker_id, "suspicion.stands.v1", data)


def merge(worker_id: str, into: str, effective_on: str) -> Outcome:
    """The step that merges a worker into another one, who is the same person."""
    data = work.MergeWorker(worker_id=worker_id, into=into, effective_on=effective_on)
    return work_event(worker_id, "worker.merge.v1", data)


def unmerge(worker_id: str, out_of: str) -> Outcome:
    """The step that undoes a merge: the worker is a separate person."""
    return work_event(worker_id, "worker.unmerge.v1", work.UnmergeWorker(worker_id=worker_id, out_of=out_of))


def decided(pair_id: str, pair: Pair, made: PairDecision) -> Outcome:
    """What an officer decided about a pair."""
    decision: Any = made.decision
    first, second = pair.workers
    data = contract.SuspectDecided(
        first=first,
        second=second,
        decision=decision,
        keep=made.keep or None,
        score=pair.score,
        reasons=list(pair.reasons),
        decided_on=business_day(made.decided_at).isoformat(),
    )
    return open_event(pair_id, "suspect.decided.v1", data)


def decision_refused(
    key: str, first: str | None, second: str | None, officer: str | None, reasons: tuple[str, ...]
) -> Outcome:
    """An officer's decision that could not be taken."""
    data = contract.SuspectRefused(first=first, second=second, officer=officer, reasons=list(reasons))
    return open_event(key, "suspect.decide.refused.v1", data)
