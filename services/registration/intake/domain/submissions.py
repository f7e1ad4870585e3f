"""Reads an agency's event: the part of a document that its form makes, or its refusal with every reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from services.registration.intake.domain.fields import SUBMISSION, Given
from services.registration.intake.domain.state import Reference, RefusedSubmission, Sender
from shared.contracts import topics
from shared.contracts.forms import Form, Values, invalid, is_blank
from shared.contracts.reasons import Reason, row_fault
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value

V = TypeVar("V")


@value(frozen=True, slots=True)
class Submission(Generic[V]):
    """An agency's event whose form was read, without a reason against it."""

    event: Event[Intake]
    sender: Sender
    form: V
    values: Values[Given]

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings about the form, for the agency's answer."""
        return tuple(self.values.warnings)


def read(
    event: Event[Intake], reference: Reference, form: Form[V, Given], accept: Callable[[Submission[V]], Routed]
) -> tuple[Routed, ...]:
    """The document that an agency's event changes, with the part that `accept` makes; or the refusal document."""
    intake = event.data
    named = topics.agency_of_source(event.source)
    if named is None:
        return (refused(event, sender_of(event), (invalid("source"),)),)
    if unread := _unreadable(intake):
        return (refused(event, sender_of(event), unread),)
    found = form.read(intake.fields, Given(named.regency, named.agency, business_day(event.at), reference))
    sender = Sender(regency=named.regency, agency=named.agency, submission_id=found.values.get(SUBMISSION))
    if found.value is None:
        return (refused(event, sender, found.reasons, found.warnings),)
    return (accept(Submission(event, sender, found.value, found.values)),)


def sender_of(event: Event) -> Sender:
    """The agency of an intake event whose form is not read, and the number that it gave the event.

    The shell has checked that the topic is this agency's own.
    """
    found = topics.agency_of_source(event.source)
    # Another source is possible only on a topic whose name fits the pattern but belongs to no agency.
    regency, agency = (found.regency, found.agency) if found is not None else ("", "")
    number = event.data.fields.get(SUBMISSION.name) if isinstance(event.data, Intake) else None
    known = isinstance(number, str) and not is_blank(number)
    return Sender(regency=regency, agency=agency, submission_id=number if known else None)


def _unreadable(intake: Intake) -> tuple[str, ...]:
    """Why an intake event has no form to read: its data is not an object, or it stands for a row of a list that could
    not be read.
    """
    return (invalid("data"),) if intake.problem is not None else row_fault(intake.fields)


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses an event whose name was used before with other content."""
    refused = RefusedSubmission(sender=sender_of(event), reasons=(Reason.CONFLICTING_DUPLICATE,))
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), refused)


def refused(event: Event[Intake], sender: Sender, reasons: tuple[str, ...], warnings: tuple[str, ...] = ()) -> Routed:
    """The refusal document of an intake event, with the reasons."""
    return Routed(Address("refusals", event.name), RefusedSubmission(sender=sender, reasons=reasons, warnings=warnings))
