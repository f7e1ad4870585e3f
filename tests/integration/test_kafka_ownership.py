"""Partitions that come and go while a batch is in progress, and failing commits, on the real broker."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import RequestTimedOutError

from shared.contracts.topics import Topic
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import consumer as shell
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.kafka.publisher import KafkaPublisher
from shared.runtime.kafka.server import Server
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Message, Record
from tests.batches import one_step

pytestmark = pytest.mark.connected

PARTITIONS = 4
RECORDS = 400
_numbers = itertools.count(1)


class Seen:
    """Every record that any owner settled, and a condition to wait on."""

    def __init__(self) -> None:
        self.count: Counter[tuple[int, int]] = Counter()
        self._changed = asyncio.Condition()

    async def take(self, records: Sequence[Record]) -> None:
        async with self._changed:
            self.count.update((one.partition, one.offset) for one in records)
            self._changed.notify_all()

    async def all_of_them(self) -> None:
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(lambda: len(self.count) == RECORDS)


class Held:
    """Takes its first batch only when the test releases it."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self.holds = asyncio.Event()
        self.go = asyncio.Event()

    async def take(self, records: Sequence[Record]) -> None:
        self.holds.set()
        await self.go.wait()
        await self._seen.take(records)


async def topic_of(kafka: str) -> str:
    name = f"owner-{next(_numbers)}"
    await topics_admin.apply(kafka, [Topic(name=name, producer="test", key="any", partitions=PARTITIONS)])
    publisher = KafkaPublisher(Server({"PAYUNG_KAFKA": kafka}), "owner")
    await publisher.send_all([Message(name, b"key-%d" % (n % 40), b"%d" % n) for n in range(RECORDS)])
    await publisher.stop()
    return name


def consumer_of(
    kafka: str, topic: str, settle: Callable[[Sequence[Record]], Awaitable[None]], name: str | None = None
) -> KafkaConsumer:
    def failed(error: BaseException) -> None:
        raise AssertionError(error)

    return KafkaConsumer(
        Server({"PAYUNG_KAFKA": kafka}), topic, [topic], *one_step(settle), failed, Metrics(topic), name
    )


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110  # the broker has no event to wait for
            await asyncio.sleep(0.05)


async def uncommitted(kafka: str, topic: str) -> int:
    """Records of the topic that the group has not committed, as the broker reports."""
    asking = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=f"payung-{topic}", enable_auto_commit=False)
    await asking.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        ends = await asking.end_offsets(partitions)
        done = {one: await asking.committed(one) or 0 for one in partitions}
        return sum(int(ends[one]) - done[one] for one in partitions)
    finally:
        await asking.stop()


async def test_the_batch_in_flight_is_finished_before_its_partitions_go(kafka: str) -> None:
    topic = await topic_of(kafka)
    seen = Seen()
    held = Held(seen)
    first, second = consumer_of(kafka, topic, held.take), consumer_of(kafka, topic, seen.take)
    await first.start()
    await asyncio.wait_for(held.holds.wait(), 30)
    joining = asyncio.create_task(second.start())
    # The group learns of the new member with a heartbeat; the first owner then waits for its own batch.
    await until(lambda: _revoking(first))
    held.go.set()
    await joining
    await seen.all_of_them()
    await until(lambda: _none_left(kafka, topic))
    assert set(seen.count.values()) == {1}, "the second owner took again what the first had finished"
    await first.stop()
    await second.stop()


async def _revoking(consumer: KafkaConsumer) -> bool:
    return consumer.revoking


async def _none_left(kafka: str, topic: str) -> bool:
    return await uncommitted(kafka, topic) == 0


async def test_a_batch_that_takes_too_long_is_left_to_the_next_owner(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "REVOKE_WAIT_S", 0.2)
    topic = await topic_of(kafka)
    seen = Seen()
    held = Held(seen)
    first, second = consumer_of(kafka, topic, held.take), consumer_of(kafka, topic, seen.take)
    await first.start()
    await asyncio.wait_for(held.holds.wait(), 30)
    await second.start()
    # The second owner works although the first still holds its batch.
    await until(lambda: _moving(second))
    held.go.set()
    await seen.all_of_them()
    await until(lambda: _none_left(kafka, topic))
    await first.stop()
    await second.stop()


async def _moving(consumer: KafkaConsumer) -> bool:
    return bool(consumer.settled)


async def test_a_commit_that_failed_needs_no_further_record(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = await topic_of(kafka)
    seen = Seen()
    commit = AIOKafkaConsumer.commit

    async def refuse(self: AIOKafkaConsumer, offsets: object = None) -> None:
        raise RequestTimedOutError

    monkeypatch.setattr(AIOKafkaConsumer, "commit", refuse)
    consumer = consumer_of(kafka, topic, seen.take)
    await consumer.start()
    await seen.all_of_them()
    await consumer.commit_settled()
    assert await uncommitted(kafka, topic) == RECORDS
    monkeypatch.setattr(AIOKafkaConsumer, "commit", commit)
    await consumer.commit_settled()
    assert await uncommitted(kafka, topic) == 0
    await consumer.stop()


async def test_a_named_member_that_starts_again_disturbs_nobody(kafka: str) -> None:
    topic = await topic_of(kafka)
    seen = Seen()
    consumers = [consumer_of(kafka, topic, seen.take, name) for name in ("one", "two")]
    for one in consumers:
        await one.start()
    await until(lambda: _shared(consumers))
    await seen.all_of_them()
    staying = Ownership(consumers[1])
    mine = consumers[0].assigned()
    await consumers[0].stop()
    again = consumer_of(kafka, topic, seen.take, "one")
    await again.start()
    await until(lambda: _owns(again, mine))
    # Its partitions were kept for it, so the other member never lost its own.
    assert staying.revoked == 0
    unnamed = consumer_of(kafka, topic, seen.take)
    await unnamed.start()
    await until(lambda: _moved(staying))
    for one in (again, consumers[1], unnamed):
        await one.stop()


class Ownership:
    """Counts how often a consumer lets its partitions go."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self.revoked = 0
        self._finish = consumer.finish_or_abandon
        consumer.finish_or_abandon = self._count  # type: ignore[method-assign]

    async def _count(self) -> None:
        self.revoked += 1
        await self._finish()


async def _shared(consumers: Sequence[KafkaConsumer]) -> bool:
    return all(len(one.assigned()) == PARTITIONS // 2 for one in consumers)


async def _owns(consumer: KafkaConsumer, partitions: set[TopicPartition]) -> bool:
    return consumer.assigned() == partitions


async def _moved(ownership: Ownership) -> bool:
    return ownership.revoked > 0


async def test_a_consumer_without_partitions_is_not_up_to_date(kafka: str) -> None:
    topic = await topic_of(kafka)
    consumer = consumer_of(kafka, topic, Seen().take)
    with pytest.raises(Unavailable):
        await consumer.lag()
    await consumer.start()
    await consumer.stop()
