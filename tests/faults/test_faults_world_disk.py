"""The disk of the broker or of the database is full: a process that cannot write waits or ends, and nothing is lost."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from shared.runtime import app
from tests.faults import disk
from tests.faults.processes import eventually
from tests.faults.proxy import Way
from tests.faults.submissions import begun, holds, submit
from tests.faults.world import SERVICES, World

pytestmark = [
    pytest.mark.connected,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not disk.possible(), reason="this machine lets nobody mount a disk of their own"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("disk"), disks_mb={"kafka": 300, "mongo": 900}) as world:
        yield world


@pytest.mark.parametrize("server", ["kafka", "mongo"])
async def test_a_full_disk(world: World, server: str) -> None:
    async with world.supervised(*SERVICES) as codes:
        before = await submit(world, f"before-{server}", 100)
        await holds(world, before)
        log = world.folder / "logs" / "registration.log"
        said = log.stat().st_size
        pid = world.pid_of(server)
        # The disk fills while the accepted records are on their way into the store.
        world.mongo_proxy.up = Way(latency_s=0.5)
        name = f"full-{server}-{random.getrandbits(32)}"
        identifiers = await submit(world, name, 200)
        await eventually(lambda: begun(world, name), 60, "the batch is being settled")
        world.disks[server].fill()
        complaint = {"kafka": '"why": "Kafka: ', "mongo": '"why": "MongoDB: '}[server]
        await eventually(lambda: complaint in log.read_text("utf-8")[said:], 120, "a service that cannot write")
        await eventually(lambda: world.pid_of(server) != pid, 120, f"{server} ends without room")
        world.disks[server].empty()
        world.mongo_proxy.heal()
        await holds(world, before + identifiers)
        assert set(codes) <= {app.EXIT_UNAVAILABLE}
