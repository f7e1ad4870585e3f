"""Tables of rates as files: which are accepted, and which are refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from payung import rates as files
from payung.installations import CommandError
from shared.reference import rates
from shared.reference.rates import Editions
from shared.runtime.store import editions

RATES, BRACKETS = rates.texts()


def written(folder: Path, text: str) -> Path:
    path = folder / "tabel.csv"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("text", [RATES, BRACKETS, "\ufeff" + RATES])
def test_the_shown_table_can_be_loaded_and_changes_nothing(tmp_path: Path, text: str) -> None:
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
        # These tables would bill nothing from 2027 on, a negative amount, or fractions of a rupiah.
        (
            RATES.replace("6800,IDR/month,2015-07-01,,", "6800,IDR/month,2015-07-01,2026-12-31,"),
            "no premium of 2027-01",
        ),
        (RATES.replace(",6800,", ",-6800,"), "bpu.jkm.flat is -6800"),
        (RATES.replace(",6800,", ",6800.5,"), "is a ratio, not an amount"),
        (RATES.replace(",0.50,multiplier", ",0.3333,multiplier", 1), "is no whole rupiah"),
        (BRACKETS + BRACKETS.splitlines()[-1] + "\n", "one a row"),
    ],
)
def test_a_file_that_cannot_be_a_table_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        files.read(written(tmp_path, text), (RATES, BRACKETS))


def test_new_dated_rows_follow_the_old_ones(tmp_path: Path) -> None:
    ended = [line.replace("2015-07-01,,", "2015-07-01,2026-12-31,") for line in BRACKETS.splitlines()]
    later = [line.replace("2015-07-01,,", "2027-01-01,,") for line in BRACKETS.splitlines()[1:]]
    found = files.read(written(tmp_path, "\n".join((*ended, *later)) + "\n"), (RATES, BRACKETS))
    assert rates.parse(*found).premium("csr", 25_000_000, "trade", "2027-05")[0].amount == 207_000


def test_the_newest_edition_judges_and_an_older_one_is_found_by_its_name() -> None:
    changed = rates.parse(RATES.replace(",6800,", ",7000,"), BRACKETS)
    known = Editions((("first", changed), ("second", rates.load())))
    assert (Editions().newest, known.newest) == (rates.SHIPPED, "second")
    assert Editions().named(rates.SHIPPED) is rates.load()
    assert known.named("first") is changed
    assert known.named(rates.SHIPPED) is rates.load()
    assert editions.version_of((RATES, BRACKETS)) != editions.version_of((RATES + " ", BRACKETS))
