"""Names the functions that route and decide each event about the duties of employers and contractors. Pure.

Theory of operation
* rosters (the input's name): each line goes on, over the work topic, to its employment (employer|worker).
* employments and projects hold their findings; an officer's explanation changes the finding's own document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.registration.compliance.domain import employments, explanations, projects, rosters
from services.registration.compliance.domain.state import Facts
from services.registration.intake.domain.state import Reference
from shared.contracts.registration import RegisterProject, ReportWorkers
from shared.contracts.registration_duties import ExplainFinding, FirstDayOver, RosterLine
from shared.kernel.decision import Address, Decision
from shared.kernel.event import Event, Routed


def _of_employment(event: Event, reference: Reference) -> tuple[Routed, ...]:
    part: RosterLine | FirstDayOver = event.data
    return (Routed(Address("employments", f"{part.employer_id}|{part.worker_id}"), part),)


ROUTES: Mapping[type, Callable[[Event, Reference], tuple[Routed, ...]]] = {
    ReportWorkers: rosters.route,
    RosterLine: _of_employment,
    FirstDayOver: _of_employment,
    RegisterProject: projects.route,
    ExplainFinding: explanations.route,
}
DECISIONS: Mapping[type, Callable[[Any, Event, Facts, datetime], Decision[Any]]] = {
    rosters.RosterReport: rosters.decide,
    RosterLine: employments.reported,
    FirstDayOver: employments.first_day_over,
    projects.ProjectReport: projects.decide,
    explanations.Explanation: explanations.decide,
    explanations.RefusedExplanation: explanations.refuse,
}
CONFLICTING: Mapping[type, Callable[[Event], Routed]] = {ExplainFinding: explanations.conflicting}
