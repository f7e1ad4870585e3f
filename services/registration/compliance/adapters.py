"""Performs the due work of employments: the first day of work is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.registration.compliance.domain.employments import FIRST_DAY
from services.registration.compliance.domain.state import Employment
from shared.contracts.registration_duties import FirstDayOver
from shared.kernel.decision import Due
from shared.runtime.spec import Performer, Workplace, WorkResult


async def _first_day_over(document_id: str, state: Any, due: Due, place: Workplace) -> WorkResult:
    """The first day has passed. No outside question is needed; the event itself says so."""
    employment: Employment = state
    day = FirstDayOver(employer_id=employment.employer_id, worker_id=employment.worker_id)
    return WorkResult("roster.first-day-over.v1", document_id, day)


PERFORMERS: Mapping[str, Performer] = {FIRST_DAY: _first_day_over}
