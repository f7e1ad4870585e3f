"""Finds the heading of a table: below titles, on one line or two, where most cells are column names.

Knows no kind of list: `known` counts the cells that are column names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from shared.lists.qualifiers import is_of_another
from shared.lists.tables import Cells

Known = Callable[[Sequence[str]], int]
Complete = Callable[[Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a table: the number of its last row, its cells, how many of them are known, and the cells of each
    of its rows as they stand."""

    number: int
    cells: list[str]
    known: int
    lines: tuple[list[str], ...] = ()


def find(records: Iterable[Cells], known: Known, complete: Complete = lambda cells: False) -> Heading | None:
    """The heading among the first rows of a table: the first row that is `complete` (names every column that the list
    needs), else the row (or two rows) with most column names, the first one if several are equal. Without any name it
    is the first row that is not blank; None when all are blank."""
    rows = [(number, cells) for number, cells, _ in records if not blank(cells) and not _is_separator(cells)]
    # A later heading with more names is that of a second table: choosing it would pass over the rows of the first.
    candidates = next(([one] for one in rows if complete(one[1])), rows)
    best = max(
        (Heading(number, cells, known(cells), (cells,)) for number, cells in candidates),
        key=lambda one: one.known,
        default=None,
    )
    if best is None:
        return None
    if best.known < 2:
        return Heading(rows[0][0], rows[0][1], best.known, (rows[0][1],))
    below = next((cells for number, cells in rows if number == best.number + 1), None)
    if below is None or complete(below):
        # Two headings, one below the other.
        return best
    joined = _with_second_line(best, below, known)
    return best if complete(best.cells) and not complete(joined.cells) else joined


def blank(cells: Sequence[str]) -> bool:
    """Whether a row is empty."""
    # The first cell of nearly every row has a value, so it decides at once.
    return not (cells and cells[0].strip()) and not any(cell.strip() for cell in cells)


def _is_separator(cells: Sequence[str]) -> bool:
    return cells[0].lower().startswith("sep=")


def _with_second_line(first: Heading, below: Sequence[str], known: Known) -> Heading:
    """A heading on two lines: `LAHIR` above `TEMPAT` and `TANGGAL` means birth place and birth date."""
    width = max(len(first.cells), len(below))
    top = first.cells + [""] * (width - len(first.cells))
    joined, group, named = list(top), "", 0
    for place, under in enumerate([*below, *[""] * (width - len(below))]):
        group = top[place] if top[place].strip() else group
        if not under.strip():
            continue
        # A merged cell spans several columns, but its word is stored only above the first of them.
        choices = [f"{under} {group}", f"{group} {under}"]
        if not is_of_another(group.lower()):
            # The name, NIK or telephone of an heir is never that of the worker.
            choices.append(under)
        found = next((choice for choice in choices if known([choice])), None)
        named += found is not None
        joined[place] = found or f"{group} {under}".strip()
    count = known(joined)
    filled = sum(1 for cell in below if cell.strip())
    lines = (*first.lines, list(below))
    return Heading(first.number + 1, joined, count, lines) if count > first.known and 2 * named >= filled else first
