"""A compressed batch that unpacks to too much is one unreadable record; all others are read as before."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.record._crecords import DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition

from shared.runtime.kafka import patches, unpacking
from shared.runtime.kafka.unpacking import TAKEN_BYTES_MAX, UNPACKED_BYTES_MAX, BatchTooLarge

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
PLACE = TopicPartition("t", 0)
HUGE = 2**31 - 1

patches.install()


def batch(codec: int, values: list[bytes], first: int = 0) -> bytes:
    """A batch as a producer packs it and the broker keeps it."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, HUGE)
    for offset, value in enumerate(values):
        assert builder.append(offset, 1_000, b"k", value, [("h", b"v")]) is not None
    packed = bytearray(builder.build())
    packed[0:8] = first.to_bytes(8, "big")
    return bytes(packed)


def read(*batches: bytes) -> PartitionRecords:
    records = fetcher.MemoryRecords(b"".join(batches))
    return PartitionRecords(PLACE, records, [], 0, None, None, True, fetcher.READ_UNCOMMITTED)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_batch_within_the_bound_is_read_unchanged(codec: int) -> None:
    values = [b"x" * 1_000, b"", bytes(range(256)) * 4_000, b"y"]
    found = list(read(batch(codec, values), batch(codec, values, first=4)))
    assert [one.value for one in found] == values * 2
    assert [one.offset for one in found] == list(range(8))
    assert found[0].headers == (("h", b"v"),)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_batch_beyond_the_bound_is_one_record_and_reading_continues(codec: int) -> None:
    bomb = batch(codec, [b"a", bytes(UNPACKED_BYTES_MAX), b"c"], first=2)
    assert len(bomb) < UNPACKED_BYTES_MAX / 15
    found = list(read(batch(codec, [b"1", b"2"]), bomb, batch(0, [b"plain"], first=5), batch(codec, [b"3"], first=6)))
    assert [one.offset for one in found] == [0, 1, 4, 5, 6]
    assert [one.value for one in found] == [b"1", b"2", bomb, b"plain", b"3"]
    assert found[2].timestamp == 1_000


@pytest.mark.parametrize(
    ("decode", "pack"), [(unpacking._gzip, gzip.compress), (unpacking._snappy, lambda _: b"\xff" * 40)]
)
def test_the_exact_bound_is_accepted(decode: Any, pack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "UNPACKED_BYTES_MAX", 1_000)
    with pytest.raises((BatchTooLarge, *unpacking.UNPACKABLE)):
        decode(pack(b"x" * 1_001))
    if decode is unpacking._gzip:
        assert decode(pack(b"x" * 600) + pack(b"y" * 400)) == b"x" * 600 + b"y" * 400
        with pytest.raises(BatchTooLarge):
            decode(pack(b"x" * 600) + pack(b"y" * 401))


class Assignment:
    """A partition that stays assigned and is not paused."""

    active = True

    def __init__(self, records: PartitionRecords) -> None:
        self.paused = False
        self._records = records
        self.consumed = 0

    @property
    def position(self) -> int:
        return int(self._records.next_fetch_offset)

    def state_value(self, _: TopicPartition) -> Assignment:
        return self

    def consumed_to(self, offset: int) -> None:
        self.consumed = offset


def test_one_read_takes_a_bounded_number_of_bytes_and_loses_nothing() -> None:
    values = [bytes(TAKEN_BYTES_MAX // 3 + 1)] * 7
    records = read(batch(4, values))
    assignment = Assignment(records)
    result = FetchResult(PLACE, assignment=assignment, partition_records=records, backoff=0)
    taken = []
    while result.has_more():
        taken.append([one.offset for one in result.getall(5)])
        assert assignment.consumed == (taken[-1] or [6])[-1] + 1
    assert taken == [[0, 1, 2], [3, 4, 5], [6]]


def test_the_number_of_records_is_bounded_as_before() -> None:
    records = read(batch(4, [b"x"] * 5))
    result = FetchResult(PLACE, assignment=Assignment(records), partition_records=records, backoff=0)
    assert [len(result.getall(2)) for _ in range(3)] == [2, 2, 1]
    assert not result.has_more()
