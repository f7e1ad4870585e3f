"""What verification makes of each input.

Theory of operation
One document a worker. A check request is judged at once when the regency's snapshot knows the NIK; otherwise it is
saved as pending with due work, and Dukcapil's answer comes back as an event of the work topic. Both roads end in the
same `rules.verdict`, judged by the day of the request. A newer registration version replaces the older; an answer on an
older one is ignored. What is learnt beside the checks (a wage job, a death, a withdrawal) waits in the document when it
comes first, and stands over every later check.

Invariants
* A held identity is settled only by an officer, a newer registration, or the end of eligibility.
* A verdict is given once per registration version and change of its grounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from services.verification.domain import rules
from services.verification.domain.rules import Finding, Policy
from services.verification.domain.state import Identity, Refusal, SideFacts, Status
from shared.contracts import topics
from shared.contracts import verification as contract
from shared.contracts.claims import WorkerDied
from shared.contracts.reasons import Reason
from shared.contracts.registration import IdentityCheckRequested, WorkerEmployed, WorkerWithdrawn
from shared.contracts.verification_work import DukcapilAnswered
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address, Decision, Due, Outcome
from shared.kernel.event import Event, Intake, Routed

DUKCAPIL = "dukcapil"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the loaded snapshots say, by worker_id; whoever is absent is asked of Dukcapil."""

    known: Mapping[str, Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerDecision:
    """A well-formed decision of an officer."""

    worker_id: str
    verified: bool
    officer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A decision of an officer that cannot be read as one."""

    worker_id: str | None
    officer: str | None
    reasons: tuple[str, ...]


def route(event: Event, reference: Any) -> tuple[Routed, ...]:
    """Every input changes the worker's identity, or is a refusal of its own."""
    if isinstance(event.data, Intake):
        return (_of_officer(event),)
    return (Routed(Address("identities", event.data.worker_id), event.data),)


def conflicting(event: Event) -> Routed:
    """The refusal of an event whose name was used before with other content."""
    fields = event.data.fields
    refused = Refused(
        worker_id=_text(fields.get("worker_id")),
        officer=_text(fields.get("officer")),
        reasons=(Reason.CONFLICTING_DUPLICATE,),
    )
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), refused)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _of_officer(event: Event) -> Routed:
    intake: Intake = event.data
    fields = intake.fields
    problems: list[str] = [f"{Reason.FIELD_INVALID}:data"] if intake.problem else []
    if not problems:
        for name in ("worker_id", "decision", "officer", "reason"):
            value = fields.get(name)
            if value is None or (isinstance(value, str) and not value.strip()):
                problems.append(f"{Reason.FIELD_MISSING}:{name}")
            elif not isinstance(value, str) or (name == "decision" and value not in ("verified", "rejected")):
                problems.append(f"{Reason.FIELD_INVALID}:{name}")
    if problems:
        worker, officer = _text(fields.get("worker_id")), _text(fields.get("officer"))
        refused = Refused(worker_id=worker, officer=officer, reasons=tuple(problems))
        return Routed(Address("refusals", event.name), refused)
    part = OfficerDecision(
        worker_id=fields["worker_id"],
        verified=fields["decision"] == "verified",
        officer=fields["officer"],
        reason=fields["reason"],
    )
    return Routed(Address("identities", part.worker_id), part)


def decide(state: Identity | SideFacts | Refusal | None, event: Event, facts: Facts, now: datetime) -> Decision[Any]:
    """Dispatches on the part."""
    identity = state if isinstance(state, Identity) else None
    match event.data:
        case Refused() as part:
            return Decision(
                state=Refusal(reasons=part.reasons),
                outcomes=(_officer_refused(part.worker_id, part.officer, part.reasons, event.id),),
            )
        case IdentityCheckRequested() as part:
            return _check(identity, _known(state), part, facts, event)
        case DukcapilAnswered() as part:
            return _answered(identity, part)
        case OfficerDecision() as part:
            return _officer(state, identity, part, now)
        case WorkerWithdrawn() as part:
            known = replace(
                _known(state), withdrawn_sequence=max(_known(state).withdrawn_sequence, event.sequence or 0)
            )
            if identity is None or identity.sequence > known.withdrawn_sequence:
                return _keep(identity, known)
            return _end(identity, known, part.effective_on, Reason.WITHDRAWN)
        case WorkerDied() as part:
            known = replace(_known(state), died_on=part.died_on)
            return _end(identity, known, part.died_on, Reason.DECEASED)
        case WorkerEmployed() as part:
            known = replace(_known(state), wage_earner=True)
            return _end(identity, known, part.started_on, Reason.WAGE_EARNER)
        case other:
            raise TypeError(f"no decision for {type(other).__name__}")


def _known(state: Identity | SideFacts | Refusal | None) -> SideFacts:
    if isinstance(state, Identity):
        return state.known
    return state if isinstance(state, SideFacts) else SideFacts()


def _keep(identity: Identity | None, known: SideFacts) -> Decision[Any]:
    """A side fact that changes no verdict."""
    return Decision(state=known if identity is None else replace(identity, known=known))


def _check(
    before: Identity | None, known: SideFacts, part: IdentityCheckRequested, facts: Facts, event: Event
) -> Decision[Any]:
    if before is not None and part.registration_version <= before.asked.registration_version:
        return Decision(state=before, ignored="older-registration-version")
    fresh = Identity(
        asked=part,
        checked_on=business_day(event.at).isoformat(),
        status=Status.PENDING,
        sequence=event.sequence or 0,
        known=known,
    )
    if fresh.sequence < known.withdrawn_sequence:
        ended = replace(fresh, status=Status.ENDED, reasons=(Reason.WITHDRAWN,))
        return Decision(state=ended, ignored="withdrawn-since")
    if known.died_on is not None:
        return _judged(fresh, rules.DECEASED_BY_CLAIM)
    finding = facts.known.get(part.worker_id)
    if finding is not None:
        return _judged(fresh, finding)
    due = Due(f"dukcapil:{part.worker_id}:{part.registration_version}", DUKCAPIL, event.at)
    return Decision(state=fresh, due=due)


def _answered(identity: Identity | None, part: DukcapilAnswered) -> Decision[Any]:
    if identity is None:
        return Decision(state=None, ignored="worker-unknown")
    if part.registration_version != identity.asked.registration_version or identity.status is not Status.PENDING:
        return Decision(state=identity, ignored="older-registration-version")
    finding = Finding(
        status=part.status,
        score=None if part.score is None else float(part.score),
        birth_date_matches=part.birth_date_matches,
        sex_matches=part.sex_matches,
        born=None,
        evidence="dukcapil",
    )
    return _judged(identity, finding)


def _judged(identity: Identity, finding: Finding, policy: Policy = rules.DEFAULT_POLICY) -> Decision[Any]:
    day = date.fromisoformat(identity.checked_on)
    found = rules.verdict(
        finding, identity.asked.birth_date, day, wage_earner=identity.known.wage_earner, policy=policy
    )
    changed = replace(
        identity, status=found.status, reasons=found.reasons, score=found.score, evidence=(finding.evidence,)
    )
    return Decision(state=changed, outcomes=(_said(changed, policy),))


def _officer(state: Any, identity: Identity | None, part: OfficerDecision, now: datetime) -> Decision[Any]:
    if identity is None:
        refused = _officer_refused(part.worker_id, part.officer, (Reason.NOT_REGISTERED,), part.worker_id)
        return Decision(state=state or SideFacts(), outcomes=(refused,))
    if identity.status is not Status.HELD:
        refused = _officer_refused(part.worker_id, part.officer, (Reason.NOT_ELIGIBLE,), part.worker_id)
        return Decision(state=identity, outcomes=(refused,))
    status = Status.VERIFIED if part.verified else Status.REJECTED
    changed = replace(
        identity,
        status=status,
        reasons=() if part.verified else identity.reasons,
        evidence=(*identity.evidence, "officer"),
        checked_on=business_day(now).isoformat(),
    )
    return Decision(state=changed, outcomes=(_said(changed, rules.DEFAULT_POLICY),))


def _end(identity: Identity | None, known: SideFacts, effective_on: str, reason: Reason) -> Decision[Any]:
    """The subsidy ends for who had it, or waited for it; it is only noted of who had it not."""
    if identity is None or identity.status in (Status.REJECTED, Status.ENDED):
        return _keep(identity, known)
    changed = replace(identity, status=Status.ENDED, reasons=(reason,), known=known)
    ended = contract.IdentityEnded(**_fields(changed), reasons=[reason], effective_on=effective_on)
    return Decision(state=changed, outcomes=(_outcome(changed, "identity.ended.v1", ended),))


def _fields(identity: Identity) -> dict[str, Any]:
    asked = identity.asked
    return {
        "worker_id": asked.worker_id,
        "regency": asked.regency,
        "district": asked.district,
        "village": asked.village,
        "sector": asked.sector,
        "sex": asked.sex,
        "birth_month": asked.birth_date[:7],
        "registration_version": asked.registration_version,
    }


def _said(identity: Identity, policy: Policy) -> Outcome:
    """The verdict as an event."""
    fields = _fields(identity)
    if identity.status is Status.VERIFIED:
        day = date.fromisoformat(identity.checked_on)
        verified = contract.IdentityVerified(
            **fields,
            income_base=identity.asked.income_base,
            segment="BPU",
            evidence=list(identity.evidence),
            score=identity.score or 0,
            valid_until=rules.valid_until(day, policy).isoformat(),
        )
        return _outcome(identity, "identity.verified.v1", verified)
    fields |= {"reasons": list(identity.reasons), "effective_on": identity.checked_on}
    if identity.status is Status.HELD:
        return _outcome(identity, "identity.held.v1", contract.IdentityHeld(**fields))
    return _outcome(identity, "identity.rejected.v1", contract.IdentityRejected(**fields))


def _outcome(identity: Identity, kind: str, data: Any) -> Outcome:
    return Outcome(topics.events("verification"), identity.asked.worker_id, kind, data)


def _officer_refused(worker_id: str | None, officer: str | None, reasons: tuple[str, ...], key: str) -> Outcome:
    data = contract.DecisionRefused(worker_id=worker_id, officer=officer, reasons=list(reasons))
    return Outcome(topics.events("verification"), key, "identity.decide.refused.v1", data)
