"""Verification against a real Kafka, MongoDB and Dukcapil stand-in: an outage and a kill lose no check."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from bench.dukcapil import calls, publish, verdicts
from bench.people import REGENCY
from bench.stage import figures
from payung import installations
from payung.demo.population import Inhabitant, generate, population_csv
from payung.embedded import ports
from payung.embedded.stack import Stack, StackConfig
from payung.installations import Installation
from shared.kernel.calendar import business_day
from shared.reference import areas as area_files
from shared.runtime import clock
from shared.runtime.kafka import topics_admin

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]
CHECKS = 120
SECRET = "kata-sandi-dukcapil"


class Town:
    """The running services and their outside."""

    def __init__(self, stack: Stack, at: Installation, people: list[Inhabitant], outside: httpx.AsyncClient) -> None:
        self.stack, self.at, self.people, self.outside = stack, at, people, outside


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    people = list(generate(11, CHECKS, REGENCY, area_files.load(), business_day(clock.now())))
    population_csv(people, tmp_path / "population.csv")
    base = ports.free_base()
    config = StackConfig(
        data_dir=tmp_path / "data",
        port_base=base,
        population=tmp_path / "population.csv",
        services=("verification",),
        stand_ins=("dukcapil",),
        environment={**os.environ, "PAYUNG_DUKCAPIL_PASSWORD": SECRET, "PAYUNG_DUKCAPIL_TIMEOUT_S": "1"},
    )
    async with (
        Stack(config, topics_admin.apply) as stack,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports.port(base, 'dukcapil')}", trust_env=False) as outside,
    ):
        yield Town(stack, installations.find(tmp_path / "data"), people, outside)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(90):
        while not await condition():  # noqa: ASYNC110  # other processes have no event to wait for
            await asyncio.sleep(0.2)


async def test_an_outage_and_a_kill_lose_no_check_and_show_no_secret(town: Town, tmp_path: Path) -> None:
    await town.outside.post("/_control", json={"down": True})
    await publish(town.at, town.people)

    async def paused() -> bool:
        found = await figures(town.at, "verification")
        fates = "payung_due_work_total{fate=paused,kind=dukcapil}"
        return found.get(fates, 0) > 0 and found.get("payung_outside{figure=dukcapil_breaker_open}") == 1

    async def read_to_the_end() -> bool:
        ready = (await town.at.get("verification", "/readyz")).json()
        return bool(ready["ready"]) and ready["lag"] == 0

    await until(paused)
    await until(read_to_the_end)  # the consumer went on while Dukcapil was away
    asked = sum((await calls(town.outside)).values())
    assert asked < CHECKS, "a system that is down is left alone, not asked for everybody who waits"
    pid = town.stack.pids()["verification"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await town.outside.post("/_control", json={"down": False, "error_rate": 0.1, "latency_ms": 20})
    found = await verdicts(town.at, CHECKS, wait_s=120)
    assert sum(found.values()) == CHECKS
    logs = "".join(path.read_text(errors="replace") for path in (tmp_path / "data" / "logs").glob("*.log"))
    assert "verification" in logs
    assert SECRET not in logs
    assert not [one.nik for one in town.people if one.nik in logs]
