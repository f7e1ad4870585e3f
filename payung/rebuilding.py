"""`payung report rebuild`: counts reporting's figures again from the events, beside the model in use, and replaces it.

Theory of operation
Reporting counts each event once, in a document that knows the event's name, and the order does not matter. So a second
model of the same events must show the same figures. Differences are shown before anything is replaced.

The new model lacks what reporting settles between our last look and the swap. So after the swap we take this tail once
more, into the model then in use. We write like another process of the service; compare-and-set lets both write. The
start of the tail is saved before the swap: if we die in between, the next rebuild takes the tail first. Figures whose
events no topic holds any more (answers to agencies are kept for 30 days) are copied from the old model.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from payung import wire
from payung.installations import CommandError, Installation
from services.reporting import facts
from services.reporting.facts import Filters
from services.reporting.stream import SPEC
from shared.kernel.calendar import business_day, period_of, shift_period
from shared.reference import areas
from shared.runtime import clock
from shared.runtime.app import open_store
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.consumer import pattern_of
from shared.runtime.kafka.server import Server
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from shared.runtime.ports import Reader
from shared.runtime.records import Batch, Message, Record, record_of
from shared.runtime.store.mongo import MongoStore

SHELF = "next"
GROUP = f"payung-{SPEC.name}"
# Kept beside the model: who rebuilds it, and where a tail that was not taken yet begins.
RUNS, RUN = "_rebuild", "run"
TAIL_TRIES = 60
# Made of events that expire; Kafka keeps all other events for ever (docs/contracts.md#topics-who-may-write-and-read).
EXPIRING, EXPIRING_TOPICS = ("answers", "settlements"), "feedback-"
BATCH_RECORDS = 3_000
QUIET_S = 30.0
LOOKS_MAX = 60
LOOK_S = 1.0
# Besides this month and the billed months, this many months are compared as known at their ends.
MONTHS_BACK = 12

# Report, row, and the one model that has it.
Difference = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The number of events that were read, and the figures that only one model has."""

    events: int
    differences: Sequence[Difference]
    put_in_place: bool


class _Nowhere:
    """Publishes nothing: Kafka already has the outcomes and dead letters of these events."""

    async def send_all(self, messages: Sequence[Message]) -> None:
        """Nothing is published again."""

    async def put(self, letters: Sequence[tuple[Record, str, str]]) -> None:
        """Nothing is put aside again."""


class _Reading:
    """Reads all topics of reporting, from their beginnings or from given offsets, outside its group."""

    def __init__(self, consumer: AIOKafkaConsumer, installation: Installation, read: Callable[[int], None]) -> None:
        self._consumer = consumer
        self._place = installation
        self._read = read
        self._at: dict[TopicPartition, int] = {}
        self.events = 0

    async def ends(self) -> dict[TopicPartition, int]:
        """The present end of every partition; a new topic is read from its beginning."""
        pattern = re.compile(pattern_of(SPEC.topics))
        names = sorted(name for name in await self._consumer.topics() if pattern.match(name))
        ends = await wire.ends(self._place, self._consumer, names)
        new = [one for one in ends if one not in self._at]
        if new:
            self._at.update(await self._consumer.beginning_offsets(new))
        return ends

    async def expired(self) -> bool:
        """Whether events that may expire are gone. Raises CommandError when other events are gone."""
        await self.ends()
        gone = {partition.topic for partition, offset in self._at.items() if offset}
        lost = sorted(name for name in gone if not name.startswith(EXPIRING_TOPICS))
        if lost:
            raise CommandError(f"the first events of {', '.join(lost)} are gone: a new count would lack them")
        return bool(gone)

    def places(self) -> dict[str, int]:
        """The offset up to which each partition is read."""
        return {f"{one.topic}/{one.partition}": offset for one, offset in self._at.items()}

    def go_on(self, places: Mapping[str, int]) -> None:
        """Continues at the offsets of an earlier reader."""
        for name, offset in places.items():
            topic, _, partition = name.rpartition("/")
            self._at[TopicPartition(topic, int(partition))] = offset

    async def catch_up(self, pipeline: Pipeline) -> int:
        """Takes the records after the last offset, up to the ends at the call. Returns their number."""
        ends, before = await self.ends(), self.events
        async for records in wire.between(self._consumer, self._at, ends, BATCH_RECORDS, QUIET_S):
            batch = Batch([record_of(one) for one in records])
            await pipeline.take(batch)
            await pipeline.settle(batch)
            self.events += len(records)
            self._read(self.events)
        return self.events - before

    async def behind(self) -> int:
        """How many records reporting has not settled yet."""
        ends = await self.ends()
        committed = await topics_admin.committed(Server(self._place.environ), GROUP)
        # Without a commit, the whole partition waits.
        return sum(max(0, end - committed.get(one, 0)) for one, end in ends.items())


async def rebuild(installation: Installation, *, accept: bool, read: Callable[[int], None]) -> Rebuilt:
    """Makes the model again. Replaces the old one when all figures are equal, or when differences are accepted."""
    in_use, following = open_store(SPEC, installation.environ), open_store(SPEC, installation.environ, SHELF)
    me = clock.new_id()
    try:
        async with wire.reader(installation) as consumer:
            left = (await in_use.rows(RUNS, [RUN])).get(RUN, {}).get("places")
            if left:
                # An earlier rebuild died between its swap and its tail.
                await _take_tail(installation, consumer, in_use, left)
            await in_use.save_rows(RUNS, {RUN: {"by": me}})
            reading = _Reading(consumer, installation, read)
            await following.clear()
            await following.check()
            expired = await reading.expired()
            pipeline = await _pipeline(following, installation)
            await reading.catch_up(pipeline)
            if expired:
                await following.carry_over(EXPIRING)
            differences = await _compared(reading, pipeline, in_use, following, wait=not accept)
            if differences and not accept:
                await following.clear()
                return Rebuilt(reading.events, differences, put_in_place=False)
            if (await in_use.rows(RUNS, [RUN])).get(RUN, {}).get("by") != me:
                raise CommandError("another rebuild began meanwhile; nothing was changed by this one")
            await in_use.save_rows(RUNS, {RUN: {"by": me, "places": reading.places()}})
            await following.put_in_place()
            await _take_tail(installation, consumer, in_use, reading.places())
            await in_use.delete_rows(RUNS, [RUN])
            return Rebuilt(reading.events, differences, put_in_place=True)
    finally:
        await following.close()
        await in_use.close()


async def _take_tail(
    installation: Installation, consumer: AIOKafkaConsumer, in_use: MongoStore, places: Mapping[str, int]
) -> None:
    """Takes the records again that reporting may have settled into the replaced model."""
    tail = _Reading(consumer, installation, lambda _: None)
    tail.go_on(places)
    pipeline = await _pipeline(in_use, installation)
    for again in range(TAIL_TRIES):
        try:
            await tail.catch_up(pipeline)
            break
        except Unavailable:
            if again + 1 == TAIL_TRIES:
                raise
            await asyncio.sleep(LOOK_S)


async def _pipeline(store: MongoStore, installation: Installation) -> Pipeline:
    nowhere = _Nowhere()
    await store.learn_hash_key()
    return Pipeline(
        SPEC, store, nowhere, nowhere, Metrics(SPEC.name), await SPEC.reference(store, installation.environ)
    )


async def _compared(
    reading: _Reading, pipeline: Pipeline, in_use: MongoStore, following: MongoStore, *, wait: bool
) -> list[Difference]:
    """The figures that differ after both models counted the same events; without `wait`, as they are now."""
    for _ in range(LOOKS_MAX if wait else 1):
        behind = await reading.behind()
        before, after = await figures(in_use), await figures(following)
        if not wait or (not behind and not await reading.catch_up(pipeline)):
            return [(*one, "in use") for one in sorted(before - after)] + [
                (*one, "anew") for one in sorted(after - before)
            ]
        await asyncio.sleep(LOOK_S)
    raise CommandError("events keep coming, so that no figures can be compared; nothing was changed: try again later")


async def figures(reader: Reader) -> set[tuple[str, str]]:
    """Every figure that reporting shows: the name of the report, and the row as JSON."""
    known = areas.load()
    everything = Filters(None, "district", None)
    reports = {
        "budget": await facts.read_budget(reader, facts.Ledger(), everything),
        "claims": await facts.read_claims(reader, everything),
        "compliance": await facts.read_compliance(reader, everything),
        "quality": await facts.read_quality(reader, everything),
        "outreach": await facts.read_outreach(reader, everything),
        "deaths": await facts.read_deaths(reader, known, everything),
    }
    now = period_of(business_day(clock.now()))
    months = {row["period"] for row in await facts.read_months(reader, None)}
    for month in sorted({*months, *(shift_period(now, -back) for back in range(MONTHS_BACK + 1))}):
        asked = Filters(None, "village", month)
        name = "coverage now" if month == now else f"coverage {month}"
        reports[name] = await facts.read_coverage(reader, known, asked, now)
    totals = {(f"{name}, totals", _text(report.totals)) for name, report in reports.items()}
    return totals | {(name, _text(row)) for name, report in reports.items() for row in report.rows}


def _text(row: Any) -> str:
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS, default=str).decode()
