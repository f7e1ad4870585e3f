"""What reporting remembers: one small document for each counted thing, keyed so that it counts once.

Holds no personal data: a worker is a `worker_id` with village, sector, sex and birth month. `at` is the time of the
last event counted in the document, RFC 3339 in WITA with milliseconds, so it sorts as text.
"""

from __future__ import annotations

from enum import StrEnum

from shared.kernel.values import value


class VerdictStatus(StrEnum):
    """The last verdict of verification on a worker."""

    VERIFIED = "verified"
    REJECTED = "rejected"
    HELD = "held"
    ENDED = "ended"


class ClaimStatus(StrEnum):
    """The last status of a claim that claims published."""

    REGISTERED = "registered"
    HELD = "held"
    REJECTED = "rejected"
    APPROVED = "approved"
    PAID = "paid"


@value(frozen=True, slots=True, kw_only=True)
class FormerState:
    """How a worker was counted at the ends of the months from `month` up to, but not including, `until`."""

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
    """A worker as registered now; `sequence` is the version of registration's document in that event."""

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
    # The day of the first registration; it links a registration to an earlier meeting.
    since: str | None = None
    past: tuple[FormerState, ...] = ()


@value(frozen=True, slots=True, kw_only=True)
class Identity:
    """The present verdict on a worker, for the registration version that it judged."""

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
    # The day on which a register or a claim reported the death; None for living workers.
    deceased_on: str | None = None
    past: tuple[FormerState, ...] = ()


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
    """A completed billing run; `missed` workers were left out because the budget was too small. Never changes."""

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
    """The present ceilings of a regency, year and funding; `targets` are (district, workers). `past` holds the states
    at the ends of earlier months, the oldest first.
    """

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
    """The present state of a claim. `paid` is the sum of all payments: a scholarship is paid once a year."""

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
    """A run stopped because an account was too small."""

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
    """A warning that families may lose their full death benefit (docs/rules.md#cover-and-arrears)."""

    regency: str
    period: str
    workers: int
    reason: str
    sequence: int
    at: str
    # The unpaid invoice of the warning; None when the budget was too small.
    invoice_id: str | None = None


@value(frozen=True, slots=True, kw_only=True)
class SubmissionAnswer:
    """The answer to an agency for one of its rows. Never changes."""

    regency: str
    agency: str
    outcome: str
    reasons: tuple[str, ...]
    at: str


@value(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What the civil registry says of one worker that an agency sent. `reasons` are those of its rejection, else
    empty.
    """

    regency: str
    agency: str
    refuted: bool
    reasons: tuple[str, ...]
    sequence: int
    at: str


@value(frozen=True, slots=True, kw_only=True)
class Finding:
    """The present state of a duty that an employer or contractor did not keep: open, explained or cured."""

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
    """An outreach meeting; `attendees` is None while it is only planned."""

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
    | SubmissionAnswer
    | Settlement
    | Finding
    | Project
    | Meeting
)
