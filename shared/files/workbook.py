"""Lists as workbooks in which every cell is text: no NIK becomes 6.40E+15, no cell becomes a formula."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

TEXT = "@"
# What a cell of a workbook can hold.
CHARACTERS_MAX = 32_767


def text_workbook(rows: Iterable[Sequence[str]], target: BinaryIO) -> None:
    """Writes rows, the header first, a row at a time and in constant memory."""
    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("Jawaban")
    sheet.freeze_panes = "A2"
    cells: list[Any] = []
    for number, row in enumerate(rows):
        if number < 2:
            cells = [WriteOnlyCell(sheet) for _ in row]
            for cell in cells:
                cell.number_format = TEXT
                cell.font = Font(bold=number == 0)
        # A cell is written as soon as its row is appended, so the same ones serve for every row.
        for cell, text in zip(cells, row, strict=True):
            cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[:CHARACTERS_MAX] or None
            if text:
                cell.data_type = "s"
        sheet.append(cells)
    book.save(target)
