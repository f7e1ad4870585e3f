"""Reads Kafka through FastStream. patches.py holds our answers to what FastStream does differently from what we need.

FastStream's own acknowledgements lose data (docs/delivery.md). Therefore the policy here is MANUAL, records stay raw
bytes, and offsets are committed explicitly per partition. The handler returns only when its batch is taken and the
batch before it is settled (ADR 0005).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
)
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.runtime import clock, seams
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import patches, refusals
from shared.runtime.kafka.places import Places
from shared.runtime.kafka.server import (
    METADATA_MAX_AGE_MS,
    REQUEST_BYTES_MAX,
    Server,
    asking,
    quietly,
)
from shared.runtime.kafka.settled import Bounds, OffsetsLost, SettledOffsets
from shared.runtime.ops import traces
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Batch, Record, record_of

log = structlog.get_logger()

BATCH_RECORDS_MAX = 3_000
POLL_MS = 50
HEARTBEAT_MS = 3_000
REBALANCE_TIMEOUT_MS = 60_000
# The most bytes in one answer of a broker, and how long a request waits for its answer.
FETCH_BYTES_MAX = 50 * 1024 * 1024
REQUEST_TIMEOUT_MS = 40_000
COMMIT_TIMEOUT_S = 20.0
# A batch that is not done by then is left to the next owner. This is well before the group removes this member.
REVOKE_WAIT_S = 20.0
# How long FastStream waits for its handlers at a stop. Before that, `stop` has already waited for them.
HANDLER_WAIT_S = 1.0
START_TIMEOUT_S = 60.0
# When every read fails for this long, this process cannot recover.
READ_FAILS_S = 60.0


class KafkaConsumer:
    """One subscriber over all topics of a service.

    `take` gets each batch when it is read. `settle` gets it when the batch before is settled; then its offsets are
    committed. One batch is taken while one is settled, never more.
    """

    def __init__(
        self,
        server: Server,
        service: str,
        names: Sequence[str],
        take: Callable[[Batch], Awaitable[None]],
        settle: Callable[[Batch], Awaitable[None]],
        failed: Callable[[BaseException], None],
        metrics: Metrics,
        instance: str | None,
        offsets: SettledOffsets | None = None,
    ) -> None:
        """`offsets`: what the store has settled. Without it, the offsets that the group committed are trusted."""
        self._server = server
        self._offsets = offsets
        self.group = f"payung-{service}"
        self._take = take
        self._settle = settle
        self._failed = failed
        self._metrics = metrics
        self._consumer: AIOKafkaConsumer | None = None
        # The batch that is being settled while the next is taken, the number of batches under way, and an event that is
        # set while there are none.
        self._settling: asyncio.Task[None] | None = None
        self._under_way = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self._leaving = False
        self.revoking = False
        self.last_progress = clock.monotonic()
        # For the partitions owned now: the next offset to settle, and offsets that are settled but not committed yet.
        self.settled: dict[TopicPartition, int] = {}
        # Counts assignments. Whatever was read before the last assignment is read again.
        self._assignments = 0
        self._asking: asyncio.Future[None] | None = None
        self._uncommitted: dict[TopicPartition, int] = {}
        self._places = Places(metrics)
        self._asking_places: asyncio.Task[None] | None = None
        self._committing = asyncio.Lock()
        # Topics that are paused (floodgate). Records that wait in them do not count as lag or as a standstill.
        self.held: AbstractSet[str] = frozenset()
        self._broker = KafkaBroker(
            server.bootstrap.split(","),
            client_id=self.group,
            security=server.security.faststream(),
            sasl_oauth_token_provider=server.security.tokens,
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            graceful_timeout=HANDLER_WAIT_S,
            logger=None,
            middlewares=[partial(patches.NothingSwallowed, self._no_further)],
        )
        subscriber = self._broker.subscriber(
            pattern=pattern_of(names),
            group_id=self.group,
            group_instance_id=instance,
            batch=True,
            max_records=BATCH_RECORDS_MAX,
            batch_timeout_ms=POLL_MS,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            session_timeout_ms=server.session_timeout_ms,
            heartbeat_interval_ms=min(HEARTBEAT_MS, server.session_timeout_ms // 4),
            rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
            max_poll_interval_ms=300_000,
            fetch_max_bytes=FETCH_BYTES_MAX,
            max_partition_fetch_bytes=REQUEST_BYTES_MAX,
            parser=patches.unparsed,
            decoder=patches.undecoded,
            listener=_Ownership(self),
        )
        subscriber(self._handle)

    async def start(self) -> None:
        """Joins the group; raises Unavailable when the broker does not answer."""
        with asking():
            await asyncio.wait_for(self._join(), START_TIMEOUT_S)

    async def _join(self) -> None:
        await self._broker.connect()
        patches.wrap_consumers(self._broker, self._guarded)
        await self._broker.start()

    def _guarded(self, consumer: AIOKafkaConsumer) -> AIOKafkaConsumer:
        """Wraps `getmany`, so that a failed read ends the process instead of losing records.

        When aiokafka cannot parse a record, it raises while records are handed out. Records of other partitions that it
        took out together with that record are lost, and FastStream would simply read on. So the process ends here, and
        whatever is not committed is read again. FastStream would also retry temporary errors for ever. A member without
        partitions shows no lag, so nothing else would notice; its retries end after READ_FAILS_S.
        """
        getmany = consumer.getmany
        failing_since: float | None = None

        async def read(*names: Any, **options: Any) -> Any:
            nonlocal failing_since
            try:
                found = await getmany(*names, **options)
            except Exception as error:
                passing = isinstance(error, KafkaError | ConsumerStoppedError)
                died_of = patches.died_of(error)
                if died_of is not None:
                    error = Unavailable(f"Kafka: its client cannot go on, {traces.short(died_of)}")
                elif passing and not isinstance(error, CorruptRecordException):
                    now = clock.monotonic()
                    failing_since = now if failing_since is None else failing_since
                    if now - failing_since < READ_FAILS_S:
                        raise
                    error = Unavailable(f"Kafka: cannot be read, {type(error).__name__}{refusals.reason()}")
                # After any error, no later record may be read.
                self._failed(error)
                return await asyncio.Event().wait()
            failing_since = None
            # A leaving process takes no further batch. These records are not committed, so they are read again.
            if self._leaving:
                return {}
            self._places.handed_out(found)
            return found

        consumer.getmany = read
        return consumer

    async def stop(self) -> None:
        """Leaves the group. Batches under way get REVOKE_WAIT_S to finish, also when the broker is gone."""
        self._leaving = True
        try:
            async with asyncio.timeout(REVOKE_WAIT_S):
                await self.idle.wait()
                # This is the last chance to repeat a commit that failed.
                await self.commit_settled()
        except TimeoutError:
            log.warning("stopped with batches under way; they will be read again", batches=self._under_way)
        await quietly(self._broker.stop())
        for task in (self._settling, self._asking_places):
            if task is not None:
                task.cancel()

    async def _handle(self, read: Any) -> None:
        """Returns when the next batch may come: this batch is taken and the one before is settled.

        No other task has run since aiokafka handed out the batch. So a stop or a rebalance always sees the batch as
        under way.
        """
        self._consumer = read.consumer
        raw = read.raw_message
        assignments = self._assignments
        self._one_more()
        try:
            # Sorted by the log's own timestamps within the batch: records that are read again after a restore then meet
            # their causes first, as they did the first time.
            batch = Batch(sorted([record_of(one) for one in raw], key=_time_of))
            batch.log_went_back = self._places.went_back()
            await self._take(batch)
            if self._settling is not None:
                await self._settling
            self._one_more()
            self._settling = asyncio.create_task(self._settle_and_commit(batch, raw, assignments))
            self._settling.add_done_callback(self._one_less)
        except BaseException as error:  # noqa: BLE001  # whatever it is: no later batch may be committed past this one
            await self._no_further(error)
        finally:
            self._one_less()

    async def _settle_and_commit(self, batch: Batch, raw: Sequence[Any], assignments: int) -> None:
        try:
            await self._settle(batch)
            seams.hit("settled")
            if assignments == self._assignments:
                await self._commit(raw)
            seams.hit("committed")
        except BaseException as error:  # noqa: BLE001  # as in `_handle`
            await self._no_further(error)

    async def _no_further(self, error: BaseException) -> None:
        """The process is about to end. If this returned, the next batch would go on and be committed past this one."""
        if patches.cancelled_from_outside(error):
            raise error
        self._failed(error)
        # Processing has stopped; release the waiters.
        self.idle.set()
        await asyncio.Event().wait()

    def _one_more(self) -> None:
        self._under_way += 1
        self.idle.clear()

    def _one_less(self, _: object = None) -> None:
        self._under_way -= 1
        if not self._under_way:
            self.idle.set()

    async def finish_or_abandon(self) -> None:
        """Waits for the batches under way before partitions are given away, so that the next owner need not repeat
        them.

        The wait is bounded: compare-and-set already guards against two owners, and the whole group stands still while
        it waits for this member.
        """
        self.revoking = True
        try:
            await asyncio.wait_for(self.idle.wait(), REVOKE_WAIT_S)
        except TimeoutError:
            log.warning(
                "partitions left before their batch was done; the next owner repeats it", batches=self._under_way
            )
        finally:
            self.revoking = False

    def partitions_assigned(self) -> None:
        """Partitions were assigned. Reading starts at the offsets that the group has committed, not where this process
        read before."""
        self._assignments += 1
        if self._asking is not None:
            # A commit that began under the last assignment would set the group back behind what others committed since.
            self._asking.cancel()
        self.settled.clear()
        self._uncommitted.clear()
        self._places.partitions_assigned()
        self._begin_asking_places()
        self.last_progress = clock.monotonic()
        self.hold_only(self.held)

    def _begin_asking_places(self) -> None:
        """Asks at once which offsets the group has committed: aiokafka needs the same answer before it reads the first
        record."""
        if self._asking_places is not None:
            self._asking_places.cancel()
            self._asking_places = None
        consumer = self._current()
        if consumer is not None:
            self._asking_places = asyncio.create_task(self._ask_places(consumer))

    async def _ask_places(self, consumer: AIOKafkaConsumer) -> None:
        async def ask(partition: TopicPartition) -> None:
            with contextlib.suppress(KafkaError, Unavailable):
                self._places.started(partition, await consumer.committed(partition))

        await asyncio.gather(*map(ask, consumer.assignment()))

    async def go_back(self, assigned: AbstractSet[TopicPartition]) -> None:
        """Moves reading back where the group is ahead of what the store has settled.

        Ends the process when this cannot be determined or done: reading would skip records that the store does not
        know.
        """
        consumer = self._current()
        if self._offsets is None or consumer is None or not assigned:
            return
        try:
            with asking():
                async with asyncio.timeout(COMMIT_TIMEOUT_S):
                    assignments = self._assignments
                    ahead = await self._ahead(self._offsets, consumer, assigned)
            for partition, offset in ahead.items() if assignments == self._assignments else ():
                consumer.seek(partition, offset)
                self.settled[partition] = self._uncommitted[partition] = offset
        except IllegalStateError:
            # The partitions were taken away meanwhile; their new owner checks for itself.
            return
        except BaseException as error:  # noqa: BLE001  # a client logs what is raised here, and goes on reading
            await self._no_further(error)

    async def _ahead(
        self, known: SettledOffsets, consumer: AIOKafkaConsumer, assigned: AbstractSet[TopicPartition]
    ) -> dict[TopicPartition, int]:
        partitions = sorted(assigned)
        asked = await asyncio.gather(*[consumer.committed(one) for one in partitions])
        committed = {(one.topic, one.partition): at for one, at in zip(partitions, asked, strict=True) if at}
        if not committed:
            return {}
        stand = [TopicPartition(*place) for place in committed]
        begins, ends = await consumer.beginning_offsets(stand), await consumer.end_offsets(stand)
        bounds = {(one.topic, one.partition): Bounds(begins[one], ends[one]) for one in stand}
        back = await known.go_back(committed, bounds)
        if back:
            log.warning("the store is older than the log: records are read again", partitions=len(back))
        return {TopicPartition(*place): offset for place, offset in back.items()}

    def hold_only(self, names: AbstractSet[str]) -> None:
        """Pauses these topics and reads all others.

        Records of them that are fetched already are not lost: aiokafka moves a partition's position only when it hands
        out records, and only settled records are committed.
        """
        before, self.held = self.held, frozenset(names)
        consumer = self._current()
        if consumer is None or not (before or self.held):
            return
        for partition in consumer.assignment():
            # A rebalance may take the partition away at any moment.
            with contextlib.suppress(IllegalStateError):
                if partition.topic in self.held:
                    consumer.pause(partition)
                else:
                    consumer.resume(partition)

    async def _commit(self, raw: Sequence[Any]) -> None:
        started = clock.monotonic()
        offsets = self.settled
        for one in raw:
            partition = TopicPartition(one.topic, one.partition)
            before = 0 if self._places.begins_again(partition, one.offset) else offsets.get(partition, 0)
            offsets[partition] = self._uncommitted[partition] = max(before, one.offset + 1)
        await self.commit_settled()
        self.last_progress = clock.monotonic()
        self._metrics.stage("commit", self.last_progress - started)
        oldest_s = clock.now().timestamp() - min(one.timestamp for one in raw) / 1000
        self._metrics.batch(len(raw), oldest_s)
        self._metrics.settled(clock.now().timestamp())

    async def commit_settled(self) -> None:
        """Commits per partition whatever is settled and not committed yet. A failed commit is tried again at the next
        call."""
        consumer = self._current()
        # One commit at a time: an earlier commit that arrives later would set the group back.
        async with self._committing:
            if consumer is None or not self._uncommitted:
                return
            # A batch may outlive its partition. That partition would make the broker refuse the whole commit. The other
            # partitions are not read again, so they would stay uncommitted until their next record.
            mine = set(consumer.assignment())
            self._uncommitted = {one: offset for one, offset in self._uncommitted.items() if one in mine}
            offsets = dict(self._uncommitted)
            if not offsets:
                return
            assignments = self._assignments
            if self._offsets is not None and not await self._noted(self._offsets, offsets):
                return
            if assignments != self._assignments:
                # The partitions were assigned again meanwhile; what others have committed since is kept.
                return
            try:
                self._asking = asyncio.ensure_future(consumer.commit(offsets))
                await asyncio.wait_for(self._asking, COMMIT_TIMEOUT_S)
            except (CommitFailedError, IllegalStateError):
                # The partitions moved to another owner. It will read this batch again and find it done.
                log.warning("partitions moved to another owner before the commit", partitions=len(offsets))
            except (KafkaError, TimeoutError, OSError, asyncio.CancelledError) as error:
                if patches.cancelled_from_outside(error):
                    raise
                # An offset that is not committed only costs repeated work later.
                log.warning("commit failed", error=type(error).__name__)
                self._metrics.retry("commit")
                return
            for partition, offset in offsets.items():
                if self._uncommitted.get(partition) == offset:
                    del self._uncommitted[partition]

    async def _noted(self, known: SettledOffsets, offsets: Mapping[TopicPartition, int]) -> bool:
        """Notes these offsets in the store, which must know them before Kafka does. False when the store does not
        answer."""
        try:
            await known.note({(one.topic, one.partition): offset for one, offset in offsets.items()})
        except OffsetsLost:
            raise
        except Unavailable as error:
            log.warning("offsets could not be noted in the store; they are not committed yet", why=str(error))
            self._metrics.retry("commit")
            return False
        return True

    def assigned(self) -> set[TopicPartition]:
        """The partitions of this process; empty while its consumer is not known yet."""
        consumer = self._current()
        return set(consumer.assignment()) if consumer is not None else set()

    def _current(self) -> AIOKafkaConsumer | None:
        if self._consumer is not None:
            return self._consumer
        for subscriber in self._broker.subscribers:
            consumer = getattr(subscriber, "consumer", None)
            if consumer is not None:
                return consumer
        return None

    async def lag(self) -> int:
        """How many records of the assigned partitions, without paused topics, exist and are not settled; raises
        Unavailable."""
        consumer = self._current()
        partitions = list(consumer.assignment()) if consumer is not None else []
        if consumer is None or not partitions:
            raise Unavailable("Kafka: no partitions are assigned")
        with asking():
            # Read the settled offsets before the ends: a record that is settled later may lie behind these ends.
            done = await self._done(consumer, [one for one in partitions if one.topic not in self.held])
            ends = await asyncio.wait_for(consumer.end_offsets(partitions), COMMIT_TIMEOUT_S)
            jumped = self._places.jumped()
            behind = [one for one, offset in done.items() if offset != ends[one] or one in jumped]
            begins = await asyncio.wait_for(consumer.beginning_offsets(behind), COMMIT_TIMEOUT_S) if behind else {}
            for one in behind:
                self._places.look_into(one, begins[one])
                if done[one] > ends[one]:
                    self._cut_off(one, done[one], begins[one])
                elif done[one] < begins[one]:
                    await self._passed_by(consumer, one, begins[one], done[one])
        return sum(max(0, ends[one] - max(done[one], begins[one])) for one in behind)

    async def _done(
        self, consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """The next offset to settle of each of these partitions."""
        done = {}
        for partition in partitions:
            found = self.settled.get(partition)
            if found is None:
                asked = await asyncio.wait_for(consumer.committed(partition), COMMIT_TIMEOUT_S)
                # A batch may have been settled meanwhile.
                found = self.settled.setdefault(partition, asked or 0)
            done[partition] = found
        return done

    def _cut_off(self, partition: TopicPartition, place: int, begin: int) -> None:
        """The log ends before the offset that we settled.

        While a batch is under way its records may have to be read once more, so the position then goes back to the
        beginning of the log.
        """
        if self.settled.get(partition) == place:
            handed_out = self._places.cut_off(partition, place, begin)
            self.settled[partition] = self._uncommitted[partition] = handed_out if self.idle.is_set() else begin

    async def _passed_by(self, consumer: AIOKafkaConsumer, partition: TopicPartition, begin: int, done: int) -> None:
        """Retention deleted records behind the settled offset. Reports what was skipped as soon as reading went on
        after the gap."""
        if not self._places.is_ahead_of(partition, begin, done):
            try:
                position = await asyncio.wait_for(consumer.position(partition), COMMIT_TIMEOUT_S)
            except IllegalStateError:
                # The partition went to another owner, which will see the same.
                return
            if position < begin:
                return
            self._places.skipped(partition, begin, done)
        passed = self._places.passed(partition, self.settled.get(partition, done))
        if passed is not None:
            self.settled[partition] = self._uncommitted[partition] = max(passed, self.settled.get(partition, 0))

    async def caught_up(self, names: Sequence[str], wait_s: float = 10.0) -> bool:
        """Whether all processes of the group together settle within `wait_s` seconds whatever stood in these topics at
        the call."""
        consumer = self._current()
        if consumer is None:
            return False
        with asking():
            partitions = [TopicPartition(name, number) for name in names for number in await self._partitions(name)]
            ends = await asyncio.wait_for(consumer.end_offsets(partitions), COMMIT_TIMEOUT_S)
            # Records that retention has deleted cannot be settled any more.
            begins = await asyncio.wait_for(consumer.beginning_offsets(partitions), COMMIT_TIMEOUT_S)
            until = clock.monotonic() + wait_s
            admin = AIOKafkaAdminClient(**self._server.options())
            try:
                await asyncio.wait_for(admin.start(), COMMIT_TIMEOUT_S)
                while True:
                    committed = await asyncio.wait_for(admin.list_consumer_group_offsets(self.group), COMMIT_TIMEOUT_S)
                    if all(end == begins[at] or _offset(committed, at) >= end for at, end in ends.items()):
                        return True
                    if clock.monotonic() >= until:
                        return False
                    await asyncio.sleep(0.1)
            finally:
                await quietly(admin.close())

    async def _partitions(self, name: str) -> set[int]:
        consumer = self._current()
        assert consumer is not None
        found = consumer.partitions_for_topic(name)
        if not found:
            raise Unavailable(f"Kafka: the partitions of {name} are not known yet")
        return set(found)


class _Ownership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """Handles partitions that come and go."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called before the group is joined again."""
        await self._consumer.finish_or_abandon()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Called before the first record of the new assignment."""
        self._consumer.partitions_assigned()
        await self._consumer.go_back(assigned)


def pattern_of(names: Sequence[str]) -> str:
    """One regular expression that matches literal topic names and `^` patterns."""
    parts = [name.removeprefix("^") if name.startswith("^") else f"{name}$" for name in names]
    return "^(" + "|".join(f"(?:{part})" for part in parts) + ")"


def _time_of(record: Record) -> int:
    return record.timestamp_ms


def _offset(committed: Mapping[TopicPartition, Any], partition: TopicPartition) -> int:
    found = committed.get(partition)
    return int(found.offset) if found is not None else -1
