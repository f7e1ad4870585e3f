"""A list with the month first is never accepted with half of its dates swapped, whatever its other cells contain."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from shared.lists import ListFile, open_list

HEADER = ("nik", "nama", "tanggal_lahir", "jenis_kelamin", "desa", "sektor", "pekerjaan", "persetujuan")


def row(number: int, born: str) -> tuple[str, ...]:
    return (f"640804010785{number:04}", "WARGA", born, "L", "64.08.04.2012", "perikanan", "nelayan", "2026-01-04")


def lines(folder: Path, days: Sequence[str]) -> ListFile:
    rows = [HEADER, *(row(number, day) for number, day in enumerate(days, start=1))]
    path = folder / "daftar.csv"
    path.write_text("\n".join(";".join(cells) for cells in rows), encoding="utf-8")
    return open_list(path, "workers")


def born(found: ListFile) -> list[tuple[str, bool]]:
    """For each row the birth date that is sent; and whether a notice says that the month comes first."""
    return [
        (one.data["birth_date"], any("bulan dahulu" in remark.message_id for remark in one.remarks))
        for one in found.rows()
    ]


@pytest.mark.parametrize(
    "dress", ["{}", '="{}"', "\u200e{}\u202c", "Senin, {}", '\'="{}"', "{} 12:00:00 AM", "\u00a0{}", "{}\u200b"]
)
def test_text_around_a_date_does_not_hide_the_order(tmp_path: Path, dress: str) -> None:
    found = lines(tmp_path, [dress.format("1/7/1977"), dress.format("10/30/1976")])
    assert any("bulan dahulu" in text for text, _ in found.notices)
    assert all(told for _, told in born(found))


def test_dates_are_doubted_when_another_sheet_has_the_month_first(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    for title, days in (("A", ["1/7/1977"]), ("B", ["10/30/1976"]), ("C", ["30/10/1976", "1/7/1977"])):
        page = made.create_sheet(title)
        page.append(HEADER)
        for number, day in enumerate(days, start=1):
            page.append(row(number, day))
    del made["Sheet"]
    path = tmp_path / "daftar.xlsx"
    made.save(path)
    assert born(open_list(path, "workers")) == [
        ("1/7/1977", True),
        ("10/30/1976", True),
        ("1976-10-30", False),  # sheet C itself shows that the day comes first
        ("1977-07-01", False),
    ]


def test_a_column_with_both_orders_takes_no_date_that_has_two_meanings(tmp_path: Path) -> None:
    found = lines(tmp_path, ["05/31/1985", "06/30/1986", "03/04/1985", "31/05/1985"])
    (notice,) = found.notices
    assert "hari dahulu dan tanggal dengan bulan dahulu" in notice[0]
    assert born(found) == [
        ("05/31/1985", True),
        ("06/30/1986", True),
        ("03/04/1985", True),
        ("1985-05-31", False),  # a day above 12 has one meaning
    ]


def test_a_typing_error_does_not_change_the_order_of_a_long_column(tmp_path: Path) -> None:
    found = lines(tmp_path, [*["31/05/1985"] * 30, "05/31/1985", "03/04/1985"])
    (notice,) = found.notices
    assert notice[0].startswith("Kolom tanggal_lahir dibaca hari dahulu; 1 tanggal")
    assert born(found)[-2:] == [("05/31/1985", False), ("1985-04-03", False)]


def test_nine_of_a_hundred_dates_do_not_count_as_typing_errors(tmp_path: Path) -> None:
    found = lines(tmp_path, [*["31/05/1985"] * 100, *["05/31/1985"] * 9, "03/04/1985"])
    (notice,) = found.notices
    assert "hari dahulu dan tanggal dengan bulan dahulu" in notice[0]
    assert born(found)[-2:] == [("05/31/1985", True), ("03/04/1985", True)]


def test_three_typing_errors_do_not_turn_a_list_of_a_thousand(tmp_path: Path) -> None:
    found = lines(tmp_path, [*["31/05/1985"] * 1_000, *["05/31/1985"] * 3, "03/04/1985"])
    assert born(found)[-1] == ("1985-04-03", False)


def test_am_and_pm_are_a_sign_of_the_month_first(tmp_path: Path) -> None:
    found = lines(tmp_path, ["7/1/1985 12:00:00 AM", "1/7/1985", "5/5/1985 12:00:00 AM", "1985-07-01"])
    (notice,) = found.notices
    assert "AM/PM" in notice[0]
    assert born(found) == [
        ("7/1/1985 12:00:00 AM", True),
        ("1/7/1985", True),
        ("5/5/1985 12:00:00 AM", True),  # the whole column is refused, so no date of it is taken
        ("1985-07-01", False),
    ]


def test_am_and_pm_with_a_day_above_twelve_are_day_first(tmp_path: Path) -> None:
    found = lines(tmp_path, ["7/1/1985 12:00:00 AM", "31/1/1985 12:00:00 AM"])
    assert found.notices == ()
    assert born(found) == [("1985-01-07", False), ("1985-01-31", False)]


def test_the_sign_in_one_column_makes_the_other_column_doubtful(tmp_path: Path) -> None:
    path = tmp_path / "daftar.csv"
    cells = [*row(1, "7/1/1985 12:00:00 AM")[:-1], "1/4/2026"]
    path.write_text(";".join(HEADER) + "\n" + ";".join(cells), encoding="utf-8")
    (one,) = open_list(path, "workers").rows()
    assert [remark.field for remark in one.remarks] == ["birth_date", "consent"]
