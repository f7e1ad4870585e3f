"""Anniversaries and ages agree on every day, 29 February included."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.calendar import age_on, years_later

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))
AGES = st.integers(0, 120)


@pytest.mark.parametrize(
    ("day", "years", "anniversary"),
    [
        (date(1961, 11, 30), 65, date(2026, 11, 30)),
        (date(1964, 2, 29), 64, date(2028, 2, 29)),
        (date(1964, 2, 29), 65, date(2029, 3, 1)),
        (date(2028, 2, 29), -65, date(1963, 3, 1)),
    ],
)
def test_an_anniversary(day: date, years: int, anniversary: date) -> None:
    assert years_later(day, years) == anniversary


@given(DAYS, AGES)
def test_an_age_is_reached_on_the_anniversary_and_not_the_day_before(born: date, age: int) -> None:
    birthday = years_later(born, age)
    assert age_on(born, birthday) == age
    assert age_on(born, birthday - timedelta(days=1)) == age - 1


@given(DAYS, AGES)
def test_a_person_is_younger_than_an_age_until_its_anniversary(day: date, age: int) -> None:
    born = years_later(day, -age)
    assert age_on(born, day - timedelta(days=1)) == age - 1
    assert age_on(born, day + timedelta(days=1)) == age
