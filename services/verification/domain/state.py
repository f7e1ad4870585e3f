"""The aggregates of verification: one identity per worker, and refused commands."""

from __future__ import annotations

from enum import StrEnum

from shared.contracts.registration import IdentityCheckRequested
from shared.contracts.verification_work import RegisterStatus
from shared.kernel.values import value


class Status(StrEnum):
    """`pending` waits for Dukcapil; `ended` was verified or held and is not eligible any more, or left unjudged."""

    PENDING = "pending"
    VERIFIED = "verified"
    HELD = "held"
    REJECTED = "rejected"
    ENDED = "ended"


@value(frozen=True, slots=True, kw_only=True)
class SideFacts:
    """What is learnt beside the checks, possibly before the first one: it stands over every later check.

    `withdrawn_sequence` is registration's sequence of the last withdrawal: a check asked before it is void, whichever
    of the two topics is read first. `suspected`: registration holds that this may be another worker too;
    `suspicion_sequence` is registration's, of its last word on that.
    """

    wage_earner: bool = False
    died_on: str | None = None
    withdrawn_sequence: int = 0
    suspected: bool = False
    suspicion_sequence: int = 0


@value(frozen=True, slots=True, kw_only=True)
class Listed:
    """What the regency's loaded lists say of a worker: at the check, and since.

    `poverty` names the poverty data that holds the worker (DTSEN:2026-1); `poor` is whether that is enough for the
    policy, so that no decile need be kept.
    """

    rosters: tuple[str, ...] = ()
    poverty: str | None = None
    poor: bool = False


@value(frozen=True, slots=True, kw_only=True)
class Found:
    """What the register said, for an officer to see: never a personal field, only whether it agrees."""

    register: RegisterStatus
    birth_date_matches: bool | None = None
    sex_matches: bool | None = None


@value(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Who settled a held case, why (in the officer's own words), and on which business day."""

    officer: str
    reason: str
    decided_on: str


@value(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a first officer decided where two must agree; `signed_by` tells the two apart."""

    ruling: Ruling
    signed_by: str
    verified: bool


@value(frozen=True, slots=True, kw_only=True)
class Identity:
    """What was asked about a worker, and the verdict on it. `checked_on` is the day by which ages are judged.

    `sequence` is registration's, of the request that `asked` came with; `correlation` is the first cause of that
    request. `told` is the last verdict that was published, of this request or, while it waits, of the one before.
    `policy` is the version that judges; `stand_in` lets the snapshot answer while Dukcapil cannot; `give_back` says
    that Dukcapil is still to be told how its data was used.
    """

    asked: IdentityCheckRequested
    checked_on: str
    status: Status
    reasons: tuple[str, ...] = ()
    score: int | None = None
    evidence: tuple[str, ...] = ()
    sequence: int = 0
    correlation: str = ""
    told: Status | None = None
    ruling: Ruling | None = None
    proposal: Proposal | None = None
    policy: str = ""
    found: Found | None = None
    listed: Listed = Listed()
    stand_in: bool = False
    give_back: bool = False
    known: SideFacts = SideFacts()


@value(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An officer's command that was refused; kept so that the answer can be given again."""

    reasons: tuple[str, ...]
