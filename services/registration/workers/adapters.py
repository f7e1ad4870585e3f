"""Performs the workers' due work: the day of a new identity check has come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.registration.workers.domain.lifecycle import RECHECK
from shared.contracts.registration_work import RecheckDue
from shared.kernel.decision import Due
from shared.runtime.spec import Performer, Workplace, WorkResult


async def _recheck(document_id: str, state: Any, due: Due, place: Workplace) -> WorkResult:
    """The day has come. No outside question is needed; the event itself says so."""
    version = due.data["registration_version"]
    data = RecheckDue(worker_id=document_id, registration_version=version)
    return WorkResult("worker.recheck-due.v1", document_id, data)


PERFORMERS: Mapping[str, Performer] = {RECHECK: _recheck}
