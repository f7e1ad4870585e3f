"""The verdict of a policy on what the sources say (docs/contracts.md#how-a-verdict-is-reached)."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from services.verification.domain.policy import Policy
from services.verification.domain.state import CheckStatus, Listed
from shared.contracts.reasons import Reason
from shared.contracts.registration import Attestation, IdentityCheckRequested
from shared.contracts.verification_work import RegisterStatus
from shared.kernel.calendar import age_on, parse_date
from shared.kernel.names import score
from shared.kernel.values import value

WAGE_EARNER = "wage-earner"
STATE_EMPLOYEE = "state-employee"
NOWHERE = Listed()


@value(frozen=True, slots=True, kw_only=True)
class SnapshotPerson:
    """One person of a loaded population snapshot, and the version of the load."""

    status: RegisterStatus
    name: str
    birth_date: str
    sex: str
    version: str
    village: str = ""


@value(frozen=True, slots=True, kw_only=True)
class Poverty:
    """A worker's row in Dinsos' poverty data: the data set (DTKS, DTSEN, P3KE, VERVAL_DAERAH), its version, and
    the decile.
    """

    source: str
    version: str
    decile: int | None = None


@value(frozen=True, slots=True, kw_only=True)
class SourceAnswer:
    """What one source says about the person asked for. `born` is the register's birth date if the source gives it."""

    status: RegisterStatus
    score: float | None
    birth_date_matches: bool | None
    sex_matches: bool | None
    born: str | None
    evidence: str
    resident: bool | None = None


@value(frozen=True, slots=True, kw_only=True)
class OtherSources:
    """What the further sources say: excluding jobs, the attested occupation, the poverty data."""

    wage_earner: bool = False
    state_employee: bool = False
    attested: bool = True
    poor: bool = True


@value(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The status with all its reasons."""

    status: CheckStatus
    reasons: tuple[str, ...]
    score: int


_SETTLED_BY_STATUS: dict[RegisterStatus, tuple[CheckStatus, Reason]] = {
    "malformed": (CheckStatus.REJECTED, Reason.NIK_MALFORMED),
    "not-found": (CheckStatus.REJECTED, Reason.NOT_FOUND),
    "deceased": (CheckStatus.REJECTED, Reason.DECEASED),
    "double": (CheckStatus.HELD, Reason.DUPLICATE_IDENTITY),
    "inactive": (CheckStatus.HELD, Reason.INACTIVE_IDENTITY),
}


def settled(register: RegisterStatus, evidence: str) -> SourceAnswer:
    """A finding for which the register's status alone decides."""
    return SourceAnswer(
        status=register, score=None, birth_date_matches=None, sex_matches=None, born=None, evidence=evidence
    )


# A death that became known through a claim.
DECEASED_BY_CLAIM = settled("deceased", "claims")


def verdict(finding: SourceAnswer, birth_date: str, checked_on: date, beside: OtherSources, policy: Policy) -> Verdict:
    """The first step that applies decides (docs/contracts.md#how-a-verdict-is-reached): the register's status, then
    everything that excludes, then the doubts for an officer.
    """
    found = int(finding.score or 0)
    by_status = _SETTLED_BY_STATUS.get(finding.status)
    if by_status is not None:
        status, reason = by_status
        return Verdict(status=status, reasons=(reason,), score=found)
    reasons = _excluding(finding, birth_date, checked_on, beside, policy)
    if reasons:
        return Verdict(status=CheckStatus.REJECTED, reasons=tuple(reasons), score=found)
    doubts = _doubtful(finding, beside, policy)
    if doubts:
        return Verdict(status=CheckStatus.HELD, reasons=tuple(doubts), score=found)
    return Verdict(status=CheckStatus.VERIFIED, reasons=(), score=found)


def _excluding(
    finding: SourceAnswer, birth_date: str, checked_on: date, beside: OtherSources, policy: Policy
) -> list[Reason]:
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
    if beside.wage_earner and WAGE_EARNER in policy.excluded:
        reasons.append(Reason.WAGE_EARNER)
    if beside.state_employee and STATE_EMPLOYEE in policy.excluded:
        reasons.append(Reason.STATE_EMPLOYEE)
    if finding.resident is False and policy.residence_required:
        reasons.append(Reason.VILLAGE_OUTSIDE)
    return reasons


def _doubtful(finding: SourceAnswer, beside: OtherSources, policy: Policy) -> list[Reason]:
    reasons = []
    if finding.score is not None and finding.score < policy.name_pass_from:
        reasons.append(Reason.NAME_MISMATCH)
    if "attestation" in policy.required and not beside.attested:
        reasons.append(Reason.ATTESTATION_MISSING)
    if "dinsos" in policy.required and not beside.poor:
        reasons.append(Reason.POVERTY_DATA_MISSING)
    return reasons


def compare(person: SnapshotPerson, asked: IdentityCheckRequested) -> SourceAnswer:
    """What a register's own row says about the person asked for."""
    return SourceAnswer(
        status=person.status,
        score=score(person.name, asked.name),
        birth_date_matches=person.birth_date == asked.birth_date,
        sex_matches=person.sex == asked.sex,
        born=person.birth_date,
        evidence=f"snapshot:{person.version}",
        resident=lives_in(person.village, asked.regency),
    )


def lives_in(village: str, regency: str) -> bool | None:
    """Whether a village of the register lies in the regency; None when the register gives no village."""
    return village.startswith(f"{regency}.") if village else None


def attesting(words: Sequence[Attestation], sector: str, policy: Policy) -> list[str]:
    """The agencies whose attestation of the occupation counts under this policy."""
    named = policy.attesting.get(sector)
    return [one.agency for one in words if named is None or one.agency in named]


def listed(rosters: tuple[str, ...], poverty: Poverty | None, policy: Policy) -> Listed:
    """What the loaded lists mean under this policy."""
    if poverty is None:
        return Listed(rosters=rosters) if rosters else NOWHERE
    within = not policy.decile_max or (poverty.decile is not None and poverty.decile <= policy.decile_max)
    return Listed(rosters=rosters, poverty=f"{poverty.source}:{poverty.version}", poor=within)


def waits_for_register(status: CheckStatus, reasons: Sequence[str], evidence: Sequence[str]) -> bool:
    """Whether a case is held because of a loaded register's content, or because no register was loaded."""
    by_register = Reason.SOURCE_UNAVAILABLE in reasons or any(one.startswith("snapshot:") for one in evidence)
    return status is CheckStatus.HELD and by_register


def yields_to_job(reasons: Sequence[str]) -> bool:
    """Whether the known job would have rejected this held case: a double or inactive record comes before a job
    (docs/contracts.md#how-a-verdict-is-reached).
    """
    return not {Reason.DUPLICATE_IDENTITY, Reason.INACTIVE_IDENTITY} & set(reasons)


def identity_valid_until(since: str, birth_date: str, policy: Policy) -> str:
    """The day by which the identity must be verified again: the end of its validity, or the birthday on which the
    policy's age limit is reached, whichever comes first.
    """
    until = valid_until(since, policy.valid_months)
    birthday = f"{int(birth_date[:4]) + policy.age_max_exclusive:04d}{birth_date[4:]}"
    if not since < birthday < until:
        return until
    # A person born on 29 February reaches an age on 1 March in a year without that day.
    return birthday if parse_date(birthday) else f"{birthday[:4]}-03-01"


@lru_cache(maxsize=1_000)
def valid_until(since: str, months: int) -> str:
    """The end of a validity of so many months. Cached, because a batch has only one or two such days."""
    day = date.fromisoformat(since)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    if day.day <= calendar.monthrange(year, month)[1]:
        return date(year, month, day.day).isoformat()
    # The day does not exist in that month (29 February): take the day after the month's last.
    return date(year + month // 12, month % 12 + 1, 1).isoformat()
