"""Sends originals back to their topics, and reports the results.

A letter is noted as replayed only after the broker has acknowledged its original. After an interruption between the two
the original is sent again, and the service recognises the redelivery. The original is unchanged: same bytes, key and
headers, and the same partition when that still exists.
"""

from __future__ import annotations

import asyncio
import bisect
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from payung import wire
from payung.dlq import finding, kept
from payung.dlq.finding import Extent, Filter
from payung.installations import CommandError, Installation
from shared.contracts import topics
from shared.runtime import clock
from shared.runtime.deadletters import Letter, Letters
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.server import Server, quietly
from shared.runtime.store.mongo import MongoStore

PAGE_LETTERS = 500
PAGE_BYTES = 8 * 1024 * 1024
LOOK_S = 0.3


@dataclass(slots=True)
class ReplayResult:
    """What a replay did, and its results."""

    service: str
    run: str
    by: str
    dry_run: bool
    found: int = 0
    replayed: int = 0
    already: int = 0
    topic_missing: Counter[str] = field(default_factory=Counter)
    too_large: int = 0
    not_found: list[str] = field(default_factory=list)
    by_origin: Counter[tuple[str, str]] = field(default_factory=Counter)
    # After the replay: read and not put aside; put aside again, by error; not read within the wait.
    taken: int = 0
    dead_again: Counter[str] = field(default_factory=Counter)
    waiting: int = 0

    def as_json(self) -> dict[str, Any]:
        """For a machine, and for the audit."""
        return {
            "service": self.service,
            "run": self.run,
            "by": self.by,
            "dry_run": self.dry_run,
            "found": self.found,
            "replayed": self.replayed,
            "already_replayed": self.already,
            "topic_missing": dict(self.topic_missing),
            "too_large": self.too_large,
            "not_found": self.not_found,
            "letters": [
                {"topic": topic, "error": error, "count": count}
                for (topic, error), count in sorted(self.by_origin.items())
            ],
            "taken": self.taken,
            "dead_again": dict(self.dead_again),
            "waiting": self.waiting,
        }


async def replay(
    installation: Installation,
    service: str,
    wanted: Filter,
    *,
    by: str,
    dry_run: bool = False,
    again: bool = False,
    limit: int | None = None,
    wait_s: float = 30.0,
    progress: Callable[[int], None] = lambda count: None,
) -> ReplayResult:
    """Replays the selected letters, oldest first. Letters that arrive meanwhile wait for the next replay."""
    report = ReplayResult(service, clock.new_id(), by, dry_run)
    async with kept.store_of(installation, service) as store, wire.reader(installation) as consumer:
        over = await finding.extent(consumer, installation, service)
        asked = {**wanted.as_json(), "again": again, "limit": limit}
        if not dry_run:
            await kept.note(store, report.run, "start", by, "replay", asked)
        sender = _Sender(installation)
        seen: set[str] = set()
        try:
            async for page in _pages(finding.scan(consumer, over, wanted, Letters())):
                seen.update(one for one in wanted.ids for letter in page if letter.id.startswith(one))
                await _page(page, report, store, sender, again=again, limit=limit)
                progress(report.found)
                if report.replayed == limit:
                    break
        finally:
            await sender.stop()
            report.not_found = [one for one in wanted.ids if one not in seen]
            if not dry_run:
                # Also after an interruption: the audit shows what was replayed until then.
                await kept.note(store, report.run, "sent", by, "replay", report.as_json())
        if sender.places and wait_s > 0:
            await _follow(installation, service, consumer, over, sender.places, report, wait_s)
            await kept.note(store, report.run, "end", by, "replay", report.as_json())
    return report


async def _pages(letters: AsyncIterator[Letter]) -> AsyncIterator[list[Letter]]:
    page: list[Letter] = []
    size = 0
    async for letter in letters:
        page.append(letter)
        size += len(letter.value or b"")
        if len(page) >= PAGE_LETTERS or size >= PAGE_BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page


async def _page(
    page: Sequence[Letter], report: ReplayResult, store: MongoStore, sender: _Sender, *, again: bool, limit: int | None
) -> None:
    # When the shell tried a batch twice, the topic holds the same letter twice; it counts once.
    letters = list({letter.id: letter for letter in page}.values())
    standing = await kept.replayed(store, [letter.id for letter in letters])
    # Replayed in this run: the same letter was on an earlier page.
    letters = [one for one in letters if standing.get(one.id, {}).get("run") != report.run]
    if limit is not None:
        # Letters replayed before do not count, so the same command continues where the last one ended.
        fresh = [place for place, one in enumerate(letters) if again or one.id not in standing]
        left = limit - report.replayed
        letters = letters[: fresh[left - 1] + 1] if left <= len(fresh) else letters
    report.found += len(letters)
    todo = letters if again else [one for one in letters if one.id not in standing]
    report.already += len(letters) - len(todo)
    report.by_origin.update((letter.topic, letter.error) for letter in todo)
    counts = await sender.partitions({letter.topic for letter in todo})
    missing = [one for one in todo if one.topic not in counts]
    report.topic_missing.update(letter.topic for letter in missing)
    todo = [one for one in todo if one.topic in counts]
    if report.dry_run:
        report.replayed += len(todo)
        return
    sent = await sender.send(todo, counts)
    report.too_large += len(todo) - len(sent)
    await kept.note_replayed(store, report.run, report.by, sent)
    report.replayed += len(sent)


class _Sender:
    """Publishes unchanged originals and remembers their new offsets (eight bytes each)."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._server = Server(installation.environ)
        self._producers: dict[str, AIOKafkaProducer] = {}
        self._counts: dict[str, int] = {}
        self.places: dict[TopicPartition, array[int]] = {}

    async def partitions(self, names: set[str]) -> dict[str, int]:
        """The number of partitions of these topics, without deleted topics."""
        unknown = names - self._counts.keys()
        if unknown:
            self._counts.update(await topics_admin.partitions(self._server, sorted(unknown)))
        return {name: self._counts[name] for name in names if name in self._counts}

    async def send(self, letters: Sequence[Letter], counts: dict[str, int]) -> list[str]:
        """Sends the originals. Returns the ids that the broker acknowledged; others are too large for their topic."""
        sent: list[str] = []
        small = [one for one in letters if not _is_large(one)]
        try:
            async with asyncio.timeout(wire.ACK_TIMEOUT_S):
                producer = await self._producer("zstd")
                acks = [await self._one(producer, letter, counts) for letter in small]
                for letter, ack in zip(small, acks, strict=True):
                    self._placed(await ack)
                    sent.append(letter.id)
                sent += [one.id for one in letters if _is_large(one) and await self._large(one, counts)]
        except (KafkaError, TimeoutError, OSError) as error:
            raise CommandError(
                f"Kafka did not acknowledge every record ({type(error).__name__}); replay again: what was taken has no "
                "second effect"
            ) from error
        return sent

    async def _large(self, letter: Letter, counts: dict[str, int]) -> bool:
        """Sends a large original alone: its sender compressed it better than we do. A refused producer is unusable,
        so this one is closed afterwards."""
        producer = await self._producer("gzip")
        try:
            self._placed(await (await self._one(producer, letter, counts)))
        except MessageSizeTooLargeError:
            await quietly(self._producers.pop("gzip").stop())
            return False
        return True

    async def _one(self, producer: AIOKafkaProducer, letter: Letter, counts: dict[str, int]) -> asyncio.Future[Any]:
        """Sends with the client's plain send, or in a batch of its own. The plain send refuses a record without key
        and value, and a record that is large before compression."""
        partition = letter.partition if letter.partition < counts[letter.topic] else 0
        if not _is_large(letter) and (letter.key is not None or letter.value is not None):
            sending: asyncio.Future[Any] = await producer.send(
                letter.topic, letter.value, key=letter.key, headers=list(letter.headers), partition=partition
            )
            return sending
        batch = producer.create_batch()
        batch.append(timestamp=None, key=letter.key, value=letter.value, headers=list(letter.headers))
        batch.close()
        alone: asyncio.Future[Any] = await producer.send_batch(batch, letter.topic, partition=partition)
        return alone

    async def _producer(self, compression: str) -> AIOKafkaProducer:
        if compression not in self._producers:
            self._producers[compression] = await wire.producer(self._installation, compression=compression)
        return self._producers[compression]

    def _placed(self, ack: Any) -> None:
        self.places.setdefault(TopicPartition(ack.topic, ack.partition), array("q")).append(ack.offset)

    async def stop(self) -> None:
        """Closes what was opened."""
        for producer in self._producers.values():
            await quietly(producer.stop())


def _is_large(letter: Letter) -> bool:
    headers = sum(len(name) + len(value or b"") for name, value in letter.headers)
    return len(letter.key or b"") + len(letter.value or b"") + headers > topics.RECORD_BYTES_MAX


async def _follow(
    installation: Installation,
    service: str,
    consumer: AIOKafkaConsumer,
    before: Extent,
    places: dict[TopicPartition, array[int]],
    report: ReplayResult,
    wait_s: float,
) -> None:
    """Waits until the service has read the replayed records, then finds those that are dead letters again."""
    for offsets in places.values():
        # The records of one partition are in order, except a large one that was sent alone.
        offsets_sorted = sorted(offsets)
        offsets[:] = array("q", offsets_sorted)
    read = await _read_up_to(installation, f"payung-{service}", places, wait_s)
    settled = sum(bisect.bisect_left(offsets, read.get(at, 0)) for at, offsets in places.items())
    report.waiting = report.replayed - settled
    now = await finding.extent(consumer, installation, service)
    dead: set[str] = set()
    since = Extent(now.partition, max(now.first, before.end), now.end)
    async for letter in finding.scan(consumer, since, Filter(), Letters()):
        offsets = places.get(TopicPartition(letter.topic, letter.partition), array("q"))
        at = bisect.bisect_left(offsets, letter.offset)
        if at < len(offsets) and offsets[at] == letter.offset and letter.id not in dead:
            dead.add(letter.id)
            report.dead_again[letter.error] += 1
    report.taken = max(0, settled - len(dead))


async def _read_up_to(
    installation: Installation, group: str, places: dict[TopicPartition, array[int]], wait_s: float
) -> dict[TopicPartition, int]:
    """The service's committed offsets of these partitions, when it has read all or when the wait ends."""
    admin = AIOKafkaAdminClient(**Server(installation.environ).options())
    until = clock.monotonic() + wait_s
    try:
        await asyncio.wait_for(admin.start(), wire.CONNECT_TIMEOUT_S)
        while True:
            committed = await asyncio.wait_for(admin.list_consumer_group_offsets(group), wire.CONNECT_TIMEOUT_S)
            read = {at: int(one.offset) for at, one in committed.items() if at in places}
            if all(read.get(at, 0) > offsets[-1] for at, offsets in places.items()) or clock.monotonic() >= until:
                return read
            await asyncio.sleep(LOOK_S)
    except (KafkaError, TimeoutError, OSError) as error:
        raise CommandError(
            f"all was replayed, but Kafka does not say what became of it ({type(error).__name__})"
        ) from error
    finally:
        await quietly(admin.close())
