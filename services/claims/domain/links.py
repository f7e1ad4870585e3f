"""Two workers who turned out to be one person: what registration says of merges, and whose claims are looked at again.

Order that matters: a link is saved first and only then wakes the claims of all whom it touches. As with news of a
month, either a claim's look sees the link, or the link finds the claim.
"""

from __future__ import annotations

from services.claims.domain import outcomes
from services.claims.domain.covers import WAKE_MAX
from services.claims.domain.state import Facts
from shared.contracts.claims_work import WakeWorker
from shared.contracts.registration import WorkerRegistered, WorkerWithdrawn
from shared.kernel import links
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event, Routed
from shared.kernel.links import Link

OLDER = "older-word"


def route(event: Event) -> tuple[Routed, ...]:
    """Of all that happens to workers, merges and re-entries only: these are few, and nothing else changes a link."""
    data: WorkerRegistered | WorkerWithdrawn = event.data
    registered = isinstance(data, WorkerRegistered)
    into = None if isinstance(data, WorkerRegistered) else data.merged_into
    if not links.concerns(data.worker_id, into, event.sequence or 0, registered=registered):
        return ()
    return (Routed(Address("links", data.worker_id), data),)


def merged(state: Link | None, event: Event, facts: Facts) -> Decision[Link]:
    """This worker is another one."""
    data: WorkerWithdrawn = event.data
    return _linked(state, event, data.worker_id, data.merged_into or "")


def registered(state: Link | None, event: Event, facts: Facts) -> Decision[Link]:
    """This worker is a person of their own (again)."""
    return _linked(state, event, event.data.worker_id, "")


def woken(state: Link | None, event: Event, facts: Facts) -> Decision[Link]:
    """Asks for a look at every open claim of the workers whom the link touches."""
    wake: WakeWorker = event.data
    found = facts.open_claims.get(event.name, ())
    if state is None:
        return Decision(state=None, ignored="news-unknown")
    if not found:
        return Decision(state=state, ignored="nobody-waits")
    told = [outcome for _, claim in found for outcome in outcomes.look(claim)]
    if len(found) >= WAKE_MAX:
        told.append(_wake(wake.model_copy(update={"after": found[-1][0]})))
    return Decision(state=state, outcomes=tuple(told))


def _linked(state: Link | None, event: Event, worker_id: str, into: str) -> Decision[Link]:
    link = links.linked(state, event.sequence or 0, into)
    if link is None:
        return Decision(state=state, ignored=OLDER)
    others = [one for one in (state.into if state is not None else "", into) if one]
    if not others:
        return Decision(state=link)
    return Decision(state=link, outcomes=(_wake(WakeWorker(worker_id=worker_id, others=others)),))


def _wake(wake: WakeWorker) -> Outcome:
    return Outcome(outcomes.WORK, wake.worker_id, "worker.wake", wake)
