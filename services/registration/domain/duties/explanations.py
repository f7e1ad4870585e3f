"""An agency explains a finding: it stays on record, but nobody waits for a cure any more. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.registration.domain import outcomes, rules
from services.registration.domain.duties.employments import Employment
from services.registration.domain.duties.findings import explained, told
from services.registration.domain.parts import Facts, Reference, Refused, Sender, sender_of, unreadable
from services.registration.domain.state import Refusal
from shared.contracts.reasons import Reason
from shared.kernel.decision import Address, Decision
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value

# employment/<employer>/<worker>/<kind>/<day>: what findings.finding_id makes.
_EMPLOYMENT_PARTS = 5


@value(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Which finding of a document is explained. The text itself stays in the input: it may name people."""

    sender: Sender
    kind: str
    subject: str


def route(event: Event, reference: Reference) -> tuple[Routed, ...]:
    """The employment whose finding is explained, or a refusal of its own."""
    intake: Intake = event.data
    sender = sender_of(event)
    problems = _problems(intake, sender)
    parts = str(intake.fields.get("finding_id", "")).strip().split("/")
    known = len(parts) == _EMPLOYMENT_PARTS and parts[0] == "employment"
    if not problems and not known:
        problems = (str(Reason.FINDING_UNKNOWN),)
    if problems:
        return (Routed(Address("refusals", event.name), Refused(sender=sender, reasons=problems)),)
    _, employer, worker, kind, subject = parts
    address = Address("employments", f"{employer}|{worker}")
    return (Routed(address, Explanation(sender=sender, kind=kind, subject=subject)),)


def decide(state: Employment | Refusal | None, event: Event, facts: Facts, now: datetime) -> Decision[Any]:
    """Explains an open finding of the sender's own regency."""
    part: Explanation = event.data
    about = state.about if isinstance(state, Employment) and state.regency == part.sender.regency else None
    if about is not None and isinstance(state, Employment):
        findings, changed = explained(state.findings, part.kind, part.subject)
        if changed is not None:
            answer = outcomes.answered(event.id, part.sender, "accepted")
            return Decision(state=replace(state, findings=findings), outcomes=(told(about, changed), answer))
    reasons = (str(Reason.FINDING_UNKNOWN),)
    answer = outcomes.answered(event.id, part.sender, "rejected", reasons=reasons)
    return Decision(
        state=state or Refusal(submission_id=part.sender.submission_id, reasons=reasons), outcomes=(answer,)
    )


def _problems(intake: Intake, sender: Sender) -> tuple[str, ...]:
    if unread := unreadable(intake, sender):
        return unread
    found = rules.submission_problems(intake.fields)
    for name in ("finding_id", "explanation"):
        found += rules.text_problems(name, intake.fields.get(name))
    return tuple(found)
