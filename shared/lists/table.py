"""One table of a list: its rows, below its heading and below further headings in its middle.

The records of a table are read twice: `first_pass` counts them and learns what a single row cannot tell, `rows` makes
the rows. A line that names the columns again in another way begins a section of its own: its rows are read by it, or
refused when it lacks required columns. So no value comes into the field of another heading.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from shared.lists import joined
from shared.lists.columns import LAYOUTS, ListKind, paths_of, plain
from shared.lists.errors import ListError
from shared.lists.headings import Heading
from shared.lists.no_workers import NoWorkers
from shared.lists.notices import Notice, example_line
from shared.lists.rows import ABOVE_THE_HEADING, SHEET_STEP, Row
from shared.lists.section import RefusedSection, Section, begun
from shared.lists.tables import Cells

# In tables with fewer required columns than this, a row of one or two cells may be complete.
_REQUIRED_OF_WORKERS = 4
# A line with so many different column names, and few other cells, is a heading.
_NAMES_OF_A_HEADING = 3
# Headings have no numbers of this length, nearly all rows have one.
_NUMBER = re.compile(r"\d{6}", re.ASCII)
_NIK = re.compile(r"(?<!\d)\d{16}(?!\d)", re.ASCII)
_CELLS_OF_A_ROW = 3
# Templates have an example above the heading, and say so.
_EXAMPLE = re.compile(r"\b(contoh|example)", re.IGNORECASE)
# Each different heading is kept, so their number has a limit.
_SECTIONS_MAX = 50
TOO_MANY_HEADINGS = (
    f"Berkas memuat lebih dari {_SECTIONS_MAX} judul kolom yang berbeda; samakan judulnya, lalu kirim lagi.",
    f"The file has more than {_SECTIONS_MAX} different headings; use one heading and send it again.",
)


class Table:
    """The rows of one table; raises HeaderError when a required column is missing.

    `header` is that of the first heading, `joined_header` has the columns of all headings; `full` counts all cells.
    `order` is the table's place in its workbook, from 0; `sheet` is the name of its sheet when there are several.
    """

    def __init__(self, kind: ListKind, heading: Heading, *, is_sheet: bool, is_1904: bool = False) -> None:
        self._layout = LAYOUTS[kind]
        self._is_sheet, self._is_1904 = is_sheet, is_1904
        self._first = Section(self._layout, heading.cells, heading.number, is_sheet=is_sheet, is_1904=is_1904)
        self._sections: list[Section | RefusedSection] = [self._first]
        self._starts = [heading.number]
        self._seen = heading.number
        self.heading = heading
        self._lines = {tuple(plain(cell) for cell in line) for line in heading.lines}
        self.header, self.full = self._first.header, self._first.full
        self.sheet, self.order = "", 0
        self._example = 0
        required = [column for column in self._layout.columns if column.required]
        is_signed = len(required) >= _REQUIRED_OF_WORKERS and any(column.name == "nik" for column in required)
        self._left_out = NoWorkers(self.header, ends_with_signatures=is_signed, is_heading=self._is_heading)

    @property
    def joined_header(self) -> tuple[str, ...]:
        """The columns of all headings; known after the first pass."""
        return joined.header_of(section.header for section in self._sections)

    def notices(self) -> tuple[Notice, ...]:
        """Notices about what was assumed or left out; complete after the first pass."""
        example = (example_line(self._example, self.sheet),) if self._example else ()
        other = [section.announced(self._first, self.sheet) for section in self._sections[1:]]
        # The headings of sections are named already.
        told = self._left_out.notice(self.sheet, apart=self._starts)
        of_sections = [notice for section in self._sections for notice in section.notices(self.sheet)]
        return tuple(dict.fromkeys((*example, *other, *of_sections, *((told,) if told else ()))))

    def first_pass(self, records: Iterable[Cells]) -> int:
        """Learns from all records of the table what a single row cannot tell; returns the number of its rows."""
        count = 0
        for number, cells, fault in self._rows_of(records):
            count += 1
            if fault is None and number > self.heading.number:
                self._section_of(number).see(number, cells)
        if self.is_unsure_of_days:
            # One person wrote the table, so its sections have one order.
            self.doubt_days()
        return count

    @property
    def is_unsure_of_days(self) -> bool:
        """Whether its columns of days may have the month first; known after the first pass."""
        return any(section.meaning.orders.is_unsure for section in self._readable())

    def doubt_days(self) -> None:
        """Another table of the file may have the month first."""
        for section in self._readable():
            section.meaning.orders.doubt()

    def holds(self, number: int) -> bool:
        """Whether a non-blank record is a row; known after the first pass."""
        return number > self.heading.number and number not in self._left_out.numbers

    def rows(self, records: Iterable[Cells]) -> Iterator[Row]:
        """Every row, made from all records of the table."""
        header, sheet, order = self.joined_header, self.sheet, self.order
        for record in self._rows_of(records):
            number, cells, _ = record
            if number <= self.heading.number:
                row = self._first.broken(number + order * SHEET_STEP, cells, ABOVE_THE_HEADING, sheet)
            else:
                row = self._section_of(number).row(record, sheet, order)
            yield joined.under(row, header)

    def _rows_of(self, records: Iterable[Cells]) -> Iterator[Cells]:
        """The records that are rows."""
        rest = iter(records)
        top, lines = self.heading.number, len(self.heading.lines)
        has_example, self._example = False, 0
        for record in rest:
            number, cells, _ = record
            if number > top:
                yield from self._left_out.rows(chain([record], rest))
            elif number <= top - lines:
                has_example = has_example or any(_EXAMPLE.search(cell) for cell in cells)
                if _is_person(cells) and has_example and not self._example:
                    self._example = number
                elif _is_person(cells):
                    yield record

    def _readable(self) -> Iterator[Section]:
        return (section for section in self._sections if isinstance(section, Section))

    def _section_of(self, number: int) -> Section | RefusedSection:
        if len(self._sections) == 1:
            return self._first
        return self._sections[bisect_left(self._starts, number) - 1]

    def _is_heading(self, number: int, cells: Sequence[str]) -> bool:
        """Whether a line below the heading names columns again; at its first sight it begins a section."""
        if _NUMBER.search("|".join(cells)):
            return False
        names = tuple(plain(cell) for cell in cells)
        if names in self._lines and len(self._lines) > 1:
            # One of the lines of a heading on two lines.
            return True
        named = {column.path for column in paths_of(cells, self._layout) if column is not None}
        filled = sum(1 for name in names if name)
        if len(named) < _NAMES_OF_A_HEADING or 2 * len(named) < filled:
            return False
        if number > self._seen:
            self._seen = number
            self._begin(number, cells)
        return True

    def _begin(self, number: int, cells: Sequence[str]) -> None:
        named = paths_of(cells, self._layout)
        if self._agrees(named):
            return
        if len(self._sections) >= _SECTIONS_MAX:
            raise ListError(*TOO_MANY_HEADINGS)
        self._sections.append(begun(self._layout, cells, number, is_sheet=self._is_sheet, is_1904=self._is_1904))
        self._starts.append(number)

    def _agrees(self, named: Sequence[object]) -> bool:
        """Whether a heading means the same columns as the one before it."""
        current = self._sections[-1].named
        return all(
            column is None or (place < len(current) and current[place] == column) for place, column in enumerate(named)
        )


def _is_person(cells: Sequence[str]) -> bool:
    """Whether a line above a heading is a row of a list, and no title."""
    filled = [cell for cell in cells if cell.strip()]
    return len(filled) >= _CELLS_OF_A_ROW and any(_NIK.search(cell) for cell in filled)
