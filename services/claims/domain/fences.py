"""The fence on one worker's events: a death is paid once per worker, a child's school year once, whoever claims it.

The first claim to ask holds the event; it keeps it until it gives it back.

Theory of operation, for workers who were merged
A claim holds the event with whom it names, asks again when that hold is saved, and holds it with whoever that worker is
by then; so on until they are nobody else. Two claims of two numbers of one person: either the merge is seen at the
second ask of the one, and both meet at the number that stayed; or it became known after that ask, so after the hold
was saved, and the other one, which may ask only since the merge is known, finds it (`facts.fences`). Whoever is second
gives back what it held. The first hold stays with the number that the claim names when the two are set apart again,
where holds of claims that name somebody else count no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
    if step.again:
        return _asked_again(fence, step, facts.persons.get(event.name, step.worker_id))
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
    return Decision(state=held, outcomes=(_ask(step.model_copy(update={"again": True})),))


def _asked_again(fence: Fence, step: ReserveEvent, now: str) -> Decision[Fence]:
    """The hold is saved. `now` is who the worker is, looked up since."""
    if not _holds(fence, step):
        return Decision(state=fence, ignored="given-back-meanwhile")
    if now == step.worker_id:
        reserved = EventReserved(claim=step.claim, round=step.round, person=step.worker_id if step.named else "")
        return Decision(state=fence, outcomes=(outcomes.step("claim.reserved", step.claim, reserved),))
    further = step.model_copy(update={"worker_id": now, "named": step.named or step.worker_id, "again": False})
    # With whom it names the hold stays; who was merged further holds nothing for it any more.
    return Decision(state=_without(fence, step.claim) if step.named else fence, outcomes=(_ask(further),))


def _ask(step: ReserveEvent) -> Outcome:
    return outcomes.step("claim.reserve", step.worker_id, step)


def _holds(fence: Fence, step: ReserveEvent) -> bool:
    death = not step.death or fence.death == step.claim
    return death and all(fence.school.get(slot) == step.claim for slot in step.school)


def _without(fence: Fence, claim: str) -> Fence:
    return Fence(
        death=None if fence.death == claim else fence.death,
        school={slot: holder for slot, holder in fence.school.items() if holder != claim},
        named={holder: worker for holder, worker in fence.named.items() if holder != claim},
    )


def released(state: Fence | None, event: Event, facts: Facts) -> Decision[Fence]:
    """Forgets all that a claim held."""
    step: ReleaseEvent = event.data
    fence = state or Fence()
    return Decision(state=_without(fence, step.claim))


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
