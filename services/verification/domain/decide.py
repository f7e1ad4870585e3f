"""The decisions of verification on each input.

Theory of operation
One document per worker. A check request is judged at once when the regency's snapshot knows the NIK. Otherwise it is
saved as pending with due work, and Dukcapil's answer comes back as an event of the work topic. The policy says which
register is asked first. Both ways end in the same `rules.verdict`, judged by the day and the policy of the request. A
newer registration version replaces the older one; an answer to an older one is ignored. Facts learnt outside the checks
(a job, a death, a withdrawal: `ends`) wait in the document when they come first, and outweigh every later check and
every officer's decision (`officers`). So any order of the inputs gives the same end.

`TABLE` says what each part does to a document at each of its stages.

Invariants
* An identity is pending exactly when its question to Dukcapil is due (`standing`).
* A held identity is settled only by an officer, a newer registration, a newer load of the list that caused the hold or
  was missing, or an end of eligibility.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.verification.domain import ends, officers, outcomes, parts, rules
from services.verification.domain.ends import UNKNOWN
from services.verification.domain.parts import IdentityDecisionForm, Refused
from services.verification.domain.policy import Policy
from services.verification.domain.rules import SourceAnswer
from services.verification.domain.standing import DUKCAPIL, Facts, judge, leave, publish_verdict
from services.verification.domain.state import CheckStatus, Identity, Refusal, SideFacts
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
from shared.contracts.verification import DecideIdentity
from shared.contracts.verification_work import DukcapilAnswered, GivenBack, SourceChanged
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event

__all__ = ["TABLE", "Facts", "conflicting", "decide", "route"]

OLDER = "older-registration-version"

conflicting = parts.conflicting


def _first_check(state: SideFacts | None, event: Event[IdentityCheckRequested], facts: Facts) -> Decision[Identity]:
    return _check(None, state or SideFacts(), event, facts)


def _newer_check(state: Identity, event: Event[IdentityCheckRequested], facts: Facts) -> Decision[Identity]:
    if event.data.registration_version <= state.asked.registration_version:
        return leave(state, event.at, ignored=OLDER)
    return _check(state, state.known, event, facts)


def _check(
    before: Identity | None, known: SideFacts, event: Event[IdentityCheckRequested], facts: Facts
) -> Decision[Identity]:
    part = event.data
    policy = facts.policies.at(part.regency, event.at)
    key = (part.regency, part.worker_id)
    fresh = Identity(
        asked=part,
        checked_on=business_day(event.at).isoformat(),
        status=CheckStatus.PENDING,
        sequence=event.sequence or 0,
        correlation=event.correlation_id or event.id,
        told=before.told if before else None,
        policy=policy.version,
        listed=rules.listed(facts.rosters.get(key, ()), facts.poverty.get(key), policy),
        give_back=before.give_back if before else False,
        known=known,
    )
    if fresh.sequence < known.withdrawn_sequence:
        ended = replace(fresh, status=CheckStatus.ENDED, reasons=(Reason.WITHDRAWN,))
        return leave(ended, event.at, ignored="withdrawn-since")
    if known.died_on is not None:
        return judge(fresh, rules.DECEASED_BY_CLAIM, event.at, known.died_on, policy)
    return _ask_registers(fresh, facts, event.at, policy)


def _ask_registers(fresh: Identity, facts: Facts, at: datetime, policy: Policy) -> Decision[Identity]:
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
        return publish_verdict(fresh, at, CheckStatus.HELD, (Reason.SOURCE_UNAVAILABLE,), fresh.checked_on, policy)
    return judge(fresh, rules.settled("not-found", f"snapshot:{version}"), at, fresh.checked_on, policy)


def _dukcapil_answered(state: Identity, event: Event[DukcapilAnswered], facts: Facts) -> Decision[Identity]:
    part = event.data
    if part.registration_version != state.asked.registration_version:
        return _on_another_check(state, event)
    finding = SourceAnswer(
        status=part.status,
        score=None if part.score is None else float(part.score),
        birth_date_matches=part.birth_date_matches,
        sex_matches=part.sex_matches,
        born=None,
        evidence=part.evidence,
        resident=part.resident,
    )
    return judge(state, finding, event.at, state.checked_on, facts.policy_of(state, event.at))


def _usage_reported(state: Identity, event: Event[GivenBack], facts: Facts) -> Decision[Identity]:
    if event.data.registration_version != state.asked.registration_version:
        return _on_another_check(state, event)
    return leave(replace(state, give_back=False), event.at)


def _dukcapil_answered_again(state: Identity, event: Event[DukcapilAnswered], facts: Facts) -> Decision[Identity]:
    return _on_another_check(state, event)


def _on_another_check(state: Identity, event: Event[DukcapilAnswered | GivenBack]) -> Decision[Identity]:
    """A restored store may read an answer before its question. Such an answer is not remembered: the question is asked
    again, and the same answer is then taken."""
    if event.data.registration_version > state.asked.registration_version:
        return Decision(state=None, ignored=UNKNOWN)
    return leave(state, event.at, ignored=OLDER)


def _refused(state: Refusal | None, event: Event[Refused], facts: Facts) -> Decision[Refusal]:
    part = event.data
    refused = outcomes.refused(part.worker_id, part.officer, part.reasons, part.worker_id or event.id)
    return Decision(state=Refusal(reasons=part.reasons), outcomes=(refused,))


def _worker(
    data: IdentityCheckRequested
    | DukcapilAnswered
    | GivenBack
    | SourceChanged
    | WorkerWithdrawn
    | ends.SuspicionEvent
    | WorkerDied
    | WorkerEmployed
    | WorkerJobEnded,
) -> str:
    return data.worker_id


IDENTITY = Kind(Identity, CheckStatus, lambda identity: identity.status)
# A worker about whom only side facts are known, from before any check.
SIDE = Kind(SideFacts)
_ids = Documents[Identity | SideFacts, Facts]("identities", IDENTITY, SIDE)
_ids.on(IdentityCheckRequested, _worker).absent(_first_check).at(SIDE, _first_check).at(IDENTITY, _newer_check)
(
    _ids.on(DukcapilAnswered, _worker)
    .at(IDENTITY, _dukcapil_answered, CheckStatus.PENDING)
    .at(IDENTITY, _dukcapil_answered_again)
    .ignored(UNKNOWN, remember=False)
)
_ids.on(GivenBack, _worker).at(IDENTITY, _usage_reported).ignored(UNKNOWN, remember=False)
_ids.on(SourceChanged, _worker).at(IDENTITY, ends.learnt).ignored(UNKNOWN, remember=False)
(
    _ids.on(IdentityDecisionForm)
    .absent(officers.not_registered)
    .at(SIDE, officers.not_registered)
    .at(IDENTITY, officers.settle, CheckStatus.HELD)
    .at(IDENTITY, officers.not_held)
)
(
    _ids.on(WorkerWithdrawn, _worker)
    .absent(ends.withdrawal_noted)
    .at(SIDE, ends.withdrawal_noted)
    .at(IDENTITY, ends.withdrawn)
)
(
    _ids.on(WorkerSuspected, _worker)
    .absent(ends.suspicion_noted)
    .at(SIDE, ends.suspicion_noted)
    .at(IDENTITY, ends.suspected)
)
(
    _ids.on(WorkerCleared, _worker)
    .absent(ends.suspicion_noted)
    .at(SIDE, ends.suspicion_noted)
    .at(IDENTITY, ends.suspected)
)
_ids.on(WorkerDied, _worker).absent(ends.death_noted).at(SIDE, ends.death_noted).at(IDENTITY, ends.died)
_ids.on(WorkerEmployed, _worker).absent(ends.job_noted).at(SIDE, ends.job_noted).at(IDENTITY, ends.employed)
_ids.on(WorkerJobEnded, _worker).absent(ends.no_job_noted).at(SIDE, ends.no_job_noted).at(IDENTITY, ends.job_ended)

_refusals = Documents[Refusal, Facts]("refusals", Kind(Refusal))
_refusals.on(Refused).always(_refused)

TABLE = Table[Facts, object](_ids, _refusals).reads(DecideIdentity, parts.of_officer)
route, decide = TABLE.route, TABLE.decide
