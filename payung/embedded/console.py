"""The launcher's output: lines, and one progress line that rewrites itself on a terminal."""

from __future__ import annotations

import contextlib
import sys
from typing import TextIO


class Console:
    """Writes to the terminal. Elsewhere a progress line appears once, when it begins."""

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
        """Shows the progress of a long step; the next progress or line replaces it."""
        if self._terminal:
            self._write(f"\r\x1b[K{text}")
        elif not self._in_progress:
            self._write(f"{text}\n")
        self._in_progress = True

    def _write(self, text: str) -> None:
        # The reader may have closed the pipe; keep supervising.
        with contextlib.suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()
