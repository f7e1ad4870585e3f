"""Services get a tenth of the time that they need, in slices, as on a much too busy machine."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.faults.submissions import holds, submit
from tests.faults.world import SERVICES, World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("starved")) as world:
        yield world


async def test_services_that_hardly_ever_run(world: World) -> None:
    services = await world.start_ready(*SERVICES)

    async def starve() -> None:
        while True:
            for one in services:
                os.kill(one.pid, signal.SIGSTOP)
            await asyncio.sleep(random.uniform(0.5, 1.5))
            for one in services:
                os.kill(one.pid, signal.SIGCONT)
            await asyncio.sleep(0.1)

    starving = asyncio.create_task(starve())
    try:
        identifiers = await submit(world, "starved", 200)
        await holds(world, identifiers)
    finally:
        starving.cancel()
        with suppress(asyncio.CancelledError):
            await starving
        for one in services:
            os.kill(one.pid, signal.SIGCONT)
    assert all(one.running() for one in services)
