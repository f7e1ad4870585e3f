"""Reads an agency's list file into rows ready to publish, one at a time and in constant memory.

Owns what a row of a list means. It judges nothing that the service judges: a wrong NIK, village or date goes on as its
raw text and is refused there with a reason. Only a row of which nothing can be sent has a problem here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from shared.files.separated import unguarded
from shared.lists import tables
from shared.lists.cells import CellMeaning
from shared.lists.columns import LAYOUTS, Kind, known_names, match, nearest, without_answers
from shared.lists.errors import ListError
from shared.lists.jsonl import open_jsonl
from shared.lists.rows import FAULTS, ListFile, Problem, Row, ragged, unused
from shared.lists.source import Source, source_of

# A list may begin with a title and blank lines; its header is looked for in the first rows only.
HEADER_ROWS_MAX = 10


def read(file: Path | str | Source, kind: Kind) -> Iterator[Row]:
    """The rows of a list file; raises ListError (HeaderError) when the file as a whole cannot be taken."""
    return open_list(file, kind).rows()


def open_list(file: Path | str | Source, kind: Kind) -> ListFile:
    """Understands a list file without reading its rows; raises ListError (HeaderError)."""
    source = source_of(file)
    found = tables.format_of(source)
    if found == "jsonl":
        return open_jsonl(source, kind)
    return _open_csv(source, kind) if found == "csv" else _open_xlsx(source, kind)


def _open_csv(source: Source, kind: Kind) -> ListFile:
    encoding, delimiter = tables.csv_form(source, HEADER_ROWS_MAX)
    table = _Table(kind, lambda: tables.csv_cells(source, encoding, delimiter), pads_short_rows=False)
    notices = (*((encoding.notice,) if encoding.notice else ()), *table.notices)
    return ListFile(source, kind, "csv", delimiter, encoding.bom, table.header, notices, table.rows)


def _open_xlsx(source: Source, kind: Kind) -> ListFile:
    index = _sheet_with_header(source, kind)

    def cells() -> Iterator[tables.Cells]:
        with closing(tables.xlsx_sheets(source)) as sheets:
            yield from next(itertools.islice(sheets, index, None), iter(()))

    table = _Table(kind, cells, pads_short_rows=True)
    return ListFile(source, kind, "xlsx", ",", False, table.header, table.notices, table.rows)


def _sheet_with_header(source: Source, kind: Kind) -> int:
    # The list is not always on the first sheet: the one whose top knows most columns is it.
    scores = [
        max((known_names(cells, LAYOUTS[kind]) for _, cells, _ in itertools.islice(sheet, HEADER_ROWS_MAX)), default=0)
        for sheet in tables.xlsx_sheets(source)
    ]
    return scores.index(max(scores)) if scores else 0


class _Table:
    """A table with its header understood; makes its rows as often as asked."""

    def __init__(self, kind: Kind, cells: Callable[[], Iterator[tables.Cells]], *, pads_short_rows: bool) -> None:
        layout = LAYOUTS[kind]
        self._cells = cells
        self._pads = pads_short_rows
        self._type = layout.type
        self.header_number, header = _find_header(cells(), kind)
        matched = match(header[: without_answers(header)], layout)
        # A table may carry empty columns at its right end; they are no part of it.
        width = max(i for i, name in enumerate(header[: len(matched.columns)], start=1) if name.strip())
        self._full_width = len(header)
        self.header = tuple(name.strip() for name in header[:width])
        self._meaning = CellMeaning(header, matched, layout)
        for number, one, fault in self._cells():
            if number > self.header_number and fault is None:
                self._meaning.see(one)
                if self._meaning.has_seen_enough:
                    break
        unknown = (unused(name, nearest(name, layout)) for name in matched.unknown)
        self.notices = (*unknown, *self._meaning.notices)

    def rows(self) -> Iterator[Row]:
        """Every row below the header that is not blank."""
        width, full, header = len(self.header), self._full_width, self.header
        for number, cells, fault in self._cells():
            if number <= self.header_number or _blank(cells):
                continue
            count = len(cells)
            if fault is None and count != full:
                if count > full and not any(cells[full:]):
                    cells = cells[:full]
                elif count < full and (self._pads or count >= width):
                    cells = cells + [""] * (full - count)
                else:
                    yield self._broken(number, cells, ragged(count, full))
                    continue
            if fault is not None:
                yield self._broken(number, cells, FAULTS[fault])
                continue
            if not self._pads:
                cells = [unguarded(cell) for cell in cells]
            data, remarks = self._meaning.read(str(number), cells)
            yield Row(number, header, tuple(cells[:width]), self._type, data, remarks=remarks)

    def _broken(self, number: int, cells: list[str], problem: Problem) -> Row:
        width = len(self.header)
        kept = (cells + [""] * width)[:width]
        return Row(number, self.header, tuple(kept), self._type, {"submission_id": str(number)}, (problem,))


def _find_header(rows: Iterator[tables.Cells], kind: Kind) -> tuple[int, list[str]]:
    first: tuple[int, list[str]] | None = None
    for number, cells, _ in itertools.islice(rows, HEADER_ROWS_MAX):
        if _blank(cells) or cells[0].lower().startswith("sep="):
            continue
        if known_names(cells, LAYOUTS[kind]) >= 2:
            return number, cells
        first = first or (number, cells)
    if first is None:
        raise ListError("Berkas kosong.", "The file is empty.")
    return first


def _blank(cells: Sequence[str]) -> bool:
    # Nearly every row begins with something, so the first cell settles it.
    return not (cells and cells[0].strip()) and not any(cell.strip() for cell in cells)
