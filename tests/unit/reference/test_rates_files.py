"""Tables of rates as files: what is read, and what is refused with a word on why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from payung import rates as files
from payung.place import CommandError
from shared.reference import rates
from shared.reference.rates import Editions
from shared.runtime import editions

RATES, BRACKETS = rates.texts()


def written(folder: Path, text: str) -> Path:
    path = folder / "tabel.csv"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("text", [RATES, BRACKETS, "\ufeff" + RATES])
def test_what_is_shown_can_be_loaded_and_is_nothing_new(tmp_path: Path, text: str) -> None:
    assert files.read(written(tmp_path, text), (RATES, BRACKETS)) == (RATES, BRACKETS)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b\n1,2\n", "columns"),
        ("", "columns"),
        (RATES.replace(",6800,", ",enam ribu,"), "enam ribu"),
        (RATES.replace("2019-12-02", "2019-11-02"), "two rates of"),
        ("\n".join(line for line in RATES.splitlines() if not line.startswith("jkm.lump")), "no row of jkm.lump"),
        (BRACKETS.replace(",10000,", ",10001,", 1), "is not the ratio of the base"),
        (RATES.replace("2015-07-01", "kemarin", 1), "kemarin"),
    ],
)
def test_what_cannot_be_a_table_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        files.read(written(tmp_path, text), (RATES, BRACKETS))


def test_an_edition_judges_from_its_own_moment_on() -> None:
    first, second = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    changed = rates.parse(RATES.replace(",6800,", ",7000,"), BRACKETS)
    known = Editions(((first, changed), (second, rates.load())))
    assert known.at(first - timedelta(seconds=1)) is rates.load()
    assert known.at(first) is changed
    assert known.at(second - timedelta(seconds=1)) is changed
    assert known.at(second) is rates.load()
    assert editions.version_of((RATES, BRACKETS)) != editions.version_of((RATES + " ", BRACKETS))
