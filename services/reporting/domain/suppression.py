"""Small cells are hidden from whoever has no log-in: of four people in a village it would be told who they are. Pure.

Theory of operation
A count of 1 to 4 is hidden. So is as much beside it that no sum gives it back: a total that everybody sees, less the
cells that everybody sees, must stand for at least two cells and five people. That holds for a whole column, for the
cells of one parent area (whose own report shows their sum), and within a row for figures that add up to another.

A hidden count is a number 0 that says in words what it is, so that whatever is worked out from it tells nothing either.
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
    """A count that is not told: `<5`, or `*` for one that would give another away."""

    text: str

    def __new__(cls, text: str) -> Hidden:
        """Counts as 0."""
        made = super().__new__(cls, 0)
        made.text = text
        return made


@value(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is counted in a report: the figures that are people, which of them add up to another one, what is worked out
    of them (and goes with them), and which rows have a sum that is shown elsewhere."""

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
    # What hides a cell within its parent hides it in the whole, too: the small sums first.
    sums = list(_sums(rows, shape, [*parents.values(), list(range(len(rows)))]))
    before = -1
    while before != len(hidden):
        before = len(hidden)
        for cells in sums:
            hidden.update(_one_more(cells, rows, hidden))
    return hidden


def _sums(rows: Sequence[Row], shape: Shape, groups: Iterable[list[int]]) -> Iterable[list[Cell]]:
    """The cells of every sum that is told somewhere."""
    for group in groups:
        for figure in shape.figures:
            yield [(number, figure) for number in group]
    for number in range(len(rows)):
        for parts in shape.parts:
            yield [(number, figure) for figure in parts]


def _one_more(cells: Sequence[Cell], rows: Sequence[Row], hidden: set[Cell]) -> list[Cell]:
    """The smallest cell that must go, too, where a sum would give a hidden one back."""
    gone = [cell for cell in cells if cell in hidden]
    if not gone or (len(gone) > 1 and sum(rows[at][figure] for at, figure in gone) >= FEW_BELOW):
        return []
    left = [cell for cell in cells if cell not in hidden and rows[cell[0]][cell[1]] > 0]
    return [min(left, key=lambda cell: (rows[cell[0]][cell[1]], cell))] if left else []


def _gives_away(rows: Sequence[Row], totals: Row, figure: str, hidden: set[Cell]) -> bool:
    """Whether a total is small itself, or is all that is left of a hidden cell."""
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
