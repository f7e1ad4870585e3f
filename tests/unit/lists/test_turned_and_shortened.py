"""Changes that a spreadsheet makes silently: dates turned, long numbers shortened, incomes in another unit."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from payung import checks
from shared.lists import open_list

HEADING = ["nik", "nama", "tanggal_lahir", "jenis_kelamin", "desa", "sektor", "pekerjaan", "persetujuan"]
Days = list[datetime.date | str]


def workers(days: Days) -> list[list[Any]]:
    tail = ["P", "64.08.04.2011", "perikanan", "nelayan", "2026-01-04"]
    return [[f"640804410785{n:04}", f"WARGA {n}", day, *tail] for n, day in enumerate(days, start=1)]


def refused(folder: Path, days: Days) -> list[tuple[int, str]]:
    path = folder / "daftar.xlsx"
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in [HEADING, *workers(days)]:
        book.active.append(row)
    book.save(path)
    return [(one.row, one.reason) for one in checks.check(path, "64.08", "workers").refused]


def a_day(month: int, day: int) -> datetime.date:
    return datetime.date(1985, month, day)


def test_dates_that_excel_took_beside_dates_that_it_left_are_refused(tmp_path: Path) -> None:
    days: Days = [a_day(1, 7), "15/03/1979", a_day(9, 2), "20/11/1990", a_day(5, 5), "31/12/1980"]
    # 5 May is the same day in both orders.
    assert refused(tmp_path, days) == [(2, "field-invalid:birth_date"), (4, "field-invalid:birth_date")]


def test_dates_beside_texts_with_the_month_first_are_refused(tmp_path: Path) -> None:
    days: Days = [a_day(1, 7), "03/15/1979", "11/20/1990"]
    assert [row for row, _ in refused(tmp_path, days)] == [2, 3, 4]


@pytest.mark.parametrize(
    "days",
    [
        [a_day(1, 7), "15/03/1979", a_day(9, 22), "20/11/1990", a_day(5, 4)],
        [a_day(1, 7), "15/03/1979", a_day(9, 2), "02/11/1990", a_day(5, 4)],
        [a_day(1, 7), a_day(2, 3), a_day(9, 2), a_day(5, 4), a_day(6, 4)],
        [a_day(1, 7), "15/03/1979"],
    ],
)
def test_dates_of_one_hand_are_taken(tmp_path: Path, days: Days) -> None:
    assert refused(tmp_path, days) == []


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("No HP", "8,12E+10", "field-invalid:phone"),
        ("No KK", "6.40804E+15", "field-invalid:family_card"),
        ("ahli_waris", "1,5E+09", "field-invalid:heir"),
        ("Penghasilan", "1.000", "field-invalid:monthly_income"),
        ("Penghasilan", "1,500", "field-invalid:monthly_income"),
        ("Penghasilan", "2", "field-invalid:monthly_income"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(tmp_path: Path, column: str, cell: str, reason: str) -> None:
    path = tmp_path / "daftar.csv"
    row = workers(["1985-07-01"])[0]
    path.write_text("\n".join(";".join(line) for line in ([*HEADING, column], [*row, cell])), encoding="utf-8")
    assert [one.reason for one in checks.check(path, "64.08", "workers").refused] == [reason]


@pytest.mark.parametrize("mark", ["'", "\u2019", "`"])
def test_the_mark_that_keeps_a_number_a_text_is_no_part_of_it(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "daftar.csv"
    row = workers(["1985-07-01"])[0]
    lines = ([*HEADING, "No KK"], [*row, f"{mark}6408040101010001"])
    path.write_text("\n".join(";".join(line) for line in lines), encoding="utf-8")
    [found] = open_list(path, "workers").rows()
    assert found.data["family_card"] == "6408040101010001"
