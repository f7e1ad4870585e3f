"""Two processes of one service must not call an outside system twice; tested with verification and Dukcapil.

One of the two performs the due work, under a lease; the other goes on when the first is stopped or killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import AsyncMongoClient

from bench.dukcapil import publish, verdicts
from bench.people import REGENCY
from payung import installations
from payung.demo.population import Inhabitant, generate, population_csv
from payung.embedded import ports
from payung.embedded.stack import Stack, StackConfig
from payung.installations import Installation
from shared.kernel.calendar import business_day
from shared.reference import areas as area_files
from shared.runtime import clock, due
from shared.runtime.kafka import topics_admin
from shared.runtime.store import leases
from shared.runtime.store.mongo import LEASES
from tests import dates
from tests.faults.processes import Service, eventually

pytestmark = [pytest.mark.connected, pytest.mark.timeout(400)]

CHECKS = 240
RATE = 60.0
NAMES = ("verification-1", "verification-2")
SESSION_S = 6.0
# After a kill no answer is read for the length of a session; all of our answers come within this time.
TAKEN_OVER_WITHIN_S = leases.LEASE_S + due.TURN_S + due.HANDOVER_S + 10.0


class Town:
    """Servers, the stand-in of Dukcapil, and two processes of verification."""

    def __init__(
        self, at: Installation, people: list[Inhabitant], outside: httpx.AsyncClient, folder: Path, base: int
    ) -> None:
        self.at, self.people, self.outside, self._folder, self._base = at, people, outside, folder, base
        self.mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(at.environ["PAYUNG_MONGO_URL"])
        self.instances: dict[str, Service] = {}
        self.published = 0

    async def start(self, name: str) -> None:
        """Starts one of the two processes."""
        environ = {
            **self.at.environ,
            **dates.bare(os.environ),
            "PAYUNG_AUTH": "none",
            "PAYUNG_KAFKA_ONE_BROKER": "yes",
            "PAYUNG_INSTANCE": name,
            "PAYUNG_DUKCAPIL_URL": str(self.outside.base_url),
            "PAYUNG_DUKCAPIL_RATE": str(RATE),
            "PAYUNG_SESSION_TIMEOUT_MS": str(int(SESSION_S * 1000)),
        }
        port = self._base + 1 + NAMES.index(name)
        one = self.instances[name] = Service("verification", environ, self._folder / f"{name}.log", port)
        await eventually(one.ready, 120, f"{name} is ready")

    async def holder(self) -> str:
        """The process that performs the due work now."""
        row = await self.mongo["payung_verification"][LEASES].find_one({"_id": due.DUE})
        return str(row["owner"]) if row is not None else ""

    async def send(self) -> None:
        """Sends checks of people who were not checked before."""
        more = self.people[self.published : self.published + CHECKS]
        await publish(self.at, more)
        self.published += len(more)

    async def asked(self) -> int:
        """The number of calls at the stand-in, with any result."""
        return sum((await self.fates()).values())

    async def fates(self) -> dict[str, int]:
        """The calls by result."""
        found: dict[str, int] = (await self.outside.get("/_control/log")).json()["calls"]
        return found

    async def judged(self) -> None:
        """Waits until every sent check has its verdict."""
        found = await verdicts(self.at, self.published, wait_s=120)
        assert sum(found.values()) == self.published

    async def midway(self) -> str:
        """Waits for the middle of the last sending. Returns the name of the calling process."""
        half = await self.asked() + CHECKS // 3

        async def reached() -> bool:
            return await self.asked() >= half

        await eventually(reached, 90, "a third is asked")
        return await self.holder()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    people = list(generate(23, 4 * CHECKS, REGENCY, area_files.load(), business_day(clock.now())))
    population_csv(people, tmp_path / "population.csv")
    base, own = ports.free_base(), ports.free_base()
    config = StackConfig(
        data_dir=tmp_path / "data",
        port_base=base,
        population=tmp_path / "population.csv",
        services=(),
        stand_ins=("dukcapil",),
    )
    async with (
        Stack(config, topics_admin.apply),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.port(base, 'dukcapil')}", trust_env=False) as outside,
    ):
        made = Town(installations.find(tmp_path / "data"), people, outside, tmp_path, own)
        try:
            await made.outside.post("/_control", json={"latency_ms": 50, "jitter_ms": 50})
            for name in NAMES:
                await made.start(name)
            yield made
        finally:
            for one in made.instances.values():
                if one.running():
                    one.kill()
            await made.mongo.close()


@contextlib.asynccontextmanager
async def watched(town: Town) -> AsyncIterator[list[float]]:
    """Measures the calls in the busiest second inside the block; the result is there after the block."""
    stop, most = asyncio.Event(), [0.0]

    async def look() -> None:
        seen: list[tuple[float, int]] = []
        while not stop.is_set():
            seen.append((clock.monotonic(), await town.asked()))
            window = [one for one in seen if seen[-1][0] - one[0] <= 2.0]
            took_s = window[-1][0] - window[0][0]
            if took_s >= 1.0:
                most[0] = max(most[0], (window[-1][1] - window[0][1]) / took_s)
            await asyncio.sleep(0.1)

    looking = asyncio.create_task(look())
    try:
        yield most
    finally:
        stop.set()
        await looking


async def test_two_replicas_ask_each_question_once_and_a_kill_repeats_only_calls_in_flight(town: Town) -> None:
    async with watched(town) as busiest:
        await town.send()
        await town.judged()
        assert await town.asked() == CHECKS, f"each due work is called once: {await town.fates()}"
        stopped, heir = await _one_stops(town)
        assert await town.asked() == 2 * CHECKS, f"nothing is asked again: {await town.fates()}"
        await town.start(stopped)
        await _one_is_killed(town, heir)
    again = await town.asked() - 3 * CHECKS
    print(f"{again} calls more than checks; busiest second {busiest[0]:.0f} calls of {RATE:.0f} agreed")
    assert 0 <= again <= due.CONCURRENT_MAX
    # The limiter allows the calls of half a second at once (gate.BURST_S), for any process.
    assert busiest[0] <= 1.5 * RATE


async def _one_stops(town: Town) -> tuple[str, str]:
    """Stops one process in order in the middle; calls in progress are answered. Returns the names of the stopped and of
    the continuing process."""
    await town.send()
    stopped = await town.midway()
    assert await town.instances[stopped].stop() == 0
    await town.judged()
    heir = await town.holder()
    assert {stopped, heir} == set(NAMES)
    return stopped, heir


async def _one_is_killed(town: Town, holder: str) -> None:
    """Kills the calling process (-9) in the middle; the other one continues within a bound."""
    await town.send()
    assert await town.midway() == holder, "who came back waits for its turn"
    town.instances[holder].kill()
    since_s, before = clock.monotonic(), await town.asked()
    await eventually(lambda: _goes_on(town, before + due.CONCURRENT_MAX), TAKEN_OVER_WITHIN_S, "the other one asks")
    print(f"{clock.monotonic() - since_s:.1f} s after the kill the other one asks")
    await town.judged()


async def _goes_on(town: Town, beyond: int) -> bool:
    return await town.asked() > beyond
