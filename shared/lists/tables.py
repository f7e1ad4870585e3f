"""Rows of cells out of CSV and XLSX files, one at a time: encodings, separators, quotes, spreadsheet cells.

Owns what the bytes of a file mean as text. Knows no column: that is `columns`. A broken row comes out with a fault
beside it and the next row is read on: no row of a list may vanish, and one bad byte may not cost a whole list.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import PurePath
from typing import Literal
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from shared.lists.errors import ListError
from shared.lists.source import Source

Fault = Literal["undecodable", "open-quote"]
Cells = tuple[int, list[str], Fault | None]

# A quoted cell may hold line breaks (addresses do), but a quote that never closes may not swallow the whole list.
QUOTED_LINES_MAX = 20
# An XLSX is a zip: what unpacks to more than this is no list of workers.
XLSX_BYTES_MAX = 1 << 30

# What a damaged or hostile workbook raises, whichever part of it is read; defusedxml's refusals are ValueErrors.
_XLSX_BROKEN = (zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, KeyError, ValueError, EOFError)
_UNDECODABLE = re.compile("[\udc80-\udcff\ufffd]")
_HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a text file is written. `doubtful` when single rows may not decode; `notice` tells what was assumed."""

    name: str
    bom: bool = False
    doubtful: bool = False
    notice: tuple[str, str] | None = None


def format_of(source: Source) -> Literal["csv", "xlsx", "jsonl"]:
    """What kind of file this is, by its content first; raises ListError for what no reader takes."""
    try:
        with source.open() as file:
            head = file.read(512)
    except OSError as error:
        raise ListError(
            f"Berkas tidak dapat dibuka: {source.name}.", f"The file cannot be opened: {source.name}."
        ) from error
    suffix = PurePath(source.name).suffix.lower()
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise ListError("Berkas kosong.", "The file is empty.")
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    if head.startswith(b"\xd0\xcf\x11\xe0") or suffix in (".xlsx", ".xls"):
        raise ListError(
            "Berkas ini bukan XLSX; simpan ulang sebagai .xlsx atau CSV UTF-8.",
            "This file is no XLSX; save it again as .xlsx or CSV UTF-8.",
        )
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()
    return "jsonl" if suffix in (".jsonl", ".ndjson", ".json") or start.startswith(b"{") else "csv"


def encoding_of(source: Source) -> Encoding:
    """How a text file is written, found by reading it once in constant memory."""
    with source.open() as file:
        head = file.read(_HEAD_BYTES)
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
    # Lines beyond ASCII: those that are UTF-8, and those that are not. Both kinds in one file is a mixed file.
    valid = broken = 0
    with source.open() as file:
        for line in iter(lambda: file.readline(_HEAD_BYTES), b""):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                valid += 1
            except UnicodeDecodeError as error:
                # A very long line is cut at any byte; a letter cut in two is not a broken one.
                cut = len(line) == _HEAD_BYTES and error.start >= _HEAD_BYTES - 4
                valid, broken = (valid + 1, broken) if cut else (valid, broken + 1)
    return valid, broken


def lines_of(source: Source, encoding: Encoding) -> Iterator[str]:
    """The lines of a text file; bytes that do not decode are kept as marks that `undecodable` sees."""
    errors = "replace" if encoding.name.startswith("utf-16") else "surrogateescape"
    with io.TextIOWrapper(source.open(), encoding=encoding.name, errors=errors, newline=None) as file:
        yield from file


def undecodable(text: str) -> bool:
    """Whether a line holds bytes that did not decode."""
    return _UNDECODABLE.search(text) is not None


def legible(text: str) -> str:
    """The text with a visible mark wherever a byte did not decode, so that it can be written again."""
    return _UNDECODABLE.sub("\ufffd", text)


def delimiter_of(lines: list[str]) -> str:
    """The separator of a CSV file, by its first lines: Indonesian Excel writes `;`."""
    for line in lines:
        if line.strip().lower().startswith("sep=") and len(line.strip()) == 5:
            return line.strip()[4]
        counts = {mark: line.count(mark) for mark in (";", ",", "\t")}
        best = max(counts, key=lambda mark: counts[mark])
        # A title above the header may hold one comma; a header has several separators.
        if counts[best] > 1:
            return best
    return ";" if any(";" in line for line in lines) else ","


def csv_form(source: Source, header_rows_max: int) -> tuple[Encoding, str]:
    """The encoding of a CSV file, and its separator by its first lines."""
    encoding = encoding_of(source)
    return encoding, delimiter_of(list(islice(lines_of(source, encoding), header_rows_max)))


def csv_cells(source: Source, encoding: Encoding, delimiter: str) -> Iterator[Cells]:
    """Each record with its number (as a spreadsheet counts rows, the first is 1), its cells and its fault."""
    lines = lines_of(source, encoding)
    waiting: deque[str] = deque()
    number = 0
    while True:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            return
        number += 1
        fault: Fault | None = None
        if '"' in line:
            cells, fault = _quoted(line, lines, waiting, delimiter)
        else:
            cells = line.rstrip("\n").split(delimiter)
        if encoding.doubtful and any(undecodable(cell) for cell in cells):
            cells, fault = [legible(cell) for cell in cells], "undecodable"
        yield number, cells, fault


def _quoted(line: str, lines: Iterator[str], waiting: deque[str], delimiter: str) -> tuple[list[str], Fault | None]:
    more: list[str] = []
    complete = True

    def feed() -> Iterator[str]:
        nonlocal complete
        yield line
        while len(more) < QUOTED_LINES_MAX:
            following = waiting.popleft() if waiting else next(lines, None)
            if following is None:
                break
            more.append(following)
            yield following
        complete = False

    try:
        cells = next(csv.reader(feed(), delimiter=delimiter))
    except csv.Error:
        complete = False
        cells = []
    if complete:
        return cells, None
    waiting.extendleft(reversed(more))
    return line.rstrip("\n").split(delimiter), "open-quote"


def xlsx_sheets(source: Source) -> Generator[Iterator[Cells], None, None]:
    """The rows of each visible sheet, streamed; raises ListError for a file that is no workbook."""
    with source.open() as file:
        try:
            with zipfile.ZipFile(file) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > XLSX_BYTES_MAX:
                    raise ListError("Berkas XLSX terlalu besar.", "The XLSX file is too large.")
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        except _XLSX_BROKEN as error:
            raise _broken_workbook() from error
        try:
            for sheet in book.worksheets:
                if sheet.sheet_state == "visible":
                    # The size that a file states of itself is often wrong; without it every row is read as it comes.
                    sheet.reset_dimensions()
                    yield _sheet_cells(sheet.iter_rows(values_only=True))
        finally:
            book.close()


def _sheet_cells(rows: Iterator[tuple[object, ...]]) -> Iterator[Cells]:
    try:
        for number, row in enumerate(rows, start=1):
            yield number, [_xlsx_text(value) for value in row], None
    except _XLSX_BROKEN as error:
        raise _broken_workbook() from error


def _broken_workbook() -> ListError:
    return ListError("Berkas XLSX rusak; simpan ulang.", "The XLSX file is broken; save it again.")


def _xlsx_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # Excel keeps 15 digits: a longer number that ends in 0 has lost its last ones, and shows as 6.40E+15.
    if isinstance(value, int) and abs(value) >= 10**15 and value % 10 == 0:
        return f"{value:.2E}"
    return str(value)
