"""Construction projects: registered within 14 working days of the contract, changes within 7. Pure.

The term starts at `contract_date` if given, else at the first day of work. For a change it starts at `changed_on`;
without that day the change is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from services.registration.compliance.domain.findings import issued, merged
from services.registration.compliance.domain.state import Facts, Finding, Project, Terms
from services.registration.intake.domain import answers, rules
from services.registration.intake.domain.outcomes import open_event
from services.registration.intake.domain.state import Reference, RefusedSubmission, Sender
from services.registration.intake.domain.submissions import sender_of, unreadable
from shared.contracts import tokens
from shared.contracts.registration_duties import FindingKind, ProjectRegistered
from shared.kernel.calendar import business_day, parse_date
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value
from shared.reference.areas import Areas
from shared.reference.rates import Rates, number
from shared.reference.workdays import after_working_days

# Twice the planned cost of the new capital. A larger value is a typing error, and the store cannot hold far larger
# ones.
CONTRACT_VALUE_MAX = 1_000_000_000_000_000
_TEXTS = ("project_no", "contractor")
_DAYS = ("starts_on", "ends_on")


@value(frozen=True, slots=True, kw_only=True)
class ProjectReport:
    """A project's terms on their way to its document."""

    sender: Sender
    project_no: str
    terms: Terms
    contract_date: str | None
    changed_on: str | None
    warnings: tuple[str, ...] = ()


def route(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """The project's document, or a refusal document."""
    intake = event.data
    sender = sender_of(event)
    fields = intake.fields
    problems = _problems(intake, sender, reference.areas)
    if problems:
        return (Routed(Address("refusals", event.name), RefusedSubmission(sender=sender, reasons=problems)),)
    village = reference.areas.village(reference.areas.resolve(fields["village"].strip()))
    assert village is not None
    terms = Terms(
        contractor=fields["contractor"].strip(),
        contract_value=fields["contract_value"],
        starts_on=fields["starts_on"],
        ends_on=fields["ends_on"],
        village=village.code,
        district=village.district,
        contractor_key=tokens.keyed_name(
            reference.id_key, "contractor", " ".join(fields["contractor"].upper().split())
        ),
    )
    number = fields["project_no"].strip()
    report = ProjectReport(
        sender=sender,
        project_no=number,
        terms=terms,
        contract_date=fields.get("contract_date") or None,
        changed_on=fields.get("changed_on") or None,
    )
    return (Routed(Address("projects", f"{sender.regency}|{number}"), report),)


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


def _problems(intake: Intake, sender: Sender, areas: Areas) -> tuple[str, ...]:
    if unread := unreadable(intake, sender):
        return unread
    fields = intake.fields
    found = rules.submission_problems(fields)
    found += [problem for name in _TEXTS for problem in rules.text_problems(name, fields.get(name))]
    if isinstance(fields.get("project_no"), str) and not rules.is_absent(fields["project_no"]):
        found += [] if tokens.is_number(fields["project_no"].strip()) else [rules.invalid("project_no")]
    value = fields.get("contract_value")
    if rules.is_absent(value):
        found.append(rules.missing("contract_value"))
    elif not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= CONTRACT_VALUE_MAX:
        found.append(rules.invalid("contract_value"))
    found += [problem for name in _DAYS for problem in rules.day_problems(name, fields.get(name))]
    found += _order_problems(fields)
    for name in ("contract_date", "changed_on"):
        if not rules.is_absent(fields.get(name)):
            found += rules.day_problems(name, fields[name])
    return tuple(found + rules.village_problems(fields.get("village"), sender.regency, areas))


def _order_problems(fields: Mapping[str, Any]) -> list[str]:
    starts, ends = parse_date(fields.get("starts_on")), parse_date(fields.get("ends_on"))
    return [rules.invalid("ends_on")] if starts is not None and ends is not None and ends < starts else []
