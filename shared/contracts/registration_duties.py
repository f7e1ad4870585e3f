"""Registration's published language apart from workers: employers' duties, construction projects, outreach meetings."""

from __future__ import annotations

from typing import Literal

from shared.contracts.base import Data, Day, Regency, Rupiah, Sector
from shared.contracts.registration import SubmissionAnswered
from shared.kernel.event import Intake


class ExplainFinding(Intake):
    """`finding.explain.v1`: an officer explains why a finding is unfounded; an addition to the contract."""


# Events of officers, on a topic of their own.
DECISIONS: dict[str, type[Intake]] = {"finding.explain.v1": ExplainFinding}

FindingKind = Literal["registered-late", "contract-chain", "subsidised-worker", "project-late", "project-change-late"]
State = Literal["open", "explained", "cured"]


class RosterLineAnswered(SubmissionAnswered):
    """`submission.answered.v1` of one line of a roster: `line` counts from 1."""

    line: int


class EmployerFoundNoncompliant(Data):
    """A duty that an employer did not keep; published each time its state changes.

    `due_on` is the last day for the duty. `evidence` gives what was reported: days and counts. An employer is
    identified by number, a project's contractor by a keyed name, because a name in words may be a person's.
    """

    finding_id: str
    regency: Regency
    employer_id: str | None = None
    contractor: str | None = None
    kind: FindingKind
    state: State
    due_on: Day
    evidence: dict[str, str]
    worker_id: str | None = None
    project_no: str | None = None


class ProjectRegistered(Data):
    """The state of a construction project after a report; `contractor` is a keyed name.

    `due_on` is the last day of the latest term; `late` says whether the project or a change was reported after its
    term.
    """

    project_no: str
    regency: Regency
    district: str
    village: str
    contractor: str
    contract_value: Rupiah
    starts_on: Day
    ends_on: Day
    due_on: Day
    late: bool


class OutreachPlanned(Data):
    """A meeting announced for a coming day; an addition to the contract."""

    meeting_id: str
    regency: Regency
    district: str
    village: str
    sector: Sector
    held_on: Day
    agency: str


class OutreachHeld(OutreachPlanned):
    """A meeting that was held, with its number of attendees."""

    attendees: int


class ExplanationRefused(Data):
    """`finding.explain.refused.v1`: the officer's explanation could not be taken."""

    finding_id: str | None
    officer: str | None
    reasons: list[str]


OUTCOMES: dict[str, type[Data]] = {
    "finding.explain.refused.v1": ExplanationRefused,
    "employer.found-noncompliant.v1": EmployerFoundNoncompliant,
    "project.registered.v1": ProjectRegistered,
    "outreach.planned.v1": OutreachPlanned,
    "outreach.held.v1": OutreachHeld,
}


class RosterLine(Data):
    """`roster.line.v1`, internal: one line of a roster on its way to one employment. Restricted: personal data."""

    employer_id: str
    employer_name: str
    regency: Regency
    worker_id: str
    nik: str
    started_on: Day
    contract_ends_on: Day | None = None
    contract_no: str | None = None
    registered_on: Day | None = None


class FirstDayOver(Data):
    """`roster.first-day-over.v1`, internal: the first day of a reported contract has passed."""

    employer_id: str
    worker_id: str


WORK: dict[str, type[Data]] = {"roster.line.v1": RosterLine, "roster.first-day-over.v1": FirstDayOver}
