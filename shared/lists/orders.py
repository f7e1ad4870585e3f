"""The order of day and month in the date columns of one table, and the refusal of dates that it leaves unclear.

`see` is called with every row first, then `remark` with each date. Day and month are never exchanged: in a file that
may have its month first, a date that can be read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from shared.lists import dates, values
from shared.lists.notices import Notice, all_month_first, maybe_turned, some_month_first, two_orders, with_am_or_pm
from shared.lists.rows import Remark, month_first, two_meanings

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,/:\-]*(?<! )", re.ASCII)


class Orders:
    """The date columns of a table: `names` are their headings by their place. `is_sheet`: ISO dates are cells that a
    spreadsheet took as dates."""

    def __init__(self, names: Mapping[int, str], *, is_sheet: bool = False) -> None:
        self._names = names
        self._is_sheet = is_sheet
        self._columns = {index: dates.Order() for index in names}
        self._is_doubted = False
        self._unsure: bool | None = None

    def __bool__(self) -> bool:
        return bool(self._columns)

    def see(self, cells: Sequence[str]) -> None:
        """Examines one row of the first pass."""
        width = len(cells)
        for index, order in self._columns.items():
            if index < width and cells[index]:
                # Seen as it is read: what a program puts around a date may not hide its order.
                order.see(cells[index] if _PLAIN.fullmatch(cells[index]) else values.bare(cells[index]))
        self._unsure = None

    @property
    def is_unsure(self) -> bool:
        """Whether a column proves that the month comes first, or has signs of it."""
        if self._unsure is None:
            self._unsure = any(order.is_unsure for order in self._columns.values())
        return self._unsure

    def doubt(self) -> None:
        """Another table of the file may have the month first, so dates here that can be read in two ways
        are refused.
        """
        self._is_doubted = True

    def remark(self, index: int, field: str, text: str) -> Remark | None:
        """Why a date is refused although it is one; None when its meaning is plain."""
        order, name = self._columns[index], self._names[index]
        if self._is_sheet and order.is_turned and dates.can_be_turned(text):
            return two_meanings(field, name, text)
        # Once one column raises the doubt, all date columns are doubtful unless their cells show the contrary.
        if not self._is_doubted and not self.is_unsure:
            return None
        parts = dates.parts_of(text)
        # A day above 12 can be meant in one way only.
        if order.is_day_first or parts is None or dates.is_day_first(text):
            return None
        if dates.is_month_first(text) or (order.is_month_first and not order.days):
            return month_first(field, name, text)
        return two_meanings(field, name, text)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Notices, one for each kind of trouble; complete after every row was seen."""
        pure: list[str] = []
        mixed: list[str] = []
        signed: list[str] = []
        told: list[Notice] = []
        for index, order in self._columns.items():
            if self._is_sheet and order.is_turned:
                told.append(maybe_turned(self._names[index]))
            if order.is_month_first:
                (mixed if order.days else pure).append(self._names[index])
            elif order.is_unsure:
                signed.append(self._names[index])
            elif order.months:
                told.append(some_month_first(self._names[index], order.months))
        kinds = ((pure, all_month_first), (mixed, two_orders), (signed, with_am_or_pm))
        return (*(say(", ".join(names)) for names, say in kinds if names), *told)
