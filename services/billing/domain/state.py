"""The aggregates of billing, and what a decision looks up besides them. Defines shapes only; no rule, no store.

There is no personal data here: a worker is a worker_id, a keyed hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import NamedTuple

from shared.contracts.base import Funding, PremiumLine
from shared.kernel.values import value
from shared.reference.areas import Areas
from shared.reference.rates import Editions, Rates


@value(frozen=True, slots=True)
class Accounts:
    """Rupiah in the two budget accounts; every premium draws from both."""

    jkk: int = 0
    jkm: int = 0

    def __add__(self, other: Accounts) -> Accounts:
        return Accounts(self.jkk + other.jkk, self.jkm + other.jkm)

    def __sub__(self, other: Accounts) -> Accounts:
        return Accounts(self.jkk - other.jkk, self.jkm - other.jkm)

    def carries(self, price: Accounts) -> bool:
        """Whether both accounts are large enough for this price."""
        return price.jkk <= self.jkk and price.jkm <= self.jkm

    @property
    def total(self) -> int:
        """Both accounts together."""
        return self.jkk + self.jkm


NOTHING = Accounts()


class IdentityStatus(StrEnum):
    """The last verdict on a worker's identity."""

    UNSEEN = "unseen"
    VERIFIED = "verified"
    HELD = "held"
    REJECTED = "rejected"
    ENDED = "ended"


class Verdict(NamedTuple):
    """One verdict of verification with the `place` and `until` (as in Enrolment) that follow from it and earlier ones.

    `day` is the day of a verified verdict in WITA; for other verdicts it is the day on which they take effect. An empty
    day means that an earlier release kept only the result of all verdicts so far; nothing can be inserted before it.
    """

    registration_version: int
    sequence: int
    standing: IdentityStatus
    regency: str
    day: str
    valid_until: str = ""
    income_base: int = 0
    place: str = ""
    until: str = ""


@value(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A worker as billing knows them.

    `verdicts` are the latest ones in their own order, not in the order of arrival; the other fields follow from them.
    `valid_until` is that of the last verified one: the day by which the identity must be verified again (empty:
    not known). `place` is `day of verification|worker_id`, which sorts in priority order; empty when never verified.
    `until` is the last period that may be billed by verdicts and death; empty when none may.
    """

    regency: str
    district: str = ""
    village: str = ""
    sector: str = ""
    sex: str = ""
    birth_month: str = ""
    income_base: int = 0
    standing: IdentityStatus = IdentityStatus.UNSEEN
    place: str = ""
    until: str = ""
    died_in: str = ""
    valid_until: str = ""
    verdicts: tuple[Verdict, ...] = ()


@value(frozen=True, slots=True, kw_only=True)
class Premium:
    """One worker's premium for one period. Its existence ensures that the worker is billed once across all funders."""

    run_id: str
    invoice_id: str
    regency: str
    funding: str
    jkk: int
    jkm: int


@value(frozen=True, slots=True, kw_only=True)
class Budget:
    """The two accounts of a regency, year and funding. `ceilings` is None until a budget is set.

    `queue` holds the open runs in the order of their commands: `reserved` belongs to the first, the others wait. `runs`
    counts the accepted runs of each period.
    """

    regency: str
    year: int
    funding: Funding
    ceilings: Accounts | None = None
    committed: Accounts = NOTHING
    reserved: Accounts = NOTHING
    decree_no: str = ""
    target_workers: int = 0
    targets: Mapping[str, int] = field(default_factory=dict)
    queue: tuple[str, ...] = ()
    runs: Mapping[str, int] = field(default_factory=dict)

    @property
    def free(self) -> Accounts:
        """The money that is neither billed nor set aside."""
        return NOTHING if self.ceilings is None else self.ceilings - self.committed - self.reserved


@value(frozen=True, slots=True, kw_only=True)
class Skip:
    """A premium that a run had reserved but another run billed first. It has its own document, as there may be
    thousands.
    """

    run_id: str
    jkk: int = 0
    jkk_rule: str = ""
    jkm: int = 0
    jkm_rule: str = ""


@value(frozen=True, slots=True)
class Skipped:
    """Everything that a run had to give back so far."""

    workers: int = 0
    lines: tuple[PremiumLine, ...] = ()


class RunStatus(StrEnum):
    """The progress of a run. ASKING: it would miss workers and waits for its budget's answer."""

    WAITING = "waiting"
    RUNNING = "running"
    ASKING = "asking"
    CLOSED = "closed"


@value(frozen=True, slots=True, kw_only=True)
class Stop:
    """Where the money ended: the place before the first worker it did not reach, that worker's price, and the numbers
    of workers before it who were already billed, and who were barred, by reason.
    """

    cursor: str
    price: Accounts
    already: int
    barred: Mapping[str, int] = field(default_factory=dict)


@value(frozen=True, slots=True, kw_only=True)
class Run:
    """One run over one period.

    `left` is the rest of the money set aside for it. `missed` and `short` are the workers it did not reach and their
    total price. `barred` counts verified workers who may not be billed for this month, by reason. `skipped` is already
    subtracted from `billed` and `lines`. `asked`: its budget has answered that it has no more for the rest.
    """

    run_id: str
    invoice_id: str
    regency: str
    period: str
    funding: Funding
    cutoff: str
    due_date: str | None = None
    requested_at: str = ""
    edition: str = ""
    status: RunStatus = RunStatus.WAITING
    left: Accounts = NOTHING
    cursor: str = ""
    step: int = 0
    billed: int = 0
    lines: tuple[PremiumLine, ...] = ()
    skipped: Skipped = Skipped()
    already: int = 0
    barred: Mapping[str, int] = field(default_factory=dict)
    missed: int = 0
    short: Accounts = NOTHING
    not_eligible: int = 0
    stop: Stop | None = None
    asked: bool = False

    @property
    def considered(self) -> int:
        """The number of candidates that it has looked at."""
        return self.billed + self.already + self.missed + sum(self.barred.values())


class InvoiceStatus(StrEnum):
    """UNKNOWN: a payment named an invoice that does not exist (yet)."""

    UNKNOWN = "unknown"
    OPEN = "open"
    PAID = "paid"


@value(frozen=True, slots=True, kw_only=True)
class Invoice:
    """The amount that a run asks from a treasury: the sum of its premiums."""

    invoice_id: str
    status: InvoiceStatus = InvoiceStatus.UNKNOWN
    run_id: str = ""
    regency: str = ""
    period: str = ""
    funding: Funding = "apbd-regency"
    workers: int = 0
    lines: tuple[PremiumLine, ...] = ()
    due_date: str | None = None
    opened_on: str = ""
    paid_on: str | None = None
    reference: str | None = None
    overdue: bool = False

    @property
    def total(self) -> int:
        """The exact amount that pays it."""
        return sum(line.amount for line in self.lines)


@value(frozen=True, slots=True)
class ForwardedCommand:
    """A command that was passed on, kept under its own name."""

    command: str


@value(frozen=True, slots=True)
class Refusal:
    """A command that names no document, kept under its own name."""

    command: str
    reasons: tuple[str, ...]


@value(frozen=True, slots=True)
class Page:
    """The next candidates of a run in priority order (worker_id, enrolment), and those of them already billed for the
    period.

    `last`: no candidate comes after these.
    """

    candidates: tuple[tuple[str, Enrolment], ...]
    billed: frozenset[str]
    last: bool


@value(frozen=True, slots=True)
class Reference:
    """Data that is loaded once at start."""

    areas: Areas
    rates: Rates
    step_workers: int


@value(frozen=True, slots=True)
class Facts:
    """What the decisions of one batch look up.

    `pages` by (run, page number); `enrolled`: workers ever verified, by regency; `skipped`: premiums that other runs
    billed first, by run; `editions`: the tables of rates.
    """

    editions: Editions = field(default_factory=Editions)
    pages: Mapping[tuple[str, int], Page] = field(default_factory=dict)
    enrolled: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, Skipped] = field(default_factory=dict)
