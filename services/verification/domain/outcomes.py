"""Builds the events that verification publishes, each in one place. None carries personal data."""

from __future__ import annotations

from typing import Any

from services.verification.domain import rules
from services.verification.domain.policy import Policy
from services.verification.domain.state import CheckStatus, Identity
from shared.contracts import tokens, topics
from shared.contracts import verification as contract
from shared.kernel.decision import Outcome

_UNVERIFIED: dict[CheckStatus, tuple[str, type[contract.IdentityUnverified]]] = {
    CheckStatus.HELD: ("identity.held.v1", contract.IdentityHeld),
    CheckStatus.REJECTED: ("identity.rejected.v1", contract.IdentityRejected),
    CheckStatus.ENDED: ("identity.ended.v1", contract.IdentityEnded),
}


def verdict(identity: Identity, effective_on: str, policy: Policy) -> Outcome:
    """The verdict that now stands. A verified identity is valid from that day for the policy's period."""
    asked = identity.asked
    fields: dict[str, Any] = {
        "worker_id": asked.worker_id,
        "regency": asked.regency,
        "district": asked.district,
        "village": asked.village,
        "sector": asked.sector,
        "sex": asked.sex,
        "birth_month": asked.birth_date[:7],
        "registration_version": asked.registration_version,
        "policy": policy.version,
    }
    if identity.status is CheckStatus.VERIFIED:
        verified = contract.IdentityVerified(
            **fields,
            income_base=asked.income_base,
            segment="BPU",
            # Given explicitly, because pydantic deep-copies a default list for every event.
            warnings=[],
            evidence=list(identity.evidence),
            score=identity.score or 0,
            valid_until=rules.identity_valid_until(effective_on, asked.birth_date, policy),
        )
        return _open(asked.worker_id, "identity.verified.v1", verified)
    kind, model = _UNVERIFIED[identity.status]
    return _open(asked.worker_id, kind, model(**fields, reasons=list(identity.reasons), effective_on=effective_on))


def proposed(identity: Identity, verified: bool) -> Outcome:
    """A first officer's decision, when a second officer must agree."""
    asked = identity.asked
    data = contract.DecisionProposed(
        worker_id=asked.worker_id, regency=asked.regency, decision="verified" if verified else "rejected"
    )
    return _open(asked.worker_id, "identity.decide.proposed.v1", data)


def refused(worker_id: str | None, officer: str | None, reasons: tuple[str, ...], key: str) -> Outcome:
    """A refused decision of an officer. A text that is not a worker_id is not repeated, because other services read
    this event.
    """
    named = worker_id if tokens.is_worker_id(worker_id) else None
    data = contract.DecisionRefused(worker_id=named, officer=officer, reasons=list(reasons))
    return _open(key if tokens.is_worker_id(key) else "unknown", "identity.decide.refused.v1", data)


def _open(key: str, kind: str, data: Any) -> Outcome:
    return Outcome(topics.events("verification"), key, kind, data)
