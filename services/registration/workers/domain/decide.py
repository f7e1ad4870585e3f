"""Routes events about workers to their documents, and names the function that decides each of them. Pure.

Theory of operation
The key is worker_id, the keyed hash of the NIK: one person is one document, whichever agency sends the form.
* the agencies' words and which of them stands: `registrations`, `sources`
* verification's verdicts and the passing of time: `verdicts`, `lifecycle`
* suspicions and merging: `merging`
Verdicts on an older `registration_version` are ignored. After each of these decisions the worker's history and the next
due date are added in one place (`_kept`).

Invariants
* Exactly one `submission.answered.v1` per submission, with every reason that holds.
* A worker is active in one regency at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.registration.intake.domain.state import Reference
from services.registration.workers.domain import commands, history, lifecycle, merging, registrations, verdicts
from services.registration.workers.domain.commands import Attest, Register, Update, Withdraw
from services.registration.workers.domain.state import Facts, Worker
from shared.contracts import registration as contract
from shared.contracts.registration_work import AbsorbWorker, MergeWorker, RecheckDue, SuspicionStands, UnmergeWorker
from shared.contracts.verification import IdentityEnded, IdentityHeld, IdentityRejected, IdentityVerified
from shared.kernel.decision import Address, Decision
from shared.kernel.event import Event, Routed

Decide = Callable[[Any, Event, Facts, datetime], Decision[Any]]


def _of_agency(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (commands.of_intake(event, reference),)


def _of_worker(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (Routed(Address("workers", event.data.worker_id), event.data),)


def _kept(handler: Decide) -> Decide:
    """The handler's decision, with the worker's history and the next due date."""

    def decide(state: Any, event: Event, facts: Facts, now: datetime) -> Decision[Any]:
        made = handler(state, event, facts, now)
        after = made.state
        if not isinstance(after, Worker):
            return made
        if isinstance(state, Worker):
            after = history.remember(state, after, now, facts.precedence)
        due = lifecycle.due_of(_worker_id(event.data), after)
        return Decision(state=after, outcomes=made.outcomes, due=due, ignored=made.ignored)

    return decide


def _worker_id(part: Any) -> str:
    sender = getattr(part, "sender", None)
    return str(sender.worker_id if sender is not None else part.worker_id)


ROUTES: Mapping[type, Callable[[Event, Reference], tuple[Routed, ...]]] = {
    contract.RegisterWorker: _of_agency,
    contract.UpdateWorker: _of_agency,
    contract.WithdrawWorker: _of_agency,
    contract.AttestWorker: _of_agency,
    IdentityVerified: _of_worker,
    IdentityHeld: _of_worker,
    IdentityRejected: _of_worker,
    IdentityEnded: _of_worker,
    RecheckDue: _of_worker,
    SuspicionStands: _of_worker,
    MergeWorker: _of_worker,
    UnmergeWorker: _of_worker,
    AbsorbWorker: _of_worker,
}
_HANDLERS: Mapping[type, Decide] = {
    Register: registrations.register,
    Update: registrations.update,
    Withdraw: registrations.withdraw,
    Attest: registrations.attest,
    IdentityVerified: verdicts.verified,
    IdentityHeld: verdicts.held,
    IdentityRejected: verdicts.ended,
    IdentityEnded: verdicts.ended,
    RecheckDue: verdicts.recheck,
    SuspicionStands: merging.stands,
    MergeWorker: merging.merge,
    UnmergeWorker: merging.unmerge,
    AbsorbWorker: merging.absorb,
}
DECISIONS: Mapping[type, Decide] = {part: _kept(handler) for part, handler in _HANDLERS.items()}
