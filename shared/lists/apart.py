"""Reads a list in a separate process, which is killed when it takes too much memory or time.

A workbook of two kilobytes can demand more memory than a machine has, or years of computing. The process that reads it
may die from it; the service and the command line must not. A small text file can do no harm (each line is read once,
within limits), so it is read in this process.
"""

from __future__ import annotations

import io
import os
import select
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

import shared
from shared.lists import frames
from shared.lists.bounds import BOUNDS, Bounds
from shared.lists.errors import ListError
from shared.lists.reading import FileFormat, Here, JsonLine
from shared.lists.sheets import Item
from shared.lists.source import FileSource, Source
from shared.lists.tables import Cells, CsvLayout, Encoding

SMALL_BYTES = 1 << 18
_ROOT = str(Path(shared.__file__).resolve().parent.parent)
# Variables that an interpreter may need to start; they hold none of our keys.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Apart:
    """Answers each of the four questions of `reading` in a process of its own.

    Nothing is read until the first item is requested. So the bytes of a sealed file can be read in a thread beside the
    event loop that delivers them, never in the loop itself.
    """

    bounds: Bounds = BOUNDS

    def form(self, source: Source) -> FileFormat:
        if _is_small_text(source):
            return Here(self.bounds).form(source)
        with closing(self._asked(source, {"what": "form"})) as answers:
            found = next(answers)
        return FileFormat(found["format"], _encoding(found["encoding"]), found["head"])

    def csv(self, source: Source, encoding: Encoding, shape: CsvLayout) -> Iterator[Cells]:
        if _is_small_text(source):
            yield from Here(self.bounds).csv(source, encoding, shape)
            return
        yield from self._asked(source, {"what": "csv", "encoding": asdict(encoding), "shape": asdict(shape)})

    def lines(self, source: Source, encoding: Encoding) -> Iterator[JsonLine]:
        if _is_small_text(source):
            yield from Here(self.bounds).lines(source, encoding)
            return
        yield from self._asked(source, {"what": "lines", "encoding": asdict(encoding)})

    def book(self, source: Source, wanted: frozenset[int] | None) -> Iterator[Item]:
        asked = {"what": "book", "wanted": None if wanted is None else sorted(wanted)}
        for item in self._asked(source, asked):
            yield frames.unpacked(item)

    def _asked(self, source: Source, request: dict[str, Any]) -> Generator[Any, None, None]:
        """Each item of the answer. The process ends together with the iterator, in every case."""
        path = str(source.path) if isinstance(source, FileSource) else None
        request = {
            **request,
            "path": path,
            "name": source.name,
            "size": 0 if path is not None else frames.size_of(source),
            "bounds": asdict(self.bounds),
        }
        child = _Child(self.bounds)
        try:
            frames.write(child.stdin, request)
            yield from child.items(source)
        finally:
            child.end()


class _Child:
    """One child process and its pipes."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "shared.lists.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A traceback may contain the content of a cell.
            stderr=subprocess.DEVNULL,
            env={**environ, "PYTHONPATH": _ROOT, "PYTHONUTF8": "1"},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stdin: Any = self._process.stdin
        self._out = self._process.stdout.fileno()
        self._waits = select.poll()
        self._waits.register(self._out, select.POLLIN)

    def items(self, source: Source) -> Iterator[Any]:
        """Each item of each frame, up to the last; serves the bytes that the process requests. Raises ListError."""
        file: BinaryIO | None = None
        try:
            while True:
                message = orjson.loads(self._frame())
                if isinstance(message, list):
                    yield from message
                elif "want" in message:
                    file = file or source.open()
                    offset, length = message["want"]
                    file.seek(offset)
                    frames.write_bytes(self.stdin, file.read(min(length, _PIECE_BYTES)))
                elif "done" in message:
                    return
                else:
                    raise _error(message, source)
        finally:
            if file is not None:
                file.close()

    def _frame(self) -> bytes:
        length = int.from_bytes(self._read(frames.LENGTH_BYTES), "big")
        return self._read(length)

    def _read(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            if not self._waits.poll(self._bounds.stall_s * 1_000):
                raise _too_much()
            piece = os.read(self._out, min(length - len(data), _PIECE_BYTES))
            if not piece:
                # It was killed by its own limits, or by those of the machine.
                raise _too_much()
            data += piece
        return bytes(data)

    def end(self) -> None:
        """Ends the process and closes its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue


def _is_small_text(source: Source) -> bool:
    if isinstance(source, FileSource) and not source.path.is_file():
        # Opening it later reports the problem.
        return True
    with source.open() as file:
        head = file.read(4)
        return not head.startswith((b"PK", b"\xd0\xcf")) and file.seek(0, io.SEEK_END) <= SMALL_BYTES


def _encoding(found: dict[str, Any]) -> Encoding:
    notice = found["notice"]
    return Encoding(found["name"], found["bom"], found["doubtful"], (notice[0], notice[1]) if notice else None)


def _error(message: dict[str, Any], source: Source) -> ListError:
    if "error" in message:
        text_id, text_en = message["error"]
        return ListError(text_id, text_en)
    if "gone" in message:
        return ListError(f"Berkas tidak dapat dibuka: {source.name}.", f"The file cannot be opened: {source.name}.")
    return _too_much()


def _too_much() -> ListError:
    return ListError(
        "Berkas ini terlalu besar atau terlalu rumit untuk dibaca; salin datanya ke buku kerja baru, atau simpan "
        "sebagai CSV UTF-8, lalu kirim lagi.",
        "This file is too large or too complex to be read; copy its data into a new workbook, or save it as CSV "
        "UTF-8, and send it again.",
    )
