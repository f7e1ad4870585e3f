"""The aggregates of verification: one identity per worker, and refused commands."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from shared.contracts.registration import IdentityCheckRequested
from shared.contracts.verification_work import RegisterStatus
from shared.kernel.values import Personal, value


class CheckStatus(StrEnum):
    """`pending` waits for Dukcapil; `ended` was verified or held and is no longer eligible, or ended before any
    verdict.
    """

    PENDING = "pending"
    VERIFIED = "verified"
    HELD = "held"
    REJECTED = "rejected"
    ENDED = "ended"


@value(frozen=True, slots=True, kw_only=True)
class SideFacts:
    """Facts learnt outside the checks, possibly before the first one; they outweigh every later check.

    `withdrawn_sequence` is registration's sequence number of the last withdrawal. A check that was requested before it
    is void, whichever of the two topics is read first. `suspected`: registration suspects that this is the same person
    as another worker; `suspicion_sequence` is registration's number of its last message about that.
    """

    wage_earner: bool = False
    died_on: str | None = None
    withdrawn_sequence: int = 0
    suspected: bool = False
    suspicion_sequence: int = 0


@value(frozen=True, slots=True, kw_only=True)
class Listed:
    """What the regency's loaded lists say of a worker, at the check and since.

    `poverty` names the poverty data that holds the worker (DTSEN:2026-1). `poor` says whether the worker's decile meets
    the policy; the decile itself is not kept.
    """

    rosters: tuple[str, ...] = ()
    poverty: str | None = None
    poor: bool = False


@value(frozen=True, slots=True, kw_only=True)
class RegisterAnswer:
    """What the register said, for an officer to see: only whether fields agree, never a personal field."""

    register: RegisterStatus
    birth_date_matches: bool | None = None
    sex_matches: bool | None = None


@value(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The officer who settled a held case, the reason in their own words, and the business day."""

    officer: Annotated[str, Personal]
    reason: Annotated[str, Personal]
    decided_on: str


@value(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A first officer's decision when two must agree; `signed_by` tells the two officers apart."""

    ruling: Ruling
    signed_by: Annotated[str, Personal]
    verified: bool


@value(frozen=True, slots=True, kw_only=True)
class Identity:
    """The request about a worker and the verdict on it. `checked_on` is the day by which ages are judged.

    `sequence` is registration's number of the request in `asked`; `correlation` is the first cause of that request.
    `told` is the last published verdict: that on this request or, while it waits, that on the request before. `policy`
    is the version that judges. `stand_in` lets the snapshot answer while Dukcapil cannot. `give_back` means that
    Dukcapil must still be told how its data was used.
    """

    asked: IdentityCheckRequested
    checked_on: str
    status: CheckStatus
    reasons: tuple[str, ...] = ()
    score: int | None = None
    evidence: tuple[str, ...] = ()
    sequence: int = 0
    correlation: str = ""
    told: CheckStatus | None = None
    ruling: Ruling | None = None
    proposal: Proposal | None = None
    policy: str = ""
    found: RegisterAnswer | None = None
    listed: Listed = Listed()
    stand_in: bool = False
    give_back: bool = False
    known: SideFacts = SideFacts()


@value(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An officer's refused command, kept so that the same answer can be given again."""

    reasons: tuple[str, ...]
