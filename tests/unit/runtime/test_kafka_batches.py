"""Two batches in progress: the next one is taken while the first is settled. They stay in order, and only read records
are committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError

from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.kafka.server import Server
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Batch
from tests.batches import read_by

PARTITION = TopicPartition("t", 0)


class Session:
    """A client that owns one partition."""

    def __init__(self) -> None:
        self.commits: list[int] = []
        self.answers = asyncio.Event()
        self.answers.set()
        self.failing = False
        self.asked, self.told = asyncio.Event(), asyncio.Event()

    def assignment(self) -> set[TopicPartition]:
        return {PARTITION}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        await self.answers.wait()
        if self.failing:
            raise KafkaConnectionError
        self.commits.append(offsets[PARTITION])

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 8)

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    async def committed(self, partition: TopicPartition) -> int:
        """Answers late, with the offset that was committed when it was asked."""
        self.asked.set()
        await self.told.wait()
        return 3


def record(offset: int) -> Any:
    """A record as aiokafka gives it."""
    return ConsumerRecord("t", 0, offset, 0, 0, b"", b"", None, 0, 0, ())


class Desk:
    """A consumer whose batches are settled when the test says so."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.may_settle = asyncio.Semaphore(0)
        self.session = Session()
        self.consumer = KafkaConsumer(
            Server({}), "toy", ["t"], self.take, self.settle, self.failed, Metrics("toy"), None
        )

    async def take(self, batch: Batch) -> None:
        self.taken.append(batch.records[0].offset)

    async def settle(self, batch: Batch) -> None:
        await self.may_settle.acquire()

    async def found(self) -> dict[TopicPartition, list[Any]]:
        return {PARTITION: [record(0)]}

    def failed(self, error: BaseException) -> None:
        raise AssertionError from error

    async def read(self, *offsets: int) -> None:
        """The client's loop: the next batch comes when the handler returns."""
        for offset in offsets:
            await read_by(self.consumer, self.session, record(offset))

    async def rest(self) -> None:
        """Lets everything run that can run."""
        for _ in range(50):
            await asyncio.sleep(0)


async def test_one_batch_is_taken_while_one_is_settled_but_no_third() -> None:
    desk = Desk()
    reading = asyncio.create_task(desk.read(0, 1, 2))
    await desk.rest()
    assert desk.taken == [0, 1]
    assert desk.session.commits == []
    desk.may_settle.release()
    await desk.rest()
    assert desk.taken == [0, 1, 2]
    assert desk.session.commits == [1]
    assert not desk.consumer.idle.is_set()
    desk.may_settle.release()
    desk.may_settle.release()
    await reading
    await desk.consumer.idle.wait()
    assert desk.session.commits == [1, 2, 3]


async def test_records_read_before_the_assignment_are_not_committed() -> None:
    desk = Desk()
    await desk.read(7)
    desk.consumer.partitions_assigned()
    desk.may_settle.release()
    await desk.consumer.idle.wait()
    assert desk.session.commits == []
    assert desk.consumer.settled == {}


async def test_a_revocation_waits_for_both_batches() -> None:
    desk = Desk()
    reading = asyncio.create_task(desk.read(0, 1))
    await desk.rest()
    giving = asyncio.create_task(desk.consumer.finish_or_abandon())
    desk.may_settle.release()
    await reading
    await desk.rest()
    assert not giving.done()
    desk.may_settle.release()
    await giving
    assert desk.session.commits == [1, 2]


async def test_a_commit_under_way_is_cancelled_when_partitions_are_assigned_again() -> None:
    desk = Desk()
    desk.session.answers.clear()
    desk.may_settle.release()
    await desk.read(7)
    await desk.rest()
    desk.consumer.partitions_assigned()
    await desk.consumer.idle.wait()
    assert desk.session.commits == []


async def test_a_late_answer_of_the_broker_does_not_undo_later_settlements() -> None:
    desk = Desk()
    session: Any = desk.session
    desk.consumer._consumer = session
    asking = asyncio.create_task(desk.consumer.lag())
    await session.asked.wait()
    desk.may_settle.release()
    await desk.read(7)
    await desk.consumer.idle.wait()
    session.told.set()
    assert await asking == 0
    assert desk.consumer.settled == {PARTITION: 8}


async def test_waiters_are_released_when_a_batch_ended_the_process() -> None:
    desk = Desk()
    failures: list[BaseException] = []

    async def fail(_: Batch) -> None:
        raise RuntimeError("gone for good")

    desk.consumer = KafkaConsumer(Server({}), "toy", ["t"], desk.take, fail, failures.append, Metrics("toy"), None)
    await desk.read(0)
    await desk.consumer.idle.wait()
    assert [str(one) for one in failures] == ["gone for good"]
    assert desk.session.commits == []
    await desk.consumer.stop()


async def test_a_stop_lets_the_batch_that_is_settled_finish() -> None:
    desk = Desk()
    await desk.read(0)
    stopping = asyncio.create_task(desk.consumer.stop())
    await desk.rest()
    assert not stopping.done()
    desk.may_settle.release()
    await stopping
    assert desk.session.commits == [1]


async def test_a_stopping_consumer_takes_no_further_batch() -> None:
    desk = Desk()
    reading = desk.consumer._guarded(SimpleNamespace(getmany=desk.found))
    assert await reading.getmany() == {PARTITION: [record(0)]}
    await desk.consumer.stop()
    assert await reading.getmany() == {}


async def test_a_commit_that_failed_is_tried_again_at_the_stop() -> None:
    desk = Desk()
    desk.session.failing = True
    desk.may_settle.release()
    await desk.read(0)
    await desk.consumer.idle.wait()
    assert desk.session.commits == []
    desk.session.failing = False
    await desk.consumer.stop()
    assert desk.session.commits == [1]
