"""The default policy of verification (contracts.md 3, rules.md 2), and the verdict it gives on what a source says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.verification.domain.state import Status
from shared.contracts.reasons import Reason
from shared.contracts.registration import IdentityCheckRequested
from shared.contracts.verification_work import RegisterStatus
from shared.kernel.calendar import age_on, parse_date
from shared.kernel.names import score


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The numbers of the verdict, with the law they rest on."""

    name_hold_from: int = 60
    name_pass_from: int = 85
    # UU 13/2003: a child is under 18; no BPU minimum is known, so the labour law's stands (rules.md 2).
    age_min: int = 18
    # Permenaker 5/2021: not yet 65 at registration.
    age_max_exclusive: int = 65
    # Re-verified yearly (contracts.md 3).
    valid_years: int = 1


DEFAULT_POLICY = Policy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person of a loaded population snapshot, and the version of the load."""

    status: RegisterStatus
    name: str
    birth_date: str
    sex: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one source says about the person asked for. `born` is the register's birth date when it gives one."""

    status: RegisterStatus
    score: float | None
    birth_date_matches: bool | None
    sex_matches: bool | None
    born: str | None
    evidence: str


# A death that a claim taught us.
DECEASED_BY_CLAIM = Finding(
    status="deceased", score=None, birth_date_matches=None, sex_matches=None, born=None, evidence="claims"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The status and every reason of it."""

    status: Status
    reasons: tuple[str, ...]
    score: int


_SETTLED_BY_STATUS: dict[RegisterStatus, tuple[Status, Reason]] = {
    "malformed": (Status.REJECTED, Reason.NIK_MALFORMED),
    "not-found": (Status.REJECTED, Reason.NOT_FOUND),
    "deceased": (Status.REJECTED, Reason.DECEASED),
    "double": (Status.HELD, Reason.DUPLICATE_IDENTITY),
    "inactive": (Status.HELD, Reason.INACTIVE_IDENTITY),
}


def verdict(finding: Finding, birth_date: str, checked_on: date, *, wage_earner: bool, policy: Policy) -> Verdict:
    """The first that applies decides (contracts.md 3): the register's status, then every mismatch, then the name."""
    found = int(finding.score or 0)
    settled = _SETTLED_BY_STATUS.get(finding.status)
    if settled is not None:
        return Verdict(status=settled[0], reasons=(settled[1],), score=found)
    reasons = []
    if finding.birth_date_matches is False:
        reasons.append(Reason.BIRTH_DATE_MISMATCH)
    if finding.sex_matches is False:
        reasons.append(Reason.SEX_MISMATCH)
    if finding.score is None or finding.score < policy.name_hold_from:
        reasons.append(Reason.NAME_MISMATCH)
    born = parse_date(finding.born or birth_date)
    if born is not None:
        age = age_on(born, checked_on)
        if age < policy.age_min:
            reasons.append(Reason.TOO_YOUNG)
        if age >= policy.age_max_exclusive:
            reasons.append(Reason.TOO_OLD)
    if wage_earner:
        reasons.append(Reason.WAGE_EARNER)
    if reasons:
        return Verdict(status=Status.REJECTED, reasons=tuple(reasons), score=found)
    if finding.score is not None and finding.score < policy.name_pass_from:
        return Verdict(status=Status.HELD, reasons=(Reason.NAME_MISMATCH,), score=found)
    return Verdict(status=Status.VERIFIED, reasons=(), score=found)


def compare(person: Person, asked: IdentityCheckRequested) -> Finding:
    """What a register's own row says about the person asked for."""
    return Finding(
        status=person.status,
        score=score(person.name, asked.name),
        birth_date_matches=person.birth_date == asked.birth_date,
        sex_matches=person.sex == asked.sex,
        born=person.birth_date,
        evidence=f"snapshot:{person.version}",
    )


def yields_to_wage_job(reasons: tuple[str, ...]) -> bool:
    """Whether a held case would have been rejected, had the wage job been known (contracts.md 3: the order)."""
    return reasons == (Reason.NAME_MISMATCH,)


def valid_until(checked_on: date, policy: Policy) -> date:
    """The day before which the identity must be verified anew."""
    try:
        return checked_on.replace(year=checked_on.year + policy.valid_years)
    except ValueError:
        # 29 February has no next year's day.
        return date(checked_on.year + policy.valid_years, 3, 1)
