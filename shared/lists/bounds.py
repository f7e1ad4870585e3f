"""How much one list may be: a file beyond these bounds is answered with a reason, and never read to its end.

A list of a whole regency has 150,000 rows of 30 columns; every bound leaves room for several times as much.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one list may take. `memory` and `cpu_s` bound the process that reads it, `stall_s` how long it may be silent
    while somebody waits for it."""

    # As many as a sheet of Excel can have, over all sheets of a file.
    rows: int = 1_048_576
    sheets: int = 255
    # Texts that the cells of a workbook share; they are held in memory.
    strings: int = 5_000_000
    columns: int = 1_000
    # Of one line of text, and of one cell.
    characters: int = 1 << 20
    # Bytes that a workbook unpacks to.
    unpacked: int = 1 << 30
    memory: int = 1 << 30
    cpu_s: int = 120
    stall_s: float = 180.0


BOUNDS = Bounds()
# The last row of a sheet of Excel; a workbook that speaks of a later one is made to do harm.
SHEET_ROWS_MAX = 1_048_576
SHEET_COLUMNS_MAX = 16_384
