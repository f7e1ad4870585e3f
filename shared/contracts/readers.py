"""Readers of single fields that forms of several services share: raw value -> typed value, or what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from typing_extensions import TypeVar

from shared.contracts.forms import INVALID, Noted, Wrong
from shared.contracts.reasons import Reason
from shared.kernel import calendar
from shared.kernel.debris import fault
from shared.kernel.identity import is_nik, nik_birth_date

T = TypeVar("T")
V = TypeVar("V")
G = TypeVar("G", default=Any)

# Other years are typing errors or a program's "never" (9999-12-31). Date arithmetic from such days would overflow.
YEARS = range(1900, 2200)


def text(raw: Any, _: object) -> str | Wrong:
    """A text without outer blanks. A spreadsheet error (#N/A), a control character or a lost letter is invalid."""
    return raw.strip() if isinstance(raw, str) and fault(raw) is None else INVALID


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


def whole(least: int, most: int) -> Callable[[Any, object], int | Wrong]:
    """A whole number within these bounds."""

    def read(raw: Any, _: object) -> int | Wrong:
        good = isinstance(raw, int) and not isinstance(raw, bool) and least <= raw <= most
        return raw if good else INVALID

    return read
