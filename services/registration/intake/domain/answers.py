"""Builds the answer that an agency gets to each of its submissions."""

from __future__ import annotations

from typing import Literal

from services.registration.intake.domain.state import Sender
from shared.contracts import registration as contract
from shared.contracts import topics
from shared.kernel.decision import Outcome
from shared.kernel.identity import may_be_shown

SubmissionOutcome = Literal[
    "registered", "already-registered", "attested", "updated", "withdrawn", "accepted", "rejected"
]


def answered(
    event_id: str,
    sender: Sender,
    outcome: SubmissionOutcome,
    *,
    reasons: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    worker_id: str | None = None,
) -> Outcome:
    """The answer to the agency. The key is the agency's own submission number, else the event's id."""
    return Outcome(
        topics.feedback(sender.regency, sender.agency),
        key_of(sender.submission_id, event_id),
        "submission.answered.v1",
        contract.SubmissionAnswered(
            submission_id=sender.submission_id,
            outcome=outcome,
            reasons=list(reasons),
            warnings=list(warnings),
            worker_id=worker_id,
        ),
    )


def key_of(submission_id: str | None, otherwise: str) -> str:
    """The key of an answer: the submission number, unless it may be a NIK. More people see keys than bodies, so an
    agency that numbers its rows by NIK gets that number back in the body only.
    """
    return submission_id if submission_id and may_be_shown(submission_id) else otherwise
