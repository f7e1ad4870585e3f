"""One table of a list with its understood heading: turns records into rows.

The records of a table are read twice: `first_pass` counts them and learns what a single row cannot tell, `rows` makes
the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shared.files.separated import unguarded
from shared.lists.cells import CellMeaning
from shared.lists.columns import LAYOUTS, ListKind, match, nearest, without_answers
from shared.lists.headings import Heading
from shared.lists.no_workers import NoWorkers
from shared.lists.rows import FAULTS, PLACE_COLUMNS, SHEET_STEP, Problem, Row, all_unused, name_of, no_value, ragged
from shared.lists.sheet_cells import DAYS_OF_1904, NO_VALUE
from shared.lists.tables import Cells

# In tables with fewer required columns than this, a row of one or two cells may be complete.
_REQUIRED_OF_WORKERS = 4


class Table:
    """The rows of one table; raises HeaderError when a required column is missing.

    `header` are the cells of the heading without empty cells at its right end and without the columns of an answers
    file; `full` counts all cells. `order` is the table's place in its workbook, from 0; `sheet` is the name of its
    sheet when there are several.
    """

    def __init__(self, kind: ListKind, heading: Heading, *, is_sheet: bool, is_1904: bool = False) -> None:
        layout = LAYOUTS[kind]
        named = heading.cells
        matched = match(named[: _own(named)], layout)
        # A table may have empty columns at its right end; they do not belong to it.
        width = max(i for i, name in enumerate(named[: len(matched.columns)], start=1) if name.strip())
        self.heading = heading
        self.header = tuple(name.strip() for name in named[:width])
        self.full = len(named)
        self.sheet, self.order = "", 0
        self._type = layout.type
        self._meaning = CellMeaning(named, matched, layout, first_day=DAYS_OF_1904 if is_1904 else 0)
        self._is_sheet = is_sheet
        self._used = [i for i, column in enumerate(matched.columns) if column is not None or i in matched.again]
        self._unused = all_unused({name: nearest(name, layout) for name in matched.unknown})
        required = [column for column in layout.columns if column.required]
        is_signed = len(required) >= _REQUIRED_OF_WORKERS and any(column.name == "nik" for column in required)
        self._left_out = NoWorkers(self.header, ends_with_signatures=is_signed)

    def notices(self) -> tuple[tuple[str, str], ...]:
        """Notices about what was assumed or left out; complete after the first pass."""
        told = self._left_out.notice(self.sheet)
        return (*self._unused, *self._meaning.notices, *((told,) if told else ()))

    def first_pass(self, records: Iterable[Cells]) -> int:
        """Learns from all records of the table what a single row cannot tell; returns the number of its rows."""
        count = 0
        for _, cells, fault in self._rows_of(records):
            count += 1
            if fault is None and not self._meaning.has_seen_enough:
                self._meaning.see(self._as_typed(cells))
        return count

    @property
    def is_month_first(self) -> bool:
        """Whether one of its columns of days has the month first; known after the first pass."""
        return self._meaning.is_month_first

    def doubt_days(self) -> None:
        """Another table of the file has the month first."""
        self._meaning.doubt_days()

    def holds(self, number: int) -> bool:
        """Whether a non-blank record is a row; known after the first pass."""
        return number > self.heading.number and number not in self._left_out.numbers

    def rows(self, records: Iterable[Cells]) -> Iterator[Row]:
        """Every row, made from all records of the table."""
        for record in self._rows_of(records):
            yield self._row(record)

    def _rows_of(self, records: Iterable[Cells]) -> Iterator[Cells]:
        """The records below the heading that are rows."""
        top = self.heading.number
        return self._left_out.rows(record for record in records if record[0] > top)

    def _row(self, record: Cells) -> Row:
        number, cells, fault = record
        if fault is not None:
            return self._broken(number, cells, FAULTS[fault])
        full, count = self.full, len(cells)
        if count != full:
            if count > full and not any(cells[full:]):
                cells = cells[:full]
            elif count < full and (self._is_sheet or count >= len(self.header)):
                cells = cells + [""] * (full - count)
            else:
                return self._broken(number, cells, ragged(count, full))
        if NO_VALUE in cells:
            names = [self.header[index] for index in self._used if cells[index] == NO_VALUE]
            if names:
                return self._broken(number, cells, no_value(", ".join(names)))
        cells = self._as_typed(cells)
        number += self.order * SHEET_STEP
        data, remarks = self._meaning.read(name_of(number), cells)
        kept = tuple(cells[: len(self.header)])
        return Row(number, self.header, kept, self._type, data, (), None, remarks, self.sheet)

    def _as_typed(self, cells: list[str]) -> list[str]:
        """The cells of a CSV without the marks that guard formulas in files of answers."""
        if not self._is_sheet and "'" in "".join(cells):
            return [unguarded(cell) for cell in cells]
        return cells

    def _broken(self, number: int, cells: list[str], problem: Problem) -> Row:
        width = len(self.header)
        kept = tuple((cells + [""] * width)[:width])
        number += self.order * SHEET_STEP
        return Row(number, self.header, kept, self._type, {}, (problem,), sheet=self.sheet)


def _own(heading: Sequence[str]) -> int:
    """How many columns belong to the list itself. An answers file has more; for a workbook with several sheets also the
    place of each row."""
    own = without_answers(heading)
    places = own - len(PLACE_COLUMNS)
    is_answered = own < len(heading) and places > 0
    return places if is_answered and tuple(heading[places:own]) == PLACE_COLUMNS else own
