"""An instant becomes the day in WITA on which it falls, the same way everywhere."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.calendar import business_day, day_of
from shared.lists.dates import Order, day

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1900, 1, 2), datetime(2190, 12, 30), timezones=OFFSETS)  # noqa: DTZ001


@given(INSTANTS, st.sampled_from(["T", " "]), st.sampled_from(["auto", "minutes", "milliseconds"]))
def test_an_instant_is_its_day_in_wita(at: datetime, mark: str, spec: str) -> None:
    text = at.isoformat(mark, spec)
    assert day_of(text) == business_day(at if spec == "auto" else datetime.fromisoformat(text))
    assert day(text) == business_day(datetime.fromisoformat(text)).isoformat(), "a cell means what an event means"


@given(st.datetimes(datetime(1900, 1, 1), datetime(2190, 1, 1)))  # noqa: DTZ001
def test_a_local_time_is_its_own_day(at: datetime) -> None:
    assert day_of(at.isoformat()) == at.date()
    assert day_of(at.date().isoformat()) == at.date()
    assert day(f"{at:%d/%m/%Y %H:%M:%S}") == at.date().isoformat()


@given(st.one_of(st.text(max_size=40), st.none(), st.integers(), st.lists(st.text())))
def test_any_value_is_a_day_or_none_without_an_error(said: object) -> None:
    assert day_of(said) is None or isinstance(day_of(said), date)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("1985-06-30T16:00:00Z", date(1985, 7, 1)),
        ("1985-06-30T15:59:59.999Z", date(1985, 6, 30)),
        ("1985-06-30T15:59:60Z", date(1985, 6, 30)),
        ("1985-07-01T00:00:00+0800", date(1985, 7, 1)),
        ("1985-07-01T00:00:00+08", date(1985, 7, 1)),
        ("1985-06-30 16:00 UTC", date(1985, 7, 1)),
        ("2024-02-28T23:00:00-02:00", date(2024, 2, 29)),
        ("9999-12-31T23:59:59Z", date(9999, 12, 31)),
        ("1985-06-31T16:00:00Z", None),
        ("1985-06-30T24:00:00Z", None),
        ("1985-06-30T16:00:00+99:00", None),
        ("30/06/1985 16:00:00Z", None),
        ("1985-W26-7", None),
    ],
)
def test_examples(said: str, meant: date | None) -> None:
    assert day_of(said) == meant


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from(["/", "-", ".", " / "]))
def test_every_spelling_of_a_day_first_date_is_read(when: date, mark: str) -> None:
    assert day(f"{when.day}{mark}{when.month}{mark}{when.year}") == when.isoformat()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("10 Nopember 1975", "1975-11-10"),
        ("17 Pebruari 1990", "1990-02-17"),
        ("5 Ags 1982", "1982-08-05"),
        ("3 Sept. 1991", "1991-09-03"),
        ("Senin, 12 Mei 1985", "1985-05-12"),
        ("Jum\u2019at 12 Mei 1985", "1985-05-12"),
        ("Monday, May 12, 1985", "1985-05-12"),
        ("Sun 12 May 1985", "1985-05-12"),
        ("12-05-1985 (Senin)", "1985-05-12"),
        ("Tgl. 12 Mei 1985", "1985-05-12"),
        ("Senin, tanggal 12 Mei 1985", "1985-05-12"),
        ("12 Mei '85", "12 Mei '85"),
        ("May 12, 1985", "1985-05-12"),
        ("12-Dec-1985", "1985-12-12"),
        ("31179.0", "1985-05-12"),
        ("12/05/85", "12/05/85"),
        ("19850512", "19850512"),
        ("Sangatta, 12 Mei 1985", "Sangatta, 12 Mei 1985"),
        ("31/06/1985", "31/06/1985"),
        ("12 Foo 1985", "12 Foo 1985"),
    ],
)
def test_cells_of_dates(said: str, meant: str) -> None:
    assert day(said) == meant


@given(st.lists(st.dates(date(1950, 1, 1), date(2005, 1, 1)), min_size=1, max_size=40))
def test_only_a_column_that_proves_it_has_its_month_first(days: list[date]) -> None:
    ours, theirs = Order(), Order()
    for one in days:
        ours.see(f"{one.day}/{one.month}/{one.year}")
        theirs.see(f"{one.month}/{one.day}/{one.year}")
    assert not ours.is_month_first
    assert theirs.is_month_first == any(one.day > 12 for one in days)
