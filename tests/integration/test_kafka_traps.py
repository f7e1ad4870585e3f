"""The two traps of docs/delivery.md on the real broker: a failed batch over several partitions, a keyed publish."""

from __future__ import annotations

import asyncio
import gc
import gzip
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.record.util import calc_crc32c
from confluent_kafka import Producer

from shared.contracts.topics import Topic
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import publisher as kafka_publisher
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.kafka.publisher import KafkaPublisher
from shared.runtime.kafka.server import Server
from shared.runtime.kafka.unpacking import UNPACKED_BYTES_MAX
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Batch, Message, Record
from tests.batches import one_step

pytestmark = pytest.mark.connected

PARTITIONS = 6
RECORDS = 600
_numbers = itertools.count(1)


async def _topic(kafka: str) -> str:
    name = f"trap-{next(_numbers)}"
    await topics_admin.apply(kafka, [Topic(name=name, producer="test", key="any", partitions=PARTITIONS)])
    return name


async def _publish(kafka: str, topic: str) -> list[str]:
    publisher = KafkaPublisher(Server({"PAYUNG_KAFKA": kafka}), "trap")
    sent = [f"key-{number % 50}" for number in range(RECORDS)]
    await publisher.send_all(
        [Message(topic, key.encode(), f"{key}/{number}".encode()) for number, key in enumerate(sent)]
    )
    await publisher.stop()
    return sent


async def test_a_failed_batch_over_several_partitions_is_read_again_whole(kafka: str) -> None:
    topic = await _topic(kafka)
    await _publish(kafka, topic)
    server = Server({"PAYUNG_KAFKA": kafka})
    failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    first: list[Record] = []

    async def fail(records: Sequence[Record]) -> None:
        first.extend(records)
        raise RuntimeError("the store is gone for good")

    service = topic.removeprefix("trap-")
    broken = KafkaConsumer(server, service, [topic], *one_step(fail), failure.set_result, Metrics(service), None)
    await broken.start()
    assert isinstance(await asyncio.wait_for(failure, 30), RuntimeError)
    await broken.stop()
    assert len({record.partition for record in first}) > 1, "the trap needs a batch over several partitions"

    seen: list[Record] = []
    complete = asyncio.Event()

    async def take(records: Sequence[Record]) -> None:
        seen.extend(records)
        if len(seen) >= RECORDS:
            complete.set()

    good = KafkaConsumer(server, service, [topic], *one_step(take), lambda error: None, Metrics(service), None)
    await good.start()
    await asyncio.wait_for(complete.wait(), 60)
    await good.stop()
    assert len({(record.partition, record.offset) for record in seen}) == RECORDS


async def test_a_keyed_publish_keeps_each_key_on_one_partition_in_order(kafka: str) -> None:
    topic = await _topic(kafka)
    await _publish(kafka, topic)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning()
    placed: dict[bytes, set[int]] = {}
    orders: dict[bytes, list[int]] = {}
    count = 0
    while count < RECORDS:
        for partition, records in (await consumer.getmany(timeout_ms=10_000)).items():
            for record in records:
                placed.setdefault(record.key, set()).add(partition.partition)
                orders.setdefault(record.key, []).append(int(record.value.decode().rsplit("/", 1)[1]))
                count += 1
    await consumer.stop()
    assert all(len(where) == 1 for where in placed.values())
    assert len({next(iter(where)) for where in placed.values()}) > 1
    assert all(order == sorted(order) for order in orders.values())


async def test_a_header_that_is_not_text_loses_no_record(kafka: str) -> None:
    topic = await _topic(kafka)
    headers: list[list[tuple[str, str | bytes | None]]] = [[("x", b"\xff\xfe")], [("x", None)], [("", b"")], []]
    producer = Producer({"bootstrap.servers": kafka})
    for number, one in enumerate(headers):
        producer.produce(topic, b"%d" % number, b"k", headers=one)
    producer.flush(30)
    seen: list[Record] = []
    complete = asyncio.Event()

    async def take(records: Sequence[Record]) -> None:
        seen.extend(records)
        if len(seen) == len(headers):
            complete.set()

    failures: list[BaseException] = []
    service = topic.removeprefix("trap-")
    consumer = KafkaConsumer(
        Server({"PAYUNG_KAFKA": kafka}), service, [topic], *one_step(take), failures.append, Metrics(service), None
    )
    await consumer.start()
    await asyncio.wait_for(complete.wait(), 60)
    await consumer.stop()
    assert [list(one.headers) for one in seen] == headers
    assert failures == []


async def test_a_batch_counts_as_under_way_as_soon_as_it_is_read(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = await _topic(kafka)
    await _publish(kafka, topic)
    somebody_else = asyncio.Event()
    read = AIOKafkaConsumer.getmany

    async def getmany(self: AIOKafkaConsumer, *names: Any, **options: Any) -> Any:
        found = await read(self, *names, **options)
        somebody_else.clear()
        asyncio.get_running_loop().call_soon(somebody_else.set)
        return found

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", getmany)
    turns: list[bool] = []
    begun = asyncio.Event()

    async def take(batch: Batch) -> None:
        turns.append(somebody_else.is_set())
        begun.set()

    service = topic.removeprefix("trap-")
    steps = (take, one_step(_nothing)[1])
    consumer = KafkaConsumer(Server({"PAYUNG_KAFKA": kafka}), service, [topic], *steps, _raise, Metrics(service), None)
    await consumer.start()
    await asyncio.wait_for(begun.wait(), 30)
    await consumer.stop()
    assert not any(turns)


async def test_a_finished_batch_is_freed_without_the_garbage_collector(kafka: str) -> None:
    topic = await _topic(kafka)
    taken = asyncio.Semaphore(0)

    async def take(batch: Batch) -> None:
        taken.release()

    service = topic.removeprefix("trap-")
    steps = (take, one_step(_nothing)[1])
    consumer = KafkaConsumer(Server({"PAYUNG_KAFKA": kafka}), service, [topic], *steps, _raise, Metrics(service), None)
    before = _messages()
    gc.disable()
    try:
        await consumer.start()
        for _ in range(10):
            await _publish(kafka, topic)
            await asyncio.wait_for(taken.acquire(), 30)
        await consumer.stop()
        # The last records may still be under way.
        assert _messages() - before < 5
    finally:
        gc.enable()


def _messages() -> int:
    """FastStream's messages that are alive."""
    return sum(type(one).__name__ == "KafkaAckableMessage" for one in gc.get_objects())


async def _nothing(records: Sequence[Record]) -> None:
    """Settled at once."""


def _raise(error: BaseException) -> None:
    raise error


async def test_an_error_around_the_handler_ends_the_process(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_parser(batch: object, parse: object) -> None:
        raise ValueError("FastStream would only log this")

    monkeypatch.setattr("shared.runtime.kafka.patches.unparsed", no_parser)
    topic = await _topic(kafka)
    await _publish(kafka, topic)
    failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    settled: list[Record] = []

    async def take(records: Sequence[Record]) -> None:
        settled.extend(records)

    service = topic.removeprefix("trap-")
    consumer = KafkaConsumer(
        Server({"PAYUNG_KAFKA": kafka}), service, [topic], *one_step(take), failure.set_result, Metrics(service), None
    )
    await consumer.start()
    assert isinstance(await asyncio.wait_for(failure, 30), ValueError)
    await consumer.stop()
    assert settled == []


async def test_a_producer_whose_sender_died_is_replaced(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_publisher, "PUBLISH_TIMEOUT_S", 5.0)
    topic = await _topic(kafka)
    publisher = KafkaPublisher(Server({"PAYUNG_KAFKA": kafka}), "trap")
    await publisher.start()
    dead = publisher._producer
    assert dead is not None
    dead._sender.sender_task.cancel()
    messages = [Message(topic, b"k", b"%d" % number) for number in range(3)]
    with pytest.raises(Unavailable):
        await publisher.send_all(messages)
    await publisher.send_all(messages)
    assert publisher._producer is not dead
    await publisher.stop()


@pytest.mark.parametrize("compression", ["zstd", "gzip"])
async def test_a_batch_that_unpacks_to_too_much_is_one_record_and_stops_nothing(kafka: str, compression: str) -> None:
    topic = await _topic(kafka)
    place = {"topic": topic, "partition": 1}
    unbounded = {"max_request_size": 2**31 - 1, "max_batch_size": 2**31 - 1}
    async with AIOKafkaProducer(bootstrap_servers=kafka, compression_type=compression, **unbounded) as producer:
        await producer.send_and_wait(value=b"before", **place)
        await producer.send_and_wait(value=bytes(2 * UNPACKED_BYTES_MAX), **place)
        await producer.send_and_wait(value=b"after", **place)
    seen: list[Record] = []
    done = asyncio.Event()

    async def take(records: Sequence[Record]) -> None:
        seen.extend(records)
        if len(seen) == 3:
            done.set()

    def failed(error: BaseException) -> None:
        raise error

    service = topic.removeprefix("trap-")
    server = Server({"PAYUNG_KAFKA": kafka})
    consumer = KafkaConsumer(server, service, [topic], *one_step(take), failed, Metrics(service), None)
    await consumer.start()
    await asyncio.wait_for(done.wait(), 30)
    assert await consumer.caught_up([topic])
    await consumer.stop()
    assert [(one.offset, len(one.value or b"") < 100_000) for one in seen] == [(0, True), (1, True), (2, True)]
    assert (seen[0].value, seen[2].value) == (b"before", b"after")


@pytest.mark.parametrize("compression", [None, "gzip"])
async def test_a_header_whose_name_is_not_utf8_is_read(kafka: str, compression: str | None) -> None:
    topic = await _topic(kafka)
    sent = await _publish(kafka, topic)
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        batch = producer.create_batch()
        for value, header in ((b"before", "fine"), (b"odd", "name"), (b"after", "fine")):
            batch.append(key=b"k", value=value, timestamp=None, headers=[(header, b"1")])
        batch.close()
        # A C client may choose any header name; our clients cannot. So replace the name in the bytes, and the checksum.
        raw = bytearray(batch._build())
        at = raw.index(b"name")
        raw[at : at + 4] = b"\xff\xfe\xffx"
        if compression:
            records = gzip.compress(bytes(raw[61:]))
            raw[61:] = records
            raw[21:23] = (1).to_bytes(2, "big")
            raw[8:12] = (len(raw) - 12).to_bytes(4, "big")
        raw[17:21] = calc_crc32c(bytes(raw[21:])).to_bytes(4, "big")
        batch._buffer = raw
        await (await producer.send_batch(batch, topic, partition=PARTITIONS - 1))
    seen: list[Record] = []
    done = asyncio.Event()

    async def take(records: Sequence[Record]) -> None:
        seen.extend(records)
        if len(seen) == len(sent) + 3:
            done.set()

    def failed(error: BaseException) -> None:
        raise error

    service = topic.removeprefix("trap-")
    server = Server({"PAYUNG_KAFKA": kafka})
    consumer = KafkaConsumer(server, service, [topic], *one_step(take), failed, Metrics(service), None)
    await consumer.start()
    await asyncio.wait_for(done.wait(), 30)
    await consumer.stop()
    odd = [(one.value, tuple(one.headers)) for one in seen if one.key == b"k"][-3:]
    assert odd == [
        (b"before", (("fine", b"1"),)),
        (b"odd", (("\\xff\\xfe\\xffx", b"1"),)),
        (b"after", (("fine", b"1"),)),
    ]
