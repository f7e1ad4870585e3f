"""Headings in the middle of a list: no row is lost, and no value comes into the field of another heading."""

from __future__ import annotations

import tempfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.lists import ListError, ListFile, answer_rows, open_list
from shared.lists.answers import NO_ANSWER
from shared.lists.rows import Row

FIELDS = {
    "nik": "nik",
    "nama": "name",
    "tanggal_lahir": "birth_date",
    "jenis_kelamin": "sex",
    "desa": "village",
    "sektor": "sector",
    "pekerjaan": "occupation",
    "persetujuan": "consent",
    "alamat": "address",
    "nama_ibu": "mother_name",
}
COLUMNS = tuple(FIELDS)
REQUIRED = COLUMNS[:8]


def cells(number: int, columns: tuple[str, ...] = REQUIRED) -> list[str]:
    """The cells of one worker, in the order of the columns."""
    values = {
        "nik": f"640804010785{number:04}",
        "nama": f"WARGA {number}",
        "tanggal_lahir": "1985-07-01",
        "jenis_kelamin": "L",
        "desa": "64.08.04.2001",
        "sektor": "perikanan",
        "pekerjaan": f"kerja {number}",
        "persetujuan": "2026-01-04",
        "alamat": f"RT {number}",
        "nama_ibu": f"IBU {number}",
    }
    return [values[name] for name in columns]


def listed(folder: Path, rows: list[list[str]], *, is_sheet: bool = False) -> ListFile:
    if is_sheet:
        path = folder / "daftar.xlsx"
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for row in rows:
            sheet.append(row)
        book.save(path)
    else:
        path = folder / "daftar.csv"
        path.write_text("\n".join(";".join(row) for row in rows), encoding="utf-8")
    return open_list(path, "workers")


def told(found: ListFile) -> list[str]:
    return [text for text, _ in found.notices]


def people(found: ListFile) -> list[str]:
    return [row.data.get("nik", row.problems[0].reason if row.problems else "") for row in found.rows()]


def is_as_sent(row: Row, number: int) -> bool:
    data = row.data
    mine = dict(zip(COLUMNS, cells(number, COLUMNS), strict=True))
    return (
        (data["nik"], data["name"], data["occupation"]) == (mine["nik"], mine["nama"], mine["pekerjaan"])
        and data.get("address") in (None, mine["alamat"])
        and data.get("mother_name") in (None, mine["nama_ibu"])
    )


@pytest.mark.parametrize("is_sheet", [False, True])
def test_rows_below_a_heading_in_another_order_are_read_by_it(tmp_path: Path, is_sheet: bool) -> None:
    turned = ("nama", "nik", *REQUIRED[2:])
    found = listed(
        tmp_path, [list(REQUIRED), cells(1), list(turned), cells(2, turned), cells(3, turned)], is_sheet=is_sheet
    )
    rows = list(found.rows())
    assert [is_as_sent(row, number) for number, row in enumerate(rows, start=1)] == [True] * 3
    assert [row.cells for row in rows] == [tuple(cells(number)) for number in (1, 2, 3)], "the answers have one order"
    assert told(found) == [
        "Baris 3 adalah judul kolom yang berbeda dengan baris 1; baris di bawahnya dibaca menurut judul itu."
    ]


def test_a_second_table_with_more_columns_does_not_hide_the_first(tmp_path: Path) -> None:
    more = (*REQUIRED, "alamat")
    found = listed(tmp_path, [list(REQUIRED), cells(1), list(more), cells(2, more)])
    assert [is_as_sent(row, number) for number, row in enumerate(found.rows(), start=1)] == [True] * 2
    assert found.header == more
    answered = list(answer_rows(found, lambda number: NO_ANSWER))
    assert [len(row) for row in answered] == [len(more) + 5] * 3


def test_rows_below_a_heading_that_lacks_columns_are_refused(tmp_path: Path) -> None:
    less = ("nama", "nik", "alamat")
    found = listed(tmp_path, [list(REQUIRED), cells(1), list(less), cells(2, less), list(REQUIRED), cells(3)])
    rows = list(found.rows())
    assert people(found) == ["6408040107850001", "row-unreadable", "6408040107850003"]
    assert "judul kolom lain (baris 3)" in rows[1].problems[0].message_id
    assert told(found)[0].startswith("Baris 3 adalah judul kolom lain tanpa kolom wajib")


def test_a_repeated_heading_begins_no_new_section(tmp_path: Path) -> None:
    english = ["nik", "name", "birth_date", "sex", "village", "sector", "occupation", "consent"]
    rows = [list(REQUIRED), english, cells(1), list(REQUIRED), ["1", "2", "3", "4", "5", "6", "7", "8"], cells(2)]
    found = listed(tmp_path, rows)
    assert people(found) == ["6408040107850001", "6408040107850002"]
    (notice,) = told(found)
    assert notice.startswith("Baris 2, 4, 5 tidak memuat data")


def test_a_heading_on_two_lines_may_be_repeated(tmp_path: Path) -> None:
    top = ["NIK", "NAMA", "LAHIR", "", "JENIS KELAMIN", "DESA", "SEKTOR", "PEKERJAAN", "PERSETUJUAN"]
    below = ["", "", "TEMPAT", "TANGGAL", "", "", "", "", ""]
    one, two = cells(1), cells(2)
    found = listed(
        tmp_path,
        [top, below, [*one[:2], "SANGATTA", *one[2:]], top, below, [*two[:2], "SANGATTA", *two[2:]]],
        is_sheet=True,
    )
    assert people(found) == ["6408040107850001", "6408040107850002"]


def test_the_title_above_a_second_table_is_not_read_as_a_row(tmp_path: Path) -> None:
    empty = [""] * 8
    rows = [list(REQUIRED), cells(1), empty, ["B. PETANI", *empty[1:]], list(REQUIRED), cells(2)]
    found = listed(tmp_path, rows)
    assert people(found) == ["6408040107850001", "6408040107850002"]
    (notice,) = told(found)
    assert notice.startswith("Baris 4, 5 tidak memuat data")


def test_the_title_directly_below_a_row_is_not_read_as_a_row(tmp_path: Path) -> None:
    rows = [list(REQUIRED), cells(1), ["B. PETANI", *[""] * 7], list(REQUIRED), cells(2)]
    assert people(listed(tmp_path, rows)) == ["6408040107850001", "6408040107850002"]


def test_a_line_with_one_cell_between_rows_is_answered(tmp_path: Path) -> None:
    rows = [list(REQUIRED), cells(1), ["SITI", *[""] * 7], cells(2), ["RINA", *[""] * 7]]
    assert [row.number for row in listed(tmp_path, rows).rows()] == [2, 3, 4, 5]


def test_notes_below_a_table_are_named_and_one_with_a_nik_is_answered(tmp_path: Path) -> None:
    notes = ["Catatan: hubungi 0812-3456-7890", "Keterangan: L = Laki-laki", "NB: 6408.0401.0785.0009 menyusul"]
    found = listed(tmp_path, [list(REQUIRED), cells(1), *([note, *[""] * 7] for note in notes)])
    assert [row.number for row in found.rows()] == [2, 5]
    assert told(found)[0].startswith("Baris 3, 4 tidak memuat data")


@pytest.mark.parametrize("is_sheet", [False, True])
def test_two_tables_side_by_side_are_refused(tmp_path: Path, is_sheet: bool) -> None:
    rows = [[*REQUIRED, "", *REQUIRED], [*cells(1), "", *cells(2)]]
    with pytest.raises(ListError, match="side by side"):
        listed(tmp_path, rows, is_sheet=is_sheet)


def test_a_person_above_the_heading_is_refused_by_name(tmp_path: Path) -> None:
    found = listed(tmp_path, [["DAFTAR NELAYAN", *[""] * 7], cells(1), list(REQUIRED), cells(2)])
    assert people(found) == ["row-unreadable", "6408040107850002"]
    first, _ = found.rows()
    assert (first.number, first.problems[0].message_id.split(";")[0]) == (2, "Baris ini berada di atas judul kolom")


def test_the_example_of_a_template_is_left_out_and_a_second_example_is_a_row(tmp_path: Path) -> None:
    rows = [["Baris 2 hanya contoh.", *[""] * 7], cells(1), cells(2), list(REQUIRED), cells(3)]
    found = listed(tmp_path, rows)
    assert people(found) == ["row-unreadable", "6408040107850003"]
    assert told(found) == ["Baris 2 di atas judul kolom adalah contoh dan tidak dibaca."]


def test_too_many_headings_are_refused(tmp_path: Path) -> None:
    rows = [list(REQUIRED), cells(1)]
    for number in range(60):
        rows += [[*REQUIRED[number % 8 :], *REQUIRED[: number % 8]], cells(2)]
    with pytest.raises(Exception, match="different headings"):
        listed(tmp_path, rows)


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[tuple[str, ...], int]]:
    """Headings in any order, with or without the optional columns, each with some rows."""
    orders = st.permutations(COLUMNS).map(tuple)
    parts = st.tuples(orders, st.sets(st.sampled_from(COLUMNS[8:])), st.integers(0, 3))
    return [
        (tuple(name for name in order if name not in left_out), count)
        for order, left_out, count in draw(st.lists(parts, min_size=1, max_size=4))
    ]


@settings(max_examples=100, deadline=None)
@given(tables())
def test_no_value_comes_into_another_field(parts: list[tuple[tuple[str, ...], int]]) -> None:
    parts = [*parts, (REQUIRED, 1)]
    rows: list[list[str]] = []
    number = 0
    for columns, count in parts:
        rows.append(list(columns))
        for _ in range(count):
            number += 1
            rows.append(cells(number, columns))
    # A CSV has lines of one width.
    width = max(len(row) for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        found = listed(Path(folder), [[*row, *[""] * (width - len(row))] for row in rows])
        read = list(found.rows())
    assert len(read) == number, "each line of a worker is answered"
    assert all(is_as_sent(row, place) for place, row in enumerate(read, start=1))
