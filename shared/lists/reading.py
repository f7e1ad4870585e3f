"""The questions about a list's bytes, and the answers that are read in this process.

Four questions: the file's format (`form`), the records of a CSV, the lines of a JSONL, the sheets of a workbook. `Here`
answers them in this process; `apart.Apart` starts a process of its own, which may be killed. Both raise ListError for
files that no reader can read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from shared.lists import sheets, tables
from shared.lists.bounds import BOUNDS, Bounds
from shared.lists.errors import ListError
from shared.lists.formats import Format, format_of
from shared.lists.sheets import Item
from shared.lists.source import Source
from shared.lists.tables import Cells, CsvLayout, Encoding, Fault

# A list may begin with a title and blank lines; its heading must be within the first rows.
HEADING_ROWS_MAX = 30

# A line of a JSONL file: its number from 1, its text, and its fault.
JsonLine = tuple[int, str, Fault | None]
Record = TypeVar("Record", Cells, JsonLine)


@dataclass(frozen=True, slots=True)
class FileFormat:
    """The format and encoding of a file, and its first lines (none for a workbook)."""

    format: Format
    encoding: Encoding
    head: list[str] = field(default_factory=list)


class ListReading(Protocol):
    """Something that answers the four questions. `wanted`: sheets by their place in the workbook, None for all."""

    def form(self, source: Source) -> FileFormat: ...
    def csv(self, source: Source, encoding: Encoding, shape: CsvLayout) -> Iterator[Cells]: ...
    def lines(self, source: Source, encoding: Encoding) -> Iterator[JsonLine]: ...
    def book(self, source: Source, wanted: frozenset[int] | None) -> Iterator[Item]: ...


@dataclass(frozen=True, slots=True)
class Here:
    """Reads in this process, within the limits on rows and columns."""

    bounds: Bounds = BOUNDS

    def form(self, source: Source) -> FileFormat:
        found = format_of(source)
        if found == "xlsx":
            return FileFormat(found, Encoding("utf-8"))
        encoding = tables.encoding_of(source)
        return FileFormat(found, encoding, tables.head_of(source, encoding, HEADING_ROWS_MAX))

    def csv(self, source: Source, encoding: Encoding, shape: CsvLayout) -> Iterator[Cells]:
        return self._counted(tables.csv_cells(source, encoding, shape, self.bounds))

    def lines(self, source: Source, encoding: Encoding) -> Iterator[JsonLine]:
        return self._counted(self._lines(source, encoding))

    def _lines(self, source: Source, encoding: Encoding) -> Iterator[JsonLine]:
        longest = self.bounds.characters
        for number, line in enumerate(tables.lines_of(source, encoding, self.bounds), start=1):
            if len(line) >= longest and line[-1] != "\n":
                yield number, "", "long"
            elif encoding.doubtful and tables.undecodable(line):
                yield number, tables.legible(line), "undecodable"
            else:
                yield number, line, None

    def book(self, source: Source, wanted: frozenset[int] | None) -> Iterator[Item]:
        """The sheets of a workbook, one after the other."""
        rows = 0
        for item in sheets.sheets_of(source, wanted, self.bounds):
            if isinstance(item, tuple):
                rows += 1
                if rows > self.bounds.rows:
                    raise self._too_many()
            yield item

    def _counted(self, records: Iterator[Record]) -> Iterator[Record]:
        for count, record in enumerate(records, start=1):
            if count > self.bounds.rows:
                raise self._too_many()
            yield record

    def _too_many(self) -> ListError:
        most = self.bounds.rows
        return ListError(
            f"Berkas memuat lebih dari {most:,} baris; bagi menjadi beberapa berkas.".replace(",", "."),
            f"The file has more than {most:,} rows; divide it into several files.",
        )
