"""The publisher with many callers at once: one producer, one rebuild, and no caller discards another
caller's producer.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from shared.runtime.errors import Unavailable
from shared.runtime.kafka import publisher as kafka_publisher
from shared.runtime.kafka.publisher import KafkaPublisher
from shared.runtime.kafka.server import Server
from shared.runtime.records import Message

MESSAGES = [Message("t", b"k", b"v")]


class Producer:
    """The part of aiokafka's producer that the publisher uses. Its first acks wait until a test calls `answer`."""

    made: list[Producer] = []
    refuses = False

    def __init__(self, **_: Any) -> None:
        self.made.append(self)
        self.stopped = False
        self.acks: list[asyncio.Future[None]] = []

    async def start(self) -> None:
        await asyncio.sleep(0)
        if self.refuses:
            raise KafkaConnectionError

    async def stop(self) -> None:
        self.stopped = True

    async def partitions_for(self, _: str) -> set[int]:
        return {0}

    def create_batch(self) -> Any:
        return Batch()

    async def send_batch(self, *_: Any, **__: Any) -> asyncio.Future[None]:
        self.acks.append(asyncio.get_running_loop().create_future())
        return self.acks[-1]


class Batch:
    def append(self, **_: Any) -> object:
        return self

    def close(self) -> None:
        """Does nothing: there is nothing to close."""


@pytest.fixture(autouse=True)
def producers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_publisher, "AIOKafkaProducer", Producer)
    monkeypatch.setattr(Producer, "made", [])


async def sending(publisher: KafkaPublisher, count: int) -> list[asyncio.Task[None]]:
    """This many callers who wait for their acks."""

    def waiting() -> int:
        return sum(len(one.acks) for one in Producer.made)

    before = waiting()
    tasks = [asyncio.create_task(publisher.send_all(MESSAGES)) for _ in range(count)]
    async with asyncio.timeout(5):
        while waiting() < before + count:  # noqa: ASYNC110  # the publisher under test has no event to wait for
            await asyncio.sleep(0)
    return tasks


def living() -> list[Producer]:
    return [one for one in Producer.made if not one.stopped]


async def test_simultaneous_callers_share_one_producer() -> None:
    publisher = KafkaPublisher(Server({}), "toy")
    tasks = await sending(publisher, 20)
    assert len(Producer.made) == 1
    for ack in Producer.made[0].acks:
        ack.set_result(None)
    await asyncio.gather(*tasks)
    await publisher.stop()
    assert living() == []


async def test_a_late_failure_leaves_the_new_producer_alone() -> None:
    publisher = KafkaPublisher(Server({}), "toy")
    early, late = await sending(publisher, 2)
    old = Producer.made[0]
    old.acks[0].set_exception(MessageSizeTooLargeError())
    with pytest.raises(Unavailable):
        await early
    (again,) = await sending(publisher, 1)
    old.acks[1].set_exception(KafkaConnectionError())
    with pytest.raises(Unavailable):
        await late
    assert living() == [Producer.made[1]]
    Producer.made[1].acks[0].set_result(None)
    await again
    await publisher.stop()
    assert living() == []


async def test_a_broker_that_is_away_is_asked_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Producer, "refuses", True)
    publisher = KafkaPublisher(Server({}), "toy")
    found = await asyncio.gather(*(publisher.send_all(MESSAGES) for _ in range(20)), return_exceptions=True)
    assert all(isinstance(one, Unavailable) for one in found)
    assert len(Producer.made) == 1
    assert living() == []


async def test_an_ack_that_the_client_cancels_is_trouble_and_not_our_end() -> None:
    publisher = KafkaPublisher(Server({}), "toy")
    (task,) = await sending(publisher, 1)
    Producer.made[0].acks[0].cancel()
    with pytest.raises(Unavailable, match="CancelledError"):
        await task
    assert living() == []


async def test_our_own_cancellation_goes_through() -> None:
    publisher = KafkaPublisher(Server({}), "toy")
    (task,) = await sending(publisher, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await publisher.stop()
    assert living() == []
