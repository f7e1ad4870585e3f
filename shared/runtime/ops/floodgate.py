"""Handles a flood of dead letters: pauses the topic of a flooding agency, or stops the service.

The paused topics and their end times are in the service's own store, so that all processes of the service agree, a
restart keeps them, and `payung dlq resume` can end a pause. `floods` decides what counts as a flood.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from shared.runtime import clock
from shared.runtime.errors import Defect, Unavailable
from shared.runtime.ops import floods
from shared.runtime.ops.floods import Limits, Pause, TopicCounts, Windows
from shared.runtime.ops.metrics import Metrics
from shared.runtime.ports import DeadLetters, Rows
from shared.runtime.records import Record

log = structlog.get_logger()

PAUSED = "_paused_topics"
LOOK_S = 2.0


class OwnFlood(Defect):
    """Too many records of one of our own topics cannot be read. Its text is the one line that the operator reads."""


class PausableConsumer(Protocol):
    """A consumer that can leave topics unread."""

    def hold_only(self, names: AbstractSet[str]) -> None: ...


class FloodGate:
    """Stands in front of the dead-letter topic, and is called after each settled batch."""

    def __init__(
        self,
        service: str,
        letters: DeadLetters,
        store: Rows,
        consumer: PausableConsumer,
        metrics: Metrics,
        limits: Limits,
    ) -> None:
        self._service = service
        self._letters = letters
        self._store = store
        self._consumer = consumer
        self._metrics = metrics
        self._limits = limits
        self._windows = Windows(limits)
        self._put: Counter[str] = Counter()
        self._paused: dict[str, Pause] = {}
        # Pauses that the store has not taken yet.
        self._unsaved: dict[str, dict[str, Any]] = {}
        self._pauses = 0

    async def put(self, letters: Sequence[tuple[Record, str, str]]) -> None:
        """Puts records aside. When a topic of our own floods, it raises OwnFlood: nothing of the batch is put
        aside or committed."""
        # Counted by offset and set anew at each attempt: a batch that is tried again has the same letters.
        self._put = Counter(topic for topic, _, _ in {(one.topic, one.partition, one.offset) for one, _, _ in letters})
        codes = Counter(code for _, code, _ in letters)
        for topic, count in self._put.items():
            before = self._windows.tally(topic, clock.monotonic())
            tally = TopicCounts(before.records, before.letters + count)
            if floods.is_internal(topic) and floods.from_ours(self._limits, tally):
                self._metrics.flood(topic)
                raise OwnFlood(
                    f"{tally.letters} records of our own topic {topic} cannot be read ({codes.most_common(1)[0][0]}); "
                    f"nothing of this batch is put aside or committed. See docs/runbooks/dead-letters.md"
                )
        await self._letters.put(letters)

    async def settled(self, records: Sequence[Record]) -> None:
        """Counts a settled batch and pauses the topics that flood.

        Their records of this batch are settled like all others, and so are those of the next batch, which is being
        taken already. Records that were read before a pause began do not prolong it.
        """
        read = Counter(one.topic for one in records)
        put, self._put = self._put, Counter()
        now_s = clock.monotonic()
        held = self._held()
        for topic, count in read.items():
            if topic in held:
                continue
            self._windows.note(topic, count, put[topic], now_s)
            if floods.is_internal(topic) or not put[topic]:
                continue
            tally = self._windows.tally(topic, now_s)
            if floods.from_outside(self._limits, tally):
                self._pause(topic, tally)
        if self._unsaved:
            await self._save()

    async def run(self) -> None:
        """Pauses the topics that the store names and resumes the others; runs until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """One look at the store; while it does not answer, the known pauses stay."""
        pauses = self._pauses
        try:
            await self._save()
            rows = await self._store.find_rows(PAUSED, {}, limit=10_000)
        except Unavailable as error:
            log.warning("the paused topics could not be read", why=str(error))
        else:
            if self._pauses != pauses:
                # A topic was paused while the store answered, so its answer is older than what we know.
                return
            self._paused = {row["_id"]: Pause(row["until"].timestamp(), row["level"]) for row in rows}
        self._hold()

    def _pause(self, topic: str, tally: TopicCounts) -> None:
        now = clock.now()
        self._pauses += 1
        standing = floods.pause(self._limits, self._paused.get(topic), now.timestamp())
        self._paused[topic] = standing
        self._windows.clear(topic)
        until = datetime.fromtimestamp(standing.until_s, UTC)
        self._unsaved[topic] = {
            "since": now,
            "until": until,
            "level": standing.level,
            "records": tally.records,
            "letters": tally.letters,
        }
        self._metrics.flood(topic)
        log.error(
            "a flood of dead letters: the topic is paused, all others go on",
            topic=topic,
            letters=tally.letters,
            of=tally.records,
            until=until.isoformat(timespec="seconds"),
            sooner=f"payung dlq resume {self._service} --topic {topic}",
        )
        self._hold()

    async def _save(self) -> None:
        """Saves new pauses. A pause starts without waiting for this; a store that does not answer is asked again at the
        next look."""
        unsaved, self._unsaved = self._unsaved, {}
        if not unsaved:
            return
        try:
            await self._store.save_rows(PAUSED, unsaved)
        except Unavailable as error:
            self._unsaved = {**unsaved, **self._unsaved}
            log.warning("a pause could not be saved yet", why=str(error))

    def _held(self) -> set[str]:
        now_s = clock.now().timestamp()
        return {topic for topic, one in self._paused.items() if one.until_s > now_s}

    def _hold(self) -> None:
        held = self._held()
        self._consumer.hold_only(held)
        for topic in self._paused:
            self._metrics.paused(topic, topic in held)
