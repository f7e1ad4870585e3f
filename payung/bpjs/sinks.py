"""Where the participants of an invoice are written: a CSV file with a second one beside it, or a workbook of two
sheets.

The files hold personal data: only their owner may read them, and they appear when they are whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from shared.files import separated
from shared.files.workbook import TextBook

LEFT_OUT_SUFFIX = ".tidak-dimuat.csv"
_PARTICIPANTS, _LEFT_OUT = "Peserta", "Tidak dimuat"

Add = Callable[[Sequence[str]], None]


class Sink(Protocol):
    """Takes rows of participants and of workers who are left out; `finish` makes the files appear, `drop` removes
    them."""

    @property
    def paths(self) -> tuple[Path, ...]: ...

    def begin(self, columns: Sequence[str], delimiter: str, left_out: Sequence[str]) -> tuple[Add, Add]: ...
    def finish(self) -> None: ...
    def drop(self) -> None: ...


def sink_of(out: Path) -> Sink | None:
    """The sink for a file's ending; None for an ending that is not known."""
    if out.suffix.lower() == ".csv":
        return CsvSink(out)
    return WorkbookSink(out) if out.suffix.lower() == ".xlsx" else None


class PrivateFile:
    """A file beside its final place, which only its owner may read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._half = path.with_name(path.name + ".part")
        self._half.unlink(missing_ok=True)
        self.file: BinaryIO = open(os.open(self._half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")  # noqa: PTH123, SIM115  # a descriptor, no path; closed below

    def finish(self) -> None:
        """Makes the file appear at its place, durable."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self._half.replace(self.path)

    def drop(self) -> None:
        """Removes what was written."""
        with suppress(OSError):
            self.file.close()
        self._half.unlink(missing_ok=True)


class CsvSink:
    """Two CSV files: the participants in BPJS's columns, and beside it those who are left out."""

    def __init__(self, out: Path) -> None:
        self.paths: tuple[Path, ...] = (out, out.with_name(out.stem + LEFT_OUT_SUFFIX))
        self._files: list[PrivateFile] = []

    def begin(self, columns: Sequence[str], delimiter: str, left_out: Sequence[str]) -> tuple[Add, Add]:
        """Opens both files and writes their headings."""
        participants, others = (self._open(path, sign) for path, sign in zip(self.paths, (delimiter, ";"), strict=True))
        participants(columns)
        others(left_out)
        return participants, others

    def _open(self, path: Path, delimiter: str) -> Add:
        one = PrivateFile(path)
        self._files.append(one)
        one.file.write(separated.BOM.encode())
        return lambda row: _write(one.file, separated.line(row, delimiter))

    def finish(self) -> None:
        for one in self._files:
            one.finish()

    def drop(self) -> None:
        for one in self._files:
            one.drop()


class WorkbookSink:
    """A workbook of two sheets whose cells are all text, so that no NIK loses a digit."""

    def __init__(self, out: Path) -> None:
        self.paths: tuple[Path, ...] = (out,)
        self._book = TextBook()
        self._file: PrivateFile | None = None

    def begin(self, columns: Sequence[str], delimiter: str, left_out: Sequence[str]) -> tuple[Add, Add]:
        """Begins both sheets with their headings."""
        self._file = PrivateFile(self.paths[0])
        participants, others = self._book.sheet(_PARTICIPANTS), self._book.sheet(_LEFT_OUT)
        participants(columns)
        others(left_out)
        return participants, others

    def finish(self) -> None:
        if self._file is not None:
            self._book.save(self._file.file)
            self._file.finish()

    def drop(self) -> None:
        if self._file is not None:
            self._file.drop()


def _write(file: BinaryIO, text: str) -> None:
    file.write(text.encode("utf-8"))
