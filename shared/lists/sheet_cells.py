"""The cells of one sheet of a workbook, row by row out of its XML, in constant memory.

A cell becomes the text that a clerk sees: a date as 1985-07-01, a spreadsheet error as its own word (`#N/A`), a formula
whose result was never stored as NO_VALUE. No cell becomes silently blank. (ADR 0007 says why no library reads this.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import IO
from xml.parsers import expat

from shared.lists.bounds import SHEET_COLUMNS_MAX, SHEET_ROWS_MAX, Bounds
from shared.lists.errors import ListError
from shared.lists.formats import broken_workbook
from shared.lists.tables import Cells, Fault, legible

# Stands for a formula that was saved without its result: neither blank nor a value.
NO_VALUE = "#RUMUS!"

_PIECE_BYTES = 64 * 1024
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_LETTERS = re.compile("[A-Za-z]{1,3}")
# Day 1 is 1 January 1900, and Excel counts a 29 February 1900 that never existed. So day 0 is this date for all days
# from 1 March 1900 on.
_DAY_ZERO = date(1899, 12, 30)
DAYS_OF_1904 = 1_462
_DAY_LAST = 2_958_465


@dataclass(frozen=True, slots=True)
class Book:
    """What all sheets of a workbook share: its texts, the cell styles that are dates, and the day from which it
    counts."""

    strings: Sequence[str] = ()
    date_styles: frozenset[str] = frozenset()
    is_1904: bool = False


@dataclass(slots=True)
class HiddenCells:
    """Further facts about a sheet: the numbers of hidden rows that are not blank, and the ranges of hidden columns."""

    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)


def parser_of() -> expat.XMLParserType:
    """An XML parser that refuses document types, so that entities cannot expand."""

    def refuse(*_: object) -> None:
        raise broken_workbook()

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    return parser


def sheet_rows(file: IO[bytes], book: Book, bounds: Bounds, facts: HiddenCells) -> Iterator[Cells]:
    """The rows of a sheet that have a cell; `facts` are complete at the end. Raises ListError and ExpatError."""
    sheet = _Sheet(book, bounds, facts)
    while piece := file.read(_PIECE_BYTES):
        sheet.parser.Parse(piece, False)
        yield from sheet.rows
        sheet.rows.clear()
    sheet.parser.Parse(b"", True)
    yield from sheet.rows


class _Sheet:
    """Handles the XML elements of a sheet. Names may have a prefix: that of the first element."""

    def __init__(self, book: Book, bounds: Bounds, facts: HiddenCells) -> None:
        self.rows: list[Cells] = []
        self.parser = parser_of()
        self.parser.StartElementHandler = self._root
        self._strings, self._dates, self._is_1904 = book.strings, book.date_styles, book.is_1904
        self._bounds, self._facts = bounds, facts
        self._columns: dict[str, int] = {}
        self._number = 0
        self._hidden = False
        self._row: list[str] = []
        self._fault: Fault | None = None
        self._cell()

    def _cell(self, reference: str | None = None, kind: str | None = None, style: str | None = None) -> None:
        self._reference, self._kind, self._style = reference, kind, style
        self._text: list[str] = []
        self._size = 0
        self._has_formula = self._has_value = self._takes = False

    def _root(self, name: str, attributes: dict[str, str]) -> None:
        prefix, colon, _ = name.rpartition(":")
        names = ("row", "c", "v", "t", "f", "rPh", "col")
        self._row_name, self._c, self._v, self._t, self._f, self._rph, self._col = (prefix + colon + n for n in names)
        self.parser.StartElementHandler = self._begins
        self.parser.EndElementHandler = self._ends
        self.parser.CharacterDataHandler = self._says
        self._phonetic = False

    def _begins(self, name: str, attributes: dict[str, str]) -> None:
        if name == self._c:
            self._reference, self._kind, self._style = attributes.get("r"), attributes.get("t"), attributes.get("s")
            self._has_formula = self._has_value = False
        elif name == self._v or name == self._t:
            self._takes = not self._phonetic
            self._has_value = True
        elif name == self._row_name:
            self._row_begins(attributes)
        elif name == self._f:
            self._has_formula = True
        elif name == self._rph:
            self._phonetic = True
        elif name == self._col and attributes.get("hidden") in ("1", "true"):
            first, last = _whole(attributes.get("min")), _whole(attributes.get("max"))
            if first is not None and last is not None and len(self._facts.hidden_columns) < self._bounds.columns:
                self._facts.hidden_columns.append((first, last))

    def _says(self, text: str) -> None:
        if self._takes:
            self._size += len(text)
            if self._size <= self._bounds.characters:
                self._text.append(text)

    def _ends(self, name: str) -> None:
        if name == self._v or name == self._t:
            self._takes = False
        elif name == self._c:
            if self._text or self._has_formula:
                self._put(self._meant("".join(self._text)))
                self._text.clear()
                self._size = 0
            else:
                self._place()
        elif name == self._row_name:
            if self._row or self._fault:
                self.rows.append((self._number, self._row, self._fault))
                if self._hidden and any(self._row):
                    self._facts.hidden_rows.append(self._number)
            self._row, self._fault = [], None
        elif name == self._rph:
            self._phonetic = False

    def _row_begins(self, attributes: dict[str, str]) -> None:
        stated = attributes.get("r")
        number = self._number + 1 if stated is None else _whole(stated)
        if number is None or number > SHEET_ROWS_MAX:
            raise ListError(
                "Berkas XLSX menyebut baris di luar batas Excel (1.048.576 baris); salin datanya ke buku kerja baru.",
                "The XLSX file names a row beyond those of Excel (1,048,576); copy its data into a new workbook.",
            )
        # A repeated number would give two rows the same name.
        self._number = max(number, self._number + 1)
        self._hidden = attributes.get("hidden") in ("1", "true")
        self._row, self._fault, self._at = [], None, -1

    def _place(self) -> int:
        """The column of the current cell, from 0."""
        if self._reference is None:
            self._at += 1
        else:
            letters = self._reference.rstrip("0123456789")
            known = self._columns.get(letters)
            if known is None:
                known = self._columns[letters] = _column(letters)
            self._at = known
        return self._at

    def _put(self, text: str) -> None:
        at, row = self._place(), self._row
        if at >= self._bounds.columns or at >= SHEET_COLUMNS_MAX:
            if text.strip():
                self._fault = "wide"
            return
        if at == len(row):
            row.append(text)
            return
        if at > len(row):
            row.extend([""] * (at + 1 - len(row)))
        row[at] = text

    def _meant(self, text: str) -> str:
        kind = self._kind
        if self._size > self._bounds.characters:
            self._fault = "long"
            return text[:200]
        if not text:
            # The result of a formula may be an empty text; Excel then marks it as a text.
            return "" if kind == "str" and self._has_value else NO_VALUE
        if kind == "s":
            index = _whole(text.strip())
            if index is None or index >= len(self._strings):
                raise broken_workbook()
            return self._strings[index]
        if kind in ("inlineStr", "str"):
            return unescaped(text)
        if kind == "b":
            return "TRUE" if text.strip() == "1" else "FALSE"
        if kind is None or kind == "n":
            if self._style in self._dates:
                return _day(text, self._is_1904) or _number(text)
            return text if len(text) < 16 and text.isascii() and text.isdigit() else _number(text)
        return text


def unescaped(text: str) -> str:
    """A text of a workbook with its escapes decoded: `_x000D_` is a carriage return."""
    if "_x" not in text:
        return text
    return legible(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))


def day_of_1904(cell: str) -> str:
    """Converts the number of a day in a workbook that counts from 1904 to the usual count; any other text stays
    unchanged."""
    return str(int(cell) + DAYS_OF_1904) if cell.isdecimal() and len(cell) in (4, 5) else cell


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 18 else None


def _column(letters: str) -> int:
    if not _LETTERS.fullmatch(letters):
        raise broken_workbook()
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    return place - 1


def _number(text: str) -> str:
    """A number as a clerk writes it. Excel keeps 15 digits: a longer number that ends in 0 has lost its last digits,
    and appears as 6.40E+15."""
    try:
        whole: float | int = int(text) if len(text) < 30 and text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text
    if isinstance(whole, float) and whole.is_integer():
        whole = int(whole)
    if isinstance(whole, int) and abs(whole) >= 10**15 and whole % 10 == 0:
        return f"{float(whole):.2E}"
    return str(whole)


def _day(text: str, is_1904: bool) -> str | None:
    """The day of a cell that is formatted as a date, or its time when it has no day."""
    try:
        serial = float(text)
    except ValueError:
        return None
    if not 0 <= serial <= _DAY_LAST:
        return None
    if serial < 1 and not is_1904:
        seconds = round(serial * 86_400)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    # A rounding error may put an instant just before its midnight.
    days = int(serial + 1e-8)
    if is_1904:
        days += DAYS_OF_1904
    return (_DAY_ZERO + timedelta(days=days + 1 if days < 60 else days)).isoformat()
