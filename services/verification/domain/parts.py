"""Turns an officer's event into a well-formed decision on a worker, or into a refusal document."""

from __future__ import annotations

from typing import Any

from shared.contracts import officers
from shared.contracts.forms import INVALID, Field, Form, Values, Wrong, invalid, is_blank
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
    read = _DECISION.of(event.data, event.source)
    # Only an officer settles a case; an agency's event must not count as one.
    unsigned = () if officers.name_of(event.source) else (invalid("source"),)
    if unsigned or read.value is None:
        refused = _refused(event, read.values, (*unsigned, *read.reasons))
        return (Routed(Address("refusals", event.name), refused),)
    return (Routed(Address("identities", read.value.worker_id), read.value),)


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses an event whose name was used before with other content."""
    values = _DECISION.of(event.data, event.source).values
    refused = _refused(event, values, (Reason.CONFLICTING_DUPLICATE,))
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), refused)


def _refused(event: Event[Intake], values: Values[str], reasons: tuple[str, ...]) -> Refused:
    return Refused(worker_id=values.get(_WORKER_ID), officer=officers.name_of(event.source), reasons=reasons)


def _worker_id(raw: Any, _: object) -> str | Wrong:
    return raw if may_be_shown(raw) else INVALID


def _verdict(raw: Any, _: object) -> bool | Wrong:
    """Whether the officer verifies the worker, or rejects the case."""
    return raw == "verified" if raw in ("verified", "rejected") else INVALID


def _repeated_name(raw: Any, values: Values[str]) -> str | Wrong:
    is_of_another = not isinstance(raw, str) or officers.is_signed_by_another(raw, values.given)
    return INVALID if is_of_another else raw


def _reason(raw: Any, _: object) -> str | Wrong:
    return raw if isinstance(raw, str) else INVALID


def _decision(values: Values[str]) -> IdentityDecisionForm:
    return IdentityDecisionForm(
        worker_id=values[_WORKER_ID],
        verified=values[_VERDICT],
        reason=values[_REASON],
        signed_by=officers.name_of(values.given) or "",
    )


_WORKER_ID = Field("worker_id", _worker_id, empty=is_blank)
_VERDICT = Field("decision", _verdict, empty=is_blank)
_OFFICER = Field("officer", _repeated_name, empty=is_blank)
_REASON = Field("reason", _reason, empty=is_blank)
# What the readers know besides the form is the event's source, which names the officer.
_DECISION: Form[IdentityDecisionForm, str] = Form(_decision, _WORKER_ID, _VERDICT, _OFFICER, _REASON)
