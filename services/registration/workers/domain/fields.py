"""The fields of forms about workers (docs/contracts.md#workers-and-their-forms): each gives a typed value, or the
reason why it cannot be used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from services.registration.intake.domain.fields import Given
from services.registration.workers.domain import rules
from services.registration.workers.domain.state import Heir
from shared.contracts import readers, yes_no
from shared.contracts.base import SECTORS, Sector, Sex
from shared.contracts.forms import INVALID, Field, Form, Noted, Rule, Values, Wrong, is_empty, never, wrong
from shared.contracts.reasons import Reason
from shared.kernel import contacts, names
from shared.kernel.calendar import day_of

_SECTORS: Mapping[str, Sector] = {sector: sector for sector in SECTORS}
_NO_CONSENT = wrong(Reason.CONSENT_MISSING)


def _name(raw: Any, values: object) -> str | Wrong:
    text = readers.text(raw, values)
    return INVALID if isinstance(text, str) and not names.is_name(text) else text


def _birth_date(raw: Any, values: Values[Given]) -> date | Noted[date]:
    born, today = day_of(raw), values.given.today
    if born is None or (today.year - rules.EARLIEST_BIRTH_YEARS <= born.year and born <= today):
        return born or INVALID
    return Noted(born, INVALID.reasons)


def _sex(raw: Any, _: object) -> Sex | Wrong:
    return "F" if raw == "F" else "M" if raw == "M" else INVALID


def _sector(raw: Any, _: object) -> Sector | Wrong:
    if not isinstance(raw, str):
        return INVALID
    return _SECTORS.get(raw) or wrong(Reason.SECTOR_UNKNOWN)


def _contact(plain: Callable[[str], str]) -> Callable[[Any, object], str | Wrong]:
    def read(raw: Any, _: object) -> str | Wrong:
        return readers.text(plain(raw.strip()), _) if isinstance(raw, str) else INVALID

    return read


def _consent(raw: Any, values: Values[Given]) -> date | Wrong:
    """The day of the consent, which has come already."""
    if not isinstance(raw, Mapping):
        return _NO_CONSENT if is_empty(raw) or raw == [] or yes_no.parse(raw) is False else INVALID
    on = day_of(raw.get("given_at"))
    if refusal := _refusal(raw, on):
        return refusal
    if is_empty(raw.get("given_at")):
        return _NO_CONSENT
    # A yes-or-no field that is present and empty does not count as a Yes.
    agreed = "given" not in raw or yes_no.parse(raw["given"]) is True
    return on if on is not None and on <= values.given.today and agreed else INVALID


def _refusal(consent: Mapping[str, Any], on: date | None) -> Wrong | None:
    """Consent that is refused or unclear: a No counts with any date beside it, and an unclear word is not a Yes."""
    agreed = yes_no.parse(consent.get("given"))
    if (
        agreed is False
        or yes_no.parse(consent.get("method")) is False
        or (on is None and yes_no.parse(consent.get("given_at")) is False)
    ):
        return _NO_CONSENT
    return None if agreed or is_empty(consent.get("given")) else INVALID


def _no_refusal(raw: Any, _: object) -> Wrong | None:
    return _refusal(raw, day_of(raw.get("given_at"))) if isinstance(raw, Mapping) else None


def _given_after_birth(values: Values[Given]) -> Wrong | None:
    given, born = values.get(CONSENT), values.get(BIRTH_DATE)
    # A birth after today is the fault of another field.
    early = given is not None and born is not None and given < born <= values.given.today
    return INVALID if early else None


def _heir(raw: Any, values: Values[Given]) -> Heir | Wrong | None:
    """An object of texts with a name; an object of empty fields names no heir."""
    if not isinstance(raw, Mapping):
        return INVALID
    read = _HEIR.read(raw, values.given)
    return INVALID if read.reasons else read.value


def _heir_of(values: Values[Given]) -> Heir | None:
    name = values.get(_HEIR_NAME)
    return Heir(name=name, relation=values.get(_RELATION), phone=values.get(PHONE)) if name is not None else None


def _heir_is_named(values: Values[Given]) -> Wrong | None:
    is_described = values.get(_RELATION) is not None or values.get(PHONE) is not None
    return INVALID if is_described and values.get(_HEIR_NAME) is None else None


NAME = Field("name", _name, absent=Reason.NAME_MISSING)
BIRTH_DATE = Field("birth_date", _birth_date)
SEX: Field[Sex] = Field("sex", _sex)
SECTOR: Field[Sector] = Field("sector", _sector)
OCCUPATION = Field("occupation", readers.text)
INCOME = Field("monthly_income", readers.whole(0, rules.INCOME_MAX), optional=True)
# The reader itself says that consent is missing: a No counts as none.
CONSENT = Field("consent", _consent, empty=never)
CONSENT_AFTER_BIRTH: Rule[None, Given] = Rule("consent_after_birth", _given_after_birth, called="consent")
# An update gives no consent, but a No in its consent field must not be ignored.
CONSENT_NOT_REFUSED: Field[None] = Field("consent", _no_refusal, optional=True)
BIRTH_PLACE = Field("birth_place", readers.text, optional=True)
MOTHER_NAME = Field("mother_name", _name, optional=True)
PHONE = Field("phone", _contact(contacts.phone), optional=True)
ADDRESS = Field("address", readers.text, optional=True)
FAMILY_CARD = Field("family_card", readers.number_text, optional=True, empty=readers.has_no_number)
HEIR = Field("heir", _heir, optional=True)
_HEIR_NAME = NAME.if_named()
_RELATION = Field("relation", _contact(contacts.relation), optional=True)
_HEIR = Form(_heir_of, _HEIR_NAME, _RELATION, PHONE, Rule("heir", _heir_is_named))
