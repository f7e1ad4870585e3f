"""Writes the command line's output to terminals, and to files and pipes, which have no width."""

from __future__ import annotations

import os
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

# Wide enough for each of our tables, so no column is cut in a file.
_WIDTH = 160
_WIDEST = 2_000


class _Console(Console):
    """Prints whole tables: in a narrow terminal a row continues on the next line; no figure is cut to `Rp16.8…`."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Like rich's `print`, but a table is as wide as it needs to be."""
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
    """Never breaks or cuts figures and ids; text continues on the next line of its cell."""
    for column in table.columns:
        if any(" " in str(one) for one in (*column.cells, column.header)):
            column.overflow = "fold"
        else:
            column.no_wrap = True


def console(*, stderr: bool = False, markup: bool = False) -> Console:
    """A console as wide as the terminal; without a terminal, as wide as our widest table. COLUMNS overrides both.

    Without `markup` it prints brackets as they are: names of files and answers of servers contain some."""
    made = _Console(stderr=stderr, highlight=False, markup=markup)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _WIDTH
    return made


def progress_bars(shown_on: Console, *, transient: bool) -> Progress:
    """Progress bars: the task, the amount done, the total, and the elapsed time."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=shown_on, transient=transient)
