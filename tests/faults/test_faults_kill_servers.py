"""F2, F3, F5: the broker or the database killed under load, and every service stopped in order under load."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from shared.contracts import topics
from tests.faults.checker import SERVICES
from tests.faults.harness import FEEDBACK, FaultInstallation

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]

# The state of the load at the fault: rows are being answered, workers verified, a run billed.
MOMENTS = (pytest.param(FEEDBACK, marks=pytest.mark.ci), topics.events("verification"), topics.work("billing"))


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultInstallation]:
    with FaultInstallation(tmp_path_factory.mktemp("killed")) as installation:
        yield installation


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_killed_broker_costs_no_event(installation: FaultInstallation, moment: str) -> None:
    async with installation.loading(600, until=moment) as load:
        await installation.replaced("kafka", installation.signal("kafka"))
    assert load.result().run["billed_workers"] > 400
    await installation.holds()


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_killed_database_costs_no_event(installation: FaultInstallation, moment: str) -> None:
    async with installation.loading(600, until=moment) as load:
        await installation.replaced("mongo", installation.signal("mongo"))
    assert load.result().run["billed_workers"] > 400
    await installation.holds()


async def test_broker_and_database_killed_together_cost_no_event(installation: FaultInstallation) -> None:
    async with installation.loading(600, claims=1):
        pids = {name: installation.signal(name) for name in ("kafka", "mongo")}
        for name, pid in pids.items():
            await installation.replaced(name, pid)
    await installation.holds()


async def test_everything_killed_at_once_costs_no_event(installation: FaultInstallation) -> None:
    async with installation.loading(600, claims=1):
        pids = {name: installation.signal(name) for name in ("kafka", "mongo", "dukcapil", "bpjs", *SERVICES)}
        for name, pid in pids.items():
            await installation.replaced(name, pid)
    await installation.holds()


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_stop_in_order_under_load_leaves_nothing_to_repeat(
    installation: FaultInstallation, moment: str
) -> None:
    before = await installation.holds()
    async with installation.loading(600, until=moment):
        for service in SERVICES:
            pid = installation.signal(service, signal.SIGTERM)
            await installation.replaced(service, pid)
    after = await installation.holds()
    assert all(installation.deaths(service)[-1] == "exit 0" for service in SERVICES)
    # The batch in progress was finished, its outcomes acknowledged, its offsets committed; no outcome was repeated.
    assert after.counts["repeats"] == before.counts["repeats"]
