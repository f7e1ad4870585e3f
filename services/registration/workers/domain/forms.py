"""The forms about workers as tables of their fields, and what the core keeps of a readable one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from services.registration.intake.domain.fields import DISTRICT, NIK, SUBMISSION, VILLAGE, Given
from services.registration.workers.domain.fields import (
    ADDRESS,
    BIRTH_DATE,
    BIRTH_PLACE,
    CONSENT,
    CONSENT_AFTER_BIRTH,
    CONSENT_NOT_REFUSED,
    FAMILY_CARD,
    HEIR,
    INCOME,
    MOTHER_NAME,
    NAME,
    OCCUPATION,
    PHONE,
    SECTOR,
    SEX,
)
from services.registration.workers.domain.rules import DEFAULT_INCOME, WITHDRAWAL_REASONS
from services.registration.workers.domain.state import WorkerForm
from shared.contracts import readers
from shared.contracts.base import Sector
from shared.contracts.forms import INVALID, Field, Form, Rule, Values, Wrong
from shared.kernel.values import value


@value(frozen=True, slots=True)
class Leave:
    """The content of a withdrawal."""

    reason: str
    on: str


@value(frozen=True, slots=True)
class Work:
    """The content of an attestation."""

    sector: Sector
    occupation: str
    on: str


def _form(values: Values[Given]) -> WorkerForm:
    village, income = values[VILLAGE], values.get(INCOME)
    return WorkerForm(
        nik=values[NIK],
        name=values[NAME],
        birth_date=values[BIRTH_DATE].isoformat(),
        sex=values[SEX],
        village=village.code,
        district=village.district,
        sector=values[SECTOR],
        occupation=values[OCCUPATION],
        monthly_income=DEFAULT_INCOME if income is None else income,
        consent_on=values[CONSENT].isoformat(),
        birth_place=values.get(BIRTH_PLACE),
        mother_name=values.get(MOTHER_NAME),
        phone=values.get(PHONE),
        address=values.get(ADDRESS),
        family_card=values.get(FAMILY_CARD),
        heir=values.get(HEIR),
    )


def _changes(values: Values[Given]) -> Mapping[str, Any]:
    """The named fields, as fields of WorkerForm. A blank field is left out, so it keeps its old value.

    The order is that of the warnings about fields on which another agency outranks the sender.
    """
    born, village = values.get(BIRTH_DATE), values.get(VILLAGE)
    named = {
        "name": values.get(NAME),
        "birth_place": values.get(BIRTH_PLACE),
        "birth_date": born and born.isoformat(),
        "sex": values.get(SEX),
        "mother_name": values.get(MOTHER_NAME),
        "phone": values.get(PHONE),
        "address": values.get(ADDRESS),
        "family_card": values.get(FAMILY_CARD),
        "village": village and village.code,
        "district": village and village.district,
        "sector": values.get(SECTOR),
        "occupation": values.get(OCCUPATION),
        "monthly_income": values.get(INCOME),
        "heir": values.get(HEIR),
    }
    return {name: one for name, one in named.items() if one is not None}


def _why_left(raw: Any, _: object) -> str | Wrong:
    return next((one for one in WITHDRAWAL_REASONS if one == raw), INVALID)


def _not_in_future(day: date | None, values: Values[Given]) -> Wrong | None:
    return INVALID if day is not None and day > values.given.today else None


def _death_has_come(values: Values[Given]) -> Wrong | None:
    """Only the day of a death cannot be in the future."""
    return _not_in_future(values.get(LEFT_ON), values) if values.get(WHY_LEFT) == "deceased" else None


def _attested_day_has_come(values: Values[Given]) -> Wrong | None:
    return _not_in_future(values.get(ATTESTED_ON), values)


WHY_LEFT = Field("reason", _why_left)
LEFT_ON = Field("date", readers.day_in_years)
ATTESTED_ON = Field("attested_on", readers.day_in_years)

_OPTIONAL = (BIRTH_PLACE, MOTHER_NAME, PHONE, ADDRESS, FAMILY_CARD, HEIR)
REGISTRATION = Form(
    _form,
    SUBMISSION,
    NIK,
    NAME,
    BIRTH_DATE,
    SEX,
    DISTRICT,
    VILLAGE,
    SECTOR,
    OCCUPATION,
    INCOME,
    CONSENT,
    CONSENT_AFTER_BIRTH,
    *_OPTIONAL,
)
# The NIK names the worker, so it cannot change. Everything else is read only when the update names it.
UPDATE = Form(
    _changes,
    SUBMISSION,
    NIK,
    NAME.if_named(),
    BIRTH_DATE.if_named(),
    SEX.if_named(),
    DISTRICT,
    VILLAGE.if_named(),
    SECTOR.if_named(),
    OCCUPATION.if_named(),
    CONSENT_NOT_REFUSED,
    INCOME,
    *_OPTIONAL,
)
WITHDRAWAL = Form(
    lambda values: Leave(values[WHY_LEFT], values[LEFT_ON].isoformat()),
    SUBMISSION,
    NIK,
    WHY_LEFT,
    LEFT_ON,
    Rule("death_has_come", _death_has_come, called="date"),
)
ATTESTATION = Form(
    lambda values: Work(values[SECTOR], values[OCCUPATION], values[ATTESTED_ON].isoformat()),
    SUBMISSION,
    NIK,
    SECTOR,
    OCCUPATION,
    ATTESTED_ON,
    Rule("attested_day_has_come", _attested_day_has_come, called="attested_on"),
)


def fingerprint(form: WorkerForm, key: bytes) -> str:
    """A keyed hash of the form, to see whether an agency repeats itself without keeping its whole form.

    Consent is left out: renewed consent is no change. The hash is keyed because it is stored in the clear: without the
    key, a reader of the store cannot test guessed names and birth dates against it.
    """
    heir = form.heir
    said = (
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
        form.family_card,
        *((heir.name, heir.relation, heir.phone) if heir else ()),
    )
    text = "\x1f".join(part or "" for part in said)
    return hashlib.blake2b(text.encode(), digest_size=16, key=key).hexdigest()
