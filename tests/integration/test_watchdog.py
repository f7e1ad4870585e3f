"""The watchdog on a real process. A consumer that does not move while records wait is first not ready, then not alive,
and ends, whether it waits for ever or computes for ever. Nothing is lost.
"""

from __future__ import annotations

import httpx
import pytest

from tests.integration import test_dead_letters
from tests.integration.test_dead_letters import ONE, Place, Service, event, eventually

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]
place = test_dead_letters.place


async def status(at: Place, path: str) -> int | None:
    """The status of the service's answer; None when none comes within a second."""
    async with httpx.AsyncClient(trust_env=False, timeout=1) as client:
        try:
            return (await client.get(f"http://127.0.0.1:{at.port}{path}")).status_code
        except httpx.HTTPError:
            return None


async def _is(at: Place, path: str, wanted: int | None) -> bool:
    return await status(at, path) == wanted


async def _settled(at: Place) -> bool:
    return await at.unread(ONE) == 0


async def test_a_batch_that_never_ends_ends_the_process(place: Place) -> None:
    service = Service(place, {"PAYUNG_TEST_HANGS": "await"})
    await eventually(service.ready)
    await place.send([event("a", counter="c", amount=1)])
    # It does not move while a record waits: first not ready, but still alive.
    await eventually(lambda: _is(place, "/readyz", 503))
    assert await status(place, "/livez") in (200, None)
    assert await service.exit() == 75, service.log()
    assert "no record was settled for" in service.log()
    assert await place.unread(ONE) == 1
    async with place.service():
        await eventually(lambda: _settled(place))
    assert await place.sums() == {"c": 1}


async def test_an_endless_computation_ends_the_process_and_the_log_shows_its_line(place: Place) -> None:
    service = Service(place, {"PAYUNG_TEST_HANGS": "loop"})
    await eventually(service.ready)
    await place.send([event("a", counter="c", amount=1)])
    await eventually(lambda: _is(place, "/livez", None))
    assert await service.exit() != 0
    assert "in hanging" in service.log()
    async with place.service():
        await eventually(lambda: _settled(place))
    assert await place.sums() == {"c": 1}
