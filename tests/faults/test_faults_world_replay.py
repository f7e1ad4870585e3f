"""Everything is read again from offset zero: into the existing stores, and into emptied stores."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient

from tests.faults import checker
from tests.faults.observed import OWN_TOPICS, event_of, name_of
from tests.faults.processes import Service
from tests.faults.reading import observe, quiet
from tests.faults.submissions import digest, holds, submit
from tests.faults.world import SERVICES, World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("replay"), instance="") as world:
        yield world


async def test_all_records_are_read_again_into_existing_stores_when_offsets_are_deleted(world: World) -> None:
    services = await world.start_ready(*SERVICES)
    identifiers = await submit(world, "again", 300)
    first = await holds(world, identifiers)
    before = await digest(world)
    await _without_offsets(world, services)
    await world.start_ready(*SERVICES)
    second = await holds(world, identifiers)
    assert await digest(world) == before
    # It was really read again: the outcomes of each submission were published again under their old ids.
    assert second.counts["repeats"] >= first.counts["repeats"] + len(identifiers)
    assert second.counts["answers"] == first.counts["answers"]


async def test_all_records_are_read_again_into_empty_stores(world: World) -> None:
    services = await world.start_ready(*SERVICES)
    identifiers = await submit(world, "anew", 300)
    first = await holds(world, identifiers)
    before, told = await digest(world), await _told(world)
    await _without_offsets(world, services)
    await world.empty_stores()
    await world.start_ready(*SERVICES)
    await quiet(world.kafka, world.mongo_url, SERVICES, 180)
    second = await checker.check(world.kafka, world.mongo_url, None, SERVICES)
    assert second.counts["repeats"] >= first.counts["repeats"] + len(identifiers)
    assert await digest(world) == before
    # Registration may read a verdict before its worker exists again. It takes the verdict at verification's repeat,
    # with the same id and content and the time of the repeat.
    assert await _told(world) == told
    assert set(second.complaints) <= {"an id has one content"}


async def _told(world: World) -> set[tuple[tuple[str, str, str], str]]:
    """Every outcome: its name, and its content without the time."""
    found = await observe(world.kafka, world.mongo_url, None, ())
    return {(name_of(one), json.dumps({**event_of(one), "time": None}, sort_keys=True)) for one in found.of(OWN_TOPICS)}


async def _without_offsets(world: World, services: list[Service]) -> None:
    """Stops the services and deletes their groups."""
    for one in services:
        assert await one.stop() == 0
    client = AdminClient({"bootstrap.servers": world.kafka})
    deleted = client.delete_consumer_groups([f"payung-{name}" for name in SERVICES])
    await asyncio.to_thread(lambda: [one.result(30) for one in deleted.values()])
