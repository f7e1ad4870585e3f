"""What verification makes of each input.

Theory of operation
One document a worker. A check request is judged at once when the regency's snapshot knows the NIK; otherwise it is
saved as pending with due work, and Dukcapil's answer comes back as an event of the work topic. Both roads end in the
same `rules.verdict`, judged by the day of the request. A newer registration version replaces the older; an answer on an
older one is ignored. What is learnt beside the checks (a wage job, a death, a withdrawal) waits in the document when it
comes first, and stands over every later check and every officer's decision, so that any order ends the same.

Invariants
* An identity is pending exactly when its question to Dukcapil is due: `_now` is the only way to leave an identity.
* A held identity is settled only by an officer, a newer registration, or what ends eligibility.
* `told` is what the others believe: an end is published only of what they believe verified or held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from services.verification.domain import outcomes, parts, rules
from services.verification.domain.parts import OfficerDecision, Refused
from services.verification.domain.rules import Finding, Person, Policy
from services.verification.domain.state import Identity, Refusal, Ruling, SideFacts, Status
from shared.contracts.claims import WorkerDied
from shared.contracts.reasons import Reason
from shared.contracts.registration import IdentityCheckRequested, WorkerEmployed, WorkerWithdrawn
from shared.contracts.verification_work import DukcapilAnswered
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address, Decision, Due, Outcome
from shared.kernel.event import Event, Intake, Routed

DUKCAPIL = "dukcapil"
OLDER = "older-registration-version"

conflicting = parts.conflicting


@dataclass(frozen=True, slots=True)
class Facts:
    """Who stands in the loaded snapshots, by (regency, worker_id); whoever is absent is asked of Dukcapil.

    The person and not a finding: two requests for one worker in one batch are each judged by what they say.
    """

    people: Mapping[tuple[str, str], Person]


def route(event: Event, reference: Any) -> tuple[Routed, ...]:
    """Every input changes the worker's identity, or is a refusal of its own."""
    if isinstance(event.data, Intake):
        return (parts.of_officer(event),)
    return (Routed(Address("identities", event.data.worker_id), event.data),)


def decide(state: Identity | SideFacts | Refusal | None, event: Event, facts: Facts, now: datetime) -> Decision[Any]:
    """Dispatches on the part."""
    part = event.data
    if isinstance(part, Refused):
        refused = outcomes.refused(part.worker_id, part.officer, part.reasons, part.worker_id or event.id)
        return Decision(state=Refusal(reasons=part.reasons), outcomes=(refused,))
    identity = state if isinstance(state, Identity) else None
    known = identity.known if identity else state if isinstance(state, SideFacts) else SideFacts()
    match part:
        case IdentityCheckRequested():
            return _check(identity, known, part, facts, event)
        case DukcapilAnswered():
            return _answered(identity, part, now)
        case OfficerDecision():
            return _officer(identity, known, part, now)
        case WorkerWithdrawn():
            return _withdrawn(identity, known, part, event)
        case WorkerDied():
            first = min(known.died_on or part.died_on, part.died_on)
            return _died(identity, replace(known, died_on=first), now)
        case WorkerEmployed():
            return _employed(identity, replace(known, wage_earner=True), part, now)
        case other:
            raise TypeError(f"no decision for {type(other).__name__}")


def _now(identity: Identity, at: datetime, said: tuple[Outcome, ...] = (), ignored: str | None = None) -> Decision[Any]:
    """Leaves this identity behind; while it is pending the question to Dukcapil stays due, whatever else arrived."""
    due = None
    if identity.status is Status.PENDING:
        name = f"{DUKCAPIL}:{identity.asked.worker_id}:{identity.asked.registration_version}"
        due = Due(name, DUKCAPIL, at, {"correlation_id": identity.correlation})
    return Decision(state=identity, outcomes=said, due=due, ignored=ignored)


def _tell(
    identity: Identity,
    at: datetime,
    status: Status,
    reasons: tuple[str, ...],
    effective_on: str,
    policy: Policy = rules.DEFAULT_POLICY,
) -> Decision[Any]:
    """A verdict stands, and is published."""
    changed = replace(identity, status=status, reasons=reasons, told=status)
    return _now(changed, at, (outcomes.verdict(changed, effective_on, policy),))


def _noted(identity: Identity | None, known: SideFacts, at: datetime) -> Decision[Any]:
    """A side fact that changes no verdict."""
    return Decision(state=known) if identity is None else _now(replace(identity, known=known), at)


def _check(
    before: Identity | None, known: SideFacts, part: IdentityCheckRequested, facts: Facts, event: Event
) -> Decision[Any]:
    if before is not None and part.registration_version <= before.asked.registration_version:
        return _now(before, event.at, ignored=OLDER)
    fresh = Identity(
        asked=part,
        checked_on=business_day(event.at).isoformat(),
        status=Status.PENDING,
        sequence=event.sequence or 0,
        correlation=event.correlation_id or event.id,
        told=before.told if before else None,
        known=known,
    )
    if fresh.sequence < known.withdrawn_sequence:
        ended = replace(fresh, status=Status.ENDED, reasons=(Reason.WITHDRAWN,))
        return _now(ended, event.at, ignored="withdrawn-since")
    if known.died_on is not None:
        return _judged(fresh, rules.DECEASED_BY_CLAIM, event.at, known.died_on)
    person = facts.people.get((part.regency, part.worker_id))
    if person is not None:
        return _judged(fresh, rules.compare(person, part), event.at, fresh.checked_on)
    return _now(fresh, event.at)


def _answered(identity: Identity | None, part: DukcapilAnswered, now: datetime) -> Decision[Any]:
    if identity is None:
        return Decision(state=None, ignored="worker-unknown")
    if part.registration_version != identity.asked.registration_version or identity.status is not Status.PENDING:
        return _now(identity, now, ignored=OLDER)
    finding = Finding(
        status=part.status,
        score=None if part.score is None else float(part.score),
        birth_date_matches=part.birth_date_matches,
        sex_matches=part.sex_matches,
        born=None,
        evidence=DUKCAPIL,
    )
    return _judged(identity, finding, now, identity.checked_on)


def _judged(
    identity: Identity, finding: Finding, at: datetime, effective_on: str, policy: Policy = rules.DEFAULT_POLICY
) -> Decision[Any]:
    found = rules.verdict(
        finding,
        identity.asked.birth_date,
        date.fromisoformat(identity.checked_on),
        wage_earner=identity.known.wage_earner,
        policy=policy,
    )
    changed = replace(identity, score=found.score, evidence=(finding.evidence,))
    return _tell(changed, at, found.status, found.reasons, effective_on, policy)


def _officer(identity: Identity | None, known: SideFacts, part: OfficerDecision, now: datetime) -> Decision[Any]:
    if identity is None:
        refused = outcomes.refused(part.worker_id, part.officer, (Reason.NOT_REGISTERED,), part.worker_id)
        return Decision(state=known, outcomes=(refused,))
    if identity.status is not Status.HELD:
        refused = outcomes.refused(part.worker_id, part.officer, (Reason.NOT_ELIGIBLE,), part.worker_id)
        return _now(identity, now, (refused,))
    today = business_day(now).isoformat()
    ruling = Ruling(officer=part.officer, reason=part.reason, decided_on=today)
    changed = replace(identity, ruling=ruling, evidence=(*identity.evidence, "officer"))
    if not part.verified:
        return _tell(changed, now, Status.REJECTED, identity.reasons, today)
    if known.wage_earner:
        # The officer settles who this is; that an employer must pay their premium stands beside it.
        return _tell(changed, now, Status.REJECTED, (Reason.WAGE_EARNER,), today)
    return _tell(changed, now, Status.VERIFIED, (), today)


def _withdrawn(identity: Identity | None, known: SideFacts, part: WorkerWithdrawn, event: Event) -> Decision[Any]:
    noted = replace(known, withdrawn_sequence=max(known.withdrawn_sequence, event.sequence or 0))
    if identity is None or identity.sequence > noted.withdrawn_sequence:
        return _noted(identity, noted, event.at)
    if identity.status in (Status.REJECTED, Status.ENDED):
        return _noted(identity, noted, event.at)
    changed = replace(identity, known=noted)
    if identity.told in (Status.VERIFIED, Status.HELD):
        return _tell(changed, event.at, Status.ENDED, (Reason.WITHDRAWN,), part.effective_on)
    return _now(replace(changed, status=Status.ENDED, reasons=(Reason.WITHDRAWN,)), event.at)


def _died(identity: Identity | None, known: SideFacts, now: datetime) -> Decision[Any]:
    if identity is None or identity.status in (Status.REJECTED, Status.ENDED):
        return _noted(identity, known, now)
    changed, died_on = replace(identity, known=known), known.died_on or identity.checked_on
    if identity.status is Status.VERIFIED:
        return _tell(changed, now, Status.ENDED, (Reason.DECEASED,), died_on)
    return _judged(changed, rules.DECEASED_BY_CLAIM, now, died_on)


def _employed(identity: Identity | None, known: SideFacts, part: WorkerEmployed, now: datetime) -> Decision[Any]:
    if identity is None:
        return Decision(state=known)
    changed = replace(identity, known=known)
    if identity.status is Status.VERIFIED:
        return _tell(changed, now, Status.ENDED, (Reason.WAGE_EARNER,), part.started_on)
    if identity.status is Status.HELD and rules.yields_to_wage_job(identity.reasons):
        return _tell(changed, now, Status.REJECTED, (Reason.WAGE_EARNER,), business_day(now).isoformat())
    return _now(changed, now)
