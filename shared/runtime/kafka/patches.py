"""Parses fetched records as aiokafka does, but accepts a header whose name is not UTF-8, and bounds what a compressed
batch unpacks to (`unpacking`).

Any C client can send such a header. aiokafka raises when it reaches it, and again after every restart, so one record
would stop an agency's whole partition. Here aiokafka's compiled reader stays in use. Only when it fails in a batch,
aiokafka's own Python reader reads the rest of that batch, with such a name escaped (`\\xff`). Key, value and everything
else stay as they were sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from shared.runtime.kafka import unpacking

# In all versions of the batch format: where the length field stands, and the bytes that it does not count.
_LENGTH_AT, _OVERHEAD = 8, 12


class Records:
    """The batches of one answer to a fetch."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records: Any = MemoryRecords(data)
        self._at = 0

    def size_in_bytes(self) -> int:
        """Bytes of the answer."""
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        """Whether another whole batch is there."""
        return bool(self._records.has_next())

    def next_batch(self) -> _Batch:
        """The next batch."""
        start = self._at
        length = int.from_bytes(self._data[start + _LENGTH_AT : start + _OVERHEAD], "big")
        self._at = start + _OVERHEAD + length
        return _Batch(self._records.next_batch(), self._data, start, self._at)


class _Batch:
    """One batch. Only iteration is ours; everything else is aiokafka's."""

    __slots__ = ("_batch", "_data", "_end", "_start")

    def __init__(self, batch: Any, data: bytes, start: int, end: int) -> None:
        self._batch = batch
        self._data = data
        self._start = start
        self._end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            records = iter(self._batch)
        except unpacking.UNPACKABLE:
            yield self._packed()
            return
        read = 0
        try:
            for record in records:
                yield record
                read += 1
        except UnicodeDecodeError:
            yield from islice(_escaped(self._data[self._start : self._end]), read, None)

    def _packed(self) -> unpacking.Packed:
        """The whole batch as one unreadable record, at the place of its last record."""
        one, packed = self._batch, bytes(self._data[self._start : self._end])
        return unpacking.Packed(one.next_offset - 1, one.max_timestamp, one.timestamp_type, packed)


def _escaped(raw: bytes) -> Iterator[Any]:
    batch: Any = _DefaultRecordBatchPy(raw)
    # The buffer holds decompressed bytes only after iteration has begun.
    records = iter(batch)
    batch._buffer = _Buffer(batch._buffer)
    return records  # type: ignore[no-any-return]  # aiokafka is untyped


class _Buffer(bytearray):
    """Bytes whose slices always decode: invalid UTF-8 is escaped."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Buffer(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


def install() -> None:
    """Makes every consumer of this process read records in this way."""
    unpacking.install()
    fetcher.MemoryRecords = Records
