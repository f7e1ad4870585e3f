"""Offsets that the real broker no longer has: every skipped record is reported, and the lag ends at zero."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence

import pytest
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Partition
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from shared.contracts.topics import Topic
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.kafka.publisher import KafkaPublisher
from shared.runtime.kafka.server import Server
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Message, Record
from tests.batches import one_step

pytestmark = pytest.mark.connected

_numbers = itertools.count(1)
SKIPPED = "records were deleted before they were read: they are skipped"
UNKNOWN = (
    "records were deleted before they were read: "
    "the group has no committed offset, so it is not known whether they were read"
)
CUT_OFF = "the log ends before the committed offset: it is read again from its first record"


class Desk:
    """One topic of one partition, and the consumer that reads it."""

    def __init__(self, kafka: str) -> None:
        self.kafka = kafka
        self.topic = f"places-{next(_numbers)}"
        self.partition = Partition(self.topic, 0)
        self.settled: list[int] = []
        self.metrics = Metrics(self.topic)

    async def publish(self, count: int) -> None:
        await topics_admin.apply(self.kafka, [Topic(name=self.topic, producer="test", key="any", partitions=1)])
        publisher = KafkaPublisher(Server({"PAYUNG_KAFKA": self.kafka}), self.topic)
        await publisher.send_all([Message(self.topic, b"k", b"%d" % n) for n in range(count)])
        await publisher.stop()

    async def delete_before(self, offset: int) -> None:
        client = AdminClient({"bootstrap.servers": self.kafka})
        asked = client.delete_records([TopicPartition(self.topic, 0, offset)])
        await asyncio.to_thread(lambda: [one.result(30) for one in asked.values()])

    async def commit(self, offset: int) -> None:
        await self._asked(lambda client: client.commit({self.partition: offset}))

    async def committed(self) -> int | None:
        found: int | None = await self._asked(lambda client: client.committed(self.partition))
        return found

    async def _asked(self, what: Callable[[AIOKafkaConsumer], Awaitable[int | None]]) -> int | None:
        group = f"payung-{self.topic}"
        client = AIOKafkaConsumer(bootstrap_servers=self.kafka, group_id=group, enable_auto_commit=False)
        await client.start()
        try:
            client.assign([self.partition])
            return await what(client)
        finally:
            await client.stop()

    def consumer(self) -> KafkaConsumer:
        def failed(error: BaseException) -> None:
            raise AssertionError(error)

        async def settle(records: Sequence[Record]) -> None:
            self.settled += [one.offset for one in records]

        server = Server({"PAYUNG_KAFKA": self.kafka})
        return KafkaConsumer(server, self.topic, [self.topic], *one_step(settle), failed, self.metrics, None)

    async def up_to_date(self, consumer: KafkaConsumer) -> None:
        """As the watch does: asks for the lag again and again, and commits what is settled."""
        async with asyncio.timeout(30):
            while not consumer.assigned() or await consumer.lag() or consumer._uncommitted:  # no event
                await asyncio.sleep(0.1)
                await consumer.commit_settled()

    async def until(self, told: Callable[[], bool], consumer: KafkaConsumer) -> None:
        async with asyncio.timeout(30):
            while not told():
                await asyncio.sleep(0.1)
                await consumer.lag()
                await consumer.commit_settled()

    def counted(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(name, {"service": self.topic, "topic": self.topic}) or 0


@pytest.fixture
def desk(kafka: str) -> Desk:
    return Desk(kafka)


async def test_records_that_retention_deleted_unread_are_reported_once_and_are_no_lag(desk: Desk) -> None:
    await desk.publish(20)
    await desk.commit(4)
    await desk.delete_before(12)
    consumer = desk.consumer()
    with structlog.testing.capture_logs() as said:
        await consumer.start()
        await desk.up_to_date(consumer)
        for _ in range(3):
            await consumer.lag()
    await consumer.stop()
    assert desk.settled == list(range(12, 20))
    told = [one for one in said if one["event"] == SKIPPED]
    assert [(one["partition"], one["first"], one["last"], one["records"]) for one in told] == [(0, 4, 11, 8)]
    assert desk.counted("payung_records_skipped_total") == 8


async def test_all_waiting_records_were_deleted(desk: Desk) -> None:
    await desk.publish(8)
    await desk.commit(0)
    await desk.delete_before(8)
    consumer = desk.consumer()
    with structlog.testing.capture_logs() as said:
        await consumer.start()
        await desk.up_to_date(consumer)
        await desk.until(lambda: any(one["event"] == SKIPPED for one in said), consumer)
        await desk.up_to_date(consumer)
        # A waiter for "all is settled" does not wait for deleted records.
        assert await consumer.caught_up([desk.topic], 5)
    await consumer.stop()
    assert desk.counted("payung_records_skipped_total") == 8
    assert await desk.committed() == 8
    again = desk.consumer()
    with structlog.testing.capture_logs() as said:
        await again.start()
        await desk.up_to_date(again)
    await again.stop()
    assert not [one for one in said if one["log_level"] == "error"]


async def test_a_group_without_committed_offsets_reports_unknown(desk: Desk) -> None:
    await desk.publish(9)
    await desk.delete_before(5)
    consumer = desk.consumer()
    with structlog.testing.capture_logs() as said:
        await consumer.start()
        await desk.until(lambda: bool(desk.settled), consumer)
        await desk.up_to_date(consumer)
    await consumer.stop()
    assert desk.settled == [5, 6, 7, 8]
    told = [one["event"] for one in said if one["log_level"] == "error"]
    assert told == [UNKNOWN]


@pytest.mark.parametrize("standing", [6, 0])
async def test_an_offset_behind_the_end_restarts_at_the_beginning(desk: Desk, standing: int) -> None:
    await desk.publish(standing)
    await desk.commit(50)
    consumer = desk.consumer()
    with structlog.testing.capture_logs() as said:
        await consumer.start()
        await desk.until(lambda: any(one["event"] == CUT_OFF for one in said), consumer)
        await desk.up_to_date(consumer)
        await desk.publish(2)
        await desk.until(lambda: len(desk.settled) == standing + 2, consumer)
        await desk.up_to_date(consumer)
    await consumer.stop()
    assert desk.settled == list(range(standing + 2))
    assert [one["place"] for one in said if one["event"] == CUT_OFF] == [50]
    assert desk.counted("payung_places_lost_total") == 1
    assert await desk.committed() == standing + 2
