"""Decides what happens to an intake event that cannot be judged: its refusal is remembered and answered. Pure.

The document of a refusal (`refusals`, the input's name) is kept so that the same answer can be given again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.registration.intake.domain import answers
from services.registration.intake.domain.state import Refusal, RefusedSubmission
from shared.kernel.decision import Decision
from shared.kernel.event import Event


def refuse(state: Refusal | None, event: Event, facts: object, now: datetime) -> Decision[Refusal]:
    """Answers a submission whose form cannot be accepted."""
    part: RefusedSubmission = event.data
    refusal = Refusal(submission_id=part.sender.submission_id, reasons=part.reasons)
    if not part.sender.agency:
        return Decision(state=refusal, ignored="no-agency")
    return Decision(
        state=refusal,
        outcomes=(answers.answered(event.id, part.sender, "rejected", reasons=part.reasons, warnings=part.warnings),),
    )


DECISIONS: Mapping[type, Callable[[Any, Event, object, datetime], Decision[Any]]] = {RefusedSubmission: refuse}
