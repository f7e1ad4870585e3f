"""Workbooks for people: every cell has its proper type, no NIK appears as 6.40E+15, and no text runs as a formula or
breaks the file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from shared.files.separated import writable
from shared.kernel.calendar import parse_date

TEXT = "@"
WHOLE = "#,##0"
FRACTION = "#,##0.##"
DAY = "dd/mm/yyyy"
# The most characters of a workbook's cell.
CHARACTERS_MAX = 32_767
WIDTH_MIN, WIDTH_MAX = 9, 60
ABOUT = "Keterangan"
HEADER = PatternFill("solid", fgColor="0B7A75")
HEADER_FONT = Font(bold=True, color="FFFFFF")
TITLE_FONT = Font(bold=True, size=13)
_BOLD = Font(bold=True)


def figures(
    title: str, about: Sequence[tuple[str, str]], header: Sequence[str], rows: Sequence[Sequence[Any]]
) -> bytes:
    """A table of figures: typed numbers and days, fitting widths, the header frozen in row 1, the last row bold.

    A second sheet describes the table (`about`: its date, the filters); printed pages carry the title.
    """
    book = Workbook()
    sheet: Any = book.active
    sheet.title = title[:31]
    sheet.append([text_of(name) for name in header])
    for row in rows:
        _append(sheet, row)
    for cell in sheet[1]:
        cell.font, cell.fill = HEADER_FONT, HEADER
        cell.alignment = Alignment(vertical="top", wrap_text=True)
    for cell in sheet[sheet.max_row] if rows else ():
        cell.font = _BOLD
    for index, name in enumerate(header):
        texts = (name, *(_shown(row[index]) for row in rows))
        width = min(WIDTH_MAX, max(WIDTH_MIN, *(len(text) for text in texts)) + 2)
        sheet.column_dimensions[get_column_letter(index + 1)].width = width
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(header))}{max(1, sheet.max_row - 1)}"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "landscape"
    said = "; ".join(f"{name} {value}" for name, value in about)
    sheet.oddHeader.center.text = f"{title} ({said})".replace("&", "&&")
    _tell(book.create_sheet(ABOUT), title, about)
    book.properties.title = title
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _append(sheet: Any, row: Sequence[Any]) -> None:
    number = sheet.max_row + 1
    for column, value in enumerate(row, start=1):
        cell = sheet.cell(number, column)
        if isinstance(value, bool) or value is None:
            cell.value = value
        elif isinstance(value, int | float):
            cell.value = value
            cell.number_format = WHOLE if isinstance(value, int) else FRACTION
        elif (day := parse_date(value)) is not None:
            cell.value, cell.number_format = day, DAY
        else:
            cell.value = text_of(str(value))
            # Otherwise a text that begins with = would be a formula.
            cell.data_type = "s"


def _tell(sheet: Any, title: str, about: Sequence[tuple[str, str]]) -> None:
    sheet.append([text_of(title)])
    for name, value in about:
        sheet.append([text_of(name), text_of(value)])
        sheet.cell(sheet.max_row, 2).data_type = "s"
    sheet["A1"].font = TITLE_FONT
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 24, 60


def _shown(value: Any) -> str:
    if isinstance(value, date):
        return "31/12/2026"
    return f"{value:,}" if isinstance(value, int | float) else str(value if value is not None else "")


def text_of(text: str) -> str:
    """A text as a cell can hold it: without characters that break the file, and not too long."""
    return ILLEGAL_CHARACTERS_RE.sub("\ufffd", writable(text))[:CHARACTERS_MAX]


class TextBook:
    """A workbook whose cells are all text, written one row at a time in constant memory. Its sheets may take turns."""

    def __init__(self) -> None:
        self._book = Workbook(write_only=True)

    def sheet(self, name: str) -> Callable[[Sequence[str]], None]:
        """Begins a sheet; returns the function that adds a row, the header first."""
        sheet: Any = self._book.create_sheet(name)
        sheet.freeze_panes = "A2"
        cells: list[Any] = []
        count = 0

        def add(row: Sequence[str]) -> None:
            nonlocal cells, count
            if count < 2:
                cells = [WriteOnlyCell(sheet) for _ in row]
                for cell in cells:
                    cell.number_format = TEXT
                    cell.font = Font(bold=count == 0)
            count += 1
            # A cell is written when its row is appended, so the same cell objects serve for every row.
            for cell, text in zip(cells, row, strict=True):
                cell.value = text_of(text) or None
                if text:
                    cell.data_type = "s"
            sheet.append(cells)

        return add

    def save(self, target: BinaryIO) -> None:
        """Writes the workbook; no row may follow."""
        self._book.save(target)


def text_workbook(rows: Iterable[Sequence[str]], target: BinaryIO) -> None:
    """Writes rows, the header first, one row at a time in constant memory."""
    book = TextBook()
    add = book.sheet("Jawaban")
    for row in rows:
        add(row)
    book.save(target)
