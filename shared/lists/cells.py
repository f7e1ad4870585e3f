"""Converts the cells of a table: the meaning of each, put where the event has it. Knows no file.

Theory of operation
A single row cannot tell everything: for example whether a column has its month first, or which of two columns with the
same meaning a row is read from. So a caller first shows every unbroken row to `see`, in constant memory, and then asks
`problem` and `read` for the data of each row. A cell without a clear meaning is passed on unchanged and refused by the
service; what is known beyond the refusal's reason goes with the row as a remark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from shared.contracts.yes_no import parse
from shared.kernel.debris import error_value, is_shortened, says_nothing, stray_mark
from shared.lists import twins, values
from shared.lists.columns import Column, Layout, Matched, takes_submission_id
from shared.lists.dates import can_be_turned
from shared.lists.notices import Notice, not_taken
from shared.lists.orders import Orders
from shared.lists.rows import (
    Problem,
    Remark,
    lost_digits,
    marked,
    sex_code,
    shortened_number,
    spreadsheet_error,
    unclear_yes,
)

CONSENT_METHOD = "form"
_SUBMISSION = ("submission_id",)
# Sent even when it is empty: a list that asks for a yes and has none for this worker has no consent.
_YES_OR_NO = ("consent", "given")
_CONSENT = ("consent", "given_at")
_WATCHED = ("nik", "sex")
# Programs use numbers for the sexes, and not all use the same ones.
_SEX_CODES = frozenset("0123")
# Matches nearly every cell: ASCII text without anything that could be debris, an error or a dash. It is taken
# unchanged.
_PLAIN = re.compile(
    r"(?![nN]/[aA]$|[eE][rR][rR]:|.*_x|\d[.,]?\d*[eE]\+)[A-Za-z0-9][A-Za-z0-9 .,/:()&_+\-]*(?<! )", re.ASCII
)


class CellMeaning:
    """Reads the rows under one header. `first_day` is added to days that are bare numbers (workbooks that count from
    1904)."""

    def __init__(
        self, header: Sequence[str], matched: Matched, layout: Layout, *, first_day: int = 0, is_sheet: bool = False
    ) -> None:
        self._header = [name.strip() for name in header]
        self._numbers_rows = takes_submission_id(layout)
        self._first_day = first_day
        columns = {index: column for index, column in enumerate(matched.columns) if column is not None}
        # A heading that appears twice belongs to another person (the heir behind the worker), so its second column
        # tells nothing about this one.
        self._repeated = {index: column for index, column in matched.again.items() if index in matched.repeated}
        again = {index: column for index, column in matched.again.items() if index not in matched.repeated}
        used = sorted((columns | again).items())
        self._twins = twins.of_fields(used, self._header)
        days = {index: self._header[index] for index, one in used if one.convert is values.day}
        self.orders = Orders(days, is_sheet=is_sheet)
        self._plan = [
            (column, index, column.convert is values.day or column.path[-1] in _WATCHED)
            for index, column in sorted(columns.items())
        ]
        self._places = {column.path: index for column, index, _ in self._plan}

    @property
    def has_seen_enough(self) -> bool:
        """Whether further rows could not change anything."""
        return not self._twins and not self.orders

    def see(self, number: int, cells: Sequence[str]) -> None:
        """Examines one row of the first pass; `number` is its number in its sheet."""
        self.orders.see(cells)
        for one in self._twins.values():
            one.see(number, cells)

    def notices(self, where: str) -> tuple[Notice, ...]:
        """Notices about cells and columns that are not used; complete after every row was seen. `where` is the name of
        the sheet, or empty."""
        repeated = [
            not_taken(self._header[index], index + 1, self._header[self._places[column.path]])
            for index, column in sorted(self._repeated.items())
        ]
        of_twins = [notice for one in self._twins.values() for notice in one.notices(where)]
        return (*self.orders.notices, *of_twins, *repeated)

    def problem(self, cells: Sequence[str]) -> Problem | None:
        """Why a row cannot be sent although all its cells can be read: two columns for one field differ."""
        found = (one.problem(cells) for one in self._twins.values())
        return next((one for one in found if one is not None), None)

    def read(self, name: str, cells: Sequence[str]) -> tuple[dict[str, Any], tuple[Remark, ...]]:
        """The data of a row's event, and remarks about cells that will be refused. `name` serves as the submission id
        when the row has none."""
        data: dict[str, Any] = {}
        remarks: tuple[Remark, ...] = ()
        for column, place, is_watched in self._plan:
            index, path = place, column.path
            if path in self._twins:
                index, text = self._twins[path].text(cells)
            else:
                text = cells[index]
            remark = None
            if _PLAIN.fullmatch(text) is None:
                text = self._text(column, text)
                if not text and path != _YES_OR_NO:
                    continue
                remark = self._debris(column, index, text)
            if is_watched and remark is None:
                text, remark = self._watched(column, index, text)
            elif path == _YES_OR_NO and remark is None and parse(text) is None:
                remark = unclear_yes(column.field, self._header[index], text)
            if remark is not None:
                remarks = (*remarks, remark)
            # A cell that is known to be invalid is sent unchanged, so that the service refuses it.
            value = column.convert(text) if remark is None else text
            if len(path) == 1:
                data[path[0]] = value
            else:
                _put(data, path, value)
        if self._numbers_rows and "submission_id" not in data:
            data["submission_id"] = name
        if "consent" in data:
            self._complete(data["consent"], cells)
        return _listed(data), remarks

    def _complete(self, consent: dict[str, Any], cells: Sequence[str]) -> None:
        consent.setdefault("method", CONSENT_METHOD)
        word = self._twins[_CONSENT].word(cells) if _CONSENT in self._twins else None
        # A No counts whatever stands in the other column.
        if word is not None and ("given" not in consent or parse(word) is False):
            consent["given"] = word

    def _text(self, column: Column, cell: str) -> str:
        text = values.bare(cell)
        return "" if says_nothing(text) and column.path != _SUBMISSION else text

    def _debris(self, column: Column, index: int, text: str) -> Remark | None:
        name = self._header[index]
        if error := error_value(text):
            return spreadsheet_error(column.field, name, error)
        if mark := stray_mark(text):
            return marked(column.field, name, mark)
        if is_shortened(text) and column.path[-1] != "nik":
            return shortened_number(column.field, name, text)
        return None

    def _watched(self, column: Column, index: int, text: str) -> tuple[str, Remark | None]:
        """The text of a date, NIK or sex, and a remark when it is known why it will be refused."""
        name = self._header[index]
        if column.convert is values.day:
            if self._first_day and text.isdecimal() and len(text) in (4, 5):
                return str(int(text) + self._first_day), None
            remark = self.orders.remark(index, column.field, text)
            # A date that is plain to the service, but not in this column: it is sent so that the service refuses it.
            return f"{text} (?)" if remark is not None and can_be_turned(text) else text, remark
        if column.path[-1] == "nik":
            return text, lost_digits(column.field, text) if values.is_scientific(text) else None
        return text, sex_code(name, text) if text in _SEX_CODES else None


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
