"""A form is read once: its fields in order, then its value from typed values; every reason and warning is collected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import readers
from shared.contracts.forms import INVALID, MISSING, Field, Form, Noted, Rule, Values, Wrong, is_blank, never, wrong
from shared.kernel.event import Intake


class Once(dict[str, Any]):
    """Fields that count how often each of them is looked at."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.looks: list[str] = []

    def get(self, name: str, default: Any = None) -> Any:
        self.looks.append(name)
        return super().get(name, default)


def _end(raw: Any, values: Values[date]) -> date | Noted[date]:
    day = readers.day(raw, values)
    if isinstance(day, date) and day > values.given:
        return Noted(day, INVALID.reasons, ("far-away",))
    return day


def _in_order(values: Values[date]) -> Wrong | None:
    starts, ends = values.get(STARTS), values.get(ENDS)
    return wrong("in-disorder") if starts is not None and ends is not None and ends < starts else None


def _kind(raw: Any, _: object) -> str | Wrong | None:
    return MISSING if raw is None else None if raw == "none" else str(raw)


NAME = Field("name", readers.text, absent="name-missing")
STARTS = Field("starts", readers.day)
ENDS = Field("ends", _end, called="term.ends")
COUNT = Field("count", readers.whole(1, 9), optional=True)
KIND = Field("kind", _kind, empty=never)
NUMBER = Field("number", readers.text, empty=is_blank, optional=True)
TERM: Form[tuple[str, date, date, int | None], date] = Form(
    lambda values: (values[NAME], values[STARTS], values[ENDS], values.get(COUNT)),
    NAME,
    STARTS,
    ENDS,
    Rule("in_order", _in_order),
    COUNT,
    KIND,
    NUMBER,
)
TODAY = date(2026, 2, 1)
GOOD = {"name": " A ", "starts": "2026-01-01", "ends": "2026-01-31T20:00:00Z", "kind": "x"}


def reasons(**changes: Any) -> tuple[str, ...]:
    return TERM.read({**GOOD, **changes}, TODAY).reasons


def test_a_form_gives_its_typed_value() -> None:
    read = TERM.read({**GOOD, "count": 3}, TODAY)
    assert read.value == ("A", date(2026, 1, 1), date(2026, 2, 1), 3)
    assert (read.reasons, read.warnings) == ((), ())


def test_the_reasons_come_in_the_order_of_the_table() -> None:
    assert reasons(name=None, starts=5, ends="-", count=0, kind=None) == (
        "name-missing",
        "field-invalid:starts",
        "field-missing:term.ends",
        "field-invalid:count",
        "field-missing:kind",
    )


def test_a_rule_sees_a_value_that_is_understood_and_refused() -> None:
    read = TERM.read({**GOOD, "starts": "2026-03-02", "ends": "2026-03-01"}, TODAY)
    assert read.value is None
    assert read.reasons == ("field-invalid:term.ends", "in-disorder")
    assert read.warnings == ("far-away",)
    assert read.values.get(ENDS) == date(2026, 3, 1)
    assert read.values.get(COUNT) is None


def test_a_reason_is_given_once() -> None:
    twice: Form[None, None] = Form(lambda _: None, NAME, Rule("again", lambda _: wrong("name-missing")))
    assert twice.read({}, None).reasons == ("name-missing",)


@pytest.mark.parametrize("raw", [None, "", " ", "-", " - ", "  -  ", "\u2013", "n/a", "."])
def test_an_empty_value_is_none(raw: Any) -> None:
    assert reasons(count=raw) == ()
    assert reasons(starts=raw) == ("field-missing:starts",)
    assert STARTS.if_named().called == "starts"
    assert Form(lambda _: 1, STARTS.if_named()).read({"starts": raw}, None).value == 1


def test_a_field_may_take_a_dash_for_a_value() -> None:
    assert TERM.read({**GOOD, "number": "-"}, TODAY).values.get(NUMBER) == "-"
    assert TERM.read({**GOOD, "number": " "}, TODAY).values.get(NUMBER) is None


def test_data_that_are_no_object_have_one_reason() -> None:
    assert TERM.of(Intake({}, "data is no object"), TODAY).reasons == ("field-invalid:data",)
    assert TERM.of(Intake(GOOD), TODAY).reasons == ()


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda one: st.lists(one, max_size=3)
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("name", "starts", "ends", "count", "kind", "number"), JUNK)))
def test_any_values_give_a_value_or_reasons_and_each_is_looked_at_once(fields: dict[str, Any]) -> None:
    once = Once(fields)
    read = TERM.read(once, TODAY)
    assert (read.value is None) == bool(read.reasons)
    assert once.looks == ["name", "starts", "ends", "count", "kind", "number"]
