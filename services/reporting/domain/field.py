"""Employers' duties, construction projects and outreach meetings. Pure."""

from __future__ import annotations

from services.reporting.domain.rules import latest
from services.reporting.domain.state import Finding, Meeting, Project
from shared.contracts.registration_duties import (
    EmployerFoundNoncompliant,
    OutreachHeld,
    OutreachPlanned,
    ProjectRegistered,
)
from shared.kernel.event import Event


@latest
def found(state: Finding | None, event: Event[EmployerFoundNoncompliant], at: str) -> Finding:
    """The present state of a duty that was not kept."""
    data = event.data
    return Finding(
        regency=data.regency,
        # A contractor is known by a keyed name only, an employer by their number.
        employer=data.employer_id or data.contractor or "",
        name=data.employer_id or data.contractor or "",
        kind=data.kind,
        status=data.state,
        worker_id=data.worker_id,
        due_on=data.due_on,
        sequence=event.sequence or 0,
        at=at,
    )


@latest
def project(state: Project | None, event: Event[ProjectRegistered], at: str) -> Project:
    """The present state of a construction project."""
    data = event.data
    return Project(
        regency=data.regency,
        contractor=data.contractor,
        late=data.late,
        contract_value=data.contract_value,
        sequence=event.sequence or 0,
        at=at,
    )


@latest
def met(state: Meeting | None, event: Event[OutreachPlanned], at: str) -> Meeting:
    """A meeting, planned or held."""
    data = event.data
    return Meeting(
        meeting_id=data.meeting_id,
        regency=data.regency,
        district=data.district,
        village=data.village,
        sector=data.sector,
        held_on=data.held_on,
        agency=data.agency,
        attendees=data.attendees if isinstance(data, OutreachHeld) else None,
        sequence=event.sequence or 0,
        at=at,
    )
