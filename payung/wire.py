"""Kafka for commands: publishes with all acks, and follows topics from known offsets by causation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownTopicOrPartitionError

from payung.installations import CommandError, Installation
from shared.contracts import envelope
from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.publisher import KafkaPublisher
from shared.runtime.kafka.server import REQUEST_BYTES_MAX, Server, quietly
from shared.runtime.records import Message

CONNECT_TIMEOUT_S = 20.0
ACK_TIMEOUT_S = 60.0
AGAIN_S = 0.5
# The size of a batch. A list of any length holds at most two batches in memory.
BATCH_RECORDS, BATCH_BYTES = 2_000, 4 * 1024 * 1024
YIELD_RECORDS = 100
POLL_MS = 1_000


def event(source: str, kind: str, data: Mapping[str, Any], identifier: str | None = None) -> dict[str, Any]:
    """A CloudEvent of a command."""
    return envelope.command(source, identifier or clock.new_id(), kind, dict(data), envelope.rfc3339(clock.now()))


class BatchSender:
    """Publishes in order with all acks, batch by batch: one batch is sent while the next one fills."""

    def __init__(self, publisher: KafkaPublisher) -> None:
        self._publisher = publisher
        self._gathered: list[Message] = []
        self._bytes = 0
        self._on_its_way: asyncio.Task[None] | None = None

    async def send(self, topic: str, key: str, value: bytes) -> None:
        """Queues one record; raises CommandError when the broker refuses an earlier one."""
        self._gathered.append(Message(topic, key.encode(), value))
        self._bytes += len(value)
        if len(self._gathered) >= BATCH_RECORDS or self._bytes >= BATCH_BYTES:
            await self._depart()
        elif len(self._gathered) % YIELD_RECORDS == 0:
            # Reading a list never awaits. Without this the batch being sent would not move until the next one.
            await asyncio.sleep(0)

    async def flush(self) -> None:
        """Waits until every record is acknowledged."""
        await self._depart()
        await self._arrival()

    async def close(self) -> None:
        """Gives up what is not acknowledged, and closes the producer."""
        if self._on_its_way is not None:
            self._on_its_way.cancel()
            await asyncio.wait({self._on_its_way})
        await self._publisher.stop()

    async def _depart(self) -> None:
        await self._arrival()
        batch, self._gathered, self._bytes = self._gathered, [], 0
        if batch:
            self._on_its_way = asyncio.create_task(self._publish(batch))

    async def _arrival(self) -> None:
        if self._on_its_way is not None:
            await self._on_its_way
            self._on_its_way = None

    async def _publish(self, batch: Sequence[Message]) -> None:
        """Publishes, and retries within a bound. A record that arrives twice has the same name and one effect."""
        until = clock.monotonic() + ACK_TIMEOUT_S
        while True:
            try:
                return await self._publisher.send_all(batch)
            except Unavailable as error:
                cause = error.__cause__
                if isinstance(cause, UnknownTopicOrPartitionError):
                    names = ", ".join(sorted({one.topic for one in batch}))
                    raise CommandError(
                        f"Kafka has no topic {names}; an agency is added with: payung agency add"
                    ) from error
                if isinstance(cause, MessageSizeTooLargeError) or clock.monotonic() > until:
                    why = type(cause).__name__
                    raise CommandError(
                        f"Kafka did not acknowledge every record ({why}); run it again, a list with --resume"
                    ) from error
            await asyncio.sleep(AGAIN_S)


async def producer(installation: Installation, compression: str = "zstd") -> AIOKafkaProducer:
    """A connected producer; the caller stops it."""
    made = AIOKafkaProducer(
        client_id="payung-cli",
        acks="all",
        enable_idempotence=True,
        max_batch_size=256 * 1024,
        linger_ms=2,
        compression_type=compression,
        max_request_size=REQUEST_BYTES_MAX,
        **Server(installation.environ).options(),
    )
    await _connected(made, installation)
    return made


@asynccontextmanager
async def sender(installation: Installation) -> AsyncIterator[BatchSender]:
    """A connected sender."""
    publisher = KafkaPublisher(Server(installation.environ), "payung-cli")
    try:
        await asyncio.wait_for(publisher.start(), CONNECT_TIMEOUT_S)
    except (Unavailable, TimeoutError) as error:
        raise _unreachable(installation) from error
    made = BatchSender(publisher)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def reader(installation: Installation) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group: it commits nothing."""
    consumer = AIOKafkaConsumer(
        client_id="payung-cli",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **Server(installation.environ).options(),
    )
    await _connected(consumer, installation)
    try:
        yield consumer
    finally:
        await quietly(consumer.stop())


async def _connected(client: Any, installation: Installation) -> None:
    try:
        await asyncio.wait_for(client.start(), CONNECT_TIMEOUT_S)
    except (KafkaError, TimeoutError, OSError) as error:
        raise _unreachable(installation) from error


def _unreachable(installation: Installation) -> CommandError:
    return CommandError(
        f"Kafka does not answer at {installation.environ.get('PAYUNG_KAFKA', '')}; is `payung up` running?"
    )


async def ends(
    installation: Installation, consumer: AIOKafkaConsumer, names: Sequence[str]
) -> dict[TopicPartition, int]:
    """The end of each partition of these topics: the offset from which to follow new records."""
    counts = await require(installation, names)
    partitions = [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]
    # Assign first: only then does the client learn the leaders of these partitions.
    consumer.assign(partitions)
    return dict(await consumer.end_offsets(partitions))


async def require(installation: Installation, names: Sequence[str]) -> dict[str, int]:
    """The number of partitions of each topic. Raises CommandError when a topic does not exist."""
    counts = await topics_admin.partitions(Server(installation.environ), names)
    missing = [name for name in names if name not in counts]
    if missing:
        raise CommandError(
            f"Kafka has no topic {', '.join(missing)}; make it with: payung topics apply, or payung agency add"
        )
    return counts


async def follow(
    consumer: AIOKafkaConsumer, places: Mapping[TopicPartition, int], quiet_s: float
) -> AsyncIterator[dict[str, Any]]:
    """The events from these offsets on, as they come. Ends after `quiet_s` without an event."""
    consumer.assign(list(places))
    for partition, offset in places.items():
        consumer.seek(partition, offset)
    while True:
        batches = await consumer.getmany(timeout_ms=int(quiet_s * 1000), max_records=5_000)
        if not batches:
            return
        for records in batches.values():
            for record in records:
                event = decoded(record.value)
                if event is not None:
                    yield event


async def between(
    consumer: AIOKafkaConsumer,
    at: dict[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    records_max: int,
    quiet_s: float,
) -> AsyncIterator[list[ConsumerRecord]]:
    """The records from these offsets up to these ends, poll by poll. `at` advances when the caller is done with one."""
    left = [one for one, offset in at.items() if offset < ends[one]]
    for one in left:
        consumer.seek(one, at[one])
    moved_s = clock.monotonic()
    while left:
        polled = await consumer.getmany(*left, timeout_ms=POLL_MS, max_records=records_max)
        if polled:
            found = [record for one, records in polled.items() for record in records if record.offset < ends[one]]
            if found:
                yield found
            moved_s = clock.monotonic()
        elif clock.monotonic() - moved_s > quiet_s:
            names = ", ".join(sorted({one.topic for one in left}))
            raise CommandError(f"{names} gave nothing for {quiet_s:.0f} s; is the broker well?")
        # Ask the position, not the last record: compacted and aborted records leave gaps.
        for one in left:
            at[one] = min(await consumer.position(one), ends[one])
        left = [one for one in left if at[one] < ends[one]]


def decoded(value: bytes | None) -> dict[str, Any] | None:
    """The event in a record; None for a record that holds none: the services put it aside as a dead letter."""
    try:
        found = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    named = isinstance(found, dict) and isinstance(found.get("source"), str) and isinstance(found.get("id"), str)
    return found if named and isinstance(found.get("data"), dict) else None


async def ask(
    installation: Installation,
    topic: str,
    key: str,
    command: Mapping[str, Any],
    answers_on: str,
    types: Sequence[str],
    wait_s: float,
) -> dict[str, Any]:
    """Publishes a command and returns the first event of `types` that its id caused, directly or in steps."""
    async with reader(installation) as consumer:
        places = await ends(installation, consumer, [answers_on])
        async with sender(installation) as out:
            await out.send(topic, key, orjson.dumps(command))
            await out.flush()
        try:
            async with asyncio.timeout(wait_s):
                async for one in follow(consumer, places, wait_s):
                    if one["type"] in types and command["id"] in (one.get("correlationid"), one.get("causationid")):
                        return one
        except TimeoutError:
            pass
    raise CommandError(
        f"no answer within {wait_s:.0f} s; the command {command['id']} is safe in {topic} and will be carried out: "
        "see `payung status`"
    )
