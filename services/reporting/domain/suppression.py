"""Hides small counts from callers without a log-in: with four people in a village, a count would identify them. Pure.

Theory of operation
A count of 1 to 4 is hidden. More counts are hidden with it until no sum reveals it: a visible sum minus the visible
cells must stand for at least two cells and five people. This holds for a whole column, for the cells of one parent area
(whose own report shows their sum), and within a row for figures that add up to another figure.

The totals are a row like the others. Which totals are hidden depends on the totals alone: every grouping shows the same
totals, so all groupings must hide the same ones. Where a sum is hidden, its cells may not all be shown. The sums of
parent areas are hidden as in their own report.

Everybody may ask for one regency and for all of them. What one regency shows cannot be hidden among all, so a total of
all regencies is hidden as soon as the total of one is (`apart`).

A hidden count is the number 0 with a text that says what it is, so nothing computed from it reveals the true count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from shared.kernel.values import value

FEW_BELOW = 5
FEW, BESIDE = f"<{FEW_BELOW}", "*"
Row = dict[str, Any]
CountPosition = tuple[int, str]


class Hidden(int):
    """A hidden count, shown as `<5`, or as `*` when it would reveal another one."""

    text: str

    def __new__(cls, text: str) -> Hidden:
        """The number 0 with this text."""
        made = super().__new__(cls, 0)
        made.text = text
        return made


@value(frozen=True, slots=True, kw_only=True)
class CountedShape:
    """What is counted in a report.

    `figures` are counts of people. `parts` are figures with the groups of figures that add up to them. `follow` names
    values computed from a figure, which are hidden with it. `parents` group the rows by areas that have a report of
    their own, the smallest first. `apart`: the last of `parents` are regencies, of which each shows its own totals.
    """

    figures: tuple[str, ...]
    parts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    follow: Mapping[str, str]
    parents: tuple[Callable[[Row], str], ...] = ()
    apart: bool = False


def suppressed(rows: Sequence[Row], totals: Row, shape: CountedShape) -> tuple[list[Row], Row]:
    """The rows and totals as everybody may see them."""
    untold = _of_totals(rows, totals, shape)
    hidden = _hidden(rows, untold, shape)
    shown = [_veiled(row, {figure for at, figure in hidden if at == number}, shape) for number, row in enumerate(rows)]
    return shown, _veiled(totals, untold, shape)


def all_hidden(rows: Sequence[Row], totals: Row, shape: CountedShape) -> tuple[list[Row], Row]:
    """Rows and totals without any count."""
    every = set(shape.figures)
    return [_veiled(row, every, shape, BESIDE) for row in rows], _veiled(totals, every, shape, BESIDE)


def _of_totals(rows: Sequence[Row], totals: Row, shape: CountedShape) -> set[str]:
    """The figures whose total is hidden."""
    untold = _parts_hidden(totals, {one for one in shape.figures if 0 < totals[one] < FEW_BELOW}, shape)
    if shape.apart:
        for one in _grouped(rows, shape.parents[-1], shape).values():
            untold |= _parts_hidden(one, {name for name in shape.figures if 0 < one[name] < FEW_BELOW}, shape)
    return untold


def _parts_hidden(row: Row, hidden: set[str], shape: CountedShape) -> set[str]:
    """Hidden figures of one row, with what would reveal them in a sum of parts."""
    cells = {(0, figure) for figure in hidden}
    for whole, parts in shape.parts:
        sure = _Sum([(0, figure) for figure in parts], False, (0, whole))
        while more := _one_more(sure, [row], cells):
            cells.update(more)
    return {figure for _, figure in cells}


def _grouped(rows: Sequence[Row], parent: Callable[[Row], str], shape: CountedShape) -> dict[str, Row]:
    sums: dict[str, Row] = {}
    for row in rows:
        one = sums.setdefault(parent(row), {**row, **dict.fromkeys(shape.figures, 0)})
        for figure in shape.figures:
            one[figure] += row[figure]
    return sums


def _hidden(rows: Sequence[Row], untold: set[str], shape: CountedShape) -> set[CountPosition]:
    """The cells to hide, given the figures whose total is hidden."""
    hidden = {
        (number, figure) for number, row in enumerate(rows) for figure in shape.figures if 0 < row[figure] < FEW_BELOW
    }
    sums = list(_sums(rows, untold, shape))
    empty = frozenset(
        figure for figure in shape.figures if figure not in untold and not any(row[figure] for row in rows)
    )
    before = -1
    while before != len(hidden):
        before = len(hidden)
        for one in sums:
            hidden.update(_one_more(one, rows, hidden, empty))
    return hidden


class _Sum(NamedTuple):
    """Cells whose sum is shown somewhere (`shown_in`: in this cell), or hidden there."""

    cells: list[CountPosition]
    hidden: bool
    shown_in: CountPosition | None = None


def _sums(rows: Sequence[Row], untold: set[str], shape: CountedShape) -> Iterable[_Sum]:
    """Every sum that somebody may see or look for, the small ones first: a cell that is hidden for its parent area's
    sum is hidden in the whole column, too."""
    for level, parent in enumerate(shape.parents):
        own = replace(shape, parents=shape.parents[level + 1 :])
        sums = _grouped(rows, parent, shape)
        gone = _of_parents(list(sums.values()), untold, own)
        for at, (name, _) in enumerate(sums.items()):
            members = [number for number, row in enumerate(rows) if parent(row) == name]
            for figure in shape.figures:
                yield _Sum([(number, figure) for number in members], (at, figure) in gone)
    if not shape.apart:
        for figure in shape.figures:
            yield _Sum([(number, figure) for number in range(len(rows))], figure in untold)
    for number in range(len(rows)):
        for whole, parts in shape.parts:
            yield _Sum([(number, figure) for figure in parts], False, (number, whole))


def _of_parents(sums: list[Row], untold: set[str], shape: CountedShape) -> set[CountPosition]:
    """What the report of the parent areas hides."""
    if not shape.apart or shape.parents:
        return _hidden(sums, untold, shape)
    # Each regency shows its totals by themselves.
    return {(at, one) for at, row in enumerate(sums) for one in _of_totals([], row, replace(shape, apart=False))}


def _one_more(
    one: _Sum, rows: Sequence[Row], hidden: set[CountPosition], empty: frozenset[str] = frozenset()
) -> list[CountPosition]:
    """The smallest further cell to hide: without it a sum would reveal a hidden cell, or the cells would reveal a
    hidden sum. `empty` are figures that everybody sees to be zero in every row."""
    gone = [cell for cell in one.cells if cell in hidden]
    if one.hidden or one.shown_in in hidden:
        if gone:
            return []
    elif not gone or (len(gone) > 1 and sum(rows[at][figure] for at, figure in gone) >= FEW_BELOW):
        return []
    left = [cell for cell in one.cells if cell not in hidden and rows[cell[0]][cell[1]] > 0]
    if not left and len(gone) == 1 and rows[gone[0][0]][gone[0][1]] >= FEW_BELOW:
        # The sum equals this cell, so only a hidden zero next to it protects it, or else the sum is hidden too.
        left = [cell for cell in one.cells if cell not in hidden and cell[1] not in empty]
        if not left and one.shown_in is not None:
            return [one.shown_in]
    return [min(left, key=lambda cell: (rows[cell[0]][cell[1]], cell))] if left else []


def _veiled(row: Row, figures: set[str], shape: CountedShape, text: str | None = None) -> Row:
    shown = dict(row)
    for figure in figures:
        shown[figure] = Hidden(text or (FEW if 0 < row[figure] < FEW_BELOW else BESIDE))
    for name, figure in shape.follow.items():
        if figure in figures and name in shown:
            shown[name] = Hidden(BESIDE) if isinstance(shown[name], int) else None
    return shown
