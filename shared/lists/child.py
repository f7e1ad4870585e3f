"""The process that reads one list: started by `apart`, limited in memory and time, killed when it passes its limits.

It has no key and no connection: its environment is empty, and it asks its parent for the bytes of a sealed file, piece
by piece. Its standard output carries frames. An error message from it cannot contain a row.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from shared.files import seekable
from shared.lists import frames
from shared.lists.bounds import Bounds
from shared.lists.errors import ListError
from shared.lists.reading import Here
from shared.lists.source import FileSource, Source
from shared.lists.tables import CsvLayout, Encoding

_BUFFER_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class _ParentSource:
    """A file whose bytes come from the parent."""

    name: str
    size: int
    asks: BinaryIO
    answers: BinaryIO

    def open(self) -> BinaryIO:
        return seekable.opened(self.size, self._piece, _BUFFER_BYTES)

    def _piece(self, at: int, length: int) -> bytes:
        frames.write(self.asks, {"want": [at, length]})
        return frames.read_bytes(self.answers)


def _limit(bounds: Bounds) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (bounds.memory, bounds.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (bounds.cpu_s, bounds.cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answered(request: dict[str, Any], source: Source, bounds: Bounds) -> Iterator[Any]:
    here, what = Here(bounds), request["what"]
    if what == "form":
        found = here.form(source)
        yield {"format": found.format, "encoding": asdict(found.encoding), "head": found.head}
    elif what == "book":
        wanted = request["wanted"]
        for item in here.book(source, None if wanted is None else frozenset(wanted)):
            yield frames.packed(item)
    else:
        encoding = Encoding(**request["encoding"])
        yield from (
            here.csv(source, encoding, CsvLayout(**request["shape"])) if what == "csv" else here.lines(source, encoding)
        )


def _size(item: Any) -> int:
    if isinstance(item, dict):
        return frames.CHARACTERS_MAX
    return len(item[1]) if isinstance(item[1], str) else sum(map(len, item[1])) + len(item[1])


def serve(asked: BinaryIO, out: BinaryIO) -> None:
    """Answers one request."""
    request = orjson.loads(frames.read_bytes(asked))
    bounds = Bounds(**request["bounds"])
    _limit(bounds)
    path = request["path"]
    source: Source = (
        FileSource(Path(path)) if path is not None else _ParentSource(request["name"], request["size"], out, asked)
    )
    batch: list[Any] = []
    size = 0
    try:
        for item in _answered(request, source, bounds):
            batch.append(item)
            size += _size(item)
            if len(batch) >= frames.ITEMS_MAX or size >= frames.CHARACTERS_MAX:
                frames.write(out, batch)
                batch, size = [], 0
        frames.write(out, batch)
        frames.write(out, {"done": True})
    except ListError as error:
        frames.write(out, batch)
        frames.write(out, {"error": [error.message_id, error.message_en]})
    except OSError:
        frames.write(out, {"gone": True})
    except (MemoryError, RecursionError):
        batch.clear()
        frames.write(out, {"too-large": True})


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
