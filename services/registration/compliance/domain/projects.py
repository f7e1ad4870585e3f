"""Construction projects: registered within 14 working days of the contract, changes within 7. Pure.

The term starts at `contract_date` if given, else at the first day of work. For a change it starts at `changed_on`;
without that day the change is not judged.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.registration.compliance.domain.findings import issued, merged
from services.registration.compliance.domain.state import Facts, Finding, Project, Terms
from services.registration.intake.domain import answers, submissions
from services.registration.intake.domain.fields import DISTRICT, SUBMISSION, VILLAGE, Given
from services.registration.intake.domain.outcomes import open_event
from services.registration.intake.domain.state import Reference, Sender
from services.registration.intake.domain.submissions import Submission
from shared.contracts import readers, tokens
from shared.contracts.forms import INVALID, Field, Form, Rule, Values, Wrong
from shared.contracts.registration_duties import FindingKind, ProjectRegistered
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value
from shared.reference.rates import Rates, number
from shared.reference.workdays import after_working_days

# Twice the planned cost of the new capital. A larger value is a typing error, and the store cannot hold far larger
# ones.
CONTRACT_VALUE_MAX = 1_000_000_000_000_000


@value(frozen=True, slots=True, kw_only=True)
class ProjectReport:
    """The reported terms of a project, for its document."""

    sender: Sender
    project_no: str
    terms: Terms
    contract_date: str | None
    changed_on: str | None
    warnings: tuple[str, ...] = ()


def route(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """The project's document, or a refusal document."""
    return submissions.read(event, reference, _PROJECT, _report)


def _report(submission: Submission[Terms]) -> Routed:
    values = submission.values
    contracted, changed = values.get(_CONTRACT_DATE), values.get(_CHANGED_ON)
    report = ProjectReport(
        sender=submission.sender,
        project_no=values[_PROJECT_NO],
        terms=submission.form,
        contract_date=None if contracted is None else contracted.isoformat(),
        changed_on=None if changed is None else changed.isoformat(),
        warnings=submission.warnings,
    )
    return Routed(Address("projects", f"{submission.sender.regency}|{report.project_no}"), report)


def decide(state: Project | None, event: Event[ProjectReport], facts: Facts) -> Decision[Project]:
    """A project is new, changed, or reported again unchanged."""
    part = event.data
    answer = answers.answered(event.id, part.sender, "accepted", warnings=part.warnings)
    if state is not None and state.terms == part.terms:
        return Decision(state=state, outcomes=(answer,))
    today = business_day(event.at)
    kind: FindingKind = "project-late"
    term_from: str | None = part.contract_date or part.terms.starts_on
    rule = "construction.register_days"
    if state is not None:
        kind, term_from, rule = "project-change-late", part.changed_on, "construction.change_days"
    due = _due(facts.rates, rule, date.fromisoformat(term_from)) if term_from else None
    late = due is not None and today > due
    project = Project(
        project_no=part.project_no,
        regency=part.sender.regency,
        terms=part.terms,
        # A change without a day leaves the term as it was. A project that was late once stays late.
        due_on=due.isoformat() if due else state.due_on if state else "",
        late=late or (state is not None and state.late),
        findings=state.findings if state else (),
    )
    judged = list(project.findings)
    if late and due is not None:
        judged.append(_late(kind, term_from or "", due, today))
    findings, changed = merged(project.findings, judged)
    after = replace(project, findings=findings)
    registered = _registered(after)
    return Decision(state=after, outcomes=(registered, answer, *(issued(after.about, one) for one in changed)))


def _due(rates: Rates, rule: str, day: date) -> date:
    """The last day of a term of working days, by the law of the day on which it begins."""
    return after_working_days(day, number(rates, rule, day))


def _late(kind: FindingKind, term_from: str, due: date, today: date) -> Finding:
    # Cured from the start, because a late report has arrived. The delay stays on record.
    return Finding(
        kind=kind,
        subject=due.isoformat(),
        due_on=due.isoformat(),
        state="cured",
        evidence=(
            ("term_from", term_from),
            ("reported_on", today.isoformat()),
            ("days_late", str((today - due).days)),
        ),
    )


def _registered(project: Project) -> Outcome:
    terms = project.terms
    return open_event(
        project.project_no,
        "project.registered.v1",
        ProjectRegistered(
            project_no=project.project_no,
            regency=project.regency,
            district=terms.district,
            village=terms.village,
            contractor=terms.contractor_key,
            contract_value=terms.contract_value,
            starts_on=terms.starts_on,
            ends_on=terms.ends_on,
            due_on=project.due_on,
            late=project.late,
        ),
    )


def _is_number(values: Values[Given]) -> Wrong | None:
    number = values.get(_PROJECT_NO)
    return None if number is None or tokens.is_number(number) else INVALID


def _ends_after_it_starts(values: Values[Given]) -> Wrong | None:
    starts, ends = values.get(_STARTS_ON), values.get(_ENDS_ON)
    return INVALID if starts is not None and ends is not None and ends < starts else None


def _terms(values: Values[Given]) -> Terms:
    contractor, village = values[_CONTRACTOR], values[VILLAGE]
    key = values.given.reference.id_key
    return Terms(
        contractor=contractor,
        contract_value=values[_CONTRACT_VALUE],
        starts_on=values[_STARTS_ON].isoformat(),
        ends_on=values[_ENDS_ON].isoformat(),
        village=village.code,
        district=village.district,
        contractor_key=tokens.keyed_name(key, "contractor", " ".join(contractor.upper().split())),
    )


_PROJECT_NO = Field("project_no", readers.text)
_CONTRACTOR = Field("contractor", readers.text)
_CONTRACT_VALUE = Field("contract_value", readers.whole(1, CONTRACT_VALUE_MAX))
_STARTS_ON = Field("starts_on", readers.day_in_years)
_ENDS_ON = Field("ends_on", readers.day_in_years)
_CONTRACT_DATE = Field("contract_date", readers.day_in_years, optional=True)
_CHANGED_ON = Field("changed_on", readers.day_in_years, optional=True)
_PROJECT = Form(
    _terms,
    SUBMISSION,
    _PROJECT_NO,
    _CONTRACTOR,
    Rule("is_number", _is_number, called=_PROJECT_NO.name),
    _CONTRACT_VALUE,
    _STARTS_ON,
    _ENDS_ON,
    Rule("ends_after_it_starts", _ends_after_it_starts, called=_ENDS_ON.name),
    _CONTRACT_DATE,
    _CHANGED_ON,
    DISTRICT,
    VILLAGE,
)
