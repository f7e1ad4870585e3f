"""An officer explains a finding: it stays on record, but no longer waits for a cure. Pure.

The officer is the source of the event. When the explanation names an agency (`64.08/distransnaker`, the owner of the
list), that agency is answered too, and only findings of its regency are accepted.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from services.registration.compliance.domain.employments import next_look
from services.registration.compliance.domain.findings import explained, issued
from services.registration.compliance.domain.state import Employment
from services.registration.intake.domain import answers
from services.registration.intake.domain.outcomes import open_event
from services.registration.intake.domain.state import Reference, Refusal, Sender
from shared.contracts import officers, readers, topics
from shared.contracts.forms import INVALID, Field, Form, Read, Rule, Values, Wrong, is_blank, is_empty, never, wrong
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
    read = _EXPLANATION.of(event.data, event.source)
    # A row of a list that could not be read has no fields, but a reason of its own.
    reasons = row_fault(event.data.fields) or read.reasons
    if reasons or read.value is None:
        return (Routed(Address("refusals", event.name), _refused(read, reasons)),)
    _, employer, worker, *_ = read.value.finding_id.split("/")
    return (Routed(Address("employments", f"{employer}|{worker}"), read.value),)


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses an explanation whose name was used before with other content."""
    address = Address("refusals", f"{event.name}|{event.content_hash}")
    read = _EXPLANATION.of(event.data, event.source)
    return Routed(address, _refused(read, (str(Reason.CONFLICTING_DUPLICATE),)))


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
    """Refuses the explanation of a finding that does not exist."""
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
    """Answers an input that is not a valid explanation."""
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


def _refused(read: Read[Explanation], reasons: tuple[str, ...]) -> RefusedExplanation:
    finding, source = read.values.get(_FINDING_ID), read.values.given
    return RefusedExplanation(
        sender=_sender(read.values),
        officer=officers.name_of(source),
        finding_id=finding if finding is not None and _FINDING.fullmatch(finding) else None,
        reasons=reasons,
    )


def _sender(values: Values[str]) -> Sender:
    named = values.get(_AGENCY)
    return Sender(
        regency=named.regency if named else "",
        agency=named.agency if named else "",
        submission_id=values.get(_SUBMISSION),
    )


def _agency(raw: Any, _: object) -> topics.AgencyName | Wrong:
    named = topics.agency_of_source(f"agency/{raw.strip()}") if isinstance(raw, str) else None
    return named or INVALID


def _officer(raw: Any, values: Values[str]) -> str | Wrong:
    return readers.officer(None if is_empty(raw) else raw, values.given)


def _is_finding(values: Values[str]) -> Wrong | None:
    known = values.reasons or _FINDING.fullmatch(values[_FINDING_ID])
    return None if known else wrong(Reason.FINDING_UNKNOWN)


def _explanation(values: Values[str]) -> Explanation:
    finding_id = values[_FINDING_ID]
    *_, kind, subject = finding_id.split("/")
    return Explanation(
        sender=_sender(values), officer=values[_OFFICER], finding_id=finding_id, kind=kind, subject=subject
    )


# The agency's number of the explanation is only repeated in the answer.
_SUBMISSION = Field(
    "submission_id", lambda raw, _: raw if isinstance(raw, str) else None, optional=True, empty=is_blank
)
_AGENCY = Field("agency", _agency, optional=True)
_OFFICER = Field("officer", _officer, empty=never)
_FINDING_ID = Field("finding_id", readers.text)
# What the readers know besides the form is the event's source, which names the officer.
_EXPLANATION: Form[Explanation, str] = Form(
    _explanation,
    _SUBMISSION,
    _AGENCY,
    _OFFICER,
    _FINDING_ID,
    Field("explanation", readers.text),
    Rule("is_finding", _is_finding),
)
