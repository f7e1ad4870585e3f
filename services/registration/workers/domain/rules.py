"""The checks of a form (docs/contracts.md#workers-and-their-forms): returns every reason that holds, in the order of
the fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from services.registration.intake.domain.rules import (
    day_of,
    day_problems,
    invalid,
    is_absent,
    is_text,
    missing,
    nik_problems,
    submission_problems,
    village_problems,
)
from services.registration.workers.domain.state import WorkerForm
from shared.contracts.base import SECTORS
from shared.contracts.reasons import Reason
from shared.contracts.yes_no import parse
from shared.kernel.calendar import parse_date
from shared.reference.areas import Areas

# The income assumed when the form states none; also the base of the lowest bracket (docs/rules.md#income-brackets).
DEFAULT_INCOME = 1_000_000
# A monthly income above this is a typing error, not a vulnerable worker.
INCOME_MAX = 1_000_000_000
# Older people do not exist; registers hold ages up to 105.
EARLIEST_BIRTH_YEARS = 110
# In a NIK a woman's day of birth is written with 40 added (docs/rules.md#nik-and-civil-register).
WOMEN_DAY_OFFSET = 40
WITHDRAWAL_REASONS = ("moved", "deceased", "employed", "request", "other")
_SECTORS = frozenset(SECTORS)
_OPTIONAL_TEXTS = ("birth_place", "mother_name", "phone", "address", "family_card")
_HEIR_TEXTS = ("name", "relation", "phone")
# The fields that worker.update.v1 may change. The NIK names the worker, so it cannot change.
UPDATABLE = (
    "name",
    "birth_place",
    "birth_date",
    "sex",
    "mother_name",
    "phone",
    "address",
    "family_card",
    "village",
    "sector",
    "occupation",
    "monthly_income",
    "heir",
)


def form_problems(fields: Mapping[str, Any], regency: str, areas: Areas, today: date) -> tuple[str, ...]:
    """Why a form of this regency cannot be accepted on this day; empty when it can. The offline check uses it too."""
    found = submission_problems(fields)
    found += nik_problems(fields.get("nik"), today)
    found += _name_problems(fields.get("name"))
    for field, check in _CHECKS.items():
        value = fields.get(field)
        found += [missing(field)] if is_absent(value) else check(value, regency, areas, today)
    found += _income_problems(fields.get("monthly_income"))
    found += _consent_problems(fields.get("consent"), fields.get("birth_date"), today)
    found += optional_problems(fields)
    return tuple(found)


def form_warnings(form: WorkerForm) -> tuple[str, ...]:
    """Where the digits of the NIK differ from the form: a warning, never a refusal
    (docs/rules.md#nik-and-civil-register).
    """
    nik, born = form.nik, form.birth_date
    day = int(nik[6:8])
    says_woman = day > WOMEN_DAY_OFFSET
    found = []
    # DDMMYY is compared with YYYY-MM-DD; a NIK does not contain the century.
    if (day - WOMEN_DAY_OFFSET if says_woman else day) != int(born[8:]) or nik[8:12] != born[5:7] + born[2:4]:
        found.append(str(Reason.BIRTH_DATE_MISMATCH))
    if says_woman != (form.sex == "F"):
        found.append(str(Reason.SEX_MISMATCH))
    return tuple(found)


def _name_problems(value: Any) -> list[str]:
    if is_absent(value):
        return [str(Reason.NAME_MISSING)]
    return [] if is_text(value) else [invalid("name")]


def _birth_date_problems(value: Any, _: str, __: Areas, today: date) -> list[str]:
    born = parse_date(value)
    good = born is not None and today.year - EARLIEST_BIRTH_YEARS <= born.year and born <= today
    return [] if good else [invalid("birth_date")]


def _sex_problems(value: Any, *_: Any) -> list[str]:
    return [] if value in ("F", "M") else [invalid("sex")]


def _village_problems(value: Any, regency: str, areas: Areas, _: date) -> list[str]:
    return village_problems(value, regency, areas)


def _sector_problems(value: Any, *_: Any) -> list[str]:
    if not isinstance(value, str):
        return [invalid("sector")]
    return [] if value in _SECTORS else [str(Reason.SECTOR_UNKNOWN)]


def _occupation_problems(value: Any, *_: Any) -> list[str]:
    return [] if is_text(value) else [invalid("occupation")]


# In the order in which the answer lists their reasons.
_CHECKS: Mapping[str, Callable[[Any, str, Areas, date], list[str]]] = {
    "birth_date": _birth_date_problems,
    "sex": _sex_problems,
    "village": _village_problems,
    "sector": _sector_problems,
    "occupation": _occupation_problems,
}


def _income_problems(value: Any) -> list[str]:
    if is_absent(value):
        return []
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INCOME_MAX
    return [] if good else [invalid("monthly_income")]


def _consent_problems(value: Any, birth_date: Any, today: date) -> list[str]:
    """The problems of a consent: nobody consents before their birth, or on a day that has not come."""
    if is_absent(value) or value == [] or (not isinstance(value, Mapping) and parse(value) is False):
        return [str(Reason.CONSENT_MISSING)]
    if not isinstance(value, Mapping):
        return [invalid("consent")]
    if refused := _refused_consent(value):
        return refused
    if is_absent(value.get("given_at")):
        return [str(Reason.CONSENT_MISSING)]
    given, born = parse_date(value["given_at"]), parse_date(birth_date)
    # A birth after today is the fault of another field.
    good = given is not None and given <= today and not (born is not None and given < born <= today)
    # An empty yes-or-no field is no Yes.
    return [] if good and ("given" not in value or parse(value["given"]) is True) else [invalid("consent")]


def _refused_consent(value: Any) -> list[str]:
    """The problems of consent that is refused or unclear: a No counts whatever the date field says, and an unclear word
    is no Yes.
    """
    if not isinstance(value, Mapping):
        return []
    given = value.get("given")
    if any(parse(word) is False for word in (given, value.get("given_at"), value.get("method"))):
        return [str(Reason.CONSENT_MISSING)]
    return [] if is_absent(given) or parse(given) is True else [invalid("consent")]


def optional_problems(fields: Mapping[str, Any]) -> list[str]:
    """The problems of optional fields: when present they must be texts, and the heir an object of texts with a name."""
    found = [
        invalid(field) for field in _OPTIONAL_TEXTS if fields.get(field) is not None and not is_text(fields[field])
    ]
    return found + _heir_problems(fields.get("heir"))


def _heir_problems(heir: Any) -> list[str]:
    if is_absent(heir):
        return []
    if not isinstance(heir, Mapping):
        return [invalid("heir")]
    told = [heir[name] for name in _HEIR_TEXTS if not is_absent(heir.get(name))]
    good = not told or (all(is_text(text) for text in told) and not is_absent(heir.get("name")))
    return [] if good else [invalid("heir")]


def update_problems(fields: Mapping[str, Any], regency: str, areas: Areas, today: date) -> tuple[str, ...]:
    """Why an update cannot be accepted. Only the fields that it names are judged."""
    found = submission_problems(fields) + nik_problems(fields.get("nik"), today)
    if not is_absent(fields.get("name")):
        found += _name_problems(fields["name"])
    for field, check in _CHECKS.items():
        if not is_absent(fields.get(field)):
            found += check(fields[field], regency, areas, today)
    # An update gives no consent, but a No in its consent field must not be ignored.
    found += _refused_consent(fields.get("consent"))
    found += _income_problems(fields.get("monthly_income"))
    found += optional_problems(fields)
    return tuple(found)


def withdrawal_problems(fields: Mapping[str, Any], today: date) -> tuple[str, ...]:
    """Why a withdrawal cannot be accepted. Its date may lie in the future, except the date of a death."""
    found = submission_problems(fields) + nik_problems(fields.get("nik"), today)
    reason = fields.get("reason")
    if is_absent(reason):
        found.append(missing("reason"))
    elif reason not in WITHDRAWAL_REASONS:
        found.append(invalid("reason"))
    return tuple(found + _leaving_problems(reason, fields.get("date"), today))


def _leaving_problems(reason: Any, value: Any, today: date) -> list[str]:
    day = day_of(value)
    if day is not None and reason == "deceased" and day > today:
        return [invalid("date")]
    return day_problems("date", value)


def attestation_problems(fields: Mapping[str, Any], today: date) -> tuple[str, ...]:
    """Why an attestation cannot be accepted."""
    found = submission_problems(fields) + nik_problems(fields.get("nik"), today)
    sector, occupation = fields.get("sector"), fields.get("occupation")
    found += [missing("sector")] if is_absent(sector) else _sector_problems(sector)
    found += [missing("occupation")] if is_absent(occupation) else _occupation_problems(occupation)
    found += _attested_problems(fields.get("attested_on"), today)
    return tuple(found)


def _attested_problems(value: Any, today: date) -> list[str]:
    """The problems of the day of an attestation, which cannot be in the future."""
    found = day_problems("attested_on", value)
    day = day_of(value)
    return found if day is None or day <= today else [invalid("attested_on")]


def needs_new_check(before: WorkerForm, after: WorkerForm) -> bool:
    """Whether a change touches what verification judged, or what its verdict carries to other services."""
    return (
        before.name != after.name
        or before.birth_date != after.birth_date
        or before.sex != after.sex
        or before.birth_place != after.birth_place
        or before.village != after.village
        or before.sector != after.sector
        or before.monthly_income != after.monthly_income
    )


def is_published_change(before: WorkerForm, after: WorkerForm) -> bool:
    """Whether a change touches what other services know of the worker (worker.registered.v1)."""
    return (
        before.village != after.village
        or before.sector != after.sector
        or before.occupation != after.occupation
        or before.sex != after.sex
        or before.birth_date[:7] != after.birth_date[:7]
        or before.monthly_income != after.monthly_income
    )


def same_but_consent(form: WorkerForm, other: WorkerForm) -> bool:
    """Whether two forms say the same. Renewed consent is no change."""
    return replace(form, consent_on=other.consent_on) == other
