"""The meaning of a date cell, and whether a column of dates has the month first. Pure.

An ambiguous cell (two-digit year, no separators, a place before the date) is returned unchanged, so that the service
refuses it.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

from shared.kernel.calendar import day_of

_DAY_FIRST = re.compile(r"(\d{1,2}) ?[/.\-] ?(\d{1,2}) ?[/.\-] ?(\d{4})", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4}) ?[/.\-] ?(\d{1,2}) ?[/.\-] ?(\d{1,2})", re.ASCII)
_IN_WORDS = re.compile(r"(\d{1,2})[ \-/.]*([A-Za-z]{3,9})[ .,\-/]+(\d{4})", re.ASCII)
_ENGLISH = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})", re.ASCII)
_WEEKDAYS = (
    "senin|selasa|rabu|kamis|jum['\u2019]?at|sabtu|minggu|ahad"
    "|mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
)
# What people write around a date: the weekday before it or in brackets behind it, and `tgl.`.
_AROUND = re.compile(
    rf"^(?:(?:{_WEEKDAYS})\b[ ,.]+)?(?:(?:tgl|tanggal)\b[ .:]+)?|[ ,]*\((?:{_WEEKDAYS})\)$", re.IGNORECASE
)
# A local time after a date changes nothing; `day_of` handles a time with an offset.
_TIME_BEHIND = re.compile(
    r"(?<=\d)(?: +|T)\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d{1,9})?)?(?: ?[AaPp]\.?[Mm]\.?)?$", re.ASCII
)
_SERIAL = re.compile(r"(\d{5})(?:[.,]\d+)?", re.ASCII)
# Excel's day 1 is 1 January 1900, and Excel counts a 29 February 1900 that never existed. So day 0 is this date for all
# days from 1 March 1900 on.
_EXCEL_ZERO = date(1899, 12, 30)
_MONTHS_OF_YEAR = 12
# In a column with the day first some dates are mistyped: up to two of a short column, up to one in a hundred of a long
# one. With more, two people or programs wrote the column.
_ERRORS_FEW = 2
_ERRORS_FEW_ONE_IN = 10
_ERRORS_ONE_IN = 100
# Programs that write the time of day with AM and PM nearly always write the month first.
_AM_OR_PM = re.compile(r"[AaPp]\.?[Mm]\.?$", re.ASCII)
_ISO_DASH = 4
_ISO = re.compile(r"\d{4}-(\d\d)-(\d\d)", re.ASCII)
# This many dates of a kind, and of both kinds, cannot be chance.
_TURNED_LEAST = 2
_TURNED_TOGETHER = 5

_MONTHS: tuple[tuple[str, ...], ...] = (
    ("januari", "january", "jan"),
    ("februari", "february", "pebruari", "feb", "peb"),
    ("maret", "march", "mar", "mrt"),
    ("april", "apr"),
    ("mei", "may"),
    ("juni", "june", "jun"),
    ("juli", "july", "jul"),
    ("agustus", "august", "agu", "ags", "agt", "agst", "aug"),
    ("september", "sep", "sept"),
    ("oktober", "october", "okt", "oct"),
    ("november", "nopember", "nov", "nop"),
    ("desember", "december", "des", "dec"),
)
_MONTH_NUMBERS = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}


@lru_cache(maxsize=65_536)
def day(cell: str) -> str:
    """A date as YYYY-MM-DD, from ISO, an instant, DD/MM/YYYY, 1 Juli 1985 or an Excel day number, with or without a
    time after it."""
    known = day_of(cell)
    if known is not None:
        return known.isoformat()
    bare = _AROUND.sub("", _TIME_BEHIND.sub("", " ".join(cell.split())))
    if found := _DAY_FIRST.fullmatch(bare):
        return _iso(found[3], found[2], found[1]) or cell
    if found := _YEAR_FIRST.fullmatch(bare):
        return _iso(found[1], found[2], found[3]) or cell
    if found := _IN_WORDS.fullmatch(bare):
        return _iso(found[3], str(_month(found[2])), found[1]) or cell
    if found := _ENGLISH.fullmatch(bare):
        return _iso(found[3], str(_month(found[1])), found[2]) or cell
    if found := _SERIAL.fullmatch(cell):
        return (_EXCEL_ZERO + timedelta(days=int(found[1]))).isoformat()
    return cell


class Order:
    """What the cells of one date column have shown: how many can only have the day first, how many only the month, how
    many can have both (`both`), and how many of these end with AM or PM. Of the ISO dates: how many have a day up to 12
    (`iso_low`), and how many a later one (`iso_high`)."""

    __slots__ = ("both", "days", "iso_high", "iso_low", "marked", "months")

    def __init__(self) -> None:
        self.days = self.months = self.marked = self.both = self.iso_low = self.iso_high = 0

    def see(self, cell: str) -> None:
        """Examines one cell."""
        parts = parts_of(cell)
        if parts is None:
            self._see_iso(cell)
            return
        first, second = parts
        if first > _MONTHS_OF_YEAR:
            self.days += 1
        elif second > _MONTHS_OF_YEAR:
            self.months += 1
        elif first != second:
            self.both += 1
            self.marked += has_am_or_pm(cell)

    def _see_iso(self, cell: str) -> None:
        found = _ISO.fullmatch(cell)
        if found and int(found[2]) > _MONTHS_OF_YEAR:
            self.iso_high += 1
        elif found:
            self.iso_low += 1

    @property
    def is_turned(self) -> bool:
        """Whether a spreadsheet of another country read this column of a workbook: it took every date whose day can be
        a month as a date, with day and month turned, and left the others as texts."""
        if self.is_month_first:
            return self.iso_low > 0
        is_apart = self.both == self.iso_high == 0 and min(self.days, self.iso_low) >= _TURNED_LEAST
        return is_apart and self.days + self.iso_low >= _TURNED_TOGETHER

    @property
    def is_month_first(self) -> bool:
        """Some cells have the month first, and more than a few: in a column with the day first, a typing error or two
        prove nothing."""
        most = self.months * (_ERRORS_FEW_ONE_IN if self.months <= _ERRORS_FEW else _ERRORS_ONE_IN)
        return self.months > 0 and most >= self.days

    @property
    def is_day_first(self) -> bool:
        """Some cells have the day first, and at most a few typing errors speak against it."""
        return self.days > 0 and not self.is_month_first

    @property
    def is_unsure(self) -> bool:
        """Whether a date that can be read in two ways may have the month first: cells prove it, or they end with AM or
        PM and no cell proves the contrary."""
        return self.is_month_first or (self.marked > 0 and self.days == 0)


def has_am_or_pm(cell: str) -> bool:
    """Whether a cell ends with a time of day in the American way."""
    return _AM_OR_PM.search(cell.rstrip()) is not None


def is_day_first(cell: str) -> bool:
    """Whether a date has a first part that no month can be."""
    parts = parts_of(cell)
    return parts is not None and parts[0] > _MONTHS_OF_YEAR


def is_month_first(cell: str) -> bool:
    """Whether a date has a second part that no month can be, and a first part that one can be."""
    parts = parts_of(cell)
    return parts is not None and parts[0] <= _MONTHS_OF_YEAR < parts[1]


def can_be_turned(iso: str) -> bool:
    """Whether an ISO date is another date when day and month are turned."""
    found = _ISO.fullmatch(iso)
    return found is not None and int(found[2]) <= _MONTHS_OF_YEAR and found[1] != found[2]


@lru_cache(maxsize=65_536)
def parts_of(cell: str) -> tuple[int, int] | None:
    """The first two parts of a date that ends with its year; None for any other format."""
    if len(cell) > _ISO_DASH and cell[_ISO_DASH] == "-":
        return None
    found = _DAY_FIRST.match(_AROUND.sub("", " ".join(cell.split())))
    return (int(found[1]), int(found[2])) if found else None


def _iso(year: str, month: str, of_month: str) -> str | None:
    try:
        return date(int(year), int(month), int(of_month)).isoformat()
    except ValueError:
        return None


def _month(name: str) -> int:
    lower = name.lower()
    return _MONTH_NUMBERS.get(lower) or _MONTH_NUMBERS.get(lower[:3], 0)
