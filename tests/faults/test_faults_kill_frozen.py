"""A frozen server holds its port and answers nobody. It is reported within ten seconds, then restarted."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import httpx
import pytest

from payung import status
from shared.runtime import clock
from tests.faults.harness import FaultInstallation
from tests.faults.processes import eventually

pytestmark = [pytest.mark.connected, pytest.mark.timeout(400)]
TOLD_WITHIN_S = 10.0
BACK_WITHIN_S = 120.0


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultInstallation]:
    with FaultInstallation(tmp_path_factory.mktemp("frozen"), services=("registration", "verification")) as up:
        yield up


@pytest.mark.parametrize(("server", "told"), [("mongo", "MongoDB"), ("kafka", "Kafka")])
async def test_a_frozen_server_is_reported_and_replaced(
    installation: FaultInstallation, server: str, told: str
) -> None:
    await installation.load(40, bill=False)
    url = installation.place.url("registration")
    before = installation.signal(server, signal.SIGSTOP)
    frozen_s = clock.monotonic()
    await eventually(lambda: _unready(url, told), TOLD_WITHIN_S, f"a frozen {server} is told")
    assert clock.monotonic() - frozen_s < TOLD_WITHIN_S
    found = {one.service: one for one in (await status.look(installation.place)).services}
    assert not found["registration"].well
    assert told in found["registration"].detail
    await installation.replaced(server, before)
    await eventually(lambda: _ready(url), BACK_WITHIN_S, "ready again")
    await installation.load(40, bill=False)
    await installation.holds()


async def _readyz(url: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=3.0, trust_env=False) as client:
        return await client.get(f"{url}/readyz")


async def _unready(url: str, told: str) -> bool:
    answer = await _readyz(url)
    return answer.status_code == 503 and told in answer.json()["detail"]


async def _ready(url: str) -> bool:
    try:
        return (await _readyz(url)).status_code == 200
    except httpx.HTTPError:
        # The service itself may have ended and restarted meanwhile.
        return False
