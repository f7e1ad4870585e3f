"""Says what each event about a worker does to the worker's document. Pure.

Theory of operation
The key is worker_id, the keyed hash of the NIK: one person is one document, whichever agency sends the form.
* what agencies said, and which statement counts for each field: `registrations`, `sources`
* verification's verdicts and the passing of time: `verdicts`, `lifecycle`
* suspicions and merging: `merging`
Verdicts on an older `registration_version` are ignored. After each of these decisions the worker's history and the next
due date are added in one place (`_kept`).

Invariants
* Exactly one `submission.answered.v1` per submission, with every reason that holds.
* A worker is active in one regency at a time.
"""

from __future__ import annotations

from typing import Any

from services.registration.intake.domain.state import Reference, Refusal
from services.registration.workers.domain import commands, history, lifecycle, merging, registrations, verdicts
from services.registration.workers.domain.commands import Attest, RegistrationForm, Update, Withdraw
from services.registration.workers.domain.state import Facts, Worker, WorkerStatus
from shared.contracts.registration import AttestWorker, RegisterWorker, UpdateWorker, WithdrawWorker
from shared.contracts.registration_work import AbsorbWorker, MergeWorker, RecheckDue, SuspicionStands, UnmergeWorker
from shared.contracts.verification import (
    IdentityEnded,
    IdentityHeld,
    IdentityRejected,
    IdentityUnverified,
    IdentityVerified,
)
from shared.kernel.decision import Decision
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event

UNKNOWN = merging.UNKNOWN


def _kept(
    state: Worker | Refusal | None, event: Event[Any], facts: Facts, made: Decision[Worker | Refusal]
) -> Decision[Worker | Refusal]:
    """The decision with the worker's history and the next due date."""
    after = made.state
    if not isinstance(after, Worker):
        return made
    if isinstance(state, Worker):
        after = history.remember(state, after, event.at, facts.precedence)
    due = lifecycle.due_of(_worker_id(event.data), after)
    return Decision(state=after, outcomes=made.outcomes, due=due, ignored=made.ignored)


def _worker_id(part: Any) -> str:
    sender = getattr(part, "sender", None)
    return str(sender.worker_id if sender is not None else part.worker_id)


def _worker(
    data: IdentityVerified
    | IdentityUnverified
    | RecheckDue
    | SuspicionStands
    | MergeWorker
    | UnmergeWorker
    | AbsorbWorker,
) -> str:
    return data.worker_id


WORKER = Kind(Worker, WorkerStatus, lambda worker: worker.status)
# A submission about a worker who is not registered leaves a refusal.
_workers = Documents[Worker | Refusal, Facts]("workers", WORKER, Kind(Refusal), finish=_kept)
_workers.on(RegistrationForm).always(registrations.register)
_workers.on(Update).always(registrations.update)
_workers.on(Withdraw).always(registrations.withdraw)
_workers.on(Attest).always(registrations.attest)
# Verification publishes verdicts only on workers that registration asked about. Without the worker's document there is
# no agency to answer.
_workers.on(IdentityVerified, _worker).at(WORKER, verdicts.verified).ignored(UNKNOWN)
_workers.on(IdentityHeld, _worker).at(WORKER, verdicts.held).ignored(UNKNOWN)
_workers.on(IdentityRejected, _worker).at(WORKER, verdicts.ended).ignored(UNKNOWN)
_workers.on(IdentityEnded, _worker).at(WORKER, verdicts.ended).ignored(UNKNOWN)
(
    _workers.on(RecheckDue, _worker)
    .at(WORKER, verdicts.recheck, WorkerStatus.VERIFIED, WorkerStatus.HELD)
    .ignored(verdicts.OLDER, *(one for one in WorkerStatus if one not in (WorkerStatus.VERIFIED, WorkerStatus.HELD)))
    .ignored(UNKNOWN)
)
_workers.on(SuspicionStands, _worker).at(WORKER, merging.suspicion_changed).ignored(UNKNOWN)
_workers.on(MergeWorker, _worker).ignored(UNKNOWN, WorkerStatus.MERGED).at(WORKER, merging.merge).ignored(UNKNOWN)
_workers.on(UnmergeWorker, _worker).at(WORKER, merging.unmerge, WorkerStatus.MERGED).ignored(UNKNOWN)
_workers.on(AbsorbWorker, _worker).at(WORKER, merging.absorb).ignored(UNKNOWN)

TABLE = Table[Facts, Reference](_workers)
TABLE.reads(RegisterWorker, commands.register).reads(UpdateWorker, commands.update)
TABLE.reads(WithdrawWorker, commands.withdraw).reads(AttestWorker, commands.attest)
