"""What reporting remembers: one small document for each thing that is counted, keyed so that it counts once.

Holds no personal data: a `worker_id` stands in keys only, beside village, sector, sex and birth month.
`at` is the time of the last event counted in the document, RFC 3339 in WITA with milliseconds: it sorts as text.
"""

from __future__ import annotations

from enum import StrEnum

from shared.kernel.values import value


class Verdict(StrEnum):
    """What verification last said of a worker."""

    VERIFIED = "verified"
    REJECTED = "rejected"
    HELD = "held"
    ENDED = "ended"


class ClaimStatus(StrEnum):
    """What claims last said of a claim."""

    REGISTERED = "registered"
    HELD = "held"
    REJECTED = "rejected"
    APPROVED = "approved"
    PAID = "paid"


@value(frozen=True, slots=True, kw_only=True)
class Was:
    """How a worker was counted from the end of `month` on, up to the month `until`, at whose end another word stood."""

    month: str
    until: str
    regency: str
    district: str
    village: str
    sector: str
    sex: str | None
    birth_month: str | None
    status: str


@value(frozen=True, slots=True, kw_only=True)
class Registration:
    """A worker as registered now; `sequence` is the version of registration's document that said so."""

    regency: str
    district: str
    village: str
    sector: str
    sex: str | None
    birth_month: str | None
    agency: str | None
    active: bool
    sequence: int
    at: str
    # The day of the first registration; it links a registration to the meeting before it.
    since: str | None = None
    past: tuple[Was, ...] = ()


@value(frozen=True, slots=True, kw_only=True)
class Identity:
    """The verdict on a worker as it stands, of the registration that it judged."""

    regency: str
    district: str
    village: str
    sector: str
    sex: str
    birth_month: str
    status: str
    registration_version: int
    sequence: int
    at: str
    # The day on which a register or a claim told of the death; None for the living.
    deceased_on: str | None = None
    past: tuple[Was, ...] = ()


@value(frozen=True, slots=True, kw_only=True)
class Premium:
    """One worker's premium for one month, whole rupiah per programme. Never changes."""

    regency: str
    district: str
    village: str
    sector: str
    sex: str
    birth_month: str
    period: str
    year: int
    funding: str
    jkk: int
    jkm: int
    invoice_id: str
    run_id: str
    at: str


@value(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A paid invoice. Never changes."""

    invoice_id: str
    regency: str
    period: str
    funding: str
    total: int
    workers: int
    paid_on: str
    at: str


@value(frozen=True, slots=True, kw_only=True)
class Run:
    """A billing run that is known in full; `missed` workers were left out because the budget did not reach. Never
    changes."""

    invoice_id: str | None
    regency: str
    period: str
    funding: str
    billed_workers: int
    total: int
    at: str
    missed: int = 0


@value(frozen=True, slots=True, kw_only=True)
class Budget:
    """The ceilings of a regency, year and funding as they stand; `targets` are (district, workers). `past` holds what
    stood at the end of earlier months, the oldest first."""

    regency: str
    year: int
    funding: str
    jkk: int
    jkm: int
    decree_no: str
    target_workers: int
    targets: tuple[tuple[str, int], ...]
    sequence: int
    at: str
    past: tuple[Budget, ...] = ()


@value(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim as it stands. `paid` adds up every payment: a scholarship is paid once a year."""

    regency: str
    kind: str | None
    stage: str
    status: str
    total: int
    paid: int
    sequence: int
    at: str
    worker_id: str | None = None


@value(frozen=True, slots=True, kw_only=True)
class Exhaustion:
    """A run stopped at what an account carries."""

    regency: str
    period: str
    funding: str
    account: str
    left: int
    shortfall: int
    workers: int
    sequence: int
    at: str


@value(frozen=True, slots=True, kw_only=True)
class Risk:
    """A warning that families stand to lose their full death benefit (rules.md T2)."""

    regency: str
    period: str
    workers: int
    reason: str
    sequence: int
    at: str
    # The unpaid invoice that it is about; None where a budget did not reach.
    invoice_id: str | None = None


@value(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an agency was told of one row it sent. Never changes."""

    regency: str
    agency: str
    outcome: str
    reasons: tuple[str, ...]
    at: str


@value(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What the civil registry says of one worker that an agency sent. `reasons` of a rejection by it, else none."""

    regency: str
    agency: str
    refuted: bool
    reasons: tuple[str, ...]
    sequence: int
    at: str


@value(frozen=True, slots=True, kw_only=True)
class Finding:
    """A duty that an employer or contractor did not keep, as it stands: open, explained or cured."""

    regency: str
    employer: str
    name: str
    kind: str
    status: str
    worker_id: str | None
    due_on: str
    sequence: int
    at: str


@value(frozen=True, slots=True, kw_only=True)
class Project:
    """A construction project; `contract_value` in rupiah without VAT."""

    regency: str
    contractor: str
    late: bool
    contract_value: int
    sequence: int
    at: str


@value(frozen=True, slots=True, kw_only=True)
class Meeting:
    """An outreach meeting; `attendees` None while it is only planned."""

    meeting_id: str
    regency: str
    district: str
    village: str
    sector: str
    held_on: str
    agency: str
    attendees: int | None
    sequence: int
    at: str


Record = (
    Registration
    | Identity
    | Premium
    | Invoice
    | Run
    | Budget
    | Claim
    | Exhaustion
    | Risk
    | Answer
    | Settlement
    | Finding
    | Project
    | Meeting
)
