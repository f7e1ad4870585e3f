"""The source of a list file's bytes: a file on disk, or anything else that can be opened repeatedly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol


class Source(Protocol):
    """A named list file. `open` gives its bytes from the start, seekable; raises OSError when that is impossible."""

    @property
    def name(self) -> str: ...
    def open(self) -> BinaryIO: ...


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file on disk."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return self.path.name

    def open(self) -> BinaryIO:
        """Opens it for reading."""
        return self.path.open("rb")


def source_of(file: Path | str | Source) -> Source:
    """A path as a source; any other source as it is."""
    return FileSource(Path(file)) if isinstance(file, Path | str) else file
