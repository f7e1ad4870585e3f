"""The policy by which identities are judged: data with a legal basis, by regency and date. Pure.

Owns the policy's schema, its version names, and the choice of the policy for an instant. Knows no store and no file.

Invariants
* A loaded policy judges only requests stamped after its load, so a replay decides as the first run did.
* The shipped policy is the fallback below all loaded ones, so there is always one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field, replace
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from shared.contracts.base import SECTORS
from shared.contracts.reasons import Reason
from shared.kernel.calendar import WITA, business_day
from shared.kernel.values import value
from shared.reference import policies as reference

EVERYWHERE = "*"
EVERY_CASE = "*"
RegisterName = Literal["snapshot", "dukcapil"]
Requirement = Literal["attestation", "dinsos"]
Excluded = Literal["wage-earner", "state-employee"]
_Percent = Annotated[int, Field(ge=0, le=100)]
_HELD_FOR = (
    Reason.NAME_MISMATCH,
    Reason.DUPLICATE_IDENTITY,
    Reason.INACTIVE_IDENTITY,
    Reason.ATTESTATION_MISSING,
    Reason.POVERTY_DATA_MISSING,
    Reason.SOURCE_UNAVAILABLE,
)


class PolicyError(ValueError):
    """An unreadable policy; the message says where and why, for the person who wrote it."""


@value(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of the rules; shared/reference/policy.toml explains each field."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=False)

    regency: Annotated[str, Field(pattern=r"^(\*|\d{2}\.\d{2})$")]
    valid_from: date
    legal_basis: Annotated[str, Field(min_length=5, max_length=1_000)]
    sources: Annotated[tuple[RegisterName, ...], Field(min_length=1, max_length=2)]
    required: tuple[Requirement, ...]
    attesting: Mapping[str, tuple[str, ...]] = field(hash=False)
    decile_max: Annotated[int, Field(ge=0, le=10)]
    excluded: tuple[Excluded, ...]
    residence_required: bool
    name_hold_from: _Percent
    name_pass_from: _Percent
    age_min: Annotated[int, Field(ge=0, le=64)]
    age_max_exclusive: Annotated[int, Field(ge=18, le=120)]
    valid_months: Annotated[int, Field(ge=1, le=60)]
    deciders: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...]
    four_eyes: tuple[str, ...]
    give_back: bool
    version: str = ""

    def needs_two(self, reasons: Sequence[str]) -> bool:
        """Whether a case that is held for these reasons needs two officers."""
        return any(one in (EVERY_CASE, *reasons) for one in self.four_eyes)

    def may_decide(self, officer: str) -> bool:
        """Whether this officer may settle held cases."""
        return not self.deciders or officer in self.deciders


_ADAPTER: TypeAdapter[Policy] = TypeAdapter(Policy)


def read(given: Mapping[str, Any], *, base: Mapping[str, Any] | None = None) -> Policy:
    """A policy from plain data; a missing field is taken from the shipped policy. Raises PolicyError that says
    what is wrong.
    """
    own = {"regency", "valid_from", "legal_basis"}
    missing = sorted(own - set(given))
    if missing:
        raise PolicyError(f"{missing[0]}: is needed")
    if "version" in given:
        raise PolicyError("version: is made from the content, it cannot be set")
    shipped = reference.shipped() if base is None else base
    try:
        policy = _ADAPTER.validate_python({**shipped, **given})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise PolicyError(f"{where}: {first['msg']}") from error
    for fault in _faults(policy):
        raise PolicyError(fault)
    return replace(policy, version=_version(policy))


def _faults(policy: Policy) -> list[str]:
    """The faults that involve more than one field."""
    faults = []
    if policy.name_hold_from > policy.name_pass_from:
        faults.append("name_hold_from: is above name_pass_from")
    if policy.age_min >= policy.age_max_exclusive:
        faults.append("age_min: is not below age_max_exclusive")
    for name in ("sources", "required", "excluded", "deciders", "four_eyes"):
        values = getattr(policy, name)
        if len(set(values)) != len(values):
            faults.append(f"{name}: something stands twice")
    faults.extend(f"attesting.{one}: is no sector" for one in policy.attesting if one not in SECTORS)
    faults.extend(
        f"four_eyes: no case is held for {one}" for one in policy.four_eyes if one not in (EVERY_CASE, *_HELD_FOR)
    )
    if policy.four_eyes and len(policy.deciders) == 1:
        faults.append("deciders: two are needed where four eyes decide")
    return faults


def plain(policy: Policy) -> dict[str, Any]:
    """The policy as plain JSON-like data, without its version; `read` accepts it again."""
    fields = asdict(policy)
    del fields["version"]
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return {name: list(one) for name, one in value.items()} if isinstance(value, Mapping) else value


def _version(policy: Policy) -> str:
    """A name made from the content: the same rules have the same name on every machine."""
    content = json.dumps(plain(policy), sort_keys=True, ensure_ascii=False).encode()
    where = "default" if policy.regency == EVERYWHERE else policy.regency
    return f"{where}@{policy.valid_from.isoformat()}#{hashlib.sha256(content).hexdigest()[:8]}"


@value(frozen=True, slots=True)
class Policies:
    """The loaded policies with the instants of their loads; the shipped one applies when none of them does."""

    loaded: tuple[tuple[datetime, Policy], ...] = ()

    def at(self, regency: str, now: datetime) -> Policy:
        """The policy that judges a request of this regency stamped `now`.

        The regency's own policy comes before one for every regency, then the latest start, then the latest load.
        """
        today = business_day(now)
        best, highest = shipped(), (False, date.min, datetime.min.replace(tzinfo=UTC))
        for loaded_at, one in self.loaded:
            if loaded_at > now or one.valid_from > today or one.regency not in (regency, EVERYWHERE):
                continue
            rank = (one.regency == regency, one.valid_from, loaded_at)
            if rank >= highest:
                best, highest = one, rank
        return best

    def named(self, version: str) -> Policy | None:
        """The policy of this version, if it was loaded or shipped."""
        if shipped().version == version:
            return shipped()
        return next((one for _, one in self.loaded if one.version == version), None)


def end_of(day: date) -> datetime:
    """The last instant of a business day."""
    return datetime.combine(day, time.max, WITA)


@cache
def shipped() -> Policy:
    return read(reference.shipped())
