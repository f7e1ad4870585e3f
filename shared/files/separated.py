"""CSV for people: every cell appears as it is, none runs as a formula, and none breaks a reader. Pure.

Only this module turns text into CSV. A text that a spreadsheet would run gets an apostrophe before it (`guarded`). This
also applies behind a `;` within a text, because spreadsheets with Indonesian settings split the cells of any CSV there.
The reader of lists removes the apostrophe again (`unguarded`), so that an answers file can be sent back.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

# The form that Excel with Indonesian settings opens on a double click: `;` between the cells, marked as UTF-8.
EXCEL = ";"
BOM = "\ufeff"

# Characters that start a formula in a spreadsheet. A plain number with its sign is not a formula, nor is a dash alone.
_STARTS = "=+\\-@\t\r\uff1d\uff0b\uff0d\uff20"
_NUMBER = r"[+\-]?\d[\d .,]*(?=;|\n|$)"
_PART = r"(?P<before>(?:^|[;\n]) *)"
_FORMULA = rf"(?='*(?!{_NUMBER}|-+ *(?=;|\n|$))[{_STARTS}])"
_TO_GUARD = re.compile(_PART + _FORMULA)
_TO_UNGUARD = re.compile(_PART + "'" + _FORMULA)
_SUSPECT = re.compile(f"[{_STARTS}]")
# Control characters make a workbook unreadable, and halves of surrogate pairs cannot be written at all.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def writable(text: str) -> str:
    """The text with a visible mark in place of each character that a file cannot hold."""
    return _UNWRITABLE.sub("\ufffd", text)


def guarded(text: str) -> str:
    """The text in a form that no spreadsheet runs as a formula."""
    return _TO_GUARD.sub(r"\g<before>'", text) if _SUSPECT.search(text) else text


def unguarded(text: str) -> str:
    """The text as it was before `guarded`."""
    return _TO_UNGUARD.sub(r"\g<before>", text) if "'" in text else text


def line(cells: Sequence[object], delimiter: str = EXCEL) -> str:
    """One line of a CSV file. Texts are guarded, numbers are written as they are, None is an empty cell."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def for_excel(rows: Iterable[Sequence[object]]) -> bytes:
    """A whole file in the form that Excel with Indonesian settings opens."""
    return (BOM + "".join(line(row) for row in rows)).encode("utf-8")


def _cell(cell: object) -> object:
    return guarded(writable(cell)) if isinstance(cell, str) else cell
