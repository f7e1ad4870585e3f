"""What other parts ask of the workers in one bulk read, and the workers' due work."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from services.registration.workers.domain.lifecycle import RECHECK
from services.registration.workers.domain.state import Worker, WorkerStatus
from shared.contracts.registration_work import RecheckDue
from shared.kernel.decision import Due
from shared.runtime.ports import Reader
from shared.runtime.spec import Performer, Workplace, WorkResult


async def verified(reader: Reader, worker_ids: Collection[str]) -> frozenset[str]:
    """Those of the workers who are verified."""
    states = await reader.states("workers", sorted(worker_ids))
    return frozenset(
        key for key, one in states.items() if isinstance(one, Worker) and one.status is WorkerStatus.VERIFIED
    )


async def _recheck(document_id: str, state: Any, due: Due, place: Workplace) -> WorkResult:
    """The day has come. No outside question is needed; the event itself says so."""
    version = due.data["registration_version"]
    data = RecheckDue(worker_id=document_id, registration_version=version)
    return WorkResult("worker.recheck-due.v1", document_id, data)


PERFORMERS: Mapping[str, Performer] = {RECHECK: _recheck}
