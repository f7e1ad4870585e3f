"""What the launcher shows: lines, and one progress line that rewrites itself on a terminal."""

from __future__ import annotations

import contextlib
import sys
from typing import TextIO


class Console:
    """Writes to the terminal; on anything else a progress line is shown once, at its beginning."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._terminal = self._out.isatty()
        self._in_progress = False

    def line(self, text: str) -> None:
        """One line that stays."""
        if self._terminal and self._in_progress:
            self._out.write("\r\x1b[K")
        self._in_progress = False
        self._write(f"{text}\n")

    def progress(self, text: str) -> None:
        """How far a long step is; the next progress or line takes its place."""
        if self._terminal:
            self._write(f"\r\x1b[K{text}")
        elif not self._in_progress:
            self._write(f"{text}\n")
        self._in_progress = True

    def _write(self, text: str) -> None:
        # Whoever read us may be gone (a closed pipe): no reason to stop supervising.
        with contextlib.suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()
