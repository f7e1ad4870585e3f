"""Readers of single fields that forms of several services share: raw value -> typed value, or what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeGuard

from typing_extensions import TypeVar

from shared.contracts import officers
from shared.contracts.forms import INVALID, Form, Noted, Values, Wrong, is_empty
from shared.contracts.reasons import Reason
from shared.kernel import calendar
from shared.kernel.debris import fault, without_text_mark
from shared.kernel.identity import is_nik, nik_birth_date

T = TypeVar("T")
V = TypeVar("V")
G = TypeVar("G", default=Any)

# Other years are typing errors or a program's "never" (9999-12-31). Date arithmetic from such days would overflow.
YEARS = range(1900, 2200)
TEXT_MAX = 200


def text(raw: Any, _: object) -> str | Wrong:
    """A text without outer blanks. A spreadsheet error (#N/A), a control character or a lost letter is invalid."""
    return raw.strip() if isinstance(raw, str) and fault(raw) is None else INVALID


def short_text(most: int = TEXT_MAX) -> Callable[[Any, object], str | Wrong]:
    """A text as above, of at most so many characters."""

    def read(raw: Any, _: object) -> str | Wrong:
        found = text(raw, _)
        return INVALID if isinstance(found, str) and len(found) > most else found

    return read


def number_text(raw: Any, _: object) -> str | Wrong:
    """A number that is a name (an account, a family card), as a short text without a spreadsheet's apostrophe."""
    found = short_text()(raw, _)
    return without_text_mark(found) if isinstance(found, str) else found


def has_no_number(raw: object) -> bool:
    """Whether nothing is left of such a field but an apostrophe."""
    return is_empty(raw) or (isinstance(raw, str) and is_empty(without_text_mark(raw)))


def word(known: Mapping[str, V]) -> Callable[[Any, object], V | Wrong]:
    """What one of these words means, in any capitalisation."""

    def read(raw: Any, _: object) -> V | Wrong:
        return known.get(raw.strip().lower(), INVALID) if isinstance(raw, str) else INVALID

    return read


def day(raw: Any, _: object) -> date | Wrong:
    """A day of the calendar; for an instant, its day in WITA."""
    return calendar.day_of(raw) or INVALID


def day_in_years(raw: Any, _: object) -> date | Noted[date]:
    """A day within YEARS."""
    found = calendar.day_of(raw)
    if found is None or found.year in YEARS:
        return found or INVALID
    return Noted(found, INVALID.reasons)


def nik(raw: Any, today: date) -> str | Noted[str]:
    """A NIK: its form first, then the date in it (docs/rules.md#nik-and-civil-register)."""
    number = raw.strip() if isinstance(raw, str) else ""
    if not is_nik(number):
        return Noted(reasons=(Reason.NIK_MALFORMED,))
    if nik_birth_date(number, today) is None:
        return Noted(number, (Reason.NIK_DATE_IMPOSSIBLE,))
    return number


def officer(raw: Any, source: str) -> str | Wrong:
    """The officer who signed the event; a field that repeats the name (`raw`) must name the same person."""
    signed_by = officers.name_of(source)
    return INVALID if signed_by is None or officers.is_signed_by_another(raw, source) else signed_by


def is_whole(raw: Any, least: int, most: int) -> TypeGuard[int]:
    """Whether this is a whole number within these bounds."""
    return isinstance(raw, int) and not isinstance(raw, bool) and least <= raw <= most


def whole(least: int, most: int) -> Callable[[Any, object], int | Wrong]:
    """A whole number within these bounds."""
    return lambda raw, _: raw if is_whole(raw, least, most) else INVALID


def inside(form: Form[V, G]) -> Callable[[Any, Values[G]], V | Noted[V]]:
    """An object with a form of its own, whose fields are `called` by their whole path (`claimant.name`)."""

    def read(raw: Any, values: Values[G]) -> V | Noted[V]:
        if not isinstance(raw, Mapping):
            return INVALID
        found = form.read(raw, values.given)
        return Noted(reasons=found.reasons) if found.value is None else found.value

    return read
