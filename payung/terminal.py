"""Where the command line writes: terminals, and files and pipes, which have no width of their own."""

from __future__ import annotations

import os

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

# Wide enough for every table of ours: in a file no column needs to be cut.
_WIDTH = 160


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, or as our widest table where there is none; COLUMNS has the last word."""
    made = Console(stderr=stderr, highlight=False)
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
