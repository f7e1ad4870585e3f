"""`payung report rebuild`: reporting's figures made again from the events, beside those in use, and put in their place.

Theory of operation
Reporting counts an event once, in a document that knows its name, and in any order to the same end: a second model made
of the same events must show the same figures, and differences are shown before anything is replaced. What reporting
settles between our last look and the swap is missing in the new model; so the tail is taken once more, into what is
then in use, as another process of the service would: compare-and-set lets both write. What no topic holds any more
(answers to agencies are kept 30 days) is carried over.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from payung import wire
from payung.place import CommandError, Place
from services.reporting import facts
from services.reporting.facts import Filters
from services.reporting.stream import SPEC
from shared.reference import areas
from shared.runtime.app import open_store
from shared.runtime.kafka import pattern_of
from shared.runtime.metrics import Metrics
from shared.runtime.mongo import MongoStore
from shared.runtime.pipeline import Batch, Message, Pipeline, Record
from shared.runtime.ports import Reader

SHELF = "next"
# Their events expire; all others stand for ever (contracts.md 2).
EXPIRING = {"answers": "feedback-"}
BATCH_RECORDS = 3_000
POLL_MS = 1_000
QUIET_POLLS_MAX = 30
LOOKS_MAX = 60
LOOK_S = 1.0

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many events were read, and which figures are others than before: name, before, after."""

    events: int
    differences: Sequence[tuple[str, Any, Any]]
    put_in_place: bool


class _Nowhere:
    """What reporting says and puts aside stands on Kafka already."""

    async def send_all(self, messages: Sequence[Message]) -> None:
        """Nothing is published again."""

    async def put(self, letters: Sequence[tuple[Record, str, str]]) -> None:
        """Nothing is put aside again."""


class _Reading:
    """All topics of reporting, from their beginnings on, without its group."""

    def __init__(self, consumer: AIOKafkaConsumer, place: Place, read: Callable[[int], None]) -> None:
        self._consumer = consumer
        self._place = place
        self._read = read
        self._names: list[str] = []
        self._at: dict[TopicPartition, int] = {}
        self.events = 0

    async def begin(self) -> set[str]:
        """Assigns; returns the topics of which something has expired."""
        pattern = re.compile(pattern_of(SPEC.topics))
        self._names = sorted(name for name in await self._consumer.topics() if pattern.match(name))
        ends = await wire.ends(self._place, self._consumer, self._names)
        self._at = dict(await self._consumer.beginning_offsets(list(ends)))
        for partition, offset in self._at.items():
            self._consumer.seek(partition, offset)
        return {partition.topic for partition, offset in self._at.items() if offset}

    async def catch_up(self, pipeline: Pipeline) -> int:
        """Takes what stands beyond the last place, up to the ends at the call; returns how many records."""
        ends = await self._consumer.end_offsets(list(self._at))
        before, quiet = self.events, 0
        while left := [one for one, offset in self._at.items() if offset < ends[one]]:
            polled = await self._consumer.getmany(*left, timeout_ms=POLL_MS, max_records=BATCH_RECORDS)
            quiet = 0 if polled else quiet + 1
            if quiet > QUIET_POLLS_MAX:
                raise CommandError("Kafka does not hand out what it has; see `payung status`")
            batch = Batch([_record(one) for records in polled.values() for one in records])
            if batch.records:
                await pipeline.take(batch)
                await pipeline.settle(batch)
                self.events += len(batch.records)
                self._read(self.events)
            for one in left:
                self._at[one] = await self._consumer.position(one)
        return self.events - before


async def rebuild(place: Place, *, accept: bool, read: Callable[[int], None]) -> Rebuilt:
    """Makes the model anew; puts it in place when its figures are equal, or when differences are accepted."""
    in_use, following = open_store(SPEC, place.environ), open_store(SPEC, place.environ, SHELF)
    try:
        async with wire.reader(place) as consumer:
            reading = _Reading(consumer, place, read)
            await following.clear()
            await following.check()
            expired = await reading.begin()
            pipeline = await _pipeline(following, place)
            await reading.catch_up(pipeline)
            await following.carry_over([name for name, topic in EXPIRING.items() if _any(expired, topic)])
            differences = await _compared(place, reading, pipeline, in_use, following)
            if differences and not accept:
                await following.clear()
                return Rebuilt(reading.events, differences, put_in_place=False)
            await following.put_in_place()
            await reading.catch_up(await _pipeline(in_use, place))
            return Rebuilt(reading.events, differences, put_in_place=True)
    finally:
        await following.close()
        await in_use.close()


async def _pipeline(store: MongoStore, place: Place) -> Pipeline:
    nowhere = _Nowhere()
    return Pipeline(SPEC, store, nowhere, nowhere, Metrics(SPEC.name), await SPEC.reference(store, place.environ))


async def _compared(
    place: Place, reading: _Reading, pipeline: Pipeline, in_use: MongoStore, following: MongoStore
) -> list[tuple[str, Any, Any]]:
    """The figures that differ when both models have counted the same events."""
    for _ in range(LOOKS_MAX):
        behind = (await place.get("reporting", "/readyz")).json()["lag"]
        before, after = await figures(in_use), await figures(following)
        if not behind and not await reading.catch_up(pipeline):
            names = sorted({*before, *after})
            return [(one, before.get(one), after.get(one)) for one in names if before.get(one) != after.get(one)]
        await asyncio.sleep(LOOK_S)
    raise CommandError("events keep coming, so that no figures can be compared; nothing was changed: try again later")


async def figures(reader: Reader) -> Figures:
    """Every figure that reporting shows, by report, month and group."""
    known = areas.load()
    everything = Filters(None, "district", None)
    reports = {
        "budget": await facts.read_budget(reader, facts.Ledger(), everything),
        "claims": await facts.read_claims(reader, everything),
        "compliance": await facts.read_compliance(reader, everything),
        "quality": await facts.read_quality(reader, everything),
        "outreach": await facts.read_outreach(reader, everything),
        "deaths": await facts.read_deaths(reader, known, everything),
        "coverage now": await facts.read_coverage(reader, known, Filters(None, "village", None)),
    }
    for month in await facts.read_months(reader, None):
        asked = Filters(None, "village", month["period"])
        reports[f"coverage {month['period']}"] = await facts.read_coverage(reader, known, asked)
    found: dict[str, Any] = {}
    for name, report in reports.items():
        found[f"{name}, totals"] = report.totals
        found.update({f"{name}, row {number}": row for number, row in enumerate(report.rows, start=1)})
    return found


def _any(topics: set[str], prefix: str) -> bool:
    return any(one.startswith(prefix) for one in topics)


def _record(raw: Any) -> Record:
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, raw.headers, raw.timestamp)
