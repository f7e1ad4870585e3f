"""Reads a small topic of one partition from its first record to its last, without a consumer group."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.runtime.kafka.server import Server, asking, quietly
from shared.runtime.records import Record, record_of

TIMEOUT_S = 20.0
_WAIT_MS = 500


async def read(server: Server, topic: str) -> list[Record]:
    """Its records up to the end at the time of the call, the oldest first; raises Unavailable when the broker does not
    answer."""
    consumer = AIOKafkaConsumer(
        group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", **server.options()
    )
    try:
        with asking():
            async with asyncio.timeout(TIMEOUT_S):
                await consumer.start()
                return await _until_end(consumer, TopicPartition(topic, 0))
    finally:
        await quietly(consumer.stop())


async def _until_end(consumer: AIOKafkaConsumer, partition: TopicPartition) -> list[Record]:
    consumer.assign([partition])
    end = (await consumer.end_offsets([partition]))[partition]
    # Compaction leaves gaps, so the position counts, not the number of records.
    await consumer.seek_to_beginning(partition)
    found: list[Record] = []
    while await consumer.position(partition) < end:
        records = await consumer.getmany(partition, timeout_ms=_WAIT_MS)
        found += [record_of(one) for one in records.get(partition, ())]
    return found
