"""Builds what the core keeps from a form that has already passed the checks in `rules`. Judges nothing itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, cast

from services.registration.intake.domain.rules import is_absent, text_of
from services.registration.workers.domain.rules import DEFAULT_INCOME, UPDATABLE
from services.registration.workers.domain.state import Heir, WorkerForm
from shared.contracts.base import Sector, Sex
from shared.reference.areas import Areas, Village


def form_of(fields: Mapping[str, Any], areas: Areas) -> WorkerForm:
    """The kept form, from fields without problems. Raises ValueError when the village is unknown."""
    village = _village(fields["village"], areas)
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
        monthly_income=DEFAULT_INCOME if is_absent(income) else cast("int", income),
        consent_on=fields["consent"]["given_at"],
        birth_place=text_of(fields.get("birth_place")),
        mother_name=text_of(fields.get("mother_name")),
        phone=text_of(fields.get("phone")),
        address=text_of(fields.get("address")),
        family_card=text_of(fields.get("family_card")),
        heir=heir_of(fields.get("heir")),
    )


def changes_of(fields: Mapping[str, Any], areas: Areas) -> dict[str, Any]:
    """The named fields of a valid update, as fields of WorkerForm. A blank field is left out, so it keeps its
    old value.
    """
    changes: dict[str, Any] = {}
    for field in UPDATABLE:
        value = fields.get(field)
        if is_absent(value):
            continue
        if field == "heir":
            heir = heir_of(value)
            if heir is not None:
                changes["heir"] = heir
        elif field == "village":
            village = _village(value, areas)
            changes["village"], changes["district"] = village.code, village.district
        else:
            changes[field] = value.strip() if isinstance(value, str) else value
    return changes


def heir_of(value: Any) -> Heir | None:
    """The heir of a valid form; None when the form names no heir."""
    if not isinstance(value, Mapping):
        return None
    name = text_of(value.get("name"))
    if name is None:
        return None
    return Heir(name=name, relation=text_of(value.get("relation")), phone=text_of(value.get("phone")))


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


def _village(value: Any, areas: Areas) -> Village:
    village = areas.village(areas.resolve(value.strip()))
    if village is None:
        raise ValueError("a form with an unknown village has problems")
    return village
