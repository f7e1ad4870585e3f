"""The watchdog: when a process may wait, and when it must end so that a new process can start."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from shared.runtime import clock
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.errors import Unavailable
from shared.runtime.http import endpoints
from shared.runtime.ops import health, pulse
from shared.runtime.ops.health import Vitals, Watch
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from tests.batches import settle
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.toy import CIPHER, SPEC, record


class Consumer:
    """Owns this many partitions; Kafka answers with this lag, or does not answer."""

    def __init__(self, partitions: int, lag: int | None) -> None:
        self.partitions = partitions
        self.waiting = lag
        self.held: frozenset[str] = frozenset()
        self.last_progress = clock.monotonic()

    def assigned(self) -> set[int]:
        return set(range(self.partitions))

    async def lag(self) -> int:
        if self.waiting is None:
            raise Unavailable("Kafka: TimeoutError")
        return self.waiting

    async def commit_settled(self) -> None:
        """Does nothing: there is nothing to commit."""


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [1_000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: at[0])
    return at


def watch(consumer: Any) -> tuple[Watch, list[BaseException]]:
    failures: list[BaseException] = []
    return Watch(consumer, Metrics("toy"), failures.append), failures


async def test_a_broker_that_never_answers_an_owner_ends_the_process(now: list[float]) -> None:
    watched, failures = watch(Consumer(3, None))
    await watched._look()
    now[0] += health.SILENT_AFTER_S
    await watched._look()
    assert not failures
    assert watched.vitals.alive
    now[0] += 1
    await watched._look()
    assert isinstance(failures[0], Unavailable)
    assert not watched.vitals.alive


async def test_an_answer_restarts_the_count_of_silence(now: list[float]) -> None:
    consumer = Consumer(3, None)
    watched, failures = watch(consumer)
    for lag in (None, 0, None, None):
        consumer.waiting = lag
        await watched._look()
        now[0] += health.SILENT_AFTER_S - 1
    assert not failures


async def test_a_spare_process_without_partitions_waits_for_ever(now: list[float]) -> None:
    watched, failures = watch(Consumer(0, None))
    for _ in range(5):
        await watched._look()
        now[0] += health.SILENT_AFTER_S
    assert not failures


async def test_records_that_wait_and_are_not_settled_end_the_process(now: list[float]) -> None:
    watched, failures = watch(Consumer(3, 7))
    await watched._look()
    now[0] += health.STUCK_AFTER_S + 1
    await watched._look()
    assert not watched.vitals.ready
    assert not failures
    now[0] += health.GIVE_UP_AFTER_S
    await watched._look()
    assert isinstance(failures[0], Unavailable)


async def test_the_lag_of_the_last_look_is_reported_while_it_is_fresh(now: list[float]) -> None:
    consumer = Consumer(3, 7)
    watched, _ = watch(consumer)
    assert watched.lag is None
    await watched._look()
    assert watched.lag == 7
    now[0] += health.FRESH_S
    assert watched.lag == 7
    now[0] += 1
    assert watched.lag is None
    await watched._look()
    assert watched.lag == 7
    consumer.waiting = None
    await watched._look()
    assert watched.lag is None


class Store(MemoryStore):
    """Answers, refuses, or is frozen."""

    def __init__(self) -> None:
        super().__init__(SPEC.stored, CIPHER)
        self.thawed = asyncio.Event()
        self.thawed.set()

    async def save_rows(self, collection: str, rows: Any) -> None:
        await self.thawed.wait()
        await super().save_rows(collection, rows)


async def test_a_frozen_store_is_noticed_within_ten_seconds(now: list[float]) -> None:
    store = Store()
    beating = pulse.Pulse(store, "toy-1", dict, Metrics("toy"))
    watched = Watch(Consumer(3, 0), Metrics("toy"), _never, beating)  # type: ignore[arg-type]  # a fake
    await beating.beat()
    await watched._look()
    assert watched.vitals.ready
    store.thawed.clear()
    asking = asyncio.create_task(beating.beat())
    await asyncio.sleep(0)
    now[0] += 9.0
    await watched._look()
    assert not watched.vitals.ready
    assert watched.vitals.detail == "MongoDB has not answered for 9 s"
    store.thawed.set()
    await asking
    watched._judge()
    assert watched.vitals.ready


async def test_a_frozen_broker_is_noticed_within_ten_seconds_and_its_lag_is_unknown(now: list[float]) -> None:
    metrics = Metrics("toy")
    consumer = Frozen(3, 0)
    watched = Watch(consumer, metrics, _never)  # type: ignore[arg-type]  # a fake
    await watched._look()
    assert metrics.registry.get_sample_value("payung_consumer_lag_records", {"service": "toy"}) == 0
    consumer.frozen = True
    asking = asyncio.create_task(watched._look())
    await asyncio.sleep(0)
    now[0] += 9.0
    watched._judge()
    assert not watched.vitals.ready
    assert watched.vitals.detail == "Kafka has not answered for 9 s"
    lag = metrics.registry.get_sample_value("payung_consumer_lag_records", {"service": "toy"})
    assert lag is not None
    assert math.isnan(lag)
    asking.cancel()


class Frozen(Consumer):
    """Gets requests and never answers."""

    frozen = False

    async def lag(self) -> int:
        if self.frozen:
            await asyncio.Event().wait()
        return await super().lag()


def _never(error: BaseException) -> None:
    raise AssertionError(error)


async def test_every_process_of_a_service_is_known_until_it_leaves_or_is_silent_for_long() -> None:
    store = MemoryStore(SPEC.stored, CIPHER)
    first, second = (pulse.Pulse(store, name, lambda: {"ready": True}, Metrics("toy")) for name in ("toy-1", "toy-2"))
    await second.beat()
    await first.beat()
    assert [(one["name"], one["ready"]) for one in first.processes()] == [("toy-1", True), ("toy-2", True)]
    await second.farewell()
    await first.beat()
    assert [one["name"] for one in first.processes()] == ["toy-1"]
    long_ago = clock.now() - timedelta(seconds=pulse.FORGET_S + 1)
    await store.save_rows(pulse.PROCESSES, {"killed": {"at": long_ago, "started": long_ago, "ready": True}})
    await first.beat()
    assert [one["name"] for one in first.processes()] == ["toy-1"]
    assert set(await store.rows(pulse.PROCESSES, ["killed", "toy-1"])) == {"toy-1"}


async def test_due_work_is_counted_whole() -> None:
    store = MemoryStore(SPEC.stored, CIPHER)
    records = [record(f"e{n}", offset=n, counter=f"c{n}", amount=1, due=True) for n in range(120)]
    metrics = Metrics(SPEC.name)
    topics = MemoryTopics()
    await settle(Pipeline(SPEC, store, topics, DeadLetterTopic(SPEC.name, topics), metrics, None), records)
    beating = pulse.Pulse(store, None, dict, metrics)
    await beating.beat()
    assert beating.due_work == 120
    assert metrics.registry.get_sample_value("payung_due_work_waiting", {"service": SPEC.name}) == 120


async def test_a_probe_gets_the_vitals_of_the_watchdog() -> None:
    watched, _ = watch(Consumer(3, 0))
    context: Any = SimpleNamespace(
        name="toy", environ={}, spec=SimpleNamespace(name="toy", description="", inputs={}, routes=None)
    )
    app = endpoints.build(context, watched, Metrics("toy"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://v") as client:
        found = []
        for vitals in (Vitals(), Vitals(ready=True), Vitals(ready=False, alive=False)):
            watched.vitals = vitals
            found.append([(await client.get(path)).status_code for path in ("/livez", "/readyz")])
    assert found == [[200, 503], [200, 200], [503, 503]]


async def test_another_part_that_stands_still_makes_a_service_unready(now: list[float]) -> None:
    watched = Watch(Consumer(3, 0), Metrics("toy"), _never)  # type: ignore[arg-type]  # a fake
    said: list[str | None] = [None]
    watched.parts.append(lambda: said[0])
    await watched._look()
    assert watched.vitals.ready
    said[0] = "the importer stands still"
    watched._judge()
    assert not watched.vitals.ready
    assert watched.vitals.detail == "the importer stands still"
