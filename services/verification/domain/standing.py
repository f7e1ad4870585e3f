"""Leaves an identity in one of its states: pending with its question due, judged, or published. Every decision ends
here.

Invariants
* An identity is pending exactly when its question to Dukcapil is due: every decision leaves it through `leave`.
* `told` is the last published status: an end is published only when that is verified or held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import date, datetime
from typing import Any

from services.verification.domain import outcomes, rules
from services.verification.domain.policy import Policies, Policy
from services.verification.domain.rules import OtherSources, Poverty, SnapshotPerson, SourceAnswer
from services.verification.domain.state import CheckStatus, Identity, RegisterAnswer, SideFacts
from shared.contracts.reasons import Reason
from shared.kernel.decision import Decision, Due, Outcome
from shared.kernel.values import value

DUKCAPIL = "dukcapil"
# Here the snapshot may answer while Dukcapil cannot. It has its own kind, so that a pause of DUKCAPIL does not stop it.
DUKCAPIL_ELSE = "dukcapil-else"
GIVE_BACK = "give-back"
ATTESTATION = "attestation"

Key = tuple[str, str]


@value(frozen=True, slots=True)
class Facts:
    """What the regencies have loaded, by (regency, worker_id). For a worker who is in no snapshot, Dukcapil is asked.

    It holds the person, not a finding, because two requests for one worker in one batch may contain different forms.
    """

    people: Mapping[Key, SnapshotPerson]
    policies: Policies = field(default_factory=Policies)
    snapshots: Mapping[str, str] = field(default_factory=dict)
    rosters: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    poverty: Mapping[Key, Poverty] = field(default_factory=dict)

    def policy_of(self, identity: Identity, now: datetime) -> Policy:
        """The policy under which this identity was asked for."""
        named = self.policies.named(identity.policy)
        return named if named is not None else self.policies.at(identity.asked.regency, now)


def leave(
    identity: Identity, at: datetime, said: tuple[Outcome, ...] = (), ignored: str | None = None
) -> Decision[Identity]:
    """The decision that keeps this identity. While it is pending, its question to Dukcapil stays due, whatever
    else arrived.
    """
    return Decision(state=identity, outcomes=said, due=due_of(identity, at), ignored=ignored)


def due_of(identity: Identity, at: datetime) -> Due | None:
    """The question or the report to Dukcapil that an identity waits for."""
    about = f"{identity.asked.worker_id}:{identity.asked.registration_version}"
    if identity.status is CheckStatus.PENDING:
        kind = DUKCAPIL_ELSE if identity.stand_in else DUKCAPIL
        return Due(f"{DUKCAPIL}:{about}", kind, at, {"correlation_id": identity.correlation})
    if identity.give_back:
        return Due(f"{GIVE_BACK}:{about}", GIVE_BACK, at, {"correlation_id": identity.correlation})
    return None


def publish_verdict(
    identity: Identity,
    at: datetime,
    status: CheckStatus,
    reasons: tuple[str, ...],
    effective_on: str,
    policy: Policy,
    **found: Any,
) -> Decision[Identity]:
    """Sets a verdict and publishes it with the policy that gave it.

    `found` are further fields of the identity. They are set in the same `replace`, because copying an identity costs as
    much as the verdict itself.
    """
    settled = replace(
        identity, status=status, reasons=reasons, told=status, policy=policy.version, proposal=None, **found
    )
    said = settled
    if status is CheckStatus.VERIFIED and settled.known.suspected:
        # The verdict is kept but published as held: the same person may already be paid for as another worker.
        settled = replace(settled, told=CheckStatus.HELD)
        said = replace(settled, status=CheckStatus.HELD, reasons=(Reason.DUPLICATE_IDENTITY,))
    return leave(settled, at, (outcomes.verdict(said, effective_on, policy),))


def note(identity: Identity, known: SideFacts, at: datetime) -> Decision[Identity]:
    """Notes a side fact that changes no verdict."""
    return leave(replace(identity, known=known), at)


def judge(
    identity: Identity, finding: SourceAnswer, at: datetime, effective_on: str, policy: Policy
) -> Decision[Identity]:
    """Judges a register's finding together with everything else that is known, and publishes the verdict."""
    asked, listed = identity.asked, identity.listed
    attested = rules.attesting(asked.attestations, asked.sector, policy) if ATTESTATION in policy.required else []
    beside = OtherSources(
        wage_earner=identity.known.wage_earner or rules.WAGE_EARNER in listed.rosters,
        state_employee=rules.STATE_EMPLOYEE in listed.rosters,
        attested=bool(attested),
        poor=listed.poor,
    )
    found = rules.verdict(finding, asked.birth_date, date.fromisoformat(identity.checked_on), beside, policy)
    evidence = [finding.evidence]
    evidence.extend(f"attestation:{agency}" for agency in attested)
    if listed.poverty is not None:
        evidence.append(f"dinsos:{listed.poverty}")
    return publish_verdict(
        identity,
        at,
        found.status,
        found.reasons,
        effective_on,
        policy,
        score=found.score,
        evidence=tuple(evidence),
        found=RegisterAnswer(
            register=finding.status,
            birth_date_matches=finding.birth_date_matches,
            sex_matches=finding.sex_matches,
        ),
        give_back=identity.give_back or (policy.give_back and finding.evidence == DUKCAPIL),
    )
