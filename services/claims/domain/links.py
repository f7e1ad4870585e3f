"""Two workers who turned out to be one person: registration's events about merges, and the claims to look at again.

The order matters: a link is saved first and only then wakes the claims of all its workers. As with events about a
month, either a claim's look sees the link, or the link finds the claim.
"""

from __future__ import annotations

from dataclasses import replace

from services.claims.domain import outcomes, wakes
from services.claims.domain.state import Facts
from shared.contracts.claims_work import WakeWorker
from shared.contracts.registration import WorkerRegistered, WorkerWithdrawn
from shared.kernel.decision import Decision, Outcome
from shared.kernel.event import Event
from shared.persons import merges
from shared.persons.links import Link


def merged(state: Link | None, event: Event[WorkerWithdrawn], facts: Facts) -> Decision[Link]:
    """This worker was merged into another one."""
    return _waking(state, event, merges.merged(state, event, facts))


def registered(state: Link | None, event: Event[WorkerRegistered], facts: Facts) -> Decision[Link]:
    """This worker is a separate person (again)."""
    return _waking(state, event, merges.registered(state, event, facts))


def link_wakes_claims(state: Link, event: Event[WakeWorker], facts: Facts) -> Decision[Link]:
    """Asks for a look at every open claim of the workers of this link."""
    wake = event.data
    found = facts.open_claims.get(event.name, ())
    return wakes.wake_claims(state, found, lambda last: _wake(wake.model_copy(update={"after": last})))


def _waking(
    before: Link | None, event: Event[WorkerWithdrawn | WorkerRegistered], linked: Decision[Link]
) -> Decision[Link]:
    if linked.ignored is not None:
        return linked
    others = [one.into for one in (before, linked.state) if one is not None and one.into]
    if not others:
        return linked
    return replace(linked, outcomes=(_wake(WakeWorker(worker_id=event.data.worker_id, others=others)),))


def _wake(wake: WakeWorker) -> Outcome:
    return Outcome(outcomes.WORK, wake.worker_id, "worker.wake", wake)
