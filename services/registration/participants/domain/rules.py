"""Which answer of BPJS counts, and why a worker of an invoice is not in its file. Pure."""

from __future__ import annotations

from datetime import datetime

from services.registration.participants.domain.state import BpjsAnswer
from services.registration.workers.domain.state import Worker, WorkerStatus
from shared.contracts.reasons import Reason

# The answers that are kept of one participant: the latest ones.
ANSWERS_KEPT = 20


def with_answer(answers: tuple[BpjsAnswer, ...], new: BpjsAnswer) -> tuple[BpjsAnswer, ...]:
    """The answers with a further one, in the order of their instants. The order of arrival does not matter, and the
    same answer again changes nothing. Of two that BPJS gave at one instant, the order of their content decides.
    """
    return tuple(sorted({*answers, new}, key=_order)[-ANSWERS_KEPT:])


def _order(one: BpjsAnswer) -> tuple[datetime, str, str, str]:
    return (one.answered_at, one.kpj, one.reason, one.words)


def says_the_same(one: BpjsAnswer, other: BpjsAnswer) -> bool:
    """Whether two answers have the same content, whenever BPJS gave them."""
    return (one.kpj, one.reason) == (other.kpj, other.reason)


def left_out(worker: object) -> tuple[str, ...]:
    """Why a worker of an invoice is not in its file for BPJS; empty when the worker is in it.

    A worker who waits for a new check or is held stays in the file: the premium was billed while the worker was
    verified.
    """
    if not isinstance(worker, Worker):
        return (Reason.NOT_REGISTERED,)
    if worker.status is WorkerStatus.MERGED:
        return (Reason.WORKER_MERGED,)
    if worker.status is WorkerStatus.WITHDRAWN:
        return (Reason.WORKER_WITHDRAWN,)
    if worker.status is WorkerStatus.REJECTED:
        return (
            worker.verdict.reasons if worker.verdict is not None and worker.verdict.reasons else (Reason.NOT_ELIGIBLE,)
        )
    return ()
