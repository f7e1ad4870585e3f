"""The hash that chooses a key's partition: every client must choose the same partition."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.kafka.murmur import murmur2, partition_of

# From the tests of Kafka's own Java client (UtilsTest.testMurmur2), which uses signed numbers.
KNOWN = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize("key", KNOWN)
def test_hashes_as_kafkas_own_client(key: bytes) -> None:
    assert murmur2(key) == KNOWN[key] % 2**32


@given(st.binary(max_size=200), st.integers(1, 64))
def test_chooses_the_partition_that_aiokafka_chooses(key: bytes, partitions: int) -> None:
    numbers = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, numbers, numbers)
