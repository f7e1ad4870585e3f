"""F11: wrong clocks. An agency's clock is wrong in its records, or the service's own clock is wrong."""

from __future__ import annotations

import asyncio
import os
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.faults.processes import Service, eventually
from tests.faults.submissions import holds, registration, said, send, submit
from tests.faults.world import SERVICES, World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("clocks"), instance="") as world:
        yield world


async def test_records_that_lie_about_their_time(world: World, services: list[Service]) -> None:
    began_ms = time.time_ns() // 1_000_000
    people = world.people(40)
    identifiers = [f"liar-{number}" for number in range(len(people))]
    values = [registration(one, name) for one, name in zip(people, identifiers, strict=True)]
    lies = [0, began_ms - HOUR_MS, began_ms + HOUR_MS, began_ms + 24 * 365 * 50 * HOUR_MS]
    await send(world, values, stamps_ms=[lies[number % len(lies)] for number in range(len(values))])
    await holds(world, identifiers)
    ended_ms = time.time_ns() // 1_000_000
    for one in await said(world, "submission.answered.v1"):
        if str(one["causationid"]).startswith("liar-"):
            # The broker has this machine's clock. Decisions carry its time, whatever the agency's clock said.
            assert began_ms - 1 <= _ms(str(one["time"])) <= ended_ms


# Runs before a service's program: the service's clock is wrong by the number of seconds in a file.
CROOKED = """
import os, time
from datetime import timedelta
from pathlib import Path

from shared.runtime import clock

off = Path(os.environ["PAYUNG_TEST_CLOCK"])
now, seconds = clock.now, time.time
clock.now = lambda: now() + timedelta(seconds=float(off.read_text()))
time.time = lambda: seconds() + float(off.read_text())
"""


async def test_services_whose_own_clock_is_wrong_and_jumps(world: World, tmp_path: Path) -> None:
    began_ms = time.time_ns() // 1_000_000
    (tmp_path / "sitecustomize.py").write_text(CROOKED, "utf-8")
    off = {name: tmp_path / name for name in SERVICES}
    _set(off, (1, -1))
    crooked = [
        world.start(
            name,
            PAYUNG_TEST_CLOCK=str(off[name]),
            PYTHONPATH=os.pathsep.join((world.environ["PYTHONPATH"], str(tmp_path))),
        )
        for name in SERVICES
    ]
    for one in crooked:
        await eventually(one.ready, 90, f"{one.name} ready")
    identifiers = await submit(world, "crooked", 100)
    # In the middle each clock jumps by two hours, as after a late time synchronisation.
    _set(off, (-1, 1))
    identifiers += await submit(world, "jumped", 100)
    await holds(world, identifiers)
    assert all(one.running() for one in crooked)
    ended_ms = time.time_ns() // 1_000_000
    answers = [one for one in await said(world, "submission.answered.v1") if str(one["causationid"]) in identifiers]
    assert len(answers) == len(identifiers)
    # Decisions carry the broker's time.
    assert all(began_ms - 1 <= _ms(str(one["time"])) <= ended_ms for one in answers)
    # The clocks were really wrong: the figures about the present show it, and no others do.
    for service in crooked:
        page = await asyncio.to_thread(_fetched, f"http://127.0.0.1:{service.port}/metrics")
        (shown,) = [line for line in page.splitlines() if line.startswith("payung_last_progress_timestamp_seconds{")]
        assert abs(float(shown.rsplit(" ", 1)[1]) * 1000 - ended_ms) > HOUR_MS / 2
    for one in crooked:
        assert await one.stop() == 0


def _set(off: dict[str, Path], hours: tuple[int, int]) -> None:
    """Sets each service's clock in one step; a half-written file would be read as empty."""
    for name, of_it in zip(SERVICES, hours, strict=True):
        half = off[name].with_suffix(".half")
        half.write_text(f"{of_it * 3_600}")
        half.replace(off[name])


def _fetched(url: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return str(answer.read(), "utf-8")


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
