"""Education meetings: planned for a coming day, or held with a number of attendees. Pure; keeps no attendees' names."""

from __future__ import annotations

from typing import Any

from services.registration.intake.domain import answers, submissions
from services.registration.intake.domain.fields import DISTRICT, SUBMISSION, VILLAGE, Given
from services.registration.intake.domain.outcomes import open_event
from services.registration.intake.domain.state import Reference, Sender
from services.registration.intake.domain.submissions import Submission
from services.registration.outreach.domain.state import Meeting
from shared.contracts import readers, tokens, topics
from shared.contracts.base import SECTORS, Sector
from shared.contracts.forms import INVALID, MISSING, Field, Form, Rule, Values, Wrong, is_empty, never, wrong
from shared.contracts.reasons import Reason
from shared.contracts.registration import ReportOutreach
from shared.contracts.registration_duties import OutreachHeld, OutreachPlanned
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value

# A larger number is a typing error: it exceeds a regency's population, and the store cannot hold far larger ones.
ATTENDEES_MAX = 1_000_000


@value(frozen=True, slots=True, kw_only=True)
class MeetingReport:
    """The report of a meeting, for its document."""

    sender: Sender
    meeting: Meeting
    warnings: tuple[str, ...] = ()


def route(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """The meeting's document, or a refusal document with the reasons."""
    return submissions.read(event, reference, _MEETING, _report)


def _report(submission: Submission[Meeting]) -> Routed:
    meeting = submission.form
    report = MeetingReport(sender=submission.sender, meeting=meeting, warnings=submission.warnings)
    return Routed(Address("meetings", f"{meeting.regency}|{meeting.meeting_id}"), report)


def decide(state: Meeting | None, event: Event[MeetingReport], facts: object) -> Decision[Meeting]:
    """Publishes the meeting when it is new or has changed; always answers the agency."""
    part = event.data
    answer = answers.answered(event.id, part.sender, "accepted", warnings=part.warnings)
    if state == part.meeting:
        return Decision(state=state, outcomes=(answer,))
    return Decision(state=part.meeting, outcomes=(_issued(part.meeting), answer))


def _issued(meeting: Meeting) -> Outcome:
    fields: dict[str, Any] = {
        "meeting_id": meeting.meeting_id,
        "regency": meeting.regency,
        "district": meeting.district,
        "village": meeting.village,
        "sector": meeting.sector,
        "held_on": meeting.held_on,
        "agency": meeting.agency,
    }
    if meeting.attendees is None:
        return open_event(meeting.meeting_id, "outreach.planned.v1", OutreachPlanned(**fields))
    held = OutreachHeld(**fields, attendees=meeting.attendees)
    return open_event(meeting.meeting_id, "outreach.held.v1", held)


def _is_number(values: Values[Given]) -> Wrong | None:
    number = values.get(_MEETING_ID)
    return None if number is None or tokens.is_number(number) else INVALID


def _sector(raw: Any, _: object) -> Sector | Wrong:
    return next((one for one in SECTORS if one == raw), wrong(Reason.SECTOR_UNKNOWN))


def _is_planned(values: Values[Given]) -> bool:
    """Whether the meeting is still to come."""
    day = values.get(_HELD_ON)
    return day is not None and day.year in readers.YEARS and day > values.given.today


def _attendees(raw: Any, values: Values[Given]) -> int | Wrong | None:
    """How many people came; 0 for a planned meeting. Of a list of people only the length is kept."""
    if _is_planned(values):
        return None
    if is_empty(raw):
        return MISSING
    if isinstance(raw, bool) or not isinstance(raw, int | list):
        return INVALID
    count = len(raw) if isinstance(raw, list) else raw
    return count if 0 <= count <= ATTENDEES_MAX else INVALID


def _holder(raw: Any, _: object) -> str | Wrong | None:
    """The agency that held the meeting, if the report names a known one. Other text could be a person's name: it
    is dropped.
    """
    named = readers.text(raw, _)
    if not isinstance(named, str):
        return named
    name = named.rpartition("/")[2]
    known = (*topics.DEFAULT_REGISTRATION_AGENCIES, *topics.DEFAULT_CLAIMS_AGENCIES)
    return name if name in known else None


def _meeting(values: Values[Given]) -> Meeting:
    village = values[VILLAGE]
    return Meeting(
        meeting_id=values[_MEETING_ID],
        regency=values.given.regency,
        district=village.district,
        village=village.code,
        sector=values[_SECTOR],
        held_on=values[_HELD_ON].isoformat(),
        agency=values.get(_AGENCY) or values.given.agency,
        attendees=values.get(_ATTENDEES),
    )


_MEETING_ID = Field("meeting_id", readers.text)
_HELD_ON = Field("held_on", readers.day_in_years)
_SECTOR: Field[Sector] = Field("sector", _sector)
_ATTENDEES = Field("attendees", _attendees, empty=never)
_AGENCY = Field("agency", _holder, optional=True)
_MEETING = Form(
    _meeting,
    SUBMISSION,
    _MEETING_ID,
    Rule("is_number", _is_number, called=_MEETING_ID.name),
    _HELD_ON,
    DISTRICT,
    VILLAGE,
    _SECTOR,
    _ATTENDEES,
    _AGENCY,
)

_meetings = Documents[Meeting, object]("meetings", Kind(Meeting))
_meetings.on(MeetingReport).always(decide)

TABLE = Table[object, Reference](_meetings).reads(ReportOutreach, route)
