"""Workbooks that people fill in: a row of help and an example above the headings, drop-downs, every cell a text."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from shared.files.workbook import HEADER, HEADER_FONT, TEXT, TITLE_FONT, text_of

HEADER_ROW = 4
# Drop-downs and formats reach down to this row; send a longer list as CSV.
LAST_ROW = 5_000
_CHOICES = "Pilihan"
_OPTIONAL = PatternFill("solid", fgColor="54646D")


@dataclass(frozen=True, slots=True)
class FormColumn:
    """One column: its heading as the reader of lists knows it, what to enter, an example, and the name of its drop-down
    list. `rule` is a formula about the cell `{cell}`, and what to say when it does not hold."""

    header: str
    help: str
    example: str
    width: int
    picks: str | None = None
    required: bool = False
    rule: tuple[str, str] | None = None


def form(
    sheet_name: str,
    title: str,
    columns: Sequence[FormColumn],
    picks: Mapping[str, Sequence[str]],
    guide: tuple[str, Sequence[str]],
) -> bytes:
    """The workbook as bytes. `picks` are the words of the drop-downs; `guide` is a sheet of its own: its name, and its
    lines with the title first."""
    book = Workbook()
    sheet: Any = book.active
    sheet.title = sheet_name
    places = _choices(book, picks)
    sheet.append([text_of(title)])
    sheet.append([text_of(column.help) for column in columns])
    sheet.append([text_of(column.example) for column in columns])
    sheet.append([text_of(column.header) for column in columns])
    _dress(sheet, columns)
    for index, column in enumerate(columns, start=1):
        _prepare(sheet, index, column, places)
    sheet.freeze_panes = f"C{HEADER_ROW + 1}"
    _guide(book, *guide)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _choices(book: Workbook, picks: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Writes the words of the drop-downs on a hidden sheet; returns the cells of each list. Excel takes long lists only
    from cells."""
    sheet: Any = book.create_sheet(_CHOICES)
    places = {}
    for index, (name, words) in enumerate(picks.items(), start=1):
        letter = get_column_letter(index)
        for row, word in enumerate(words, start=1):
            sheet.cell(row, index, text_of(word)).number_format = TEXT
        sheet.column_dimensions[letter].width = max(14, *(len(word) for word in words))
        places[name] = f"{_CHOICES}!${letter}$1:${letter}${len(words)}"
    sheet.sheet_state = "hidden"
    return places


def _dress(sheet: Any, columns: Sequence[FormColumn]) -> None:
    sheet["A1"].font = TITLE_FONT
    for cell in sheet[2]:
        cell.font = Font(size=9, color="54646D")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for cell in sheet[3]:
        cell.font = Font(italic=True, color="808080")
        cell.number_format = TEXT
    for cell, column in zip(sheet[HEADER_ROW], columns, strict=True):
        cell.font = HEADER_FONT
        cell.fill = HEADER if column.required else _OPTIONAL
        wanted = "Wajib diisi. " if column.required else "Boleh kosong. "
        cell.comment = Comment(wanted + column.help, "Payung")
    sheet.row_dimensions[2].height = 48


def _prepare(sheet: Any, index: int, column: FormColumn, places: Mapping[str, str]) -> None:
    letter = get_column_letter(index)
    dimension = sheet.column_dimensions[letter]
    dimension.width = column.width
    # All cells are text: otherwise Excel shows a NIK as 6.40E+15, loses its last digits, and drops the 0 of a phone
    # number.
    dimension.number_format = TEXT
    for row in range(HEADER_ROW + 1, LAST_ROW + 1):
        sheet.cell(row, index).number_format = TEXT
    first = f"{letter}{HEADER_ROW + 1}"
    if column.picks is not None:
        rule = DataValidation("list", formula1=places[column.picks], allow_blank=True)
        rule.error = "Pilih dari daftar."
    elif column.rule is not None:
        formula, told = column.rule
        rule = DataValidation("custom", formula1=formula.format(cell=first), allow_blank=True)
        rule.error = told
    else:
        return
    rule.errorTitle, rule.showErrorMessage = "Periksa isian", True
    rule.add(f"{first}:{letter}{LAST_ROW}")
    sheet.add_data_validation(rule)


def _guide(book: Workbook, name: str, lines: Sequence[str]) -> None:
    sheet: Any = book.create_sheet(name)
    sheet.column_dimensions["A"].width = 110
    for line in lines:
        sheet.append([text_of(line)])
    sheet["A1"].font = TITLE_FONT
