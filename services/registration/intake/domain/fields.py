"""The fields that several intake forms share: the agency's own number, the NIK, the village, and days."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.registration.intake.domain.state import Reference
from shared.contracts import readers
from shared.contracts.forms import INVALID, Field, Noted, Values, is_blank
from shared.contracts.reasons import Reason
from shared.kernel.debris import fault
from shared.kernel.values import value
from shared.reference.areas import Areas, Village

CANDIDATES_MAX = 5


@value(frozen=True, slots=True)
class Given:
    """What the readers know besides the form: its sender, the day of receipt, areas and the key."""

    regency: str
    agency: str
    today: date
    reference: Reference


def _submission_id(raw: Any, _: object) -> str | Noted[str]:
    # Exactly as written: the answer repeats it, even if it is refused.
    if not isinstance(raw, str):
        return INVALID
    return raw if fault(raw) is None else Noted(raw, INVALID.reasons)


def _nik(raw: Any, values: Values[Given]) -> str | Noted[str]:
    return readers.nik(raw, values.given.today)


def _district(raw: Any, _: object) -> str:
    return raw if isinstance(raw, str) else ""


def is_code(text: str, areas: Areas) -> bool:
    """Whether a text is the code of a village, current or old."""
    return areas.village(areas.resolve(text.strip())) is not None


def _village(raw: Any, values: Values[Given]) -> Village | Noted[Village]:
    """A village of the sender's regency, by its code; by its name when only one village can be meant."""
    if not isinstance(raw, str):
        return INVALID
    given = values.given
    areas = given.reference.areas
    district = values.get(DISTRICT) or ""
    found = areas.village(areas.resolve(raw.strip()))
    if found is None:
        return _village_by_name(raw, district, given)
    outside = () if found.regency == given.regency else (Reason.VILLAGE_OUTSIDE,)
    # A village that moved has an old code; its old district is no mistake.
    warnings = _differing(district, found, areas) if raw.strip() == found.code else ()
    return Noted(found, outside, warnings) if outside or warnings else found


def _differing(district: str, village: Village, areas: Areas) -> tuple[str, ...]:
    """A warning when a text names another district of the regency than that of the village."""
    named = areas.district_called(district, village.regency) if district else None
    return () if named is None or named == village.district else (f"{Reason.DISTRICT_DIFFERS}:{village.district}",)


def _village_by_name(text: str, district: str, given: Given) -> Noted[Village]:
    """The village that is meant, with the code that was taken; or the candidates when several have the name."""
    areas = given.reference.areas
    found = areas.called(text, district, given.regency)
    if len(found) == 1:
        village = found[0]
        taken = (f"{Reason.VILLAGE_TAKEN}:{village.code}",)
        # A code followed by its own name is not told.
        warned = _differing(district, village, areas) if text.strip().startswith(village.code) else taken
        outside = () if village.regency == given.regency else (Reason.VILLAGE_OUTSIDE,)
        return Noted(village, outside, warned)
    maybe = found or areas.called(text, "", given.regency)
    candidates = tuple(f"{Reason.VILLAGE_CANDIDATE}:{one.code}" for one in maybe[:CANDIDATES_MAX])
    return Noted(None, (Reason.VILLAGE_UNKNOWN,), candidates)


SUBMISSION = Field("submission_id", _submission_id, empty=is_blank)
NIK = Field("nik", _nik)
# It only helps to find the village, so it is never wrong. A form has it before its village.
DISTRICT = Field("district", _district, optional=True)
VILLAGE = Field("village", _village)
