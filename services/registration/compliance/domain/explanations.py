"""An officer explains a finding: it stays on record, but no longer waits for a cure. Pure.

The officer is the source of the event. When the explanation names an agency (`64.08/distransnaker`, the owner of the
list), that agency is answered too, and only findings of its regency are accepted.
"""

from __future__ import annotations

import re
from dataclasses import replace

from services.registration.compliance.domain.employments import next_look
from services.registration.compliance.domain.findings import explained, issued
from services.registration.compliance.domain.state import Employment
from services.registration.intake.domain import answers, rules
from services.registration.intake.domain.outcomes import open_event
from services.registration.intake.domain.state import Reference, Refusal, Sender
from shared.contracts import officers, topics
from shared.contracts.reasons import Reason, row_fault
from shared.contracts.registration_duties import ExplanationRefused
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value

# The form that findings.finding_id makes: employment/<employer>/<worker>/<kind>/<day>.
_FINDING = re.compile(r"employment/[0-9A-Za-z.-]{1,32}/[a-z2-7]{26}/[a-z-]{1,40}/\d{4}-\d{2}-\d{2}", re.ASCII)


@value(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Which finding of a document is explained, and by whom. The text stays in the input, because it may name
    people.
    """

    sender: Sender
    officer: str
    finding_id: str
    kind: str
    subject: str


@value(frozen=True, slots=True, kw_only=True)
class RefusedExplanation:
    """An explanation that cannot be accepted. An empty agency in `sender` means that no agency is named."""

    sender: Sender
    officer: str | None
    finding_id: str | None
    reasons: tuple[str, ...]


def route(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """The employment whose finding is explained, or a refusal document."""
    intake = event.data
    problems = _problems(intake, event.source)
    parts = str(intake.fields.get("finding_id", "")).strip().split("/")
    if not problems and not _FINDING.fullmatch("/".join(parts)):
        problems = (str(Reason.FINDING_UNKNOWN),)
    if problems:
        return (Routed(Address("refusals", event.name), _refused(event, problems)),)
    _, employer, worker, kind, subject = parts
    explanation = Explanation(
        sender=_sender(intake),
        officer=officers.name_of(event.source) or "",
        finding_id="/".join(parts),
        kind=kind,
        subject=subject,
    )
    return (Routed(Address("employments", f"{employer}|{worker}"), explanation),)


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses an explanation whose name was used before with other content."""
    address = Address("refusals", f"{event.name}|{event.content_hash}")
    return Routed(address, _refused(event, (str(Reason.CONFLICTING_DUPLICATE),)))


def decide(state: Employment, event: Event[Explanation], facts: object) -> Decision[Employment]:
    """Explains an open finding. When an agency is named, the finding must be of its regency."""
    part = event.data
    # An explanation changes no contract, so what the employment waits for stays due.
    due = next_look(state, business_day(event.at))
    if part.sender.regency in ("", state.regency):
        findings, changed = explained(state.findings, part.kind, part.subject, part.officer)
        if changed is not None:
            said = (issued(state.about, changed), *_answer(event, part.sender, ()))
            return Decision(state=replace(state, findings=findings), outcomes=said, due=due)
    return Decision(state=state, outcomes=_refusal(event, _unknown(part)), due=due)


def no_employment(state: Refusal | None, event: Event[Explanation], facts: object) -> Decision[Refusal]:
    """Refuses the explanation of a finding that nobody has made."""
    refused = _unknown(event.data)
    kept = state or Refusal(submission_id=refused.sender.submission_id, reasons=refused.reasons)
    return Decision(state=kept, outcomes=_refusal(event, refused))


def _unknown(part: Explanation) -> RefusedExplanation:
    return RefusedExplanation(
        sender=part.sender,
        officer=part.officer,
        finding_id=part.finding_id,
        reasons=(str(Reason.FINDING_UNKNOWN),),
    )


def refuse(state: Refusal | None, event: Event[RefusedExplanation], facts: object) -> Decision[Refusal]:
    """Answers an input that is no valid explanation."""
    part = event.data
    refusal = Refusal(submission_id=part.sender.submission_id, reasons=part.reasons)
    return Decision(state=refusal, outcomes=_refusal(event, part))


def _refusal(event: Event, part: RefusedExplanation) -> tuple[Outcome, ...]:
    data = ExplanationRefused(finding_id=part.finding_id, officer=part.officer, reasons=list(part.reasons))
    key = part.finding_id or event.id
    said = open_event(key, "finding.explain.refused.v1", data)
    return (said, *_answer(event, part.sender, part.reasons))


def _answer(event: Event, sender: Sender, reasons: tuple[str, ...]) -> tuple[Outcome, ...]:
    if not sender.agency:
        return ()
    return (answers.answered(event.id, sender, "rejected" if reasons else "accepted", reasons=reasons),)


def _refused(event: Event[Intake], reasons: tuple[str, ...]) -> RefusedExplanation:
    finding = event.data.fields.get("finding_id")
    return RefusedExplanation(
        sender=_sender(event.data),
        officer=officers.name_of(event.source),
        finding_id=finding.strip() if isinstance(finding, str) and _FINDING.fullmatch(finding.strip()) else None,
        reasons=reasons,
    )


def _sender(intake: Intake) -> Sender:
    found = _agency(intake)
    submission = intake.fields.get("submission_id")
    return Sender(
        regency=found.regency if found else "",
        agency=found.agency if found else "",
        submission_id=submission if isinstance(submission, str) and submission.strip() else None,
    )


def _agency(intake: Intake) -> topics.AgencyName | None:
    named = intake.fields.get("agency")
    return topics.agency_of_source(f"agency/{named.strip()}") if isinstance(named, str) else None


def _problems(intake: Intake, source: str) -> tuple[str, ...]:
    if intake.problem is not None:
        return (rules.invalid("data"),)
    if fault := row_fault(intake.fields):
        return fault
    found: list[str] = []
    fields = intake.fields
    if not rules.is_absent(fields.get("agency")) and _agency(intake) is None:
        found.append(rules.invalid("agency"))
    if officers.name_of(source) is None or officers.is_signed_by_another(fields.get("officer"), source):
        found.append(rules.invalid("officer"))
    for name in ("finding_id", "explanation"):
        found += rules.text_problems(name, fields.get(name))
    return tuple(found)
