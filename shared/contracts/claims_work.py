"""The internal steps of claims, on claims-work. No personal data."""

from __future__ import annotations

from typing import Literal

from shared.contracts.base import Data, Day, Period, Regency


class AssessClaim(Data):
    """`claim.assess.v1`: look at a claim (regency/agency/claim_no) again; it was saved as waiting before."""

    claim: str


class ReserveDeath(Data):
    """`death.reserve.v1`: a claim asks to be the one that is paid for a worker's death."""

    worker_id: str
    claim: str


class DeathAnswered(Data):
    """`death.answered.v1`: whether it is."""

    worker_id: str
    claim: str
    granted: bool


class WakeClaims(Data):
    """`cover.wake.v1`: something about the cover of a month became known."""

    regency: Regency
    period: Period


class BenefitTransferred(Data):
    """`benefit.transferred.v1`: what BPJS answered to a payment."""

    claim: str
    status: Literal["paid", "refused"]
    reference: str | None = None
    paid_on: Day | None = None


WORK: dict[str, type[Data]] = {
    "claim.assess.v1": AssessClaim,
    "death.reserve.v1": ReserveDeath,
    "death.answered.v1": DeathAnswered,
    "cover.wake.v1": WakeClaims,
    "benefit.transferred.v1": BenefitTransferred,
}
