"""The place and day of birth in one column, and lines that name the group of the rows below them."""

from __future__ import annotations

from pathlib import Path

import pytest

from payung import checks
from shared.lists import open_list

HEADING = ["nik", "nama", "Tempat, Tanggal Lahir", "jenis_kelamin", "desa", "sektor", "pekerjaan", "persetujuan"]
WORKER = ["6408044107850001", "SITI AMINAH", "{}", "P", "64.08.04.2011", "perikanan", "nelayan", "2026-01-04"]


def csv(folder: Path, days: list[str], heading: str = HEADING[2]) -> Path:
    path = folder / "daftar.csv"
    lines = [[heading if name == HEADING[2] else name for name in HEADING]]
    lines += [[cell.format(day) for cell in WORKER] for day in days]
    path.write_text("\n".join(";".join(line) for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("heading", ["Tempat, Tanggal Lahir", "Tempat/Tgl Lahir", "TTL", "TEMPAT DAN TANGGAL LAHIR"])
@pytest.mark.parametrize(
    ("cell", "place", "day"),
    [
        ("Sangatta, 01-07-1985", "Sangatta", "1985-07-01"),
        ("Kutai Timur, 1 Juli 1985", "Kutai Timur", "1985-07-01"),
        ("Ujung Pandang/01-07-1985", "Ujung Pandang", "1985-07-01"),
        ("Sangatta 01/07/1985", "Sangatta", "1985-07-01"),
        ("S. Kunjang , 1985-07-01", "S. Kunjang", "1985-07-01"),
        ("01-07-1985", None, "1985-07-01"),
    ],
)
def test_the_place_and_the_day_are_read(tmp_path: Path, heading: str, cell: str, place: str | None, day: str) -> None:
    [row] = open_list(csv(tmp_path, [cell], heading), "workers").rows()
    assert (row.data.get("birth_place"), row.data["birth_date"]) == (place, day)
    assert row.cells[2] == cell


@pytest.mark.parametrize(
    "cell", ["Sangatta", "Sangatta, 01-07-85", "Sangatta, 31-06-1985", "Sangatta 2, 01-07-1985", "?"]
)
def test_another_form_is_refused(tmp_path: Path, cell: str) -> None:
    refused = checks.check(csv(tmp_path, [cell]), "64.08", "workers").refused
    assert [one.reason for one in refused] == ["field-invalid:birth_date"]


def test_the_order_of_day_and_month_is_judged_behind_a_place_too(tmp_path: Path) -> None:
    days = ["Sangatta, 03/15/1979", "Sangatta, 11/20/1990", "Bontang, 07/01/1985"]
    refused = checks.check(csv(tmp_path, days), "64.08", "workers").refused
    assert [(one.row, one.reason) for one in refused] == [(row, "field-invalid:birth_date") for row in (2, 3, 4)]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    "line",
    ["Dusun II", "DUSUN MEKAR SARI", "RT 03", "RT 01/RW 02", "Kecamatan Bengalon", "Kel. Teluk Lingga", "Blok A"],
)
def test_a_line_that_names_a_group_is_told_and_no_row(tmp_path: Path, line: str, place: int) -> None:
    path = csv(tmp_path, ["01/07/1985", "01/07/1985"])
    first, one, two = path.read_text(encoding="utf-8").split("\n")
    between = ";" * place + line + ";" * (7 - place)
    path.write_text("\n".join([first, between, one, between, two]), encoding="utf-8")
    found = open_list(path, "workers")
    assert [row.number for row in found.rows()] == [3, 5]
    assert any("Baris 2, 4 " in text for text, _ in found.notices)


@pytest.mark.parametrize("line", ["RT 6408044107850001", "Desak Made Ayu", "BLOKIR", "Dusun", "RT 640804410785"])
def test_a_line_that_may_be_a_worker_is_answered(tmp_path: Path, line: str) -> None:
    path = csv(tmp_path, ["01/07/1985", "01/07/1985"])
    first, one, two = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join([first, one, line + ";" * 7, two]), encoding="utf-8")
    assert [row.number for row in open_list(path, "workers").rows()] == [2, 3, 4]
