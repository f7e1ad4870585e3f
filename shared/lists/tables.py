"""Reads rows of cells from text files, one at a time: encodings, separators, quotes.

Turns the bytes of a text file into cells. Knows no column: `columns` does. A broken row is returned with a fault, and
reading goes on with the next row: no row of a list may vanish, and one bad byte must not make a whole list unreadable.

Which lines make one record
A quoted cell may hold line breaks (addresses do), and a quote that is never closed looks the same at first. So lines
are joined to one record only if all of these hold: the first line is not a whole row when its quote is taken as a
letter (`_is_whole_unquoted`); the quote closes within QUOTED_LINES_MAX lines; the record then has as many cells as the
heading; and none of the lines after the first is a whole row by itself (`_is_whole`). Otherwise
the line where the quote opened is a record of its own, with the fault `open-quote`, and every line after it is read as
if that quote did not exist. So the number of lines that are not blank equals the number of records, except for lines
inside such a cell.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Literal

from shared.lists.bounds import BOUNDS, Bounds
from shared.lists.source import Source

Fault = Literal["undecodable", "open-quote", "long", "wide"]
Cells = tuple[int, list[str], Fault | None]

QUOTED_LINES_MAX = 20
# A cell that no part of an address is: a date, an area code, a sex.
_TYPED = re.compile(
    r" *(\d{1,2}[/-]\d{1,2}[/-]\d{4}|\d{4}-\d{2}-\d{2}|\d{2}\.\d{2}\.\d{2}\.\d{4}|[LPFM]) *", re.IGNORECASE
)
DELIMITERS = (";", ",", "\t", "|")
# A line has a maximum length, and a cell is never longer than its lines together.
csv.field_size_limit((QUOTED_LINES_MAX + 1) * BOUNDS.characters)

_UNDECODABLE = re.compile("[\ud800-\udfff\ufffd]")
_NIK_LIKE = re.compile(r"(?<!\d)\d{16}(?!\d)")
_HEAD_BYTES = 65_536
# The kept beginning of a line that is too long: enough to recognise it.
_KEPT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of a text file. `doubtful`: single rows may not decode; `notice` tells what was assumed."""

    name: str
    bom: bool = False
    doubtful: bool = False
    notice: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """The layout of a CSV file: `full` cells in the heading, `least` without its empty right end; the heading ends with
    record `heading`. Before the heading is known all three are 0, and any number of cells is accepted."""

    delimiter: str
    full: int = 0
    least: int = 0
    heading: int = 0

    def fits(self, cells: list[str]) -> bool:
        """Whether these can be the cells of one row."""
        count = len(cells)
        return self.least <= count <= self.full or (count > self.full and not any(cells[self.full :]))


def encoding_of(source: Source) -> Encoding:
    """The encoding of a text file, found by reading it once in constant memory."""
    with source.open() as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return Encoding("utf-32", bom=True, doubtful=True)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16", bom=True, doubtful=True)
    pairs = len(head) // 2
    if pairs and head[1::2].count(0) > pairs // 3:
        return Encoding("utf-16-le", doubtful=True)
    if pairs and head[0::2].count(0) > pairs // 3:
        return Encoding("utf-16-be", doubtful=True)
    bom = head.startswith(codecs.BOM_UTF8)
    valid, broken = _count_lines(source)
    if not broken:
        return Encoding("utf-8-sig", bom=bom)
    if bom or valid:
        notice = (
            f"{broken} baris tidak tertulis dalam UTF-8 seperti baris lainnya dan ditolak.",
            f"{broken} lines are not UTF-8 as the others are, and are refused.",
        )
        return Encoding("utf-8-sig", bom=bom, doubtful=True, notice=notice)
    notice = (
        "Berkas tidak tertulis dalam UTF-8; dibaca sebagai Windows-1252. Periksa nama dengan huruf khusus.",
        "The file is not UTF-8; it is read as Windows-1252. Check names with special letters.",
    )
    return Encoding("cp1252", doubtful=True, notice=notice)


def _count_lines(source: Source) -> tuple[int, int]:
    # Counts lines that are not ASCII: those that are UTF-8, and those that are not. A file with both kinds is mixed.
    valid = broken = 0
    decoder = codecs.getincrementaldecoder("utf-8")
    with source.open() as file:
        line = decoder()
        doubtful = False
        for piece in iter(lambda: file.readline(_HEAD_BYTES), b""):
            ends = piece.endswith(b"\n")
            if not piece.isascii() or doubtful:
                try:
                    line.decode(piece, ends)
                except UnicodeDecodeError:
                    broken += 1
                    doubtful = False
                    line.reset()
                    # A long line is counted only once.
                    _skip_line(file, ends)
                    continue
                if ends:
                    valid += 1
                doubtful = not ends
            if ends:
                line.reset()
        if doubtful:
            broken, valid = (broken + 1, valid) if line.getstate()[0] else (broken, valid + 1)
    return valid, broken


def _skip_line(file: BinaryIO, ends: bool) -> None:
    while not ends:
        piece = file.readline(_HEAD_BYTES)
        ends = not piece or piece.endswith(b"\n")


def lines_of(source: Source, encoding: Encoding, bounds: Bounds = BOUNDS) -> Iterator[str]:
    """The lines of a text file, each with its line end. A line above the size limit is cut to its beginning, without a
    line end. Bytes that do not decode become marks that `undecodable` recognises."""
    errors = "surrogateescape" if encoding.name in ("utf-8-sig", "cp1252") else "replace"
    most = bounds.characters
    with io.TextIOWrapper(source.open(), encoding=encoding.name, errors=errors, newline=None) as file:
        while line := file.readline(most):
            yield line
            while len(line) == most and line[-1] != "\n":
                line = file.readline(most)


def undecodable(text: str) -> bool:
    """Whether a line contains bytes that did not decode."""
    return _UNDECODABLE.search(text) is not None


def legible(text: str) -> str:
    """The text with a visible mark in place of bytes that did not decode, so that it can be written again."""
    return _UNDECODABLE.sub("\ufffd", text)


def head_of(source: Source, encoding: Encoding, most: int) -> list[str]:
    """The first lines of a file, as far down as a heading may be."""
    lines = islice(lines_of(source, encoding), most + QUOTED_LINES_MAX)
    return [legible(line[:_HEAD_BYTES]) for line in lines]


def delimiter_of(lines: list[str], known: Callable[[list[str]], int]) -> str:
    """The separator of a CSV file, taken from the line with column names. `known` counts the cells that are column
    names."""
    for line in lines:
        if line.strip().lower().startswith("sep=") and len(line.strip()) == 5:
            return line.strip()[4]
    found: tuple[int, str] = (0, ";")
    for line in lines:
        for mark in DELIMITERS:
            if mark in line:
                cells = _alone(line, mark) or line.rstrip("\n").split(mark)
                found = max(found, (known(cells), mark), key=lambda one: one[0])
    return found[1] if found[0] >= 1 else _delimiter_by_count(lines)


def _delimiter_by_count(lines: list[str]) -> str:
    for line in lines:
        counts = {mark: line.count(mark) for mark in DELIMITERS}
        best = max(counts, key=lambda mark: counts[mark])
        # A title above the header may contain one comma; a header contains several separators.
        if counts[best] > 1:
            return best
    return ";" if any(";" in line for line in lines) else ","


def csv_cells(source: Source, encoding: Encoding, shape: CsvLayout, bounds: Bounds = BOUNDS) -> Iterator[Cells]:
    """Each record with its number (as a spreadsheet counts rows, the first is 1), its cells and its fault."""
    return records(lines_of(source, encoding, bounds), shape, bounds, doubtful=encoding.doubtful)


def records(
    lines: Iterator[str], shape: CsvLayout, bounds: Bounds = BOUNDS, *, doubtful: bool = False
) -> Iterator[Cells]:
    """The records of these lines; `doubtful` when some may contain bytes that did not decode."""
    return _Records(lines, shape, bounds, doubtful=doubtful).all()


class _Records:
    """The records of one file. `_waiting` holds lines that were read ahead and belong to no record yet."""

    def __init__(self, lines: Iterator[str], shape: CsvLayout, bounds: Bounds, *, doubtful: bool) -> None:
        self._lines = lines
        self._waiting: deque[str] = deque()
        self._shape = shape
        self._doubtful = doubtful
        self._bounds = bounds

    def all(self) -> Iterator[Cells]:
        """Each record, including blank ones."""
        delimiter, most, longest = self._shape.delimiter, self._bounds.columns, self._bounds.characters
        number = 0
        while True:
            line = self._waiting.popleft() if self._waiting else next(self._lines, None)
            if line is None:
                return
            number += 1
            fault: Fault | None = None
            if len(line) >= longest and line[-1] != "\n":
                cells, fault = line[:_KEPT_CHARACTERS].split(delimiter), "long"
            elif '"' in line:
                cells, fault = self._quoted(line, number)
            else:
                cells = line.rstrip("\n").split(delimiter)
            if len(cells) > most:
                fault = "wide" if any(cells[most:]) else fault
                cells = cells[:most]
            if self._doubtful and any(undecodable(cell) for cell in cells):
                cells, fault = [legible(cell) for cell in cells], fault or "undecodable"
            yield number, cells, fault

    def _quoted(self, line: str, number: int) -> tuple[list[str], Fault | None]:
        """The record that begins with this line, which contains a quote."""
        cells = _alone(line, self._shape.delimiter)
        if cells is not None:
            return cells, None
        more: list[str] = []
        cells = None if self._is_whole_unquoted(line) else self._joined(line, more)
        if cells is not None and (number <= self._shape.heading or not self._shape.full or self._shape.fits(cells)):
            return cells, None
        self._waiting.extendleft(reversed(more))
        return line.rstrip("\n").split(self._shape.delimiter), "open-quote"

    def _is_whole_unquoted(self, line: str) -> bool:
        """Whether a line with an open quote is a row when this quote is taken as a letter. Then the cell does not go on
        below: the lines below are other people.

        The row must have all its cells, and one behind the quote must be a date, an area code or a sex: separators
        alone may also be commas of an address of several lines.
        """
        *before, opened = next(csv.reader([line], delimiter=self._shape.delimiter))
        within = opened.rstrip("\r\n").split(self._shape.delimiter)
        return self._shape.fits(before + within) and any(_TYPED.fullmatch(cell) for cell in within[1:])

    def _joined(self, line: str, more: list[str]) -> list[str] | None:
        """The cells of a line and of the following lines up to the closing quote; None when they do not make one
        record."""
        complete = True

        def feed() -> Iterator[str]:
            nonlocal complete
            yield line
            while len(more) < QUOTED_LINES_MAX:
                following = self._waiting.popleft() if self._waiting else next(self._lines, None)
                if following is None:
                    break
                more.append(following)
                if self._is_whole(following):
                    break
                yield following
            complete = False

        try:
            cells = next(csv.reader(feed(), delimiter=self._shape.delimiter))
        except csv.Error:
            return None
        return cells if complete else None

    def _is_whole(self, line: str) -> bool:
        """Whether a line is a whole row, so that it cannot be a part of a quoted cell.

        It contains a NIK, or its first quote neither ends a cell nor is doubled, or it has the cells of a row. A line
        on which a quoted cell ends normally has only the cells after it. If that was the first cell of the row, the
        line may have all cells.
        """
        before, quote, behind = line.partition('"')
        if _NIK_LIKE.search(before):
            return True
        if quote and behind[:1] not in (self._shape.delimiter, '"', "\r", "\n", ""):
            # Inside a quoted cell a quote is doubled, or ends the cell: this one does neither.
            return True
        if not self._shape.full or (quote and before and self._shape.delimiter not in before):
            return False
        if quote and before and behind[:1] in (self._shape.delimiter, "\r", "\n", ""):
            # A separator follows the first quote, so the quote ends a cell: the cell began on a line before.
            return False
        cells = _alone(line, self._shape.delimiter)
        if cells is None:
            cells = [] if not before else line.rstrip("\n").split(self._shape.delimiter)
        return self._shape.fits(cells) and len(cells) > 1


def _alone(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line alone; None when a quote is open at its end."""
    if '"' not in line:
        return line.rstrip("\n").split(delimiter)
    ended = False

    def feed() -> Iterator[str]:
        nonlocal ended
        yield line
        ended = True

    try:
        cells = next(csv.reader(feed(), delimiter=delimiter))
    except (csv.Error, StopIteration):
        return None
    return None if ended else cells
