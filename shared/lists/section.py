"""The rows below one heading, up to the next heading of the table: turns records into rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.files.separated import unguarded
from shared.lists import sexes
from shared.lists.cells import CellMeaning
from shared.lists.columns import PLACE_AND_DAY, Layout, match, nearest, paths_of, plain, sex_columns, without_answers
from shared.lists.errors import HeaderError
from shared.lists.notices import Notice, all_unused, headings_differ, incomplete_heading
from shared.lists.rows import (
    FAULTS,
    PLACE_COLUMNS,
    SHEET_STEP,
    Problem,
    Row,
    name_of,
    no_value,
    ragged,
    under_incomplete_heading,
)
from shared.lists.sheet_cells import DAYS_OF_1904, NO_VALUE
from shared.lists.tables import Cells

# `Sangatta, 01-07-1985`: a place without a digit, and what begins with one.
_PLACE_BEFORE_A_DAY = re.compile(r"\s*([^\d,/]*[^\d,/\s])\s*(?:[,/]|(?<=\S)\s)\s*(\d.*?)\s*")


class Section:
    """The rows of one heading; raises HeaderError when a required column is missing.

    `header` are the cells of the heading without empty cells at its right end and without the columns of an answers
    file; `full` counts all cells. `number` is the number of the heading's last row.
    """

    def __init__(
        self, layout: Layout, heading: Sequence[str], number: int, *, is_sheet: bool, is_1904: bool = False
    ) -> None:
        own = own_columns(heading)
        matched = match(heading[:own], layout)
        # A table may have empty columns at its right end; they do not belong to it.
        width = max(i for i, name in enumerate(heading[:own], start=1) if name.strip())
        self.number = number
        self.header = tuple(name.strip() for name in heading[:width])
        self.full = len(heading)
        self.named = paths_of(heading[:own], layout)
        first_day = DAYS_OF_1904 if is_1904 else 0
        self.meaning = CellMeaning(heading, matched, layout, first_day=first_day, is_sheet=is_sheet)
        self._type = layout.type
        self._is_sheet = is_sheet
        self._used = [i for i, column in enumerate(matched.columns) if column is not None or i in matched.again]
        self._place_and_day = [i for i, name in enumerate(heading[:own]) if plain(name) in PLACE_AND_DAY]
        self._sexes = sex_columns(heading[:own], layout)
        self._unused = all_unused({name: nearest(name, layout) for name in matched.unknown})

    def notices(self, where: str) -> tuple[Notice, ...]:
        """Notices about columns and cells; complete after the first pass. `where` is the name of the sheet, or
        empty."""
        return (*self._unused, *self.meaning.notices(where))

    def announced(self, first: Section, where: str) -> Notice:
        """The notice about this heading in the middle of a table that begins with another."""
        return headings_differ(self.number, first.number, where)

    def see(self, number: int, cells: list[str]) -> None:
        """Examines one unbroken row of the first pass."""
        if not self.meaning.has_seen_enough:
            self.meaning.see(number, self._as_meant(self._as_typed(cells))[0])

    def row(self, record: Cells, sheet: str, order: int) -> Row:
        """One row; `sheet` and `order` are those of its table."""
        number, cells, fault = record
        number += order * SHEET_STEP
        if fault is not None:
            return self.broken(number, cells, FAULTS[fault], sheet)
        full, count = self.full, len(cells)
        if count != full:
            if count > full and not any(cells[full:]):
                cells = cells[:full]
            elif count < full and (self._is_sheet or count >= len(self.header)):
                cells = cells + [""] * (full - count)
            else:
                return self.broken(number, cells, ragged(count, full), sheet)
        if NO_VALUE in cells:
            names = [self.header[index] for index in self._used if cells[index] == NO_VALUE]
            if names:
                return self.broken(number, cells, no_value(", ".join(names)), sheet)
        cells = self._as_typed(cells)
        meant, place = self._as_meant(cells)
        if problem := self.meaning.problem(meant):
            return self.broken(number, cells, problem, sheet)
        data, remarks = self.meaning.read(name_of(number), meant)
        if place:
            data.setdefault("birth_place", place)
        kept = tuple(cells[: len(self.header)])
        return Row(number, self.header, kept, self._type, data, (), None, remarks, sheet)

    def broken(self, number: int, cells: list[str], problem: Problem, sheet: str) -> Row:
        """A row that cannot be sent; `number` is unique in the file."""
        width = len(self.header)
        kept = tuple((cells + [""] * width)[:width])
        return Row(number, self.header, kept, self._type, {}, (problem,), sheet=sheet)

    def _as_meant(self, cells: list[str]) -> tuple[list[str], str]:
        """The cells with the day alone where a column has the place before it and with the sex of the columns `L` and
        `P` in the first of them, and that place. A cell that is written in another way stays as it is, so that the
        service refuses it."""
        place = ""
        if self._sexes is not None and max(self._sexes) < len(cells):
            male, female = self._sexes
            cells = [*cells[:male], sexes.of(cells[male], cells[female]), *cells[male + 1 :]]
        for index in self._place_and_day:
            if index < len(cells) and (found := _PLACE_BEFORE_A_DAY.fullmatch(cells[index])):
                cells = [*cells[:index], found[2], *cells[index + 1 :]]
                place = place or found[1]
        return cells, place

    def _as_typed(self, cells: list[str]) -> list[str]:
        """The cells of a CSV without the marks that guard formulas in files of answers."""
        if not self._is_sheet and "'" in "".join(cells):
            return [unguarded(cell) for cell in cells]
        return cells


class RefusedSection:
    """The rows below a heading that lacks required columns: each is refused, and says so. Its cells stand under their
    own headings, so that the answers show what the sender wrote."""

    def __init__(self, layout: Layout, heading: Sequence[str], number: int, missing: Sequence[str]) -> None:
        self.number = number
        self.named = paths_of(heading, layout)
        self.header = tuple(name.strip() for name in heading)
        self._type = layout.type
        self._missing = ", ".join(missing)

    def notices(self, where: str) -> tuple[Notice, ...]:
        """None about columns: nothing is read."""
        return ()

    def announced(self, first: Section, where: str) -> Notice:
        """The notice about this heading."""
        return incomplete_heading(self.number, self._missing, where)

    def see(self, number: int, cells: list[str]) -> None:
        """Nothing can be learned from rows that are not read."""

    def row(self, record: Cells, sheet: str, order: int) -> Row:
        """One row, refused."""
        number, cells, _ = record
        width = len(self.header)
        kept = tuple((cells + [""] * width)[:width])
        problem = under_incomplete_heading(self.number, self._missing)
        return Row(number + order * SHEET_STEP, self.header, kept, self._type, {}, (problem,), sheet=sheet)


def begun(
    layout: Layout, heading: Sequence[str], number: int, *, is_sheet: bool, is_1904: bool
) -> Section | RefusedSection:
    """The section below another heading of the table."""
    try:
        return Section(layout, heading, number, is_sheet=is_sheet, is_1904=is_1904)
    except HeaderError as error:
        return RefusedSection(layout, heading, number, error.missing)


def own_columns(heading: Sequence[str]) -> int:
    """How many columns belong to the list itself. An answers file has more; for a workbook with several sheets also the
    place of each row."""
    own = without_answers(heading)
    places = own - len(PLACE_COLUMNS)
    is_answered = own < len(heading) and places > 0
    return places if is_answered and tuple(heading[places:own]) == PLACE_COLUMNS else own
