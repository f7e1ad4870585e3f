"""Where the command line writes: terminals, and files and pipes, which have no width of their own."""

from __future__ import annotations

import os
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

# Wide enough for every table of ours: in a file no column needs to be cut.
_WIDTH = 160
_WIDEST = 2_000


class _Console(Console):
    """Prints tables whole: in a narrow terminal a row goes on in the next line, no figure is cut to `Rp16.8…`."""

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich's, with a table as wide as it needs to be."""
        tables = [one for one in objects if isinstance(one, Table)]
        for one in tables:
            _keep_whole(one)
        widest = self.options.update(max_width=_WIDEST)
        needed = max((Measurement.get(self, widest, one).minimum for one in tables), default=0)
        if needed <= self.width:
            super().print(*objects, **options)
            return
        before = self._width
        self.width = max(Measurement.get(self, widest, one).maximum for one in tables)
        try:
            super().print(*objects, **{**options, "crop": False})
        finally:
            self._width = before


def _keep_whole(table: Table) -> None:
    """Figures and ids are never broken or cut; text goes on in the next line of its cell."""
    for column in table.columns:
        if any(" " in str(one) for one in (*column.cells, column.header)):
            column.overflow = "fold"
        else:
            column.no_wrap = True


def console(*, stderr: bool = False, markup: bool = False) -> Console:
    """A console as wide as the terminal, or as our widest table where there is none; COLUMNS has the last word.

    Without `markup` a bracket is a bracket: names of files and answers of servers hold some."""
    made = _Console(stderr=stderr, highlight=False, markup=markup)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _WIDTH
    return made


def progress_bars(shown_on: Console, *, transient: bool) -> Progress:
    """Progress bars: what is done, how far it is of how much, since when."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=shown_on, transient=transient)
