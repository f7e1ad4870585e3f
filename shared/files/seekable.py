"""A seekable file whose bytes are fetched piece by piece. A workbook needs it: it is read from its end first."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO, cast


def opened(size: int, piece: Callable[[int, int], bytes], buffer_size: int) -> BinaryIO:
    """A file of `size` bytes. `piece(at, length)` returns at least one byte and at most `length`; it may raise
    OSError."""
    return cast("BinaryIO", io.BufferedReader(_Pieces(size, piece), buffer_size))


class _Pieces(io.RawIOBase):
    def __init__(self, size: int, piece: Callable[[int, int], bytes]) -> None:
        self._size = size
        self._piece = piece
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if self._at >= self._size:
            return 0
        part = self._piece(self._at, len(view))
        view[: len(part)] = part
        self._at += len(part)
        return len(part)
