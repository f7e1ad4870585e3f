"""Decides what happens to an intake event that cannot be judged: its refusal is remembered and answered. Pure.

The document of a refusal (`refusals`, the input's name) is kept so that the same answer can be given again.
"""

from __future__ import annotations

from services.registration.intake.domain import answers
from services.registration.intake.domain.state import Reference, Refusal, RefusedSubmission
from shared.kernel.decision import Decision
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event


def refuse(state: Refusal | None, event: Event[RefusedSubmission], facts: object) -> Decision[Refusal]:
    """Answers a submission whose form cannot be accepted."""
    part = event.data
    refusal = Refusal(submission_id=part.sender.submission_id, reasons=part.reasons)
    if not part.sender.agency:
        return Decision(state=refusal, ignored="no-agency")
    return Decision(
        state=refusal,
        outcomes=(answers.answered(event.id, part.sender, "rejected", reasons=part.reasons, warnings=part.warnings),),
    )


_refusals = Documents[Refusal, object]("refusals", Kind(Refusal))
_refusals.on(RefusedSubmission).always(refuse)

TABLE = Table[object, Reference](_refusals)
