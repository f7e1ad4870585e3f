"""A service that must not start says so in one line and exits 78; this tests each guard on a real process."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from pymongo import AsyncMongoClient

from payung.embedded import jars, mongo, ports
from shared.contracts import topics
from shared.runtime.app import EXIT_REFUSED
from shared.runtime.kafka import durability, topics_admin
from shared.runtime.store.opening import database_name
from tests.faults.processes import eventually
from tests.faults.world import World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]
SERVICE = "billing"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("refusals")) as world:
        yield world


@pytest.fixture(autouse=True)
async def fresh_store(world: World) -> None:
    """Empties the store, so that no test sees what the service of another test remembered."""
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(world.mongo_url)
    await client.drop_database(database_name(SERVICE))
    await client.close()


@asynccontextmanager
async def admin(world: World) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=world.kafka)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def refused(world: World, **environ: str) -> str:
    """The line of a service that refuses to start."""
    service = world.start(SERVICE, **environ)
    assert await service.exit_code(60) == EXIT_REFUSED
    lines = [json.loads(line) for line in service.said().splitlines()]
    found = [one for one in lines if one["event"] == "refused to start"]
    assert len(found) == 1
    why: str = found[0]["why"]
    assert "\n" not in why
    assert "Traceback" not in service.said()
    return why


async def deleted(world: World, name: str) -> None:
    async with admin(world) as client:
        await client.delete_topics([name])

        async def gone() -> bool:
            return name not in await client.list_topics()

        await eventually(gone, 30, f"{name} is gone")


async def remade(world: World, name: str) -> None:
    await deleted(world, name)
    await topics_admin.apply(environ={"PAYUNG_KAFKA": world.kafka})


async def test_a_missing_topic(world: World) -> None:
    await deleted(world, topics.events("billing"))
    try:
        assert "no topic billing-events; make them with: payung topics apply" in await refused(world)
    finally:
        await topics_admin.apply(environ={"PAYUNG_KAFKA": world.kafka})


async def test_a_wrong_partition_count(world: World) -> None:
    async with admin(world) as client:
        await client.create_partitions({topics.work(SERVICE): NewPartitions(total_count=7)})
    try:
        assert "topic billing-work has 7 partitions; 6 keep each key's order" in await refused(world)
    finally:
        await remade(world, topics.work(SERVICE))


async def test_partitions_added_under_a_running_service(world: World) -> None:
    service = world.start(SERVICE)
    await eventually(service.ready, 60, "ready")
    async with admin(world) as client:
        await client.create_partitions({topics.work(SERVICE): NewPartitions(total_count=7)})
    try:
        assert await service.exit_code(90) == EXIT_REFUSED
        assert "topic billing-work has 7 partitions now, and had 6" in service.said()
        assert "topic billing-work has 7 partitions; 6 keep each key's order" in await refused(world)
    finally:
        await remade(world, topics.work(SERVICE))


async def test_a_recreated_topic_and_its_acceptance(world: World) -> None:
    service = world.start(SERVICE)
    await eventually(service.ready, 60, "ready")
    assert await service.stop() == 0
    await remade(world, topics.BILLING_INTAKE)
    for _ in range(2):
        assert "topic billing-intake was made anew" in await refused(world)
    for environ in ({"PAYUNG_ACCEPT_TOPIC": topics.BILLING_INTAKE}, {}):
        service = world.start(SERVICE, **environ)
        await eventually(service.ready, 90, "ready")
        assert await service.stop() == 0


async def test_a_topic_recreated_under_a_running_service(world: World) -> None:
    service = world.start(SERVICE)
    await eventually(service.ready, 60, "ready")
    await remade(world, topics.BILLING_INTAKE)
    assert await service.exit_code(90) == EXIT_REFUSED
    assert "topic billing-intake was made anew" in service.said()


async def test_a_standalone_mongod(world: World, tmp_path: Path) -> None:
    number = world.base + 60
    (tmp_path / "db").mkdir()
    binary = mongo.find_mongod(jars.cache_root())
    command = [str(binary), "--dbpath", str(tmp_path / "db"), "--port", str(number), "--bind_ip", ports.HOST]
    alone = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
    try:
        await eventually(lambda: ports.accepts(ports.HOST, number), 60, "the lone mongod answers")
        why = await refused(world, PAYUNG_MONGO_URL=f"mongodb://127.0.0.1:{number}/")
    finally:
        alone.kill()
        await alone.wait()
    assert "standalone; Payung needs a replica set" in why


@pytest.mark.parametrize("query", ["w=1", "w=0", "journal=false"])
async def test_a_write_concern_below_majority(world: World, query: str) -> None:
    why = await refused(world, PAYUNG_MONGO_URL=f"{world.mongo_url}&{query}")
    assert f"PAYUNG_MONGO_URL says {query}" in why


async def test_a_newer_schema(world: World) -> None:
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(world.mongo_url)
    await client[database_name(SERVICE)]["_meta"].insert_one({"_id": "schema", "version": 99})
    await client.close()
    assert "the database has schema 99, newer than this program's" in await refused(world)


async def test_a_topic_that_one_lost_disk_may_lose(world: World) -> None:
    why = await refused(world, PAYUNG_KAFKA_ONE_BROKER="")
    assert "one lost disk may lose topic billing-dlq, billing-events, billing-intake and " in why
    assert "(billing-dlq: 1 copies, min.insync.replicas 1)" in why
    assert "if one broker is meant, say so: PAYUNG_KAFKA_ONE_BROKER=yes" in why


async def test_an_unknown_number_of_copies_is_refused(world: World) -> None:
    assert "PAYUNG_KAFKA_ONE_BROKER is yes or no" in await refused(world, PAYUNG_KAFKA_ONE_BROKER="perhaps")


async def test_min_insync_is_applied_to_existing_topics(world: World) -> None:
    wanted = [one for one in topics.fixed_topics() if one.name == topics.work(SERVICE)]
    async with admin(world) as client:
        resource = ConfigResource(ConfigResourceType.TOPIC, topics.work(SERVICE), {"retention.ms": "99000000"})
        await client.alter_configs([resource])
        environ = {"PAYUNG_KAFKA": world.kafka, "PAYUNG_KAFKA_REPLICATION": "1", "PAYUNG_KAFKA_MIN_INSYNC": "1"}
        await topics_admin.apply(environ=environ, wanted=wanted)
        assert await durability.in_step(client, [topics.work(SERVICE)]) == {topics.work(SERVICE): 1}
        await durability.raise_in_step(client, {topics.work(SERVICE): 2})
        assert await durability.in_step(client, [topics.work(SERVICE)]) == {topics.work(SERVICE): 2}
        (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topics.work(SERVICE))])
        kept = {key: value for key, value, *_ in answer.resources[0][4]}
        assert kept["retention.ms"] == "99000000", "what the operator had set stays"
        await durability.raise_in_step(client, {topics.work(SERVICE): 1})
