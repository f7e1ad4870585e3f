"""The fence on one worker's events: a death is paid once per worker, a child's school year once, whoever claims it.

The first claim to ask holds the event; it keeps it until it gives it back.

Theory of operation, for workers who were merged
A claim asks whom it names first, and then who that is now (`person`): so its hold stands with both, and stays with the
first when they are set apart again, where the other's holds that name somebody else count no more. Holds from before a
merge are looked up (`facts.fences`). Two claims of the two workers meet at the fence of the one who stays; whichever is
second there gives back what it held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from services.claims.domain import outcomes, rules
from services.claims.domain.state import Facts, Fence
from shared.contracts.claims_work import EventReserved, EventTaken, ReleaseEvent, ReserveEvent
from shared.contracts.reasons import Reason
from shared.kernel.decision import Decision, Outcome
from shared.kernel.event import Event


def asked(state: Fence | None, event: Event, facts: Facts) -> Decision[Fence]:
    """Holds the event for the claim that asks, or says why it cannot."""
    step: ReserveEvent = event.data
    fence = state or Fence()
    group = facts.groups.get(event.name, frozenset({step.worker_id}))
    others = facts.fences.get(event.name, {})
    why = _why_taken(_standing(fence, group, others), step)
    if why is not None:
        return Decision(state=fence, outcomes=_refused(step, why))
    held = Fence(
        death=step.claim if step.death else fence.death,
        school={**fence.school, **dict.fromkeys(step.school, step.claim)},
        named={**fence.named, step.claim: step.named} if step.named else fence.named,
    )
    if step.person not in ("", step.worker_id):
        further = step.model_copy(update={"worker_id": step.person, "named": step.worker_id, "person": ""})
        return Decision(state=held, outcomes=(outcomes.step("claim.reserve", step.person, further),))
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
            named={claim: worker for claim, worker in fence.named.items() if claim != step.claim},
        )
    )


def _refused(step: ReserveEvent, why: Reason) -> tuple[Outcome, ...]:
    taken = EventTaken(claim=step.claim, round=step.round, reason=why)
    told = outcomes.step("claim.taken", step.claim, taken)
    if not step.named:
        return (told,)
    # What it held with the worker it names is free again.
    release = ReleaseEvent(claim=step.claim, round=step.round, worker_id=step.named)
    return (outcomes.step("claim.release", step.named, release), told)


def _standing(fence: Fence, group: frozenset[str], others: Mapping[str, Fence]) -> list[Fence]:
    """The fences of one person, each without the holds of claims that name somebody else by now."""
    return [_of_group(fence, group), *(_of_group(one, group) for one in others.values())]


def _of_group(fence: Fence, group: frozenset[str]) -> Fence:
    strangers = {claim for claim, named in fence.named.items() if named not in group}
    if not strangers:
        return fence
    return Fence(
        death=None if fence.death in strangers else fence.death,
        school={slot: claim for slot, claim in fence.school.items() if claim not in strangers},
    )


def _why_taken(fences: Iterable[Fence], step: ReserveEvent) -> Reason | None:
    school: dict[str, set[str]] = {}
    for fence in fences:
        if step.death and fence.death not in (None, step.claim):
            return Reason.DUPLICATE_CLAIM
        for slot, claim in fence.school.items():
            school.setdefault(slot, set()).add(claim)
    if any(school.get(slot, {step.claim}) != {step.claim} for slot in step.school):
        return Reason.DUPLICATE_CLAIM
    # rules.md 3c: two children of a worker, over all claims and years.
    children = {slot.split("|")[-1] for slot in (*school, *step.school)}
    return Reason.NOT_ELIGIBLE if step.school and len(children) > rules.CHILDREN_MAX else None
