"""Compares the reader of workbooks with openpyxl, on workbooks of openpyxl and on XML that openpyxl would not write."""

from __future__ import annotations

import datetime
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

from shared.lists import open_list
from shared.lists.reading import Here
from shared.lists.sheet_cells import NO_VALUE, HiddenCells
from shared.lists.sheets import Sheet, _is_date
from shared.lists.source import FileSource
from tests.unit.lists.hostile import CELLS, HEADER, book, row, sheet

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=9
)
DAYS = st.dates(datetime.date(1904, 1, 5), datetime.date(2099, 12, 31))
NUMBERS = st.one_of(st.integers(-(10**14), 10**14), st.floats(-1e9, 1e9, allow_nan=False).map(lambda n: round(n, 3)))
VALUE = st.one_of(st.none(), TEXT, DAYS, NUMBERS, st.booleans(), st.just("_x000D_"), st.just("=1"))


def cells_of(path: Path) -> list[tuple[int, list[str]]]:
    """The rows of all sheets that contain a text."""
    items = Here().book(FileSource(path), None)
    return [(item[0], item[1]) for item in items if isinstance(item, tuple) and any(item[1])]


def as_text(value: Any) -> str:
    """The text that a clerk sees in a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(VALUE, max_size=6), max_size=6), st.booleans())
def test_it_reads_what_openpyxl_reads(table: list[list[Any]], is_1904: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        made = openpyxl.Workbook()
        if is_1904:
            made.epoch = datetime.datetime(1904, 1, 1)  # noqa: DTZ001
        page: Any = made.active
        for place, values in enumerate(table, start=1):
            for at, value in enumerate(values, start=1):
                cell = page.cell(place, at)
                cell.value = value
                if isinstance(value, str):
                    cell.data_type = "s"
        made.save(path)
        read = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
        wanted = [(n, [as_text(value) for value in values]) for n, values in enumerate(read, start=1)]
        found = dict(cells_of(path))
        for number, cells in wanted:
            ours = found.pop(number, [])
            # Empty cells at the end of a row are not stored.
            assert ours + [""] * (len(cells) - len(ours)) == [text.replace("_x000D_", "\r") for text in cells]
        assert not found


FORMATS = [
    *(
        "dd/mm/yyyy",
        "d mmmm yyyy",
        "[$-421]dd mmmm yyyy;@",
        "yyyy\\-mm\\-dd",
        "[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy",
        "h:mm",
    ),
    *("#,##0", "0.00E+00", '#,##0 "hari"', "[Red]#,##0", '"Rp"#,##0', "@", "General", "0000000000000000", "mmm-yy"),
]


@pytest.mark.parametrize("code", FORMATS)
def test_a_format_of_dates_is_known_as_openpyxl_knows_it(code: str) -> None:
    assert _is_date("164", {"164": code}) == is_date_format(code)


@pytest.mark.parametrize("number", sorted(set(BUILTIN_FORMATS) - {46}))
def test_the_formats_that_excel_has_built_in(number: int) -> None:
    assert _is_date(str(number), {}) == is_date_format(BUILTIN_FORMATS[number])


def test_a_formula_without_its_result_is_not_blank(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1"><f>B1</f></c><c r="B1"><f>C1</f><v></v></c><c r="C1"><f>1+1</f><v>2</v></c></row>',
        '<row r="2"><c r="A2" t="str"><f>""</f><v></v></c><c r="B2" t="str"><f>"a"</f><v>a</v></c></row>',
        '<row r="3"><c r="A3" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>',
    )
    found = cells_of(book(tmp_path / "b.xlsx", {"S": sheet(*rows)}))
    assert found == [(1, [NO_VALUE, NO_VALUE, "2"]), (2, ["", "a"]), (3, ["#DIV/0!"])]


def test_prefixed_names_rich_texts_and_missing_references(tmp_path: Path) -> None:
    strings = "<sst><si><r><t>SI</t></r><r><t>TI</t></r><rPh><t>x</t></rPh></si></sst>"
    text = (
        '<x:worksheet xmlns:x="y"><x:sheetData><x:row><x:c t="s"><x:v>0</x:v></x:c><x:c/><x:c><x:v>7</x:v></x:c>'
        "</x:row></x:sheetData></x:worksheet>"
    )
    assert cells_of(book(tmp_path / "b.xlsx", {"S": text}, strings=strings)) == [(1, ["SITI", "", "7"])]


def test_hidden_rows_and_columns_are_reported(tmp_path: Path) -> None:
    columns = '<cols><col min="2" max="2" hidden="1"/><col min="9" max="16384" hidden="1"/></cols>'
    rows = (row(1, HEADER), row(2, CELLS, ' hidden="1"'), row(3, CELLS), '<row r="4" hidden="1"/>')
    path = book(tmp_path / "b.xlsx", {"S": sheet(*rows, before=columns)})
    items = list(Here().book(FileSource(path), None))
    assert items[0] == Sheet(0, "S", True, False)
    assert items[-1] == HiddenCells([2], [(2, 2), (9, 16384)])
    told = [text for text, _ in open_list(path, "workers").notices]
    assert told == ["1 baris tersembunyi ikut terkirim.", "Kolom tersembunyi ikut terkirim: nama."]


def test_sheets_left_out_are_named_and_others_keep_their_columns(tmp_path: Path) -> None:
    other = [*HEADER[:2], "alamat", *HEADER[2:]]
    cells = [*CELLS[:2], "RT 1", *CELLS[2:]]
    sheets = {
        "Satu": sheet(row(1, HEADER), row(2, CELLS)),
        "Catatan": sheet(row(1, ["Diisi oleh", "Rina"])),
        "Kosong": sheet(),
        "Dua": sheet(row(3, other), row(4, cells)),
        "Nanti": sheet(row(1, HEADER)),
    }
    found = open_list(book(tmp_path / "b.xlsx", sheets), "workers")
    assert found.header == (*HEADER, "alamat")
    rows = list(found.rows())
    assert [(one.number, one.place, one.data["submission_id"]) for one in rows] == [
        (2, "lembar Satu baris 2", "2"),
        (10_000_004, "lembar Dua baris 4", "L2-4"),
    ]
    assert rows[1].cells == (*CELLS, "RT 1")
    assert [text.split(" ")[:2] for text, _ in found.notices] == [["Lembar", "Catatan"], ["Lembar", "Nanti"]]


def test_a_hidden_sheet_with_rows_is_named(tmp_path: Path) -> None:
    path = book(
        tmp_path / "b.xlsx",
        {"Satu": sheet(row(1, HEADER), row(2, CELLS)), "Lama": sheet(row(1, HEADER), row(2, CELLS))},
    )
    hidden = tmp_path / "h.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(hidden, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            new.writestr(entry.filename, data.replace(b'name="Lama"', b'name="Lama" state="hidden"'))
    found = open_list(hidden, "workers")
    assert found.count == 1
    assert "Lama tersembunyi" in found.notices[0][0]
