"""The checks of single fields that several forms share: each returns the reasons that hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.contracts.reasons import Reason
from shared.kernel.calendar import parse_date
from shared.kernel.debris import fault
from shared.kernel.identity import is_nik, nik_birth_date
from shared.reference.areas import Areas

# Other years are typing errors or a program's "never" (9999-12-31). Date arithmetic from such days would overflow.
YEARS = range(1900, 2200)


def missing(field: str) -> str:
    """The reason for an absent field."""
    return f"{Reason.FIELD_MISSING}:{field}"


def invalid(field: str) -> str:
    """The reason for a field with an invalid value."""
    return f"{Reason.FIELD_INVALID}:{field}"


def text_of(value: Any) -> str | None:
    """A text without outer blanks; None when the value is no text or is empty."""
    return (value.strip() or None) if isinstance(value, str) else None


def is_absent(value: Any) -> bool:
    """Whether a field carries no value: missing, null or blank."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_text(value: Any) -> bool:
    """Whether this is a text with meaning. A spreadsheet error (#N/A), a control character or a lost letter
    makes it False.
    """
    return isinstance(value, str) and fault(value) is None


def text_problems(field: str, value: Any) -> list[str]:
    """The problems of a required text."""
    if is_absent(value):
        return [missing(field)]
    return [] if is_text(value) else [invalid(field)]


def day_of(value: Any) -> date | None:
    """The day, or None when the value is no day or lies outside YEARS."""
    day = parse_date(value)
    return day if day is not None and day.year in YEARS else None


def day_problems(field: str, value: Any) -> list[str]:
    """The problems of a required day."""
    if is_absent(value):
        return [missing(field)]
    return [] if day_of(value) is not None else [invalid(field)]


def village_problems(value: Any, regency: str, areas: Areas) -> list[str]:
    """The problems of a required village, which must lie in the regency."""
    if is_absent(value):
        return [missing("village")]
    if not isinstance(value, str):
        return [invalid("village")]
    village = areas.village(areas.resolve(value.strip()))
    if village is None:
        return [str(Reason.VILLAGE_UNKNOWN)]
    return [] if village.regency == regency else [str(Reason.VILLAGE_OUTSIDE)]


def submission_problems(fields: Mapping[str, Any]) -> list[str]:
    """The problems of the agency's own number."""
    value = fields.get("submission_id")
    if is_absent(value):
        return [missing("submission_id")]
    return [] if is_text(value) else [invalid("submission_id")]


def nik_problems(value: Any, today: date) -> list[str]:
    """The problems of a NIK: its shape first, then the date in it (docs/rules.md#nik-and-civil-register)."""
    if is_absent(value):
        return [missing("nik")]
    nik = value.strip() if isinstance(value, str) else value
    if not is_nik(nik):
        return [str(Reason.NIK_MALFORMED)]
    return [] if nik_birth_date(nik, today) is not None else [str(Reason.NIK_DATE_IMPOSSIBLE)]
