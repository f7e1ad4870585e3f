"""F4, F5: three brokers with `min.insync.replicas=2` and three members, the leader or the primary lost under load."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from payung.embedded import ports
from payung.embedded.servers import ServerNumbers
from shared.contracts import topics
from tests.faults import clusters
from tests.faults.harness import FEEDBACK, INTAKE, FaultInstallation
from tests.faults.processes import eventually

pytestmark = [pytest.mark.connected, pytest.mark.timeout(900)]

TOGETHER_S = 90.0
BROKERS = [ports.node("kafka", number) for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultInstallation]:
    with FaultInstallation(
        tmp_path_factory.mktemp("clusters"), shape=ServerNumbers(brokers=3, members=3)
    ) as installation:
        yield installation


@pytest.fixture(autouse=True)
async def together(installation: FaultInstallation) -> None:
    """Every test begins with a whole cluster. A fault that remains from an earlier test would change what it tests."""
    await eventually(lambda: clusters.in_sync(installation.kafka), TOGETHER_S, "all replicas in sync")
    await eventually(lambda: clusters.whole(installation.mongo_url), TOGETHER_S, "all members in place")


@pytest.mark.parametrize("topic", [INTAKE, topics.events("verification"), "__consumer_offsets"])
async def test_a_killed_leader_costs_no_event(installation: FaultInstallation, topic: str) -> None:
    leader = await clusters.leader(installation.kafka, topic)
    async with installation.loading(600) as load:
        await installation.replaced(leader, installation.signal(leader))
    assert load.result().run["billed_workers"] > 400
    await installation.holds()


async def test_brokers_restarted_one_after_the_other_cost_no_event(installation: FaultInstallation) -> None:
    async with installation.loading(600, claims=1):
        for broker in BROKERS:
            await installation.replaced(broker, installation.signal(broker, signal.SIGTERM))
            await eventually(lambda: clusters.in_sync(installation.kafka), TOGETHER_S, f"{broker} is in sync again")
    await installation.holds()


async def test_with_two_brokers_gone_nothing_is_acknowledged_and_nothing_lost(installation: FaultInstallation) -> None:
    async with installation.loading(600):
        pids = {broker: installation.signal(broker) for broker in BROKERS[:2]}
        for broker, pid in pids.items():
            await installation.replaced(broker, pid)
    await installation.holds()


@pytest.mark.parametrize("moment", [FEEDBACK, topics.events("verification"), topics.work("billing")])
async def test_a_killed_primary_costs_no_event(installation: FaultInstallation, moment: str) -> None:
    primary = await clusters.primary(installation.mongo_url)
    async with installation.loading(600, until=moment) as load:
        await installation.replaced(primary, installation.signal(primary))
    assert load.result().run["billed_workers"] > 400
    await installation.holds()


async def test_a_primary_that_steps_down_costs_no_event(installation: FaultInstallation) -> None:
    primary = await clusters.primary(installation.mongo_url)
    async with installation.loading(600):
        await clusters.step_down(installation.mongo_url)
    await installation.holds()
    assert await clusters.primary(installation.mongo_url) != primary


async def test_leader_and_primary_killed_together_cost_no_event(installation: FaultInstallation) -> None:
    leader = await clusters.leader(installation.kafka, INTAKE)
    primary = await clusters.primary(installation.mongo_url)
    async with installation.loading(600, claims=1):
        for name, pid in [(one, installation.signal(one)) for one in (leader, primary)]:
            await installation.replaced(name, pid)
    await installation.holds()
