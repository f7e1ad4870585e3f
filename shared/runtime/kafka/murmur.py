"""Kafka's own hash of a key: the 32-bit MurmurHash2 with which Java's client, and aiokafka's, choose a partition.

aiokafka's version processes a key byte by byte and took a twentieth of a registration's time; this one processes 4-byte
words.
"""

from __future__ import annotations

from functools import cache
from struct import Struct

_SEED = 0x9747B28C
_MIX = 0x5BD1E995
_ALL = 0xFFFFFFFF


def partition_of(key: bytes, partitions: int) -> int:
    """The partition, from 0 to `partitions` - 1, that records of this key belong to."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(key: bytes) -> int:
    """The hash, 0 to 2**32 - 1 (org.apache.kafka.common.utils.Utils.murmur2)."""
    size = len(key)
    found = _SEED ^ size
    for word in _words(size // 4).unpack_from(key):
        word = word * _MIX & _ALL
        found = (found * _MIX & _ALL) ^ ((word ^ word >> 24) * _MIX & _ALL)
    if rest := key[size & ~3 :]:
        found = (found ^ int.from_bytes(rest, "little")) * _MIX & _ALL
    found = (found ^ found >> 13) * _MIX & _ALL
    return found ^ found >> 15


@cache
def _words(count: int) -> Struct:
    return Struct(f"<{count}I")
