"""What a worker's families are entitled to, and what claims took of it: one document per worker. Nothing is paid twice.

Theory of operation
* A claim is judged by what other claims took (`taken_by_others`). Then it asks for its part and names the number of
  changes that it saw (`seen`). The entitlement gives the part only if nothing has changed since (compare-and-set);
  otherwise the claim is judged again.
* A claim that ends without payment gives back what it took.
* Scholarships follow a paid death or total disability. They wait here and are woken when it is paid.

Claims may name one person by several numbers. They ask at the documents of their own numbers. Then each is saved as
`clearing`, and only then looks at the other numbers (due work, `waits.clear`). If two are clearing at the same time,
the one with the smaller key waits for the other. A clearing claim is judged again when anything was taken or given back
at another number since it was judged; otherwise it is approved. So each of two claims either knew what the other took,
or was clearing before the other looked. A merge that becomes known after both are approved comes too late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from services.claims.domain import outcomes
from services.claims.domain.state import Claim, Entitlement, Facts, PaidEvent, SchoolYear, Use
from shared.contracts.claims_work import (
    AssessClaim,
    AwaitEvent,
    EventMoved,
    EventReserved,
    ReleaseEvent,
    ReserveEvent,
    SettleEvent,
)
from shared.kernel.decision import Decision, Outcome
from shared.kernel.event import Event


def reserve_part(state: Entitlement | None, event: Event[ReserveEvent], facts: Facts) -> Decision[Entitlement]:
    """Gives a claim its part, or sends it back to be judged again because something has changed."""
    step = event.data
    held = state or Entitlement()
    if step.seen != held.changes:
        moved = EventMoved(claim=step.claim, round=step.round)
        return Decision(state=held, outcomes=(outcomes.step("claim.moved", step.claim, moved),))
    taken = _with_claim(_without(held, step.claim), step)
    if taken != held:
        # A claim that is judged again and takes the same part as before changes nothing for others.
        taken = replace(taken, changes=held.changes + 1)
    reserved = EventReserved(claim=step.claim, round=step.round)
    return Decision(state=taken, outcomes=(outcomes.step("claim.reserved", step.claim, reserved),))


def released(state: Entitlement | None, event: Event[ReleaseEvent], facts: Facts) -> Decision[Entitlement]:
    """Takes back everything that a claim took."""
    step = event.data
    held = state or Entitlement()
    waiting = {key: look for key, look in held.waiting.items() if key != step.claim}
    left = replace(_without(held, step.claim), waiting=waiting)
    return Decision(state=left if left == held else replace(left, changes=held.changes + 1))


def awaited(state: Entitlement | None, event: Event[AwaitEvent], facts: Facts) -> Decision[Entitlement]:
    """Remembers a claim that follows a death or disability; wakes it at once if one is already paid."""
    step = event.data
    held = state or Entitlement()
    waiting = replace(held, waiting={**held.waiting, step.claim: step.look})
    return Decision(state=waiting, outcomes=_wakes([step.look]) if held.paid else ())


def payment_noted(state: Entitlement | None, event: Event[SettleEvent], facts: Facts) -> Decision[Entitlement]:
    """Notes a paid death or total disability, and wakes the claims that follow it."""
    step = event.data
    held = state or Entitlement()
    paid = {**held.paid, step.claim: PaidEvent(step.kind, step.outcome, step.event_date)}
    return Decision(state=replace(held, paid=paid, changes=held.changes + 1), outcomes=_wakes(held.waiting.values()))


def taken_by_others(entitlements: Mapping[str, Entitlement], claim: str) -> Entitlement:
    """What all other claims took of a person, over all their numbers."""
    group = frozenset(entitlements)
    total = Entitlement()
    for one in entitlements.values():
        others = _without(_of_group(one, group), claim)
        total = Entitlement(
            death=total.death or others.death,
            died_on=total.died_on or others.died_on,
            school={**total.school, **others.school},
            uses={**total.uses, **others.uses},
            paid={**total.paid, **others.paid},
        )
    return total


def must_be_judged_again(claim: Claim, changes: Mapping[str, int]) -> bool:
    """Whether anything was taken or given back since the claim was judged; `changes` by the person's other numbers."""
    return any(count != claim.seen.get(number, 0) for number, count in changes.items())


def must_wait(claim: Claim, rivals: Mapping[str, Claim]) -> bool:
    """Whether a claim of another number comes first: it may be approved at any moment, or judged again because
    of this one.
    """
    return any(one.clearing and key > claim.key for key, one in rivals.items())


def _with_claim(held: Entitlement, step: ReserveEvent) -> Entitlement:
    levels = step.levels or ["" for _ in step.school]
    school = {slot: SchoolYear(step.claim, level) for slot, level in zip(step.school, levels, strict=True)}
    uses = dict(held.uses)
    if step.event_date is not None:
        uses[step.claim] = Use(step.event_date, step.days_off_work, tuple(step.lines), step.lasting)
    return replace(
        held,
        death=step.claim if step.death else held.death,
        died_on=step.event_date if step.death else held.died_on,
        school={**held.school, **school},
        uses=uses,
        named={**held.named, step.claim: step.named} if step.named else held.named,
    )


def _without(held: Entitlement, claim: str) -> Entitlement:
    """The entitlement without what this claim took."""
    has_death = held.death == claim
    return replace(
        held,
        death=None if has_death else held.death,
        died_on=None if has_death else held.died_on,
        school={slot: year for slot, year in held.school.items() if year.claim != claim},
        uses={key: use for key, use in held.uses.items() if key != claim},
        named={key: worker for key, worker in held.named.items() if key != claim},
    )


def _of_group(held: Entitlement, group: frozenset[str]) -> Entitlement:
    """The entitlement without claims that now belong to another person (earlier releases asked at another number)."""
    strangers = [claim for claim, named in held.named.items() if named not in group]
    for claim in strangers:
        held = _without(held, claim)
    return held


def _wakes(looks: Iterable[AssessClaim]) -> tuple[Outcome, ...]:
    return tuple(outcomes.step("claim.assess", look.claim, look) for look in looks)
