"""One process of one service in the simulated world: the real pipeline, consumer handler, retries and due runner."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaConnectionError

from shared.runtime import app
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.due import DUE, DueRunner, DueWorkplace
from shared.runtime.errors import Unavailable
from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.kafka.server import Server
from shared.runtime.kafka.settled import SettledOffsets
from shared.runtime.ops.floodgate import FloodGate
from shared.runtime.ops.floods import Limits
from shared.runtime.ops.health import Watch
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Batch, Record
from shared.runtime.store.leases import Leases
from tests.batches import read_by
from tests.fakes.groups import MemoryMember, NotOwner
from tests.simulation.chaos import Kind
from tests.simulation.outside import CALLER

if TYPE_CHECKING:
    from tests.simulation.world import Service, World

_SERVER = Server({})
CAUGHT_UP_LOOKS = 10
NAP_S_MAX = 100.0


class Host:
    """Starts like a process, may die at any await, and leaves only what it wrote."""

    def __init__(self, world: World, service: Service) -> None:
        self.world = world
        self.service = service
        self.dead = False
        self._waits = False
        self._aligned_at = -1
        self._idle: asyncio.Event | None = None
        self.runner: DueRunner | None = None
        self.leases: Leases | None = None
        self._member = MemoryMember(service.group, world.topics, self.trouble)
        self._tasks: list[asyncio.Task[None]] = []
        self._spawn(self._live)

    @property
    def busy(self) -> bool:
        """Whether it is starting, or has taken a batch that is not committed yet. A world at rest has no busy host."""
        return not self._waits or (self._idle is not None and not self._idle.is_set())

    def _spawn(self, running: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(self._guard(running)))

    async def _guard(self, running: Callable[[], Coroutine[Any, Any, None]]) -> None:
        CALLER.set(self.trouble)
        try:
            await running()
        except asyncio.CancelledError:
            if not self.dead:
                raise
        except BaseException as error:  # noqa: BLE001  # like app.Process: when a part dies, the process ends
            self.failed(error)

    def failed(self, error: BaseException) -> None:
        """The process ends with an exit code; its supervisor starts it again. A defect is kept for the checker."""
        if self.dead:
            return
        if not isinstance(error, Unavailable):
            self.world.defects.append(error)
        self.die()

    def die(self) -> None:
        """Dies between two instructions; none of its tasks runs afterwards."""
        self.dead = True
        self.service.group.leave(self._member)
        self.world.buried(self)
        for task in self._tasks:
            task.cancel()

    async def _live(self) -> None:
        world, service, spec = self.world, self.service, self.service.spec
        store = service.store.seen_by(self.trouble)
        publisher = world.topics.seen_by(self.trouble)
        process = app.Process(spec, {})

        async def take(batch: Batch) -> None:
            await process._retry_transient(lambda: pipeline.take(batch), service.metrics)

        async def settle(batch: Batch) -> None:
            await process._retry_transient(lambda: pipeline.settle(batch), service.metrics)
            await gate.settled(batch.records)
            runner.wake()

        offsets = SettledOffsets(store, self._ids)
        consumer = KafkaConsumer(
            _SERVER, spec.name, spec.topics, take, settle, self.failed, service.metrics, None, offsets
        )
        self._idle = consumer.idle
        letters = DeadLetterTopic(spec.name, publisher)
        gate = FloodGate(spec.name, letters, store, consumer, service.metrics, Limits())
        pipeline = Pipeline(spec, store, publisher, gate, service.metrics, service.reference)
        await process._retry_transient(pipeline.sweep)
        place = DueWorkplace(store, service.reference, self._caught_up)
        leases = self.leases = Leases(store)
        runner = self.runner = DueRunner(spec, store, publisher, service.metrics, place, leases)
        session = Session(self._member)
        consumer._consumer = session
        self._member.on_assigned = consumer.partitions_assigned
        self._spawn(runner.run)
        if spec.performers:
            self._spawn(leases.run)
        self._spawn(Watch(consumer, service.metrics, self.failed).run)
        service.group.join(self._member)
        while True:
            self._waits = True
            await self._aligned(consumer)
            records = await self._member.take(world.chaos.records_max)
            self._waits = False
            if self._aligned_at != consumer._assignments:
                # The real client hands out no record before its listener has finished.
                self._member.positions.clear()
                continue
            await read_by(consumer, session, *[Raw(one) for one in records])

    async def _ids(self) -> Mapping[str, str]:
        """Uses topic names as ids, because no topic is recreated here."""
        return {name: name for name, _ in self.world.topics.logs}

    async def _aligned(self, consumer: KafkaConsumer) -> None:
        """Does what the real client's listener does before the first record of an assignment."""
        while self._aligned_at != consumer._assignments:
            self._aligned_at = consumer._assignments
            session: Any = consumer._consumer
            await consumer.go_back(set(session.assignment()))

    async def _caught_up(self, names: Sequence[str]) -> bool:
        """Like KafkaConsumer.caught_up: whether all records from before the call are committed within a bound."""
        logs, committed = self.world.topics.logs, self.service.group.committed
        ends = {place: len(log) for place, log in logs.items() if place[0] in names}
        for _ in range(CAUGHT_UP_LOOKS):
            await self.trouble("read ends")
            if all(committed.get(place, 0) >= end for place, end in ends.items()):
                return True
            await asyncio.sleep(1.0)
        return False

    async def trouble(self, step: str) -> None:
        """Draws a fault before and after every effect of this process on the world."""
        world = self.world
        if self.dead:
            raise asyncio.CancelledError
        if step == "outside":
            self._must_be_alone()
        if world.chaos.switches():
            await asyncio.sleep(0)
            if self.dead:
                raise asyncio.CancelledError
        if world.outages and not step.endswith(" done"):
            self._check_outage(step, world.outages)
        kind = world.chaos.draw()
        if kind is not None:
            world.troubled_at = asyncio.get_running_loop().time()
            await self._struck(kind, step)

    def _must_be_alone(self) -> None:
        """Checks at every outside call that at most one process of a service may begin such calls."""
        may = [one for one in self.service.hosts if one.leases is not None and one.leases.holds(DUE)]
        if len(may) > 1:
            self.world.defects.append(AssertionError(f"{len(may)} of {self.service.name} perform due work at once"))

    def _check_outage(self, step: str, outages: Mapping[tuple[str, bool], float]) -> None:
        until = outages.get((self.service.name, step in ("publish", "commit")))
        if until is not None and asyncio.get_running_loop().time() < until:
            raise Unavailable(f"simulated outage at {step}")

    async def _struck(self, kind: Kind, step: str) -> None:
        world, rng = self.world, self.world.chaos.rng
        match kind:
            case Kind.UNAVAILABLE:
                raise Unavailable(f"simulated at {step}")
            case Kind.CRASH | Kind.EXPIRE:
                self.die()
                if kind is Kind.EXPIRE:
                    world.expire(self.service)
                raise asyncio.CancelledError
            case Kind.OUTAGE:
                until = asyncio.get_running_loop().time() + rng.choice((1.0, 10.0, 100.0))
                world.outages[self.service.name, step in ("publish", "commit")] = until
                raise Unavailable(f"simulated outage begins at {step}")
            case Kind.NAP:
                await self._nap(rng.uniform(0.1, NAP_S_MAX))
            case _:
                world.disturb(kind, self.service)
                if self.dead:
                    raise asyncio.CancelledError

    async def _nap(self, pause_s: float) -> None:
        """Pauses past its session. When it wakes and continues, another process has its partitions."""
        self.service.group.leave(self._member)
        self.world.start(self.service)
        try:
            await asyncio.sleep(pause_s)
        finally:
            # One of its own timeouts may have expired meanwhile.
            if not self.dead:
                self.service.group.join(self._member)
        if self.dead:
            raise asyncio.CancelledError


class Raw:
    """A record in aiokafka's form."""

    __slots__ = ("headers", "key", "offset", "partition", "timestamp", "topic", "value")

    def __init__(self, record: Record) -> None:
        self.topic, self.partition, self.offset = record.topic, record.partition, record.offset
        self.key, self.value, self.headers = record.key, record.value, record.headers
        self.timestamp = record.timestamp_ms


class Session:
    """The part of aiokafka's consumer that the handler uses, with its errors."""

    def __init__(self, member: MemoryMember) -> None:
        self._member = member

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Sets the next record to read."""
        self._member.positions[partition.topic, partition.partition] = offset

    def assignment(self) -> tuple[TopicPartition, ...]:
        """The partitions of this process, sorted, because a set of names has another order in every Python process."""
        return tuple(TopicPartition(*place) for place in self._member.assignment())

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset of the next record to be written."""
        with _as_aiokafka():
            ends = await self._member.ends([(one.topic, one.partition) for one in partitions])
        return {TopicPartition(*place): end for place, end in ends.items()}

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset; in memory no record is ever deleted."""
        return dict.fromkeys(partitions, 0)

    async def committed(self, partition: TopicPartition) -> int | None:
        """The offset at which a start would begin."""
        with _as_aiokafka():
            return await self._member.committed((partition.topic, partition.partition))

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commits all of the offsets or none."""
        with _as_aiokafka():
            await self._member.commit({(one.topic, one.partition): offset for one, offset in offsets.items()})


@contextlib.contextmanager
def _as_aiokafka() -> Iterator[None]:
    """Raises the same errors as aiokafka's errors."""
    try:
        yield
    except NotOwner as error:
        raise CommitFailedError from error
    except Unavailable as error:
        raise KafkaConnectionError from error
