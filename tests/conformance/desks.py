"""Two brokers with one interface: the real broker, and the in-memory broker of the simulation.

The shell's own consumer reads both, so the tests compare what the shell relies on.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol

from shared.contracts.topics import Topic
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.consumer import KafkaConsumer, pattern_of
from shared.runtime.kafka.publisher import KafkaPublisher
from shared.runtime.kafka.server import Server
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Message, Record
from tests.batches import one_step, read_by
from tests.fakes.groups import MemoryGroup, MemoryMember
from tests.fakes.memory import MemoryTopics
from tests.simulation.host import Raw, Session

Settle = Callable[[Sequence[Record]], Awaitable[None]]
PARTITIONS = 4
BATCH_RECORDS = 500
_numbers = itertools.count(1)


class Reader:
    """One member of the group. `failure` is the error that ended it."""

    def __init__(self, consumer: KafkaConsumer, failure: asyncio.Future[BaseException]) -> None:
        self.consumer = consumer
        self.failure = failure


class Desk(Protocol):
    """A topic with PARTITIONS partitions and one group that reads it."""

    topic: str

    async def publish(self, messages: Sequence[Message]) -> None:
        """Returns when all are acknowledged."""
        ...

    def reading(self, settle: Settle) -> contextlib.AbstractAsyncContextManager[Reader]:
        """A member for the duration of the context; at the end it stops like a process."""
        ...


class MemoryDesk:
    """The broker in memory."""

    def __init__(self) -> None:
        self.topic = f"desk-{next(_numbers)}"
        self._topics = MemoryTopics(partitions=PARTITIONS)
        self._group = MemoryGroup(self._topics, pattern_of([self.topic]))

    async def publish(self, messages: Sequence[Message]) -> None:
        """Appends to the logs."""
        await self._topics.send_all(messages)

    @contextlib.asynccontextmanager
    async def reading(self, settle: Settle) -> AsyncIterator[Reader]:
        """Reads like the hosts of the simulation."""
        member = MemoryMember(self._group, self._topics)
        reader = _reader(Server({}), self.topic, settle)
        session: Any = Session(member)
        reader.consumer._consumer = session
        member.on_assigned = reader.consumer.partitions_assigned
        self._group.join(member)

        async def read() -> None:
            while True:
                raw = [Raw(one) for one in await member.take(BATCH_RECORDS)]
                await read_by(reader.consumer, session, *raw)

        running = asyncio.create_task(read())
        try:
            yield reader
        finally:
            while not running.done():
                # wait_for of Python 3.11 loses a cancellation that arrives together with its result.
                running.cancel()
                await asyncio.wait([running], timeout=0.1)
            self._group.leave(member)


class KafkaDesk:
    """The real broker."""

    def __init__(self, bootstrap: str) -> None:
        self.topic = f"desk-{next(_numbers)}"
        self._server = Server({"PAYUNG_KAFKA": bootstrap})
        self._publisher = KafkaPublisher(self._server, self.topic)

    async def start(self) -> None:
        """Makes the topic."""
        topic = Topic(name=self.topic, producer="test", key="any", partitions=PARTITIONS)
        await topics_admin.apply(self._server.bootstrap, [topic])

    async def stop(self) -> None:
        """Closes the producer."""
        await self._publisher.stop()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publishes with the shell's publisher."""
        await self._publisher.send_all(messages)

    @contextlib.asynccontextmanager
    async def reading(self, settle: Settle) -> AsyncIterator[Reader]:
        """Reads with the shell's consumer."""
        reader = _reader(self._server, self.topic, settle)
        await reader.consumer.start()
        try:
            yield reader
        finally:
            await reader.consumer.stop()


def _reader(server: Server, topic: str, settle: Settle) -> Reader:
    failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    consumer = KafkaConsumer(server, topic, [topic], *one_step(settle), failure.set_result, Metrics(topic), None)
    return Reader(consumer, failure)
