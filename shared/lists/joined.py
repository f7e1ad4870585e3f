"""Rows of several headings under one: the columns of all of them, each once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from shared.lists.columns import plain
from shared.lists.rows import Row

# A heading may stand twice in one table (the name of the heir behind that of the worker): its plain form, and how
# often it stood before.
Name = tuple[str, int]


def header_of(headers: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The columns of all headers: those of the first, then additional ones of the others."""
    joined: list[str] = []
    known: set[Name] = set()
    for number, header in enumerate(headers):
        for name, cell in zip(_names(header), header, strict=True):
            # Of the first header empty headings are kept too, so that a list with one heading keeps its shape.
            if number == 0 or (cell and name not in known):
                joined.append(cell)
            known.add(name)
    return tuple(joined)


def under(row: Row, header: tuple[str, ...]) -> Row:
    """The row with its cells under the joined header."""
    if row.header == header:
        return row
    cells = dict(zip(_names(row.header), row.cells, strict=True))
    return replace(row, header=header, cells=tuple(cells.get(name, "") for name in _names(header)))


def _names(header: Sequence[str]) -> list[Name]:
    seen: Counter[str] = Counter()
    names = []
    for cell in header:
        name = plain(cell)
        names.append((name, seen[name]))
        seen[name] += 1
    return names
