"""`payung report rebuild`: reporting's figures made again from the events, beside those in use, and put in their place.

Theory of operation
Reporting counts an event once, in a document that knows its name, and in any order to the same end: a second model made
of the same events must show the same figures, and differences are shown before anything is replaced. What reporting
settles between our last look and the swap is missing in the new model; so the tail is taken once more, into what is
then in use, as another process of the service would: compare-and-set lets both write. Where the tail begins is saved
before the swap: if we end in between, the next rebuild takes it first. What no topic holds any more (answers to
agencies are kept 30 days) is carried over.
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
from payung.place import CommandError, Place
from services.reporting import facts
from services.reporting.facts import Filters
from services.reporting.stream import SPEC
from shared.kernel.calendar import business_day, period_of, shift_period
from shared.reference import areas
from shared.runtime import clock, topics_admin
from shared.runtime.app import open_store
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import pattern_of
from shared.runtime.kafka_server import Server
from shared.runtime.metrics import Metrics
from shared.runtime.mongo import MongoStore
from shared.runtime.pipeline import Batch, Message, Pipeline, Record, record_of
from shared.runtime.ports import Reader

SHELF = "next"
GROUP = f"payung-{SPEC.name}"
# Beside the model: who rebuilds it, and from where a tail is still to be taken.
RUNS, RUN = "_rebuild", "run"
TAIL_TRIES = 60
# What is made of events that expire; all others stand for ever (contracts.md 2).
EXPIRING, EXPIRING_TOPICS = ("answers", "settlements"), "feedback-"
BATCH_RECORDS = 3_000
QUIET_S = 30.0
LOOKS_MAX = 60
LOOK_S = 1.0
# Besides this month and those that were billed, so many are compared as they were known at their ends.
MONTHS_BACK = 12

# Report, row, and in which of the two models alone it stands.
Difference = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many events were read, and which figures stand in one model only."""

    events: int
    differences: Sequence[Difference]
    put_in_place: bool


class _Nowhere:
    """What reporting says and puts aside stands on Kafka already."""

    async def send_all(self, messages: Sequence[Message]) -> None:
        """Nothing is published again."""

    async def put(self, letters: Sequence[tuple[Record, str, str]]) -> None:
        """Nothing is put aside again."""


class _Reading:
    """All topics of reporting, from their beginnings or from given places on, without its group."""

    def __init__(self, consumer: AIOKafkaConsumer, place: Place, read: Callable[[int], None]) -> None:
        self._consumer = consumer
        self._place = place
        self._read = read
        self._at: dict[TopicPartition, int] = {}
        self.events = 0

    async def ends(self) -> dict[TopicPartition, int]:
        """Where every topic ends now; one that is new is read from its beginning."""
        pattern = re.compile(pattern_of(SPEC.topics))
        names = sorted(name for name in await self._consumer.topics() if pattern.match(name))
        ends = await wire.ends(self._place, self._consumer, names)
        new = [one for one in ends if one not in self._at]
        if new:
            self._at.update(await self._consumer.beginning_offsets(new))
        return ends

    async def expired(self) -> bool:
        """Whether something that expires is gone; CommandError where something else is."""
        await self.ends()
        gone = {partition.topic for partition, offset in self._at.items() if offset}
        lost = sorted(name for name in gone if not name.startswith(EXPIRING_TOPICS))
        if lost:
            raise CommandError(f"the first events of {', '.join(lost)} are gone: figures made anew would lack them")
        return bool(gone)

    def places(self) -> dict[str, int]:
        """Up to where each partition is read."""
        return {f"{one.topic}/{one.partition}": offset for one, offset in self._at.items()}

    def go_on(self, places: Mapping[str, int]) -> None:
        """Goes on where an earlier one stood."""
        for name, offset in places.items():
            topic, _, partition = name.rpartition("/")
            self._at[TopicPartition(topic, int(partition))] = offset

    async def catch_up(self, pipeline: Pipeline) -> int:
        """Takes what stands beyond the last place, up to the ends at the call; returns how many records."""
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
        # Where nothing was committed everything waits.
        return sum(max(0, end - committed.get(one, 0)) for one, end in ends.items())


async def rebuild(place: Place, *, accept: bool, read: Callable[[int], None]) -> Rebuilt:
    """Makes the model anew; puts it in place when its figures are equal, or when differences are accepted."""
    in_use, following = open_store(SPEC, place.environ), open_store(SPEC, place.environ, SHELF)
    me = clock.new_id()
    try:
        async with wire.reader(place) as consumer:
            left = (await in_use.rows(RUNS, [RUN])).get(RUN, {}).get("places")
            if left:
                # Somebody ended between a swap and its tail.
                await _take_tail(place, consumer, in_use, left)
            await in_use.save_rows(RUNS, {RUN: {"by": me}})
            reading = _Reading(consumer, place, read)
            await following.clear()
            await following.check()
            expired = await reading.expired()
            pipeline = await _pipeline(following, place)
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
            await _take_tail(place, consumer, in_use, reading.places())
            await in_use.delete_rows(RUNS, [RUN])
            return Rebuilt(reading.events, differences, put_in_place=True)
    finally:
        await following.close()
        await in_use.close()


async def _take_tail(place: Place, consumer: AIOKafkaConsumer, in_use: MongoStore, places: Mapping[str, int]) -> None:
    """Takes what reporting may have settled in the model that was replaced into the one in use."""
    tail = _Reading(consumer, place, lambda _: None)
    tail.go_on(places)
    pipeline = await _pipeline(in_use, place)
    for again in range(TAIL_TRIES):
        try:
            await tail.catch_up(pipeline)
            break
        except Unavailable:
            if again + 1 == TAIL_TRIES:
                raise
            await asyncio.sleep(LOOK_S)


async def _pipeline(store: MongoStore, place: Place) -> Pipeline:
    nowhere = _Nowhere()
    await store.learn_hash_key()
    return Pipeline(SPEC, store, nowhere, nowhere, Metrics(SPEC.name), await SPEC.reference(store, place.environ))


async def _compared(
    reading: _Reading, pipeline: Pipeline, in_use: MongoStore, following: MongoStore, *, wait: bool
) -> list[Difference]:
    """The figures that differ when both models have counted the same events; without `wait` as they are now."""
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
    """Every figure that reporting shows: the name of its report, and its row as JSON."""
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
