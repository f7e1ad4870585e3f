"""The checks of a form (contracts.md 3, rules.md 2 and 6): every reason that holds, in the order of the fields."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from services.registration.domain.state import Heir, WorkerForm
from shared.contracts.base import SECTORS, Sector, Sex
from shared.contracts.reasons import Reason
from shared.kernel.calendar import parse_date
from shared.kernel.identity import is_nik, nik_birth_date
from shared.reference.areas import Areas

# contracts.md 3: the income a worker is taken to have when none is stated; also the lowest base (rules.md 1a).
DEFAULT_INCOME = 1_000_000
# A monthly income above this is a typing error, not a vulnerable worker.
INCOME_MAX = 1_000_000_000
# Nobody alive is older (rules.md 6a takes ages of 0 to 105).
EARLIEST_BIRTH_YEARS = 110
WITHDRAWAL_REASONS = ("moved", "deceased", "employed", "request", "other")
_SECTORS = frozenset(SECTORS)
_OPTIONAL_TEXTS = ("birth_place", "mother_name", "phone", "address")
_UPDATABLE = (
    "name",
    "birth_place",
    "birth_date",
    "sex",
    "mother_name",
    "phone",
    "address",
    "village",
    "sector",
    "occupation",
    "monthly_income",
    "heir",
)


def missing(field: str) -> str:
    """The reason for a field that is not there."""
    return f"{Reason.FIELD_MISSING}:{field}"


def invalid(field: str) -> str:
    """The reason for a field that is not what it should be."""
    return f"{Reason.FIELD_INVALID}:{field}"


def text_of(value: Any) -> str | None:
    """A text with its outer blanks dropped; None when it is no text or empty."""
    return (value.strip() or None) if isinstance(value, str) else None


def is_absent(value: Any) -> bool:
    """Whether a field says nothing: missing, null or blank."""
    return value is None or (isinstance(value, str) and not value.strip())


def form_problems(fields: Mapping[str, Any], regency: str, areas: Areas, today: date) -> tuple[str, ...]:
    """Why a form of this regency cannot be taken on this day; empty when it can. Used by the offline check too."""
    found = submission_problems(fields)
    found += nik_problems(fields.get("nik"), today)
    found += _name_problems(fields.get("name"))
    for field in ("birth_date", "sex", "village", "sector", "occupation"):
        value = fields.get(field)
        if is_absent(value):
            found.append(missing(field))
        else:
            found += _CHECKS[field](value, regency, areas, today)
    found += _income_problems(fields.get("monthly_income"))
    found += _consent_problems(fields.get("consent"), today)
    found += optional_problems(fields)
    return tuple(found)


def form_warnings(form: WorkerForm, today: date) -> tuple[str, ...]:
    """Where the digits of the NIK say otherwise than the form: told, never refused (contracts.md 3, rules.md T6)."""
    found = []
    stated = nik_birth_date(form.nik, today)
    if stated is not None and stated.isoformat()[2:] != form.birth_date[2:]:
        found.append(str(Reason.BIRTH_DATE_MISMATCH))
    if (int(form.nik[6:8]) > 40) != (form.sex == "F"):
        found.append(str(Reason.SEX_MISMATCH))
    return tuple(found)


def submission_problems(fields: Mapping[str, Any]) -> list[str]:
    """What is wrong with the agency's own number."""
    value = fields.get("submission_id")
    if is_absent(value):
        return [missing("submission_id")]
    return [] if isinstance(value, str) else [invalid("submission_id")]


def nik_problems(value: Any, today: date) -> list[str]:
    """What is wrong with a NIK: its shape first, then the date in it (rules.md 6b)."""
    if is_absent(value):
        return [missing("nik")]
    nik = value.strip() if isinstance(value, str) else value
    if not is_nik(nik):
        return [str(Reason.NIK_MALFORMED)]
    return [] if nik_birth_date(nik, today) is not None else [str(Reason.NIK_DATE_IMPOSSIBLE)]


def _name_problems(value: Any) -> list[str]:
    if is_absent(value):
        return [str(Reason.NAME_MISSING)]
    return [] if isinstance(value, str) else [invalid("name")]


def _birth_date_problems(value: Any, _: str, __: Areas, today: date) -> list[str]:
    born = parse_date(value)
    good = born is not None and today.year - EARLIEST_BIRTH_YEARS <= born.year and born <= today
    return [] if good else [invalid("birth_date")]


def _sex_problems(value: Any, _: str, __: Areas, ___: date) -> list[str]:
    return [] if value in ("F", "M") else [invalid("sex")]


def _village_problems(value: Any, regency: str, areas: Areas, _: date) -> list[str]:
    if not isinstance(value, str):
        return [invalid("village")]
    village = areas.village(areas.resolve(value.strip()))
    if village is None:
        return [str(Reason.VILLAGE_UNKNOWN)]
    return [] if village.regency == regency else [str(Reason.VILLAGE_OUTSIDE)]


def _sector_problems(value: Any, _: str, __: Areas, ___: date) -> list[str]:
    if not isinstance(value, str):
        return [invalid("sector")]
    return [] if value in _SECTORS else [str(Reason.SECTOR_UNKNOWN)]


def _occupation_problems(value: Any, _: str, __: Areas, ___: date) -> list[str]:
    return [] if isinstance(value, str) else [invalid("occupation")]


_CHECKS = {
    "birth_date": _birth_date_problems,
    "sex": _sex_problems,
    "village": _village_problems,
    "sector": _sector_problems,
    "occupation": _occupation_problems,
}


def _income_problems(value: Any) -> list[str]:
    if value is None:
        return []
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INCOME_MAX
    return [] if good else [invalid("monthly_income")]


def _consent_problems(value: Any, today: date) -> list[str]:
    if is_absent(value):
        return [str(Reason.CONSENT_MISSING)]
    if not isinstance(value, Mapping):
        return [invalid("consent")]
    if is_absent(value.get("given_at")):
        return [str(Reason.CONSENT_MISSING)]
    given = parse_date(value["given_at"])
    return [] if given is not None and given <= today else [invalid("consent")]


def optional_problems(fields: Mapping[str, Any]) -> list[str]:
    """Fields that may be absent but, when there, must be texts; the heir an object with a name."""
    found = [
        invalid(field)
        for field in _OPTIONAL_TEXTS
        if fields.get(field) is not None and not isinstance(fields[field], str)
    ]
    heir = fields.get("heir")
    if heir is not None and heir_of(heir) is None:
        found.append(invalid("heir"))
    return found


def heir_of(value: Any) -> Heir | None:
    """The heir of a form; None when it is no object with a name and texts."""
    if not isinstance(value, Mapping):
        return None
    if any(value.get(name) is not None and not isinstance(value[name], str) for name in ("name", "relation", "phone")):
        return None
    name = text_of(value.get("name"))
    if name is None:
        return None
    return Heir(name=name, relation=text_of(value.get("relation")), phone=text_of(value.get("phone")))


def form_of(fields: Mapping[str, Any], areas: Areas) -> WorkerForm:
    """A form that has no problems, as the core keeps it."""
    village = areas.village(areas.resolve(fields["village"].strip()))
    assert village is not None
    income = fields.get("monthly_income")
    return WorkerForm(
        nik=fields["nik"].strip(),
        name=fields["name"].strip(),
        birth_date=fields["birth_date"],
        sex=cast("Sex", fields["sex"]),
        village=village.code,
        district=village.district,
        sector=cast("Sector", fields["sector"]),
        occupation=fields["occupation"].strip(),
        monthly_income=DEFAULT_INCOME if income is None else income,
        consent_on=fields["consent"]["given_at"],
        birth_place=text_of(fields.get("birth_place")),
        mother_name=text_of(fields.get("mother_name")),
        phone=text_of(fields.get("phone")),
        address=text_of(fields.get("address")),
        heir=heir_of(fields["heir"]) if fields.get("heir") is not None else None,
    )


def update_problems(fields: Mapping[str, Any], regency: str, areas: Areas, today: date) -> tuple[str, ...]:
    """Why an update cannot be taken: only the fields that it names are judged, and it must name one."""
    found = submission_problems(fields) + nik_problems(fields.get("nik"), today)
    named = [field for field in _UPDATABLE if not is_absent(fields.get(field))]
    for field in named:
        if field in _CHECKS:
            found += _CHECKS[field](fields[field], regency, areas, today)
    if "name" in named:
        found += _name_problems(fields["name"])
    found += _income_problems(fields.get("monthly_income"))
    found += optional_problems(fields)
    if not named:
        found.append(missing("changes"))
    return tuple(found)


def changes_of(fields: Mapping[str, Any], areas: Areas) -> dict[str, Any]:
    """The named fields of a good update, as fields of WorkerForm."""
    changes: dict[str, Any] = {}
    for field in _UPDATABLE:
        value = fields.get(field)
        if is_absent(value):
            continue
        if field == "heir":
            changes["heir"] = heir_of(value)
        elif field == "village":
            village = areas.village(areas.resolve(str(value).strip()))
            assert village is not None
            changes["village"], changes["district"] = village.code, village.district
        else:
            changes[field] = value.strip() if isinstance(value, str) else value
    return changes


def withdrawal_problems(fields: Mapping[str, Any], today: date) -> tuple[str, ...]:
    """Why a withdrawal cannot be taken."""
    found = submission_problems(fields) + nik_problems(fields.get("nik"), today)
    reason = fields.get("reason")
    if is_absent(reason):
        found.append(missing("reason"))
    elif reason not in WITHDRAWAL_REASONS:
        found.append(invalid("reason"))
    if is_absent(fields.get("date")):
        found.append(missing("date"))
    elif parse_date(fields["date"]) is None:
        found.append(invalid("date"))
    return tuple(found)


def attestation_problems(fields: Mapping[str, Any], today: date) -> tuple[str, ...]:
    """Why an attestation cannot be taken."""
    found = submission_problems(fields) + nik_problems(fields.get("nik"), today)
    sector = fields.get("sector")
    if is_absent(sector):
        found.append(missing("sector"))
    elif sector not in _SECTORS:
        found.append(str(Reason.SECTOR_UNKNOWN))
    if is_absent(fields.get("occupation")):
        found.append(missing("occupation"))
    elif not isinstance(fields["occupation"], str):
        found.append(invalid("occupation"))
    if is_absent(fields.get("attested_on")):
        found.append(missing("attested_on"))
    else:
        day = parse_date(fields["attested_on"])
        if day is None or day > today:
            found.append(invalid("attested_on"))
    return tuple(found)


def fingerprint(form: WorkerForm) -> str:
    """Tells whether an agency says the same again, without keeping its whole form; consent renewed is no change."""
    heir = form.heir
    parts = (
        form.name,
        form.birth_date,
        form.sex,
        form.village,
        form.sector,
        form.occupation,
        str(form.monthly_income),
        form.birth_place,
        form.mother_name,
        form.phone,
        form.address,
        *((heir.name, heir.relation, heir.phone) if heir else ()),
    )
    return hashlib.blake2b("\x1f".join(part or "" for part in parts).encode(), digest_size=16).hexdigest()


def needs_new_check(before: WorkerForm, after: WorkerForm) -> bool:
    """Whether a change touches what verification judged or what its verdict carries to the others."""
    return (
        before.name != after.name
        or before.birth_date != after.birth_date
        or before.sex != after.sex
        or before.birth_place != after.birth_place
        or before.village != after.village
        or before.sector != after.sector
        or before.monthly_income != after.monthly_income
    )
