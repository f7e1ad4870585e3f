"""A meeting. Defines shapes only; no rule, no store."""

from __future__ import annotations

from shared.contracts.base import Sector
from shared.kernel.values import value


@value(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A meeting as last reported; `attendees` is None while the meeting is only planned."""

    meeting_id: str
    regency: str
    district: str
    village: str
    sector: Sector
    held_on: str
    agency: str
    attendees: int | None
