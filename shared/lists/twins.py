"""Several columns of one table for the same field: from which of them a row is read.

Each row is read from the column that is filled; a heading that names a code takes precedence over one that names a
name. When two columns of a row state different values, Payung does not choose: the row is refused. Only free texts are
taken from the first column, and the notice counts the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from shared.contracts.reasons import Reason
from shared.contracts.yes_no import parse
from shared.kernel.debris import says_nothing
from shared.lists import values, villages
from shared.lists.columns import Column, plain
from shared.lists.notices import (
    NAMED_MAX,
    Notice,
    empty_twin,
    not_taken,
    sometimes_taken,
    twins_differ,
    unlike_its_code,
)
from shared.lists.rows import Problem, two_values
from shared.reference.areas import spelled

_SUBMISSION = ("submission_id",)
_VILLAGE = ("village",)
_CONSENT = ("consent", "given_at")
_CODE = re.compile(r"\d{2}\.\d{2}\.\d{2}\.\d{4}(?!\d)", re.ASCII)
# A filled cell: its place, its text, and whether it takes precedence.
Said = tuple[int, str, bool]


class Twins:
    """The columns of one field. `header` are all headings of the table."""

    def __init__(self, column: Column, places: Sequence[int], header: Sequence[str]) -> None:
        self.column = column
        self.places = tuple(places)
        self._header = header
        self._preferred = {index for index in places if plain(header[index]) in column.preferred}
        self._filled: Counter[int] = Counter()
        self._taken: Counter[int] = Counter()
        self._differ: Counter[tuple[int, int]] = Counter()
        self._unlike: list[int] = []
        # Columns that ask for a yes: some cell of theirs holds a yes or a no.
        self._asking: set[int] = set()

    def see(self, number: int, cells: Sequence[str]) -> None:
        """Examines one row of the first pass; `number` is its number in its sheet."""
        filled = list(self._said(cells))
        self._filled.update(index for index, _, _ in filled)
        if self.column.path == _CONSENT:
            self._asking.update(index for index, text, _ in filled if parse(text) is not None)
        if not filled:
            return
        first = self._first(filled)
        other = self._other(first, filled)
        if other is not None:
            self._differ[first[0], other] += 1
        if other is None or self.column.free_text:
            self._taken[first[0]] += 1
            # A yes or no beside the day is read too.
            self._taken.update(
                at for at, _, is_day in filled if first[2] and not is_day and self.column.path == _CONSENT
            )
        if self.column.path == _VILLAGE and first[2] and any(self._is_unlike(first[1], one) for one in filled):
            # The notice names the first few only; the list of a long file must not grow with it.
            self._unlike += [number] if len(self._unlike) <= NAMED_MAX else []

    def text(self, cells: Sequence[str]) -> tuple[int, str]:
        """The place and text that a row is read from; an empty text when no column is filled."""
        filled = list(self._said(cells))
        return self._first(filled)[:2] if filled else (self.places[0], "")

    def word(self, cells: Sequence[str]) -> str | None:
        """The yes or no beside the day of a consent: lists have a column for each. Empty when a column asks for it and
        this row has none: that does not count as a yes.
        """
        found = list(self._said(cells)) if self.column.path == _CONSENT else []
        words = [text for _, text, is_day in found if not is_day]
        no = next((text for text in words if parse(text) is False), None)
        if no is not None:
            return no
        if found and self._asking.difference(index for index, _, _ in found):
            return ""
        return words[0] if words else None

    def problem(self, cells: Sequence[str]) -> Problem | None:
        """Why a row cannot be sent: two of its columns state different values."""
        filled = list(self._said(cells))
        if self.column.free_text or len(filled) < 2:
            return None
        first = self._first(filled)
        other = self._other(first, filled)
        if other is None:
            return None
        reason = f"{Reason.FIELD_INVALID}:{self.column.field}"
        return two_values(reason, self._header[first[0]], self._header[other])

    def notices(self, where: str) -> Iterator[Notice]:
        """Notices about the columns that are not used, or not in all rows; complete after every row was seen. `where`
        is the name of the sheet, or empty."""
        taken = self._taken
        main = max(self.places, key=lambda index: (taken[index] > 0, index in self._preferred, -index))
        for index in sorted(self.places):
            name, used = self._header[index], self._header[main]
            if index == main:
                continue
            if taken[index]:
                yield sometimes_taken(name, index + 1, taken[index], used, taken[main])
            elif not self._filled[index]:
                yield empty_twin(name, index + 1, used)
            else:
                is_code = self.column.path == _VILLAGE and main in self._preferred and index not in self._preferred
                yield not_taken(name, index + 1, used, is_code=is_code)
        for (first, other), count in sorted(self._differ.items()):
            names = self._header[first], self._header[other]
            yield twins_differ(*names, count, refused=not self.column.free_text)
        if self._unlike:
            yield unlike_its_code(self._unlike, where)

    def _said(self, cells: Sequence[str]) -> Iterator[Said]:
        for index in self.places:
            text = values.bare(cells[index]) if index < len(cells) else ""
            if text and (not says_nothing(text) or self.column.path == _SUBMISSION):
                yield index, text, index in self._preferred or self._is_telling(text)

    def _is_telling(self, text: str) -> bool:
        """Whether a text takes precedence whatever its heading is: a code of a village, or the day of a consent beside
        a yes or no."""
        if self.column.path == _CONSENT:
            return parse(text) is None
        return self.column.path == _VILLAGE and _CODE.match(text) is not None

    def _first(self, filled: Sequence[Said]) -> Said:
        return next((one for one in filled if one[2]), filled[0])

    def _other(self, first: Said, filled: Sequence[Said]) -> int | None:
        """A column that states another value than the first, and is of the same kind."""
        meant = self._meant(first[1])
        return next((at for at, text, kind in filled if kind == first[2] and self._meant(text) != meant), None)

    def _meant(self, text: str) -> str:
        if self.column.path == _VILLAGE and not _CODE.match(text):
            return spelled(text)
        return " ".join(str(self.column.convert(text)).casefold().split())

    def _is_unlike(self, code: str, other: Said) -> bool:
        return not other[2] and villages.contradicts(values.village(code), other[1])


def of_fields(columns: Sequence[tuple[int, Column]], header: Sequence[str]) -> dict[tuple[str, ...], Twins]:
    """The fields that several columns name."""
    places: dict[tuple[str, ...], list[int]] = {}
    named: dict[tuple[str, ...], Column] = {}
    for index, column in columns:
        places.setdefault(column.path, []).append(index)
        named.setdefault(column.path, column)
    return {path: Twins(named[path], found, header) for path, found in places.items() if len(found) > 1}
