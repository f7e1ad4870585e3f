"""The decisions of verification on each input.

Theory of operation
One document per worker. A check request is judged at once when the regency's snapshot knows the NIK. Otherwise it is
saved as pending with due work, and Dukcapil's answer comes back as an event of the work topic. The policy says which
register is asked first. Both ways end in the same `rules.verdict`, judged by the day and the policy of the request. A
newer registration version replaces the older one; an answer to an older one is ignored. Facts learnt outside the checks
(a job, a death, a withdrawal: `ends`) wait in the document when they come first, and outweigh every later check and
every officer's decision (`officers`). So any order of the inputs gives the same end.

Invariants
* An identity is pending exactly when its question to Dukcapil is due (`standing`).
* A held identity is settled only by an officer, a newer registration, a newer load of the list that caused the hold or
  was missing, or an end of eligibility.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.verification.domain import ends, officers, outcomes, parts, rules
from services.verification.domain.parts import OfficerDecision, Refused
from services.verification.domain.policy import Policy
from services.verification.domain.rules import Finding
from services.verification.domain.standing import DUKCAPIL, Facts, judge, leave, tell
from services.verification.domain.state import Identity, Refusal, SideFacts, Status
from shared.contracts.claims import WorkerDied
from shared.contracts.reasons import Reason
from shared.contracts.registration import (
    IdentityCheckRequested,
    WorkerCleared,
    WorkerEmployed,
    WorkerJobEnded,
    WorkerSuspected,
    WorkerWithdrawn,
)
from shared.contracts.verification_work import DukcapilAnswered, GivenBack, SourceChanged
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address, Decision
from shared.kernel.event import Event, Intake, Routed

__all__ = ["Facts", "conflicting", "decide", "route"]

OLDER = "older-registration-version"

conflicting = parts.conflicting


def route(event: Event, reference: Any) -> tuple[Routed, ...]:
    """Routes an input to the worker's identity, or an officer's malformed input to a refusal document."""
    if isinstance(event.data, Intake):
        return (parts.of_officer(event),)
    return (Routed(Address("identities", event.data.worker_id), event.data),)


def decide(state: Identity | SideFacts | Refusal | None, event: Event, facts: Facts) -> Decision[Any]:
    """Calls the decision for the type of the part. Raises TypeError for an unknown type."""
    part, now = event.data, event.at
    if isinstance(part, Refused):
        refused = outcomes.refused(part.worker_id, part.officer, part.reasons, part.worker_id or event.id)
        return Decision(state=Refusal(reasons=part.reasons), outcomes=(refused,))
    identity = state if isinstance(state, Identity) else None
    known = identity.known if identity else state if isinstance(state, SideFacts) else SideFacts()
    match part:
        case IdentityCheckRequested():
            return _check(identity, known, part, facts, event)
        case DukcapilAnswered():
            return _answered(identity, part, facts, now)
        case GivenBack():
            return _given_back(identity, part, now)
        case SourceChanged():
            # A worker who is known only by a side fact is looked up when a check comes.
            return ends.learnt(identity, part, now, facts)
        case OfficerDecision():
            return officers.settle(identity, known, part, now, facts)
        case WorkerWithdrawn():
            return ends.withdrawn(identity, known, part, event, facts)
        case WorkerSuspected() | WorkerCleared():
            return ends.suspected(identity, known, part, event, facts)
        case WorkerDied():
            return ends.died(identity, known, part, now, facts)
        case WorkerEmployed():
            return ends.employed(identity, known, part, now, facts)
        case WorkerJobEnded():
            return ends.job_ended(identity, known, now)
        case other:
            raise TypeError(f"no decision for {type(other).__name__}")


def _check(
    before: Identity | None, known: SideFacts, part: IdentityCheckRequested, facts: Facts, event: Event
) -> Decision[Any]:
    if before is not None and part.registration_version <= before.asked.registration_version:
        return leave(before, event.at, ignored=OLDER)
    policy = facts.policies.at(part.regency, event.at)
    key = (part.regency, part.worker_id)
    fresh = Identity(
        asked=part,
        checked_on=business_day(event.at).isoformat(),
        status=Status.PENDING,
        sequence=event.sequence or 0,
        correlation=event.correlation_id or event.id,
        told=before.told if before else None,
        policy=policy.version,
        listed=rules.listed(facts.rosters.get(key, ()), facts.poverty.get(key), policy),
        give_back=before.give_back if before else False,
        known=known,
    )
    if fresh.sequence < known.withdrawn_sequence:
        ended = replace(fresh, status=Status.ENDED, reasons=(Reason.WITHDRAWN,))
        return leave(ended, event.at, ignored="withdrawn-since")
    if known.died_on is not None:
        return judge(fresh, rules.DECEASED_BY_CLAIM, event.at, known.died_on, policy)
    return _asked(fresh, facts, event.at, policy)


def _asked(fresh: Identity, facts: Facts, at: datetime, policy: Policy) -> Decision[Any]:
    """Asks the registers in the policy's order and judges by the first that knows the person.

    Dukcapil is asked later, as due work. Without any snapshot, and without Dukcapil in the order, the case is held.
    """
    asked = fresh.asked
    for place, register in enumerate(policy.sources, start=1):
        if register == DUKCAPIL:
            return leave(replace(fresh, stand_in=place < len(policy.sources)), at)
        person = facts.people.get((asked.regency, asked.worker_id))
        if person is not None:
            return judge(fresh, rules.compare(person, asked), at, fresh.checked_on, policy)
    version = facts.snapshots.get(asked.regency)
    if version is None:
        return tell(fresh, at, Status.HELD, (Reason.SOURCE_UNAVAILABLE,), fresh.checked_on, policy)
    return judge(fresh, rules.settled("not-found", f"snapshot:{version}"), at, fresh.checked_on, policy)


def _answered(identity: Identity | None, part: DukcapilAnswered, facts: Facts, now: datetime) -> Decision[Any]:
    if identity is None:
        return Decision(state=None, ignored=ends.UNKNOWN)
    if part.registration_version > identity.asked.registration_version:
        return _early()
    if part.registration_version != identity.asked.registration_version or identity.status is not Status.PENDING:
        return leave(identity, now, ignored=OLDER)
    finding = Finding(
        status=part.status,
        score=None if part.score is None else float(part.score),
        birth_date_matches=part.birth_date_matches,
        sex_matches=part.sex_matches,
        born=None,
        evidence=part.evidence,
        resident=part.resident,
    )
    return judge(identity, finding, now, identity.checked_on, facts.policy_of(identity, now))


def _given_back(identity: Identity | None, part: GivenBack, now: datetime) -> Decision[Any]:
    if identity is None:
        return Decision(state=None, ignored=ends.UNKNOWN)
    if part.registration_version > identity.asked.registration_version:
        return _early()
    if part.registration_version != identity.asked.registration_version:
        return leave(identity, now, ignored=OLDER)
    return leave(replace(identity, give_back=False), now)


def _early() -> Decision[Any]:
    """An answer that a restored store reads before its question. It is not remembered: the question is asked again, and
    the same answer is then taken."""
    return Decision(state=None, ignored=ends.UNKNOWN)
