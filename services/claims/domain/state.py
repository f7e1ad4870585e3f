"""The aggregates of claims: what is known of a worker's cover, a claim, and the fence around a death."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from shared.contracts.base import BenefitLine, Sex
from shared.contracts.claims import Stage

Kind = Literal["jkk", "jkm", "scholarship"]
Cause = Literal["accident", "illness", "natural"]
Result = Literal["treatment", "temporary", "partial", "total", "death"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """One worker's billed month. `base` is the income base that benefits multiply, rupiah."""

    worker_id: str
    period: str
    regency: str
    district: str
    sex: Sex
    run_id: str
    invoice_id: str
    base: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidInvoice:
    """An invoice that is paid, and with it every premium on it."""

    regency: str
    period: str
    paid_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedRun:
    """A run that is known in full once as many covers are seen as it billed workers."""

    regency: str
    period: str
    billed_workers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """Waiting claims were looked for after something became known."""

    regency: str
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """The claim that a worker's death is paid on."""

    claim: str


class Status(StrEnum):
    """Where a claim stands; `reserving` asks for the death's fence, `approved` is being paid."""

    REGISTERED = "registered"
    HELD = "held"
    RESERVING = "reserving"
    APPROVED = "approved"
    PAID = "paid"
    REJECTED = "rejected"


STAGES: dict[Status, Stage] = {
    Status.REGISTERED: "agenda",
    Status.HELD: "penetapan",
    Status.RESERVING: "penetapan",
    Status.APPROVED: "pembayaran",
    Status.PAID: "selesai",
    Status.REJECTED: "selesai",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A child for whom a scholarship is claimed."""

    name: str
    birth_date: str
    level: str
    school_year: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Who claims, and where the money goes."""

    name: str
    relation: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What happened. Amounts in rupiah; `loss_percent` as text of a decimal, so that no rounding creeps in."""

    result: Result
    days_off_work: int = 0
    loss_percent: str = "0"
    transport: tuple[tuple[str, int], ...] = ()
    treatment_cost: int = 0
    children: tuple[Child, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of one agency. `waiting` is `regency|period` while a month's cover may still become known."""

    regency: str
    agency: str
    claim_no: str
    worker_id: str
    kind: Kind
    event_date: str
    cause: Cause
    details: Details
    documents: tuple[str, ...]
    claimant: Claimant
    submitted_on: str
    status: Status = Status.REGISTERED
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    benefits: tuple[BenefitLine, ...] = ()
    waiting: str | None = None
    looks: int = 0
    officer: str | None = None
    district: str | None = None
    sex: Sex | None = None
    approved_on: str | None = None
    payments: int = 0
    reference: str | None = None
    paid_on: str | None = None

    @property
    def id(self) -> str:
        """regency/agency/claim_no."""
        return f"{self.regency}/{self.agency}/{self.claim_no}"

    @property
    def total(self) -> int:
        """Rupiah over all benefits."""
        return sum(line.amount for line in self.benefits)

    @property
    def open(self) -> bool:
        """Whether anything may still happen to it."""
        return self.status not in (Status.PAID, Status.REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A command that was refused; kept so that the answer can be given again."""

    reasons: tuple[str, ...]
