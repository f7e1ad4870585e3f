"""Says what each event about the duties of employers and contractors does to its document. Pure.

Theory of operation
* rosters (the input's name): each line goes on, over the work topic, to its employment (employer|worker).
* employments and projects hold their findings; an officer's explanation changes the finding's own document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.registration.compliance.domain import employments, explanations, projects, rosters
from services.registration.compliance.domain.explanations import Explanation, RefusedExplanation
from services.registration.compliance.domain.projects import ProjectReport
from services.registration.compliance.domain.rosters import RosterReport
from services.registration.compliance.domain.state import Employment, Facts, Project, Roster
from services.registration.intake.domain.state import Reference, Refusal
from shared.contracts.registration import RegisterProject, ReportWorkers
from shared.contracts.registration_duties import ExplainFinding, FirstDayOver, RosterLine
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event, Routed


def _employment(data: RosterLine | FirstDayOver) -> str:
    return f"{data.employer_id}|{data.worker_id}"


_rosters = Documents[Roster, Facts]("rosters", Kind(Roster))
_rosters.on(RosterReport).always(rosters.decide)

EMPLOYMENT = Kind(Employment)
# An explanation that comes before its employment leaves a refusal.
REFUSAL = Kind(Refusal)
_employments = Documents[Employment | Refusal, Facts]("employments", EMPLOYMENT, REFUSAL)
_employments.on(RosterLine, _employment).always(employments.reported)
_employments.on(FirstDayOver, _employment).at(EMPLOYMENT, employments.first_day_over).ignored("employment-unknown")
(
    _employments.on(Explanation)
    .absent(explanations.no_employment)
    .at(REFUSAL, explanations.no_employment)
    .at(EMPLOYMENT, explanations.decide)
)

_projects = Documents[Project, Facts]("projects", Kind(Project))
_projects.on(ProjectReport).always(projects.decide)

_refusals = Documents[Refusal, Facts]("refusals", REFUSAL)
_refusals.on(RefusedExplanation).always(explanations.refuse)

TABLE = Table[Facts, Reference](_rosters, _employments, _projects, _refusals)
TABLE.reads(ReportWorkers, rosters.route).reads(RegisterProject, projects.route)
TABLE.reads(ExplainFinding, explanations.route)
CONFLICTING: Mapping[type, Callable[[Event[Any]], Routed]] = {ExplainFinding: explanations.conflicting}
