"""The limits of one list: a file beyond them is answered with a reason and not read to its end.

A list of a whole regency has 150,000 rows with 30 columns; every limit leaves room for several times as much.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one list may use. `memory` and `cpu_s` limit the process that reads it. `stall_s` is how long that process
    may be silent while a caller waits for it."""

    # As many as one Excel sheet can have, but for all sheets of a file together.
    rows: int = 1_048_576
    sheets: int = 255
    # Shared texts of a workbook's cells; they are held in memory.
    strings: int = 5_000_000
    columns: int = 1_000
    # For one line of text, and for one cell.
    characters: int = 1 << 20
    # Bytes of an unpacked workbook.
    unpacked: int = 1 << 30
    memory: int = 1 << 30
    cpu_s: int = 120
    stall_s: float = 180.0


BOUNDS = Bounds()
# The last possible row of an Excel sheet; a workbook that names a later row is built to do harm.
SHEET_ROWS_MAX = 1_048_576
SHEET_COLUMNS_MAX = 16_384
