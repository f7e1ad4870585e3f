"""F29: the store and the log are of different days. The service reads later records again, or says why it cannot."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from payung import backup, backup_cli, rebuilding
from payung.embedded import ports
from payung.embedded.errors import LaunchError
from payung.installations import CommandError
from services.reporting.stream import SPEC as REPORTING
from shared.runtime.app import EXIT_REFUSED, open_store
from tests.faults import checker
from tests.faults.harness import FaultInstallation
from tests.faults.processes import eventually
from tests.faults.submissions import INTAKE, digest, holds, submit
from tests.faults.world import SERVICES, World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(900)]
# Repeated decisions publish again; a verdict that came before its worker carries the time of its repeat.
REPEATED = {"an id has one content"}


def _quietly(_: str) -> None:
    """Ignores the output."""


class Again(FaultInstallation):
    """An existing installation; its people and its snapshot are already loaded."""

    def __init__(self, folder: Path, before: FaultInstallation | None = None) -> None:
        super().__init__(folder)
        if before is not None:
            self._people, self._loads = before._people, before._loads

    async def _furnish(self) -> None:
        return None


async def figures(of: FaultInstallation) -> set[tuple[str, str]]:
    """Every figure that reporting shows."""
    store = open_store(REPORTING, of.place.environ)
    try:
        return await rebuilding.figures(store)
    finally:
        await store.close()


async def _become(of: FaultInstallation, wanted: set[tuple[str, str]], *, laws: bool = True) -> None:
    async def equal() -> bool:
        return await figures(of) == wanted

    await eventually(equal, 180, "the figures of before")
    await of.calm()
    assert await figures(of) == wanted
    if laws:
        report = await checker.check(of.kafka, of.mongo_url, None, of.services)
        assert set(report.complaints) <= REPEATED


def test_an_older_store_under_a_newer_log_ends_with_every_figure(tmp_path: Path) -> None:
    kept = tmp_path / "backup"

    async def before(first: FaultInstallation) -> set[tuple[str, str]]:
        await first.load(120, claims=1)
        await first.calm()
        backup.make(first.place.environ, kept, _quietly)
        # New people of another agency; the older store knows none of them.
        await first.load(120, agency="perikanan", bill=False)
        await first.calm()
        with pytest.raises(LaunchError, match="already runs"):
            await backup_cli._put_back(kept, first.folder / "data", ports.free_base())
        return await figures(first)

    with FaultInstallation(tmp_path) as first:
        wanted = asyncio.run(before(first))
    asyncio.run(backup_cli._put_back(kept, tmp_path / "data", ports.free_base()))
    with Again(tmp_path) as second:
        asyncio.run(_become(second, wanted))


def test_an_older_log_under_a_newer_store_ends_with_every_figure(tmp_path: Path) -> None:
    log, older = tmp_path / "data" / "kafka", tmp_path / "older"

    async def first_load(one: FaultInstallation) -> None:
        await one.load(60, bill=False)
        await one.calm()

    async def second_load(one: FaultInstallation) -> set[tuple[str, str]]:
        await one.load(60, agency="perikanan", claims=1)
        await one.calm()
        return await figures(one)

    async def third_load(one: FaultInstallation) -> None:
        # The laws would compare the store with a log that lacks the records after its copy.
        await _become(one, wanted, laws=False)
        loaded = await one.load(30, bill=False)
        assert loaded.outcomes["registered"] == 27
        await one.calm()

    with FaultInstallation(tmp_path) as first:
        asyncio.run(first_load(first))
    shutil.copytree(log, older)
    with Again(tmp_path, first) as second:
        wanted = asyncio.run(second_load(second))
    shutil.rmtree(log)
    older.rename(log)
    with Again(tmp_path, second) as third:
        asyncio.run(third_load(third))


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("restored"), instance="") as world:
        yield world


@pytest.mark.ci
async def test_records_after_a_backup_are_read_again_or_the_service_says_why_not(world: World, tmp_path: Path) -> None:
    services = await world.start_ready(*SERVICES)
    await holds(world, await submit(world, "before", 60))
    kept = tmp_path / "kept"
    backup.make(world.place.environ, kept, _quietly)
    await holds(world, await submit(world, "after", 60))
    wanted = await digest(world)
    for one in services:
        assert await one.stop() == 0
    backup.put_back(world.place.environ, kept, _quietly)
    assert len(await digest(world)) < len(wanted)
    services = await world.start_ready(*SERVICES)

    async def equal() -> bool:
        return await digest(world) == wanted

    await eventually(equal, 120, "every document of before")
    for one in services:
        assert await one.stop() == 0

    backup.put_back(world.place.environ, kept, _quietly)
    admin = AIOKafkaAdminClient(bootstrap_servers=world.kafka)
    await admin.start()
    await admin.delete_records({TopicPartition(INTAKE, n): RecordsToDelete(before_offset=-1) for n in range(3)})
    await admin.close()
    refused = world.start("registration")
    assert await refused.exit_code(60) == EXIT_REFUSED
    said = [json.loads(line) for line in refused.said().splitlines()]
    [why] = {one["why"] for one in said if "the store is older" in one.get("why", "")}
    assert INTAKE in why
    assert "PAYUNG_ACCEPT_AHEAD" in why
    accepted = world.start("registration", PAYUNG_ACCEPT_AHEAD="all")
    await eventually(accepted.ready, 60, "ready, as the operator asked")


async def test_a_damaged_backup_and_other_keys_change_nothing(world: World, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    backup.make(world.place.environ, kept, _quietly)
    wanted = await digest(world)
    damaged = tmp_path / "damaged"
    shutil.copytree(kept, damaged)
    file = max(damaged.glob("*/*.gz"), key=lambda one: one.stat().st_size)
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(CommandError, match="damaged"):
        backup.put_back(world.place.environ, damaged, _quietly)
    (damaged / "manifest.json").unlink()
    with pytest.raises(CommandError, match="no whole backup"):
        backup.put_back(world.place.environ, damaged, _quietly)
    with pytest.raises(CommandError, match="exists already"):
        backup.make(world.place.environ, kept, _quietly)
    assert await digest(world) == wanted
