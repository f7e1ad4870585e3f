"""F13, F17: partitions change owners under load. A paused owner continues where it stopped; members come and go."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator

import pytest

from payung import rebuilding
from shared.contracts import topics
from shared.runtime import app
from shared.runtime.ops import guards
from tests.faults.harness import INTAKE, FaultInstallation
from tests.faults.processes import eventually

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]

# The shortest session that a broker allows by default. The pause of a zombie must be longer.
SESSION = {"PAYUNG_SESSION_TIMEOUT_MS": "6000"}
CONFLICTS = "payung_compare_and_set_conflicts_total"
MARK, LOST = '"event": "started"', "partitions moved to another owner before the commit"
# The pause is before its writes, which the fence must refuse, or after them, before its outcomes are published.
PAUSES = [
    pytest.param(service, seam, marks=pytest.mark.ci if (service, seam) == ("billing", "journaled") else ())
    for service in ("registration", "verification", "billing")
    for seam in ("journaled", "saved")
]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultInstallation]:
    with FaultInstallation(tmp_path_factory.mktemp("owners"), environ=SESSION) as installation:
        yield installation


@pytest.mark.parametrize(("service", "seam"), PAUSES)
async def test_a_paused_owner_wakes_up_and_changes_nothing(
    installation: FaultInstallation, service: str, seam: str
) -> None:
    await installation.arm(service, f"{seam}:1:stop")
    zombie = installation.pid(service)
    assert zombie is not None
    async with installation.loading(400, until=INTAKE) as load:
        await installation.paused(zombie)
        # This process gets the partitions when the zombie's session has expired; the load ends without the zombie.
        async with installation.second(service, instance="heir") as heir:
            await load
            assert installation.pid(service) == zombie
            installation.signal(service, signal.SIGCONT)
            await eventually(lambda: LOST in installation.log(service).split(MARK)[-1], 60, "the zombie notices")
            if seam == "journaled":
                # The zombie had decided but not saved, so only compare-and-set can refuse its writes.
                assert await installation.metric(service, CONFLICTS) > 0
            assert await heir.stop() == 0
    await installation.holds()
    assert installation.pid(service) == zombie, "it went on, with nothing lost and nothing done twice"


async def come_and_go(installation: FaultInstallation, service: str) -> None:
    """Starts two more members, four times: one is stopped in order, the other is stopped in order or killed. Each
    change rebalances all members.
    """
    for round_ in range(4):
        async with installation.second(service) as one, installation.second(service) as other:
            assert await one.stop() == 0
            if round_ % 2:
                other.kill()
            else:
                assert await other.stop() == 0


@pytest.mark.parametrize("service", ["registration", "billing", "reporting"])
async def test_members_that_come_and_go_under_load_cost_no_event(installation: FaultInstallation, service: str) -> None:
    storm = asyncio.create_task(come_and_go(installation, service))
    loads = 0
    while not storm.done():
        await installation.load(200)
        loads += 1
    await storm
    assert loads > 1, "progress while partitions change hands all the time"
    # The next start of any process of the service publishes what a killed member left open.
    await installation.replaced(service, installation.signal(service, signal.SIGTERM))
    await installation.holds()


async def test_the_older_of_two_processes_with_one_name_ends(installation: FaultInstallation) -> None:
    """If both ran, each would take the other's partitions again and again."""
    service = "billing"
    name = installation.environment(service)[guards.INSTANCE]
    older = installation.pid(service)
    refusals = installation.deaths(service).count(f"exit {app.EXIT_REFUSED}")
    async with installation.loading(200, until=INTAKE), installation.second(service, instance=name) as twin:
        await installation.replaced(service, older or 0)
        # Its supervisor restarted it, so now it is the younger process.
        assert await twin.exit_code(60) == app.EXIT_REFUSED
        assert f"another process was started with {guards.INSTANCE}={name}" in twin.said()
    await installation.holds()
    assert installation.deaths(service).count(f"exit {app.EXIT_REFUSED}") == refusals + 1


async def test_reporting_rebuilt_under_load_counts_everything(
    installation: FaultInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(*_: object, **__: object) -> list[rebuilding.Difference]:
        return []

    # The command normally waits for a quiet moment before it compares. Here both write while the model is replaced.
    monkeypatch.setattr(rebuilding, "_compared", at_once)
    async with installation.loading(600, until=topics.events("verification")) as load:
        while not load.done():
            made = await rebuilding.rebuild(installation.place, accept=False, read=lambda _: None)
            assert made.put_in_place
    await installation.holds()
