"""Reads registration's events about merged workers.

The event with the highest sequence counts, in whatever order events arrive. A re-registration is remembered even before
the merge that it ends is known.
"""

from __future__ import annotations

from shared.contracts.registration import WorkerRegistered, WorkerWithdrawn
from shared.kernel.decision import Address, Decision
from shared.kernel.event import Event, Routed
from shared.persons.links import Link

OLDER = "older-word"


def route(event: Event[WorkerRegistered | WorkerWithdrawn], reference: object) -> tuple[Routed, ...]:
    """Takes only merges and re-entries among all events of workers: they are rare, and nothing else changes a link."""
    data = event.data
    if isinstance(data, WorkerRegistered):
        # A worker's first event cannot end a merge.
        concerned = (event.sequence or 0) > 1
    else:
        concerned = data.merged_into not in (None, data.worker_id)
    return (Routed(Address("links", data.worker_id), data),) if concerned else ()


def merged(state: Link | None, event: Event[WorkerWithdrawn], facts: object) -> Decision[Link]:
    """This worker was merged into another one."""
    return _linked(state, event, event.data.merged_into or "")


def registered(state: Link | None, event: Event[WorkerRegistered], facts: object) -> Decision[Link]:
    """This worker is a separate person (again)."""
    return _linked(state, event, "")


def _linked(state: Link | None, event: Event, into: str) -> Decision[Link]:
    sequence = event.sequence or 0
    if state is not None and state.sequence >= sequence:
        return Decision(state=state, ignored=OLDER)
    return Decision(state=Link(into, sequence))
