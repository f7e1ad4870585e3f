"""Working days in Indonesia: Monday to Friday without the national public holidays (the `holidays` library)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays

_SATURDAY = 5


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("ID", years=year))


def is_working_day(day: date) -> bool:
    """Whether offices are open. Collective leave (cuti bersama) is announced year by year and not known here."""
    return day.weekday() < _SATURDAY and day not in _holidays(day.year)


def after_working_days(day: date, count: int) -> date:
    """The day on which `count` working days after `day` have passed; `day` itself is not counted."""
    left = count
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return day
