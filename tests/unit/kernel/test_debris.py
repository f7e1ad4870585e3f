"""Which marks are dropped from a text, and which are reported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.yes_no import parse
from shared.kernel.debris import clean, cleaned, error_value, fault, says_nothing, stray_mark

ANY = st.text(st.characters(), max_size=60)
MARKS = "\u200b\u200c\u200e\u202a\u202c\u2060\ufeff\u00ad\u061c\ufe0f"


@given(ANY)
def test_no_text_breaks_the_cleaning_and_its_result_can_be_written(text: str) -> None:
    assert clean(text).encode("utf-8") is not None
    assert clean(clean(text)) == clean(text) or "_x" in text.lower()
    fault(clean(text))


@given(st.text("ABCDE 0123-./", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.sampled_from(MARKS))))
def test_marks_without_width_mean_nothing(text: str, marks: list[tuple[int, str]]) -> None:
    marked = text
    for place, mark in marks:
        marked = marked[:place] + mark + marked[place:]
    assert clean(marked) == text
    assert cleaned({"a": [{"b": marked}], "c": 1}) == {"a": [{"b": text}], "c": 1}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab", max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("k", max_size=3), inner),
    max_leaves=8,
)


@given(PLAIN)
def test_a_plain_value_is_given_back_itself(value: object) -> None:
    assert cleaned(value) is value


def test_a_text_cell_of_a_spreadsheet_keeps_its_text() -> None:
    told = {"nik": '="6408044107850002"', "name": '"SITI"', "address": ' ="Gang ""B""" '}
    assert cleaned(told) == {"nik": "6408044107850002", "name": '"SITI"', "address": 'Gang "B"'}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("SITI\u00a0AMINAH", "SITI AMINAH"),
        ("RT 003_x000D_\nRW 01", "RT 003\nRW 01"),
        ("A_x000D_", "A\n"),
        ("_x005F_x000D_", "_x000D_"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\ud800", "\ufffd"),
        ("file_x1234_y", "file_x1234_y"),
    ],
)
def test_examples(text: str, plain: str) -> None:
    assert clean(text) == plain


@pytest.mark.parametrize(
    "text",
    ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", " #n/a ", "#########", "Err:502"],
)
def test_a_spreadsheet_error_is_never_a_value(text: str) -> None:
    assert error_value(text) == text.strip().upper()


@pytest.mark.parametrize("text", ["#12", "ERNA", "# RT 3", "", "#N/A RT 3", "ERR", "#"])
def test_texts_without_debris_are_values(text: str) -> None:
    assert error_value(text) is None


def test_marks_are_named() -> None:
    assert stray_mark("A\x00B") == "U+0000"
    assert stray_mark("A\ufffdB") == "U+FFFD"
    assert stray_mark("A\x92B") == "U+0092"
    assert stray_mark("A\tB\nC\u00c9") is None


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("-", True),
        (" \u2013 ", True),
        (".", True),
        ("n/a", True),
        ("--", True),
        ("A", False),
        ("NA", False),
        ("-2", False),
    ],
)
def test_dashes_count_as_empty(text: str, nothing: bool) -> None:
    assert says_nothing(text) is nothing


YES = ("ya", "Ya.", "YES", "setuju", "Sudah setuju", "true", True, 1, "1")
NO = ("tidak", "Tidak setuju", "belum", "BELUM setuju", "menolak", "0", "false", False, 0)
NOBODY_KNOWS: tuple[object, ...] = (
    "tidak keberatan",
    "mungkin",
    "",
    "04/01/2026",
    "No. 12/2026",
    None,
    [],
    {},
    2,
    "ada",
)


@pytest.mark.parametrize(
    ("word", "meant"),
    [*((word, True) for word in YES), *((word, False) for word in NO), *((word, None) for word in NOBODY_KNOWS)],
)
def test_only_a_known_yes_is_a_yes(word: object, meant: bool | None) -> None:
    assert parse(word) is meant
