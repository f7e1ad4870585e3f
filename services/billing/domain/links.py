"""Two workers who turned out to be one person, by registration's word: a month is billed once for both."""

from __future__ import annotations

from services.billing.domain.state import Facts
from shared.contracts.registration import WorkerRegistered, WorkerWithdrawn
from shared.kernel import links
from shared.kernel.decision import Address, Decision
from shared.kernel.event import Event, Routed
from shared.kernel.links import Link

OLDER = "older-word"


def route(event: Event) -> tuple[Routed, ...]:
    """Of all that happens to workers, merges and re-entries only."""
    data: WorkerRegistered | WorkerWithdrawn = event.data
    registered = isinstance(data, WorkerRegistered)
    into = None if isinstance(data, WorkerRegistered) else data.merged_into
    if not links.concerns(data.worker_id, into, event.sequence or 0, registered=registered):
        return ()
    return (Routed(Address("links", data.worker_id), data),)


def merged(state: Link | None, event: Event, facts: Facts) -> Decision[Link]:
    """This worker is another one."""
    data: WorkerWithdrawn = event.data
    return _linked(state, event, data.merged_into or "")


def registered(state: Link | None, event: Event, facts: Facts) -> Decision[Link]:
    """This worker is a person of their own (again)."""
    return _linked(state, event, "")


def _linked(state: Link | None, event: Event, into: str) -> Decision[Link]:
    link = links.linked(state, event.sequence or 0, into)
    return Decision(state=state, ignored=OLDER) if link is None else Decision(state=link)
