"""Hides small counts from callers without a log-in: with four people in a village, a count would identify them. Pure.

Theory of operation
A count of 1 to 4 is hidden. More counts are hidden with it until no sum reveals it: a visible total minus the visible
cells must stand for at least two cells and five people. This holds for a whole column, for the cells of one parent area
(whose own report shows their sum), and within a row for figures that add up to another figure.

A hidden count is the number 0 with a text that says what it is, so nothing computed from it reveals the true count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from shared.kernel.values import value

FEW_BELOW = 5
FEW, BESIDE = f"<{FEW_BELOW}", "*"
Row = dict[str, Any]
Cell = tuple[int, str]


class Hidden(int):
    """A hidden count, shown as `<5`, or as `*` when it would reveal another one."""

    text: str

    def __new__(cls, text: str) -> Hidden:
        """The number 0 with this text."""
        made = super().__new__(cls, 0)
        made.text = text
        return made


@value(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is counted in a report.

    `figures` are counts of people. `parts` are groups of figures that add up to another figure. `follow` names values
    computed from a figure, which are hidden with it. `parent` groups the rows whose sum is shown elsewhere.
    """

    figures: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...] = ()
    follow: Mapping[str, str]
    parent: Callable[[Row], str] = lambda row: ""


def suppressed(rows: Sequence[Row], totals: Row, shape: Shape) -> tuple[list[Row], Row]:
    """The rows and totals as everybody may see them."""
    hidden = _hidden(rows, shape)
    shown = [_veiled(row, {figure for at, figure in hidden if at == number}, shape) for number, row in enumerate(rows)]
    untold = {figure for figure in shape.figures if _gives_away(rows, totals, figure, hidden)}
    return shown, _veiled(totals, untold, shape)


def _hidden(rows: Sequence[Row], shape: Shape) -> set[Cell]:
    hidden = {
        (number, figure) for number, row in enumerate(rows) for figure in shape.figures if 0 < row[figure] < FEW_BELOW
    }
    parents: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        parents.setdefault(shape.parent(row), []).append(number)
    # A cell hidden for its parent area's sum is hidden in the whole column, too, so the small sums come first.
    sums = list(_sums(rows, shape, [*parents.values(), list(range(len(rows)))]))
    before = -1
    while before != len(hidden):
        before = len(hidden)
        for cells in sums:
            hidden.update(_one_more(cells, rows, hidden))
    return hidden


def _sums(rows: Sequence[Row], shape: Shape, groups: Iterable[list[int]]) -> Iterable[list[Cell]]:
    """The cells of every sum that is shown somewhere."""
    for group in groups:
        for figure in shape.figures:
            yield [(number, figure) for number in group]
    for number in range(len(rows)):
        for parts in shape.parts:
            yield [(number, figure) for figure in parts]


def _one_more(cells: Sequence[Cell], rows: Sequence[Row], hidden: set[Cell]) -> list[Cell]:
    """The smallest further cell to hide, when a sum would otherwise reveal a hidden one."""
    gone = [cell for cell in cells if cell in hidden]
    if not gone or (len(gone) > 1 and sum(rows[at][figure] for at, figure in gone) >= FEW_BELOW):
        return []
    left = [cell for cell in cells if cell not in hidden and rows[cell[0]][cell[1]] > 0]
    return [min(left, key=lambda cell: (rows[cell[0]][cell[1]], cell))] if left else []


def _gives_away(rows: Sequence[Row], totals: Row, figure: str, hidden: set[Cell]) -> bool:
    """Whether a total must be hidden: it is small itself, or together with the visible cells it reveals a hidden
    one.
    """
    gone = [rows[number][figure] for number in range(len(rows)) if (number, figure) in hidden]
    return 0 < totals[figure] < FEW_BELOW or (bool(gone) and (len(gone) == 1 or sum(gone) < FEW_BELOW))


def _veiled(row: Row, figures: set[str], shape: Shape) -> Row:
    shown = dict(row)
    for figure in figures:
        shown[figure] = Hidden(FEW if row[figure] < FEW_BELOW else BESIDE)
    for name, figure in shape.follow.items():
        if figure in figures and name in shown:
            shown[name] = Hidden(BESIDE) if isinstance(shown[name], int) else None
    return shown
