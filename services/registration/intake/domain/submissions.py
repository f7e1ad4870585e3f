"""Reads who sent an intake event, and refuses events that cannot be judged."""

from __future__ import annotations

from services.registration.intake.domain import rules
from services.registration.intake.domain.state import RefusedSubmission, Sender
from shared.contracts import topics
from shared.contracts.reasons import Reason, row_fault
from shared.kernel.decision import Address
from shared.kernel.event import Event, Intake, Routed


def sender_of(event: Event, worker: str = "") -> Sender:
    """The agency of an intake event that concerns this worker. The shell has checked that the topic is this
    agency's own.
    """
    found = topics.agency_of_source(event.source)
    # Another source is possible only on a topic whose name fits the pattern but belongs to no agency.
    regency, agency = found if found is not None else ("", "")
    fields = event.data.fields if isinstance(event.data, Intake) else {}
    submission = fields.get("submission_id")
    return Sender(
        regency=regency,
        agency=agency,
        submission_id=submission if isinstance(submission, str) and submission.strip() else None,
        worker_id=worker,
    )


def unreadable(intake: Intake, sender: Sender) -> tuple[str, ...]:
    """Why an intake event cannot be judged at all; empty when it can.

    The source is no agency, the data is no object, or the event stands for a row of a list that could not be read.
    """
    if not sender.agency:
        return (rules.invalid("source"),)
    if intake.problem is not None:
        return (rules.invalid("data"),)
    return row_fault(intake.fields)


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses an event whose name was used before with other content."""
    refused = RefusedSubmission(sender=sender_of(event), reasons=(Reason.CONFLICTING_DUPLICATE,))
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), refused)


def refused(event: Event, sender: Sender, reasons: tuple[str, ...]) -> Routed:
    """The refusal document of an intake event, with the reasons."""
    return Routed(Address("refusals", event.name), RefusedSubmission(sender=sender, reasons=reasons))
