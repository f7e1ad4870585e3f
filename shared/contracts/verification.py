"""Verification's published language."""

from __future__ import annotations

from typing import Literal

from shared.contracts.base import Data, Day, Period, Regency, Rupiah, Sector, Sex
from shared.kernel.event import Intake


class DecideIdentity(Intake):
    """`identity.decide.v1`: an officer settles a held case (worker_id, decision, officer, reason)."""


COMMANDS: dict[str, type[Intake]] = {"identity.decide.v1": DecideIdentity}


class IdentityVerified(Data):
    """A living, single, eligible person with the occupation claimed; `policy` is the version that decided."""

    worker_id: str
    regency: Regency
    district: str
    village: str
    sector: Sector
    sex: Sex
    birth_month: Period
    income_base: Rupiah
    segment: Literal["BPU"]
    evidence: list[str]
    score: int
    valid_until: Day
    registration_version: int
    warnings: list[str] = []
    policy: str = ""


class IdentityUnverified(Data):
    """The common fields of rejected, held and ended; `policy` is the version that decided."""

    worker_id: str
    regency: Regency
    district: str
    village: str
    sector: Sector
    sex: Sex
    birth_month: Period
    reasons: list[str]
    effective_on: Day
    registration_version: int
    policy: str = ""


class IdentityRejected(IdentityUnverified):
    """The worker cannot be covered as registered."""


class IdentityHeld(IdentityUnverified):
    """The rules cannot decide: an officer must."""


class IdentityEnded(IdentityUnverified):
    """A verified worker's eligibility ends (death, 65th birthday, wage job, withdrawal)."""


class DecisionProposed(Data):
    """`identity.decide.proposed.v1`: one officer has decided where the policy wants two; the case stays held."""

    worker_id: str
    regency: Regency
    decision: Literal["verified", "rejected"]


class DecisionRefused(Data):
    """`identity.decide.refused.v1`: the officer's decision could not be taken."""

    worker_id: str | None
    officer: str | None
    reasons: list[str]


OUTCOMES: dict[str, type[Data]] = {
    "identity.verified.v1": IdentityVerified,
    "identity.rejected.v1": IdentityRejected,
    "identity.held.v1": IdentityHeld,
    "identity.ended.v1": IdentityEnded,
    "identity.decide.proposed.v1": DecisionProposed,
    "identity.decide.refused.v1": DecisionRefused,
}
