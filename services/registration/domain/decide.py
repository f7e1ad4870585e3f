"""Routes each input of registration to the document it changes (`route`) and decides what happens there (`decide`).

Theory of operation
* workers (worker_id, the keyed hash of the NIK; one person is one document, whichever agency sends the form): the
  agencies' words and which of them stands (`workers`, `sources`), verification's verdicts and the passing of time
  (`verdicts`, `lifecycle`), suspicions and merging (`merging`). Verdicts on an older `registration_version` are
  ignored.
* suspects (worker_id|worker_id): two workers who may be one person (`pairs`).
* rosters (the input's name), employments (employer|worker), projects, meetings (regency|number): `duties`, `outreach`.
* covers (worker_id), invoices, stickers (sticker_no): `stickers`.
* refusals (the input's name): forms that fail their checks. They are kept so that the same answer can be given again.
`readings` turns the fields of an agency's event into their plain meaning (an instant becomes a day in WITA, a village's
name its code) once for all commands, before any rule judges them. The two tables below name one small function per
part. `decide` adds the worker's history and the next due date in one place for all of them.

Invariants
* Exactly one `submission.answered.v1` per submission, with every reason that holds.
* A worker is active in one regency at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.registration.compliance.domain import employments, explanations, projects, rosters
from services.registration.intake.domain import readings
from services.registration.outreach.domain import outreach
from services.registration.stickers.domain import stickers
from services.registration.suspects.domain import pairs
from services.registration.workers.domain import history, lifecycle, merging, outcomes, parts, verdicts, workers
from services.registration.workers.domain.parts import Attest, Facts, Reference, Refused, Register, Update, Withdraw
from services.registration.workers.domain.state import Refusal, Worker
from services.registration.workers.domain.workers import WAITING_MAX
from shared.contracts import registration as contract
from shared.contracts.registration_duties import ExplainFinding, FirstDayOver, RosterLine
from shared.contracts.registration_work import (
    AbsorbWorker,
    MergeWorker,
    RecheckDue,
    SuspicionFound,
    SuspicionGone,
    SuspicionStands,
    UnmergeWorker,
)
from shared.contracts.verification import IdentityEnded, IdentityHeld, IdentityRejected, IdentityVerified
from shared.kernel.decision import Address, Decision
from shared.kernel.event import Event, Intake, Routed

__all__ = ["WAITING_MAX", "Facts", "conflicting", "decide", "route"]


def route(event: Event, reference: Reference) -> tuple[Routed, ...]:
    """Returns the documents that an input changes, each with its part of the input."""
    warnings: tuple[str, ...] = ()
    if isinstance(event.data, Intake):
        intake, warnings = readings.plain(event.data, event.source, reference.areas)
        event = event if intake is event.data else event.with_data(intake)
    routed = _ROUTES[type(event.data)](event, reference)
    return tuple(_warned(one, warnings) for one in routed) if warnings else routed


def decide(state: Any, event: Event, facts: Facts) -> Decision[Any]:
    """Decides one part on its document."""
    made = _DECISIONS[type(event.data)](state, event, facts, event.at)
    after = made.state
    if not isinstance(after, Worker):
        return made
    if isinstance(state, Worker):
        after = history.remember(state, after, event.at, facts.precedence)
    due = lifecycle.due_of(_worker_id(event.data), after)
    return Decision(state=after, outcomes=made.outcomes, due=due, ignored=made.ignored)


def conflicting(event: Event) -> Routed:
    """Refuses an input whose name was used before with other content."""
    if isinstance(event.data, contract.DecideSuspect):
        return pairs.conflicting(event)
    if isinstance(event.data, ExplainFinding):
        return explanations.conflicting(event)
    return parts.conflicting(event)


def _warned(one: Routed, warnings: tuple[str, ...]) -> Routed:
    return Routed(one.address, replace(one.data, warnings=(*one.data.warnings, *warnings)))


def _worker_id(part: Any) -> str:
    sender = getattr(part, "sender", None)
    return str(sender.worker_id if sender is not None else part.worker_id)


def _of_agency(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (parts.of_intake(event, reference),)


def _of_worker(event: Event, reference: Reference) -> tuple[Routed, ...]:
    return (Routed(Address("workers", event.data.worker_id), event.data),)


def _of_employment(event: Event, reference: Reference) -> tuple[Routed, ...]:
    part: RosterLine | FirstDayOver = event.data
    return (Routed(Address("employments", f"{part.employer_id}|{part.worker_id}"), part),)


def _refuse(state: Any, event: Event, facts: Facts, now: datetime) -> Decision[Any]:
    part: Refused = event.data
    refusal = Refusal(submission_id=part.sender.submission_id, reasons=part.reasons)
    if not part.sender.agency:
        return Decision(state=refusal, ignored="no-agency")
    return Decision(
        state=refusal,
        outcomes=(outcomes.answered(event.id, part.sender, "rejected", reasons=part.reasons, warnings=part.warnings),),
    )


_ROUTES: Mapping[type, Callable[[Event, Reference], tuple[Routed, ...]]] = {
    contract.RegisterWorker: _of_agency,
    contract.UpdateWorker: _of_agency,
    contract.WithdrawWorker: _of_agency,
    contract.AttestWorker: _of_agency,
    contract.DecideSuspect: pairs.route_officer,
    IdentityVerified: _of_worker,
    IdentityHeld: _of_worker,
    IdentityRejected: _of_worker,
    IdentityEnded: _of_worker,
    RecheckDue: _of_worker,
    SuspicionStands: _of_worker,
    MergeWorker: _of_worker,
    UnmergeWorker: _of_worker,
    AbsorbWorker: _of_worker,
    SuspicionFound: pairs.route_step,
    SuspicionGone: pairs.route_step,
    contract.ReportWorkers: rosters.route,
    RosterLine: _of_employment,
    FirstDayOver: _of_employment,
    contract.RegisterProject: projects.route,
    contract.ReportOutreach: outreach.route,
    ExplainFinding: explanations.route,
    **stickers.ROUTES,
}

_DECISIONS: Mapping[type, Callable[[Any, Event, Facts, datetime], Decision[Any]]] = {
    Refused: _refuse,
    Register: workers.register,
    Update: workers.update,
    Withdraw: workers.withdraw,
    Attest: workers.attest,
    IdentityVerified: verdicts.verified,
    IdentityHeld: verdicts.held,
    IdentityRejected: verdicts.ended,
    IdentityEnded: verdicts.ended,
    RecheckDue: verdicts.recheck,
    SuspicionStands: merging.stands,
    MergeWorker: merging.merge,
    UnmergeWorker: merging.unmerge,
    AbsorbWorker: merging.absorb,
    SuspicionFound: pairs.found,
    SuspicionGone: pairs.gone,
    pairs.OfficerDecision: pairs.decided,
    pairs.RefusedDecision: pairs.refuse,
    rosters.Report: rosters.decide,
    RosterLine: employments.reported,
    FirstDayOver: employments.first_day_over,
    projects.Report: projects.decide,
    outreach.Report: outreach.decide,
    explanations.Explanation: explanations.decide,
    explanations.RefusedExplanation: explanations.refuse,
    **stickers.DECISIONS,
}
