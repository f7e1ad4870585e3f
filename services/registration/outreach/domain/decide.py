"""Education meetings: planned for a coming day, or held with a number of attendees. Pure; keeps no attendees' names."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from services.registration.intake.domain import answers, rules
from services.registration.intake.domain.outcomes import open_event
from services.registration.intake.domain.state import Reference, RefusedSubmission, Sender
from services.registration.intake.domain.submissions import sender_of, unreadable
from services.registration.outreach.domain.state import Meeting
from shared.contracts import tokens, topics
from shared.contracts.base import SECTORS
from shared.contracts.reasons import Reason
from shared.contracts.registration import ReportOutreach
from shared.contracts.registration_duties import OutreachHeld, OutreachPlanned
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value
from shared.reference.areas import Areas

# A larger number is a typing error: it exceeds a regency's population, and the store cannot hold far larger ones.
ATTENDEES_MAX = 1_000_000


@value(frozen=True, slots=True, kw_only=True)
class MeetingReport:
    """A meeting on its way to its document."""

    sender: Sender
    meeting: Meeting
    warnings: tuple[str, ...] = ()


def route(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """The meeting's document, or a refusal document with the reasons."""
    intake = event.data
    sender = sender_of(event)
    today = business_day(event.at).isoformat()
    problems = _problems(intake, sender, reference.areas, today)
    if problems:
        return (Routed(Address("refusals", event.name), RefusedSubmission(sender=sender, reasons=problems)),)
    fields = intake.fields
    village = reference.areas.village(reference.areas.resolve(fields["village"].strip()))
    assert village is not None
    number = fields["meeting_id"].strip()
    meeting = Meeting(
        meeting_id=number,
        regency=sender.regency,
        district=village.district,
        village=village.code,
        sector=fields["sector"],
        held_on=fields["held_on"],
        agency=_holder(fields.get("agency")) or sender.agency,
        attendees=None if fields["held_on"] > today else _count(fields["attendees"]),
    )
    return (Routed(Address("meetings", f"{sender.regency}|{number}"), MeetingReport(sender=sender, meeting=meeting)),)


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


def _holder(agency: Any) -> str:
    """The agency that held the meeting, if the report names a known one. Other text could be a person's name: it
    is dropped.
    """
    named = agency.strip().rpartition("/")[2] if isinstance(agency, str) else ""
    known = (*topics.DEFAULT_REGISTRATION_AGENCIES, *topics.DEFAULT_CLAIMS_AGENCIES)
    return named if named in known else ""


def _count(attendees: Any) -> int:
    """How many people came. When the report lists people, only their number is kept."""
    return attendees if isinstance(attendees, int) else len(attendees)


def _problems(intake: Intake, sender: Sender, areas: Areas, today: str) -> tuple[str, ...]:
    if unread := unreadable(intake, sender):
        return unread
    fields = intake.fields
    found = rules.submission_problems(fields) + rules.text_problems("meeting_id", fields.get("meeting_id"))
    if isinstance(fields.get("meeting_id"), str) and not rules.is_absent(fields["meeting_id"]):
        found += [] if tokens.is_number(fields["meeting_id"].strip()) else [rules.invalid("meeting_id")]
    dated = rules.day_problems("held_on", fields.get("held_on"))
    found += dated + rules.village_problems(fields.get("village"), sender.regency, areas)
    if rules.is_absent(fields.get("sector")):
        found.append(rules.missing("sector"))
    elif fields["sector"] not in SECTORS:
        found.append(str(Reason.SECTOR_UNKNOWN))
    planned = not dated and fields["held_on"] > today
    if not planned:
        found += _attendance_problems(fields.get("attendees"))
    agency = fields.get("agency")
    if not rules.is_absent(agency) and not rules.is_text(agency):
        found.append(rules.invalid("agency"))
    return tuple(found)


def _attendance_problems(attendees: Any) -> list[str]:
    if rules.is_absent(attendees):
        return [rules.missing("attendees")]
    if isinstance(attendees, bool) or not isinstance(attendees, int | list):
        return [rules.invalid("attendees")]
    size = len(attendees) if isinstance(attendees, Sized) else attendees
    return [] if 0 <= size <= ATTENDEES_MAX else [rules.invalid("attendees")]


_meetings = Documents[Meeting, object]("meetings", Kind(Meeting))
_meetings.on(MeetingReport).always(decide)

TABLE = Table[object, Reference](_meetings).reads(ReportOutreach, route)
