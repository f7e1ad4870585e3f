"""Converts the cells of a table: the meaning of each, put where the event has it. Knows no file.

Theory of operation
A single row cannot tell everything: for example whether a column has its month first, or which of two columns with the
same meaning is filled. So a caller first shows every unbroken row to `see`, in constant memory, and then asks `read`
for the data of each row. A cell without a clear meaning is passed on unchanged and refused by the service; what is
known beyond the refusal's reason goes with the row as a remark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.kernel.debris import error_value, says_nothing, stray_mark
from shared.lists import dates, values
from shared.lists.columns import Column, Layout, Matched, plain, takes_submission_id
from shared.lists.rows import (
    Remark,
    all_month_first,
    lost_digits,
    marked,
    month_first,
    not_taken,
    sex_code,
    spreadsheet_error,
    two_orders,
)

CONSENT_METHOD = "form"
_SUBMISSION = ("submission_id",)
# Sent even when it is empty: a list that asks for a yes and has none for this worker has no consent.
_YES_OR_NO = ("consent", "given")
_WATCHED = ("nik", "sex")
# Programs use numbers for the sexes, and not all use the same ones.
_SEX_CODES = frozenset("0123")
# Matches nearly every cell: ASCII text without anything that could be debris, an error or a dash. It is taken
# unchanged.
_PLAIN = re.compile(r"(?![nN]/[aA]$|[eE][rR][rR]:|.*_x)[A-Za-z0-9][A-Za-z0-9 .,/:()&_+\-]*(?<! )", re.ASCII)


class CellMeaning:
    """Reads the rows under one header. `first_day` is added to days that are bare numbers (workbooks that count from
    1904)."""

    def __init__(self, header: Sequence[str], matched: Matched, layout: Layout, *, first_day: int = 0) -> None:
        self._header = [name.strip() for name in header]
        self._numbers_rows = takes_submission_id(layout)
        self._first_day = first_day
        self._columns = {index: column for index, column in enumerate(matched.columns) if column is not None}
        self._columns |= matched.again
        self._choices = _choices(self._columns, matched.repeated, [plain(name) for name in header])
        # The columns that are still undecided, and those that had a value.
        self._unsure = {index for places in self._choices.values() if len(places) > 1 for index in places}
        self._filled: set[int] = set()
        days = [i for places in self._choices.values() for i in places if self._columns[i].convert is values.day]
        self._orders = {index: dates.Order() for index in days}
        self._is_doubted = False
        self._settle()

    @property
    def has_seen_enough(self) -> bool:
        """Whether further rows could not change anything."""
        return not self._unsure and not self._orders

    def see(self, cells: Sequence[str]) -> None:
        """Examines one row of the first pass."""
        if self.has_seen_enough:
            return
        width, changed = len(cells), False
        for index in [one for one in self._unsure if one < width and not says_nothing(values.bare(cells[one]))]:
            self._filled.add(index)
            self._unsure.discard(index)
            changed = True
        for index, order in self._orders.items():
            if index >= width or not cells[index]:
                continue
            before = order.is_month_first
            # Seen as it is read: what a program puts around a date may not hide its order.
            order.see(cells[index] if _PLAIN.fullmatch(cells[index]) else values.bare(cells[index]))
            changed = changed or order.is_month_first != before
        if changed:
            self._settle()

    def _settle(self) -> None:
        """Chooses the columns for each field, the one that takes precedence first; and finds the columns with the month
        first."""
        self._plan: list[tuple[Column, tuple[int, ...], bool]] = []
        for places in self._choices.values():
            filled = [index for index in places if index in self._filled] or places[:1]
            column = self._columns[places[0]]
            # A code and a name of the same thing are both read, because a row may lack one of them. Of other duplicates
            # only one is read.
            used = tuple(filled) if column.codes else (filled[0],)
            self._plan.append((column, used, column.convert is values.day or column.path[-1] in _WATCHED))
        self._proven = [index for index, order in self._orders.items() if order.is_month_first]

    @property
    def is_month_first(self) -> bool:
        """Whether a column has proven that it is written with the month first."""
        return bool(self._proven)

    def doubt_days(self) -> None:
        """Another table of the file is written with the month first: days here that could be meant so are refused."""
        self._is_doubted = True

    @property
    def notices(self) -> tuple[tuple[str, str], ...]:
        """Notices (Indonesian, English) about cells and columns that are not used; complete after every row was
        seen."""
        pure = [self._header[index] for index in self._proven if not self._orders[index].days]
        mixed = [self._header[index] for index in self._proven if self._orders[index].days]
        told = [all_month_first(", ".join(pure))] if pure else []
        told += [two_orders(", ".join(mixed))] if mixed else []
        for column, places, _ in self._plan:
            for index, other in sorted(self._columns.items()):
                if other.path == column.path and index != places[0]:
                    told.append(not_taken(self._header[index], index + 1, self._header[places[0]]))
        return tuple(told)

    def read(self, name: str, cells: Sequence[str]) -> tuple[dict[str, Any], tuple[Remark, ...]]:
        """The data of a row's event, and remarks about cells that will be refused. `name` serves as the submission id
        when the row has none."""
        data: dict[str, Any] = {}
        remarks: tuple[Remark, ...] = ()
        for column, places, is_watched in self._plan:
            index = places[0]
            text = cells[index]
            remark = None
            if _PLAIN.fullmatch(text) is None:
                index, text = self._text(column, places, cells)
                if not text and column.path != _YES_OR_NO:
                    continue
                remark = self._debris(column, index, text)
            if is_watched and remark is None:
                text, remark = self._watched(column, index, text)
            if remark is not None:
                remarks = (*remarks, remark)
            # A cell that is known to be invalid is sent unchanged, so that the service refuses it.
            value = column.convert(text) if remark is None else text
            path = column.path
            if len(path) == 1:
                data[path[0]] = value
            else:
                _put(data, path, value)
        if self._numbers_rows and "submission_id" not in data:
            data["submission_id"] = name
        if "consent" in data:
            data["consent"].setdefault("method", CONSENT_METHOD)
        return _listed(data), remarks

    def _text(self, column: Column, places: tuple[int, ...], cells: Sequence[str]) -> tuple[int, str]:
        for index in places:
            text = values.bare(cells[index])
            if not text or (says_nothing(text) and column.path != _SUBMISSION):
                continue
            return index, text
        return places[0], ""

    def _debris(self, column: Column, index: int, text: str) -> Remark | None:
        name = self._header[index]
        if error := error_value(text):
            return spreadsheet_error(column.field, name, error)
        if mark := stray_mark(text):
            return marked(column.field, name, mark)
        return None

    def _watched(self, column: Column, index: int, text: str) -> tuple[str, Remark | None]:
        """The text of a date, NIK or sex, and a remark when it is known why it will be refused."""
        name = self._header[index]
        if column.convert is values.day:
            if self._first_day and text.isdecimal() and len(text) in (4, 5):
                return str(int(text) + self._first_day), None
            # Once one column proves it, all date columns are doubtful unless their cells show the contrary.
            is_doubted = self._is_doubted or bool(self._proven)
            doubtful = is_doubted and not self._orders[index].is_day_first and dates.parts_of(text) is not None
            # A day above 12 can be meant in one way only.
            doubtful = doubtful and not dates.is_day_first(text)
            return text, month_first(column.field, name, text) if doubtful else None
        if column.path[-1] == "nik":
            return text, lost_digits(column.field, text) if values.is_scientific(text) else None
        return text, sex_code(name, text) if text in _SEX_CODES else None


def _choices(
    columns: Mapping[int, Column], repeated: frozenset[int], names: Sequence[str]
) -> dict[tuple[str, ...], list[int]]:
    """The columns for each field, codes before names.

    A heading that appears twice belongs to another person (the heir behind the worker), so its second column tells
    nothing about this one.
    """
    found: dict[tuple[str, ...], list[int]] = {}
    for index, column in sorted(columns.items()):
        if index not in repeated:
            found.setdefault(column.path, []).append(index)
    return {
        path: sorted(places, key=lambda index: names[index] not in columns[index].codes)
        for path, places in found.items()
    }


def _put(data: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        data = data.setdefault(step, {})
    data[path[-1]] = value


def _listed(data: dict[str, Any]) -> dict[str, Any]:
    """Turns numbered parts (children, workers) into lists."""
    for key in ("workers", "details"):
        part = data.get(key)
        if isinstance(part, dict):
            if key == "workers":
                data[key] = list(part.values())
            elif isinstance(part.get("children"), dict):
                part["children"] = list(part["children"].values())
    return data
