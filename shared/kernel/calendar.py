"""Business days and periods, in Asia/Makassar (WITA, UTC+8). Pure: every instant is an argument."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone

# Kalimantan Timur has no daylight saving time, so a fixed offset is enough and no tz database is needed.
WITA = timezone(timedelta(hours=8), "WITA")
MONTHS_ID = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)

_PERIOD = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})(?:[Tt]| +)(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)"
    r"(?::(?P<second>[0-5]\d|60)(?:[.,]\d{1,9})?)?"
    r"(?: ?(?:(?P<utc>[Zz]|UTC|GMT)|(?P<sign>[+-])(?P<hours>[01]\d|2[0-3])(?::?(?P<minutes>[0-5]\d))?))?",
    re.ASCII,
)


def business_day(at: datetime) -> date:
    """The day in WITA on which an instant falls."""
    return at.astimezone(WITA).date()


def parse_date(text: object) -> date | None:
    """An ISO date (YYYY-MM-DD) that exists, else None."""
    # fromisoformat alone would also accept a week date (2026-W01-1) and 20260101 with blanks behind it.
    if not isinstance(text, str) or len(text) != 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def day_of(text: object) -> date | None:
    """The day that a date from outside means, whichever way it came: an ISO date is taken as it is, an instant with an
    offset as its day in WITA, a date-time without an offset as its own day; None for anything else."""
    if not isinstance(text, str):
        return None
    bare = text.strip()
    if len(bare) == 10:
        return parse_date(bare)
    found = _MOMENT.fullmatch(bare)
    day = parse_date(found["date"]) if found else None
    if found is None or day is None:
        return None
    offset = _offset(found)
    if offset is None:
        return day
    clock = time(int(found["hour"]), int(found["minute"]))
    try:
        return business_day(datetime.combine(day, clock, timezone(offset)))
    except OverflowError:
        # Programs use the last day of the calendar for "never".
        return day


def _offset(found: re.Match[str]) -> timedelta | None:
    if found["utc"]:
        return timedelta(0)
    if found["sign"] is None:
        return None
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    return -offset if found["sign"] == "-" else offset


def is_period(text: object) -> bool:
    """Whether this is a month, YYYY-MM."""
    return isinstance(text, str) and _PERIOD.fullmatch(text) is not None


def period_of(day: date) -> str:
    """The month of a day, YYYY-MM."""
    return f"{day.year:04d}-{day.month:02d}"


def months_between(first: str, last: str) -> int:
    """Whole months from one period to another; negative when `last` is earlier."""
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:])


def shift_period(period: str, months: int) -> str:
    """The period `months` later (earlier when negative)."""
    index = int(period[:4]) * 12 + int(period[5:]) - 1 + months
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def months_later(day: date, months: int) -> date:
    """The same day `months` later, or the last day of that month if it has no such day."""
    period = shift_period(period_of(day), months)
    last = first_day(shift_period(period, 1)) - timedelta(days=1)
    return min(last, first_day(period) + timedelta(days=day.day - 1))


def first_day(period: str) -> date:
    """The first day of a period."""
    return date(int(period[:4]), int(period[5:]), 1)


def day_after(day: str) -> datetime:
    """The instant at which a business day (YYYY-MM-DD) has ended."""
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), WITA)


def age_on(birth: date, day: date) -> int:
    """Completed years of life on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def years_later(day: date, years: int) -> date:
    """The anniversary of a day, `years` later (earlier when negative); 1 March for 29 February in a year without
    one."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def long_date(day: date) -> str:
    """A day as people here write it: 31 Desember 2026."""
    return f"{day.day} {MONTHS_ID[day.month - 1]} {day.year}"
