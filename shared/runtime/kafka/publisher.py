"""Publishes to Kafka with acks=all, through aiokafka's own producer. Knows nothing of what it publishes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.runtime.errors import Unavailable
from shared.runtime.kafka import refusals
from shared.runtime.kafka.murmur import partition_of
from shared.runtime.kafka.patches import cancelled_from_outside
from shared.runtime.kafka.server import (
    METADATA_MAX_AGE_MS,
    REQUEST_BYTES_MAX,
    STOP_TIMEOUT_S,
    Server,
    asking,
    quietly,
)
from shared.runtime.records import Message

PUBLISH_TIMEOUT_S = 30.0
PUBLISH_BATCH_BYTES = 512 * 1024


class KafkaPublisher:
    """Publishes by key with acks=all.

    After any error the producer is rebuilt before it is used again: after one refused batch, an idempotent producer
    refuses that partition for the rest of its life (docs/delivery.md).
    """

    def __init__(self, server: Server, client_id: str) -> None:
        self._server = server
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting: asyncio.Task[AIOKafkaProducer] | None = None

    async def start(self) -> None:
        """Connects; raises Unavailable when the broker does not answer."""
        await self._ready()

    async def _ready(self) -> AIOKafkaProducer:
        """All waiting callers share one attempt. If each made its own producer, all but the last would stay open
        without use.
        """
        if self._producer is not None:
            return self._producer
        if self._starting is None:
            self._starting = asyncio.create_task(self._connect())
            self._starting.add_done_callback(self._started)
        return await asyncio.shield(self._starting)

    def _started(self, task: asyncio.Task[AIOKafkaProducer]) -> None:
        self._starting = None
        if not task.cancelled():
            # The waiting callers get the error; if none is left, reading it here avoids a warning.
            task.exception()

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            max_batch_size=PUBLISH_BATCH_BYTES,
            compression_type="zstd",
            max_request_size=REQUEST_BYTES_MAX,
            request_timeout_ms=int(PUBLISH_TIMEOUT_S * 1000),
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
            **self._server.options(),
        )
        try:
            with asking():
                await asyncio.wait_for(producer.start(), PUBLISH_TIMEOUT_S)
        except (Unavailable, asyncio.CancelledError):
            await quietly(producer.stop())
            raise
        self._producer = producer
        return producer

    async def stop(self) -> None:
        """Flushes and closes within a time limit."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting}, timeout=2 * STOP_TIMEOUT_S)
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await quietly(producer.stop())

    async def send_all(self, messages: Sequence[Message]) -> None:
        """Sends in order and waits for every ack. After Unavailable the outcome is unknown, and the caller sends
        everything again."""
        producer = await self._ready()
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                groups = await self._by_partition(producer, messages)
                acks = [
                    await producer.send_batch(batch, topic, partition=partition)
                    for (topic, partition), group in groups.items()
                    for batch in _batches(producer, group)
                ]
                await asyncio.gather(*acks)
        except (KafkaError, TimeoutError, OSError, asyncio.CancelledError) as error:
            if cancelled_from_outside(error):
                raise
            # A call that fails later finds a new producer here; that producer did not cause the failure and stays.
            if self._producer is producer:
                self._producer = None
            await quietly(producer.stop())
            why = f"{type(error).__name__}{refusals.reason()}"
            raise Unavailable(f"Kafka: publish failed, {why}") from error

    async def _by_partition(
        self, producer: AIOKafkaProducer, messages: Sequence[Message]
    ) -> dict[tuple[str, int], list[Message]]:
        """Messages by topic and partition, each group in the given order.

        The partition of a key is the one that Java's client picks. It is computed once per key, because the outcomes of
        one worker share their key.
        """
        groups: dict[tuple[str, int], list[Message]] = {}
        numbers: dict[str, list[int]] = {}
        placed: dict[tuple[int, bytes | None], int] = {}
        for one in messages:
            known = numbers.get(one.topic)
            if known is None:
                known = numbers[one.topic] = sorted(await producer.partitions_for(one.topic))
            at = (len(known), one.key)
            partition = placed.get(at)
            if partition is None:
                partition = placed[at] = known[_place(one.key, len(known))]
            groups.setdefault((one.topic, partition), []).append(one)
        return groups


def _place(key: bytes | None, partitions: int) -> int:
    """A record without a key may go to any partition."""
    return random.randrange(partitions) if key is None else partition_of(key, partitions)


def _batches(producer: AIOKafkaProducer, messages: Sequence[Message]) -> Iterator[BatchBuilder]:
    """The messages of one partition in as few batches as possible: one ack serves hundreds of messages."""
    batch = producer.create_batch()
    for one in messages:
        if batch.append(timestamp=None, key=one.key, value=one.value, headers=list(one.headers)) is None:
            yield batch
            batch = producer.create_batch()
            # An empty batch takes a message of any size; the broker refuses a message that is too large.
            batch.append(timestamp=None, key=one.key, value=one.value, headers=list(one.headers))
    batch.close()
    yield batch
