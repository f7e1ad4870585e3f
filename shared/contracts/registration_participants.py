"""Participants of an invoice at BPJS: the answers that an officer hands in, and what registration publishes about them.

An answer holds personal data (the NIK, the number of the participant's card), so it stands on the officers' restricted
topic. The events about it hold none.
"""

from __future__ import annotations

from shared.contracts.base import Data, Day, Period, Regency
from shared.kernel.event import Intake


class AnswerParticipant(Intake):
    """`participant.answer.v1`: what BPJS answered about one participant of an invoice; an addition to the contract."""


# Events of officers, on a topic of their own.
DECISIONS: dict[str, type[Intake]] = {"participant.answer.v1": AnswerParticipant}


class ParticipantEnrolled(Data):
    """BPJS took this worker in as a participant for this invoice. The number of the card stays with registration."""

    worker_id: str
    regency: Regency
    period: Period
    invoice_id: str
    answered_on: Day


class ParticipantRefused(ParticipantEnrolled):
    """BPJS refused this worker of the invoice. BPJS's own words stay with registration."""

    reasons: list[str]


class ParticipantAnswerRefused(Data):
    """`participant.answer.refused.v1`: an answer of BPJS could not be taken as it was handed in."""

    invoice_id: str | None
    worker_id: str | None
    officer: str | None
    reasons: list[str]


OUTCOMES: dict[str, type[Data]] = {
    "participant.enrolled.v1": ParticipantEnrolled,
    "participant.refused.v1": ParticipantRefused,
    "participant.answer.refused.v1": ParticipantAnswerRefused,
}
