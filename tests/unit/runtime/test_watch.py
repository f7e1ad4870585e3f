"""The watchdog: who may wait, and who must end so that a new process can begin."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from shared.runtime import clock, health, http
from shared.runtime.errors import Unavailable
from shared.runtime.health import Vitals, Watch
from shared.runtime.metrics import Metrics


class Consumer:
    """Owns so many partitions; Kafka answers with this lag, or does not."""

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
        """Nothing to commit."""


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


async def test_an_answer_in_between_begins_the_silence_anew(now: list[float]) -> None:
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


async def test_the_lag_of_the_last_look_is_told_while_it_is_fresh(now: list[float]) -> None:
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


async def test_what_the_watchdog_sees_is_what_a_probe_gets() -> None:
    watched, _ = watch(Consumer(3, 0))
    house: Any = SimpleNamespace(
        name="toy", environ={}, spec=SimpleNamespace(name="toy", description="", inputs={}, routes=None)
    )
    app = http.build(house, watched, Metrics("toy"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://v") as client:
        found = []
        for vitals in (Vitals(), Vitals(ready=True), Vitals(ready=False, alive=False)):
            watched.vitals = vitals
            found.append([(await client.get(path)).status_code for path in ("/livez", "/readyz")])
    assert found == [[200, 503], [200, 200], [503, 503]]
