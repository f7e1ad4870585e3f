"""The fence on one worker's events: a death is paid once per worker, a child's school year once, whoever claims it.

The first claim to ask holds the event; it keeps it until it gives it back.
"""

from __future__ import annotations

from dataclasses import replace

from services.claims.domain import outcomes, rules
from services.claims.domain.state import Facts, Fence
from shared.contracts.claims_work import EventReserved, EventTaken, ReleaseEvent, ReserveEvent
from shared.contracts.reasons import Reason
from shared.kernel.decision import Decision
from shared.kernel.event import Event


def asked(state: Fence | None, event: Event, facts: Facts) -> Decision[Fence]:
    """Holds the event for the claim that asks, or says why it cannot."""
    step: ReserveEvent = event.data
    fence = state or Fence()
    why = _why_taken(fence, step)
    if why is not None:
        taken = EventTaken(claim=step.claim, round=step.round, reason=why)
        return Decision(state=fence, outcomes=(outcomes.step("claim.taken", step.claim, taken),))
    held = Fence(
        death=step.claim if step.death else fence.death,
        school={**fence.school, **dict.fromkeys(step.school, step.claim)},
    )
    reserved = EventReserved(claim=step.claim, round=step.round)
    return Decision(state=held, outcomes=(outcomes.step("claim.reserved", step.claim, reserved),))


def released(state: Fence | None, event: Event, facts: Facts) -> Decision[Fence]:
    """Forgets all that a claim held."""
    step: ReleaseEvent = event.data
    fence = state or Fence()
    return Decision(
        state=replace(
            fence,
            death=None if fence.death == step.claim else fence.death,
            school={slot: claim for slot, claim in fence.school.items() if claim != step.claim},
        )
    )


def _why_taken(fence: Fence, step: ReserveEvent) -> Reason | None:
    if step.death and fence.death not in (None, step.claim):
        return Reason.DUPLICATE_CLAIM
    if any(fence.school.get(slot, step.claim) != step.claim for slot in step.school):
        return Reason.DUPLICATE_CLAIM
    # rules.md 3c: two children of a worker, over all claims and years.
    children = {slot.split("|")[-1] for slot in (*fence.school, *step.school)}
    return Reason.NOT_ELIGIBLE if step.school and len(children) > rules.CHILDREN_MAX else None
