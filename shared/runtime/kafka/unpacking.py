"""Bounds for what compressed records may unpack to.

Producers compress batches of records. The broker bounds only the compressed size, and aiokafka unpacks whatever comes:
9 kilobytes can become 300 megabytes, so the log-in of one agency could end a service for all agencies. Here a batch
that unpacks to more than UNPACKED_BYTES_MAX becomes one unreadable record: the packed batch itself, at the place of its
last record. The service puts it aside like any other unreadable record, and continues.

It relies on the insides of the pinned aiokafka; `test_kafka_unpacking.py` checks them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.record import default_records, legacy_records
from aiokafka.record._crecords import default_records as compiled_default
from aiokafka.record._crecords import legacy_records as compiled_legacy

# No client of an agency makes such a batch by itself: clients bound a batch before they compress it (1 MiB at most by
# default), and our largest record is 2 MiB.
UNPACKED_BYTES_MAX = 32 * 1024 * 1024
# One read takes this much from a partition, and at least one record.
TAKEN_BYTES_MAX = 8 * 1024 * 1024
# The first buffer has this many times the packed size. Real batches unpack to 5 to 20 times; memory that is not touched
# costs nothing.
_FIRST_TRY = 64
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEAD = 16


class BatchTooLarge(ValueError):
    """A batch unpacks to more than it may."""


# -- the codecs -------------------------------------------------------------------------------------------------------


def _into(unpack: Callable[[Any, bytearray], int]) -> Callable[[Any], bytes]:
    """A decoder that unpacks into a buffer of limited size."""

    def decode(payload: Any) -> bytes:
        for room in (min(_FIRST_TRY * len(payload), UNPACKED_BYTES_MAX), UNPACKED_BYTES_MAX):
            out = bytearray(room)
            try:
                size = unpack(payload, out)
            except cramjam.DecompressionError:
                continue
            return bytes(memoryview(out)[:size])
        raise BatchTooLarge

    return decode


_zstd = _into(cramjam.zstd.decompress_into)
_lz4 = _into(cramjam.lz4.decompress_into)


def _gzip(payload: Any) -> bytes:
    parts, rest, room = [], bytes(payload), UNPACKED_BYTES_MAX + 1
    while rest:
        unpacker = zlib.decompressobj(wbits=31)
        part = unpacker.decompress(rest, room)
        parts.append(part)
        room -= len(part)
        if room <= 0 or not unpacker.eof:
            raise BatchTooLarge
        rest = unpacker.unused_data
    return b"".join(parts)


def _snappy(payload: Any) -> bytes:
    blocks = list(_snappy_blocks(memoryview(payload)))
    if sum(cramjam.snappy.decompress_raw_len(one) for one in blocks) > UNPACKED_BYTES_MAX:
        raise BatchTooLarge
    return b"".join(bytes(cramjam.snappy.decompress_raw(one)) for one in blocks)


def _snappy_blocks(payload: memoryview) -> Iterator[bytes]:
    """The blocks of Java clients' framing; a payload without it is one block."""
    if bytes(payload[: len(_XERIAL)]) != _XERIAL:
        yield bytes(payload)
        return
    at = _XERIAL_HEAD
    while at < len(payload):
        (size,) = struct.unpack_from("!i", payload, at)
        if size < 0:
            raise BatchTooLarge
        yield bytes(payload[at + 4 : at + 4 + size])
        at += 4 + size


# -- the batches ------------------------------------------------------------------------------------------------------

UNPACKABLE = (BatchTooLarge, cramjam.DecompressionError, zlib.error, struct.error)


@dataclass(slots=True)
class Packed:
    """A record in aiokafka's form that stands for a whole batch."""

    offset: int
    timestamp: int
    timestamp_type: int
    value: bytes
    key: None = None
    checksum: None = None
    headers: tuple[()] = ()


def _getall(self: Any, max_records: int | None = None) -> list[Any]:
    """`FetchResult.getall` of aiokafka, with a bound for bytes beside the one for records."""
    if not self.check_assignment(self._topic_partition) or not self.has_more():
        return []
    found: list[Any] = []
    size = 0
    for one in self._partition_records:
        found.append(one)
        size += one.serialized_key_size + one.serialized_value_size + _headers(one)
        if size >= TAKEN_BYTES_MAX or (max_records is not None and len(found) >= max_records):
            self._update_position()
            break
    else:
        self._update_position()
        self._partition_records = None
    return found


def _headers(one: Any) -> int:
    return sum(len(name) + len(value or b"") for name, value in one.headers) if one.headers else 0


def install() -> None:
    """Makes every consumer of this process unpack and read within the bounds."""
    codecs = {"gzip_decode": _gzip, "snappy_decode": _snappy, "lz4_decode": _lz4, "zstd_decode": _zstd}
    for module in (default_records, legacy_records, compiled_default, compiled_legacy):
        for name, bounded in codecs.items():
            if hasattr(module, name):
                setattr(module, name, bounded)
    fetcher.FetchResult.getall = _getall
