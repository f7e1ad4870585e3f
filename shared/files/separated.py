"""CSV for people: every cell shown as it is, none run as a formula, none that breaks a reader. Pure.

The one place where text becomes CSV. A text that a spreadsheet would run gets an apostrophe before it (`guarded`), also
where it stands behind a `;`, at which a spreadsheet of this country parts the cells of any CSV; the reader of lists
takes the apostrophe away again (`unguarded`), so that an answers file can be sent back.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

# As Excel with Indonesian settings opens a file by a double click: `;` between the cells, marked as UTF-8.
EXCEL = ";"
BOM = "\ufeff"

# What a spreadsheet takes for the start of a formula; a plain number with its sign is none, nor is a dash alone.
_STARTS = "=+\\-@\t\r\uff1d\uff0b\uff0d\uff20"
_NUMBER = r"[+\-]?\d[\d .,]*(?=;|\n|$)"
_PART = r"(?P<before>(?:^|[;\n]) *)"
_FORMULA = rf"(?='*(?!{_NUMBER}|-+ *(?=;|\n|$))[{_STARTS}])"
_TO_GUARD = re.compile(_PART + _FORMULA)
_TO_UNGUARD = re.compile(_PART + "'" + _FORMULA)
_SUSPECT = re.compile(f"[{_STARTS}]")
# Control characters end a workbook for good, and halves of letters cannot be written at all.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def writable(text: str) -> str:
    """The text with a visible mark in the place of each character that no file may hold."""
    return _UNWRITABLE.sub("\ufffd", text)


def guarded(text: str) -> str:
    """The text as no spreadsheet runs it."""
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
    """A whole file as Excel here opens it."""
    return (BOM + "".join(line(row) for row in rows)).encode("utf-8")


def _cell(cell: object) -> object:
    return guarded(writable(cell)) if isinstance(cell, str) else cell
