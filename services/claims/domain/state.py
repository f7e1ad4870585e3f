"""The aggregates of claims, and what a decision looks up besides them. Defines shapes only; no rule, no store.

Dates are ISO text, months are YYYY-MM, amounts are whole rupiah.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Annotated

from shared.contracts.base import BenefitLine, Funding, Sex
from shared.contracts.claims import ClaimKind, Stage
from shared.contracts.claims_work import AssessClaim
from shared.contracts.reasons import Reason
from shared.kernel.values import Personal, value
from shared.reference.rates import Editions, Rates


@value(frozen=True, slots=True)
class Cover:
    """One worker's premium for one month. Its document is named `worker_id|period`."""

    regency: str
    district: str
    sex: Sex
    funding: Funding
    income_base: int
    run_id: str
    invoice_id: str


@value(frozen=True, slots=True)
class PaidInvoice:
    """The day from which every premium of an invoice is paid."""

    regency: str
    period: str
    paid_on: str


@value(frozen=True, slots=True)
class CompletedRun:
    """A run that billing has closed; `month` is `regency|period`. `seen`: every premium of it is known to be here.

    `correlation`: the first cause of the run; the look for its premiums carries it.
    """

    month: str
    billed_workers: int
    seen: bool = True
    correlation: str = ""


@value(frozen=True, slots=True)
class Child:
    """A child for whom a scholarship is requested. `key` is a keyed hash of the child's identity."""

    key: str
    name: Annotated[str, Personal]
    birth_date: Annotated[str, Personal]
    level: str
    school_year: str


@value(frozen=True, slots=True)
class Claimant:
    """The person who is paid."""

    name: Annotated[str, Personal]
    relation: str
    account: Annotated[str, Personal]


@value(frozen=True, slots=True, kw_only=True)
class ClaimForm:
    """A well-formed `claim.submit.v1`. `transport` is the cost of land, sea and air; `loss_percent` is decimal text."""

    worker_id: str
    kind: ClaimKind
    event_date: str
    cause: str
    outcome: str
    documents: tuple[str, ...]
    claimant: Claimant
    days_off_work: int = 0
    loss_percent: str = "0"
    transport: tuple[int, int, int] = (0, 0, 0)
    treatment_cost: int = 0
    children: tuple[Child, ...] = ()

    @property
    def period(self) -> str:
        """The month of the event."""
        return self.event_date[:7]

    @property
    def is_death(self) -> bool:
        """Whether payment of this claim is the payment of the worker's death."""
        return self.kind != "scholarship" and self.outcome == "death"

    @property
    def has_costs(self) -> bool:
        """Whether costs are claimed, so that receipts are required."""
        return self.treatment_cost > 0 or any(self.transport)


class ClaimStatus(StrEnum):
    """UNKNOWN: a command named a claim that was never submitted. ASSESSED: it waits for the worker's entitlement."""

    UNKNOWN = "unknown"
    REGISTERED = "registered"
    HELD = "held"
    ASSESSED = "assessed"
    APPROVED = "approved"
    PAID = "paid"
    REJECTED = "rejected"


@value(frozen=True, slots=True)
class Ruling:
    """An officer's decision."""

    approved: bool
    officer: Annotated[str, Personal]
    reason: Annotated[str, Personal]


@value(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of one agency. `form` is None while no submission was well-formed.

    * `round` counts submissions, `looks` assessments.
    * `waiting` is the month (`regency|period`) whose events concern it, from registration until its cover is settled.
    * `watching`: a run of that month is closed but not all its premiums are here.
    * `reserved`: the entitlement may have given it its part; `clearing`: it has, and claims of the person's other
      numbers are being checked.
    * `person`: the worker into whom the named worker was merged, at the last look.
    * `approved_on` is the day on which BPJS is asked to pay.
    * `waits_until`: the last day on which it waits for unpaid months before its event.
    * `paid_before`: lines that were paid before an event reopened it; then only the difference is paid.
    * `first_on`: the day of the first submission under its number; empty while this is the first.
    * `days_off_work`: the days that `benefits` pay for. `lasting`: the total value of the harm.
    * `levels`: the level of each slot in `school`.
    * `seen`: the number of changes of the person's entitlements, by worker number, when it was judged.
    """

    claim_no: str
    agency: str
    regency: str
    status: ClaimStatus = ClaimStatus.UNKNOWN
    stage: Stage = "agenda"
    form: ClaimForm | None = None
    fingerprint: str = ""
    correlation: str = ""
    submitted_on: str = ""
    round: int = 0
    looks: int = 0
    reasons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    waiting: str | None = None
    watching: bool = False
    months: int = 0
    benefits: tuple[BenefitLine, ...] = ()
    school: tuple[str, ...] = ()
    ruling: Ruling | None = None
    reserved: bool = False
    clearing: bool = False
    person: str = ""
    account_refused: bool = False
    cover: Cover | None = None
    approved_on: str | None = None
    paid_on: str | None = None
    reference: str | None = None
    waits_until: str | None = None
    paid_before: tuple[BenefitLine, ...] = ()
    days_off_work: int = 0
    lasting: int = 0
    levels: tuple[str, ...] = ()
    first_on: str = ""
    seen: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name of its document."""
        return claim_key(self.regency, self.agency, self.claim_no)

    @property
    def worker_id(self) -> str | None:
        """The worker of the claim: the named one or, after a merge, the one who stayed."""
        return self.person or (self.form.worker_id if self.form is not None else None)

    @property
    def total(self) -> int:
        """The sum of its benefits."""
        return sum(line.amount for line in self.benefits)

    @property
    def to_pay(self) -> tuple[BenefitLine, ...]:
        """The lines of the current or last payment: its benefits minus what was paid before.

        The earlier payment is subtracted from the last lines first: for a death, the limited sum counts as its funeral.
        """
        paid, lines = sum(line.amount for line in self.paid_before), list[BenefitLine]()
        for line in reversed(self.benefits):
            off = min(paid, line.amount)
            paid -= off
            if line.amount > off:
                lines.insert(0, line.model_copy(update={"amount": line.amount - off}))
        return tuple(lines)

    @property
    def follows_cover(self) -> bool:
        """Whether events about its worker's months may still change what it is entitled to."""
        if self.form is None:
            return False
        if self.status is ClaimStatus.REJECTED:
            return bool(self.reasons) and COVER_REASONS.issuperset(self.reasons)
        return self.status is not ClaimStatus.UNKNOWN


# A claim that was rejected only for these reasons is reopened by events after which they no longer hold.
COVER_REASONS = frozenset({Reason.NOT_COVERED.value, Reason.QUALIFYING_PERIOD.value})


def claim_key(regency: str, agency: str, claim_no: str) -> str:
    """The key of a claim: the agency's regency and name, and the claim_no."""
    return f"{regency}/{agency}/{claim_no}"


@value(frozen=True, slots=True)
class Use:
    """What one claim took of an event on a day: paid days off work, and amounts by benefit.

    `lasting` is the total value of the harm that it proved (disability or death), whatever others were paid for it.
    """

    event_date: str
    days_off_work: int
    lines: tuple[BenefitLine, ...]
    lasting: int = 0


@value(frozen=True, slots=True)
class SchoolYear:
    """One school year of a child that a claim took; the level is empty when an earlier release stored it."""

    claim: str
    level: str = ""


@value(frozen=True, slots=True)
class PaidEvent:
    """A paid death or total disability, which scholarships may follow."""

    kind: ClaimKind
    outcome: str
    event_date: str


@value(frozen=True, slots=True)
class Entitlement:
    """What claims took of one worker's entitlement. Each claim takes its part once, after it is judged.

    `death` is the claim that holds the death on the day `died_on`. `school` has the slots `year|child`; `uses` is by
    claim. `paid`: paid deaths and total disabilities, by claim. `waiting`: the steps that wake claims which follow one.
    `changes` counts what was taken and given back. `named`: the worker that a claim names, when that is another worker
    who was merged into this one.
    """

    death: str | None = None
    died_on: str | None = None
    school: Mapping[str, SchoolYear] = field(default_factory=dict)
    uses: Mapping[str, Use] = field(default_factory=dict)
    paid: Mapping[str, PaidEvent] = field(default_factory=dict)
    waiting: Mapping[str, AssessClaim] = field(default_factory=dict)
    changes: int = 0
    named: Mapping[str, str] = field(default_factory=dict)


@value(frozen=True, slots=True)
class Refusal:
    """An input that names no claim, kept under its own name."""

    command: str
    reasons: tuple[str, ...]


class RunsKnown(StrEnum):
    """How much is known of a month's runs: none closed; closed but premiums missing; every premium here."""

    NONE = "none"
    PARTLY = "partly"
    FULLY = "fully"


@value(frozen=True, slots=True)
class CoverHistory:
    """A worker's cover up to the month of an event: premiums by month, payment days by invoice, the month's runs."""

    covers: Mapping[str, Cover] = field(default_factory=dict)
    paid_on: Mapping[str, str] = field(default_factory=dict)
    runs: RunsKnown = RunsKnown.NONE


@value(frozen=True, slots=True)
class Reference:
    """Data that is loaded once at start. `id_key` turns a NIK into a worker_id."""

    rates: Rates
    id_key: bytes = field(repr=False)
    bpjs_url: str = ""
    officer_above: int = 50_000_000


@value(frozen=True, slots=True)
class Facts:
    """What the decisions of one batch look up: the tables of rates, standings by claim step, and the claims to wake by
    (collection, id, after).

    By the name of a step: `persons` (who the worker is after merges), `open_claims` (of the workers to look at), and
    `entitlements` (by worker number, of all numbers of the claim's person).

    `named`: the regencies that have a claim of this agency and number, two at most.
    """

    reference: Reference
    editions: Editions = field(default_factory=Editions)
    standings: Mapping[str, CoverHistory] = field(default_factory=dict)
    waiting: Mapping[tuple[str, str, str], tuple[tuple[str, Claim], ...]] = field(default_factory=dict)
    persons: Mapping[str, str] = field(default_factory=dict)
    open_claims: Mapping[str, tuple[tuple[str, Claim], ...]] = field(default_factory=dict)
    named: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    entitlements: Mapping[str, Mapping[str, Entitlement]] = field(default_factory=dict)
