"""Reads an agency's list file into rows ready to publish, one at a time and in constant memory.

A file is read twice. The first pass, when it is opened, reports problems of the whole file before its first row is sent
(a broken end, no rows, sheets left out). The second pass gives its rows. The reader does not judge what the service
judges: a wrong NIK, village or date is passed on as raw text and refused there with a reason. Only a row that cannot be
sent at all has a problem here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from shared.lists import headings, tables
from shared.lists.apart import Apart
from shared.lists.books import open_book
from shared.lists.columns import LAYOUTS, ListKind, is_complete, known_names
from shared.lists.errors import ListError
from shared.lists.jsonl import open_jsonl
from shared.lists.reading import HEADING_ROWS_MAX, FileFormat, ListReading
from shared.lists.rows import NO_ROWS, ListFile, Row
from shared.lists.source import Source, source_of
from shared.lists.table import Table
from shared.lists.tables import CsvLayout

APART = Apart()


def read(file: Path | str | Source, kind: ListKind, reading: ListReading = APART) -> Iterator[Row]:
    """The rows of a list file; raises ListError (HeaderError) when the whole file cannot be read."""
    return open_list(file, kind, reading).rows()


def open_list(file: Path | str | Source, kind: ListKind, reading: ListReading = APART) -> ListFile:
    """Opens a list file and understands its header; raises ListError (HeaderError)."""
    source = source_of(file)
    form = reading.form(source)
    if form.format == "jsonl":
        return open_jsonl(source, kind, form, reading)
    return open_book(source, kind, reading) if form.format == "xlsx" else _open_csv(source, kind, form, reading)


def _open_csv(source: Source, kind: ListKind, form: FileFormat, reading: ListReading) -> ListFile:
    def known(cells: Sequence[str]) -> int:
        return known_names(cells, LAYOUTS[kind])

    delimiter = tables.delimiter_of(form.head, known)
    top = islice(tables.records(iter(form.head), CsvLayout(delimiter)), HEADING_ROWS_MAX)
    heading = headings.find(top, known, lambda cells: is_complete(cells, LAYOUTS[kind]))
    if heading is None:
        raise ListError("Berkas kosong.", "The file is empty.")
    table = Table(kind, heading, is_sheet=False)
    shape = CsvLayout(delimiter, table.full, len(table.header), heading.number)

    def rows() -> Iterator[Row]:
        return table.rows(reading.csv(source, form.encoding, shape))

    count = table.first_pass(reading.csv(source, form.encoding, shape))
    if not count:
        raise ListError(*NO_ROWS)
    notices = (*((form.encoding.notice,) if form.encoding.notice else ()), *table.notices())
    return ListFile(source, kind, "csv", delimiter, form.encoding.bom, table.joined_header, notices, rows, count=count)
