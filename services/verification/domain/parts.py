"""Turns an officer's event into a well-formed decision on a worker, or into a refusal document."""

from __future__ import annotations

from shared.contracts import officers
from shared.contracts.reasons import Reason
from shared.kernel.decision import Address
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.identity import may_be_shown
from shared.kernel.values import value


@value(frozen=True, slots=True, kw_only=True)
class IdentityDecisionForm:
    """A well-formed decision of an officer. `signed_by` is the name in the event's source."""

    worker_id: str
    verified: bool
    reason: str
    signed_by: str


@value(frozen=True, slots=True, kw_only=True)
class Refused:
    """An officer's event that is not a valid decision."""

    worker_id: str | None
    officer: str | None
    reasons: tuple[str, ...]


def of_officer(event: Event[Intake], reference: object) -> tuple[Routed, ...]:
    """The decision, or a refusal with every reason that holds, in the order of the fields."""
    intake = event.data
    fields = intake.fields
    # Only an officer settles a case; an agency's event must not count as one.
    signed_by = officers.name_of(event.source)
    problems: list[str] = [] if signed_by else [f"{Reason.FIELD_INVALID}:source"]
    if intake.problem:
        problems.append(f"{Reason.FIELD_INVALID}:data")
    else:
        for name in ("worker_id", "decision", "officer", "reason"):
            value = fields.get(name)
            if value is None or (isinstance(value, str) and not value.strip()):
                problems.append(f"{Reason.FIELD_MISSING}:{name}")
            elif (
                not isinstance(value, str)
                or (name == "decision" and value not in ("verified", "rejected"))
                or (name == "worker_id" and not may_be_shown(value))
                or (name == "officer" and officers.is_signed_by_another(value, event.source))
            ):
                problems.append(f"{Reason.FIELD_INVALID}:{name}")
    if problems:
        return (Routed(Address("refusals", event.name), _refused(event, *problems)),)
    part = IdentityDecisionForm(
        worker_id=fields["worker_id"],
        verified=fields["decision"] == "verified",
        reason=fields["reason"],
        signed_by=signed_by or "",
    )
    return (Routed(Address("identities", part.worker_id), part),)


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses an event whose name was used before with other content."""
    refused = _refused(event, Reason.CONFLICTING_DUPLICATE)
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), refused)


def _refused(event: Event[Intake], *reasons: str) -> Refused:
    named = event.data.fields.get("worker_id")
    officer = officers.name_of(event.source)
    return Refused(worker_id=named if may_be_shown(named) else None, officer=officer, reasons=tuple(reasons))
