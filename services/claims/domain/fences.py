"""The fence on a worker's events: a death is paid once, a child's school year once, whoever claims it.

The first claim to ask holds the event of the worker whom it names; it keeps it until it gives it back.

Theory of operation, for claims that name one person by several numbers
Each holds the event of its own number; then it is saved as `clearing`, and only then looks at the claims of the other
numbers (due work, `facts.clear`). One that is approved or paid stands in the way. Of two that are clearing at the same
time the one whose key comes later gives way as soon as it sees the other; the other waits until it has given way or,
since it had looked before, is approved. So never both are paid and never both refused: who is approved was clearing
before the other one looked. A merge that becomes known when both are approved comes too late.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.claims.domain import outcomes, rules
from services.claims.domain.state import Claim, ClaimStatus, Facts, Fence
from shared.contracts.claims_work import EventReserved, EventTaken, ReleaseEvent, ReserveEvent
from shared.contracts.reasons import Reason
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision
from shared.kernel.event import Event

_FIRST = (ClaimStatus.APPROVED, ClaimStatus.PAID)


def asked(state: Fence | None, event: Event, facts: Facts) -> Decision[Fence]:
    """Holds the event for the claim that asks, or says why it cannot."""
    step: ReserveEvent = event.data
    fence = state or Fence()
    limit = step.children_max or rules.children_max(facts.reference.rates, business_day(event.at).isoformat())
    why = _why_taken(_of_group(fence, facts.groups.get(event.name, frozenset({step.worker_id}))), step, limit)
    if why is not None:
        taken = EventTaken(claim=step.claim, round=step.round, reason=why)
        return Decision(state=fence, outcomes=(outcomes.step("claim.taken", step.claim, taken),))
    held = Fence(
        death=step.claim if step.death else fence.death,
        school={**fence.school, **dict.fromkeys(step.school, step.claim)},
        named={**fence.named, step.claim: step.named} if step.named else fence.named,
    )
    reserved = EventReserved(claim=step.claim, round=step.round)
    return Decision(state=held, outcomes=(outcomes.step("claim.reserved", step.claim, reserved),))


def released(state: Fence | None, event: Event, facts: Facts) -> Decision[Fence]:
    """Forgets all that a claim held."""
    step: ReleaseEvent = event.data
    fence = state or Fence()
    return Decision(
        state=Fence(
            death=None if fence.death == step.claim else fence.death,
            school={slot: claim for slot, claim in fence.school.items() if claim != step.claim},
            named={claim: worker for claim, worker in fence.named.items() if claim != step.claim},
        )
    )


def _of_group(fence: Fence, group: frozenset[str]) -> Fence:
    """Without the holds of claims that name somebody else by now."""
    strangers = {claim for claim, named in fence.named.items() if named not in group}
    return Fence(
        death=None if fence.death in strangers else fence.death,
        school={slot: claim for slot, claim in fence.school.items() if claim not in strangers},
    )


def _why_taken(fence: Fence, step: ReserveEvent, limit: int) -> Reason | None:
    if step.death and fence.death not in (None, step.claim):
        return Reason.DUPLICATE_CLAIM
    if any(fence.school.get(slot, step.claim) != step.claim for slot in step.school):
        return Reason.DUPLICATE_CLAIM
    return Reason.NOT_ELIGIBLE if step.school and _too_many((*fence.school, *step.school), limit) else None


def why_given_way(claim: Claim, rivals: Mapping[str, Claim], children_max: int) -> Reason | None:
    """Why a claim gives way to those of the person's other numbers; None when it need not, or not yet."""
    first = [one for key, one in rivals.items() if _stands(one) or (one.clearing and key < claim.key)]
    slots = {slot for one in first for slot in one.school}
    if _asks_for_death(claim) and any(_is_death(one) for one in first):
        return Reason.DUPLICATE_CLAIM
    if slots & set(claim.school):
        return Reason.DUPLICATE_CLAIM
    return Reason.NOT_ELIGIBLE if claim.school and _too_many((*slots, *claim.school), children_max) else None


def must_wait(claim: Claim, rivals: Mapping[str, Claim]) -> bool:
    """Whether a claim of another number may be approved at any moment, or give way to this one."""
    return any(
        one.clearing
        and key > claim.key
        and ((_asks_for_death(claim) and _is_death(one)) or (claim.school and one.school))
        for key, one in rivals.items()
    )


def _stands(claim: Claim) -> bool:
    """Whether nobody comes before this claim: its approval is told, or it was paid before news reopened it."""
    return claim.status in _FIRST or bool(claim.paid_before)


def _asks_for_death(claim: Claim) -> bool:
    """Whether it still has to win the death; who was paid for it has won."""
    return _is_death(claim) and not claim.paid_before


def _is_death(claim: Claim) -> bool:
    return claim.form is not None and claim.form.is_death


def _too_many(slots: tuple[str, ...], children_max: int) -> bool:
    # rules.md 3c: so many children of a worker, over all claims and years.
    return len({slot.split("|")[-1] for slot in slots}) > children_max
