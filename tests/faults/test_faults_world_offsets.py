"""Records that retention deleted unread: they are reported once, the lag ends at zero, and the service is ready."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import httpx
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.faults import checker
from tests.faults.processes import Service, eventually
from tests.faults.reading import quiet
from tests.faults.submissions import INTAKE, holds, said, submit
from tests.faults.world import SERVICES, World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]
WENT_UNREAD = 8
TOLD = "records were deleted before they were read: they are skipped"


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("offsets"), instance="") as world:
        yield world


async def test_retention_passes_unread_records(world: World) -> None:
    registration, verification = await world.start_ready("registration", "verification")
    read = await submit(world, "read", 60)
    await holds(world, read)
    assert await registration.stop() == 0
    lost = await submit(world, "lost", WENT_UNREAD)
    await _delete_all_records(world)
    (again,) = await world.start_ready("registration")
    await eventually(lambda: _skipped(again) == WENT_UNREAD, 30, "what was skipped is told")
    assert (await _vitals(again))["lag"] == 0
    later = await submit(world, "later", 40)
    await quiet(world.kafka, world.mongo_url, SERVICES, 120)
    report = await checker.check(world.kafka, world.mongo_url, None, SERVICES)
    # The checker reads the log, which has lost earlier rows too. It may complain only about the answers to those rows.
    assert set(report.complaints) <= {"every row is answered once or put aside"}
    assert all("agency/64.08/dinsos|read-" in one for found in report.complaints.values() for one in found)
    settled = {one["data"]["submission_id"] for one in await said(world, "submission.settled.v1")}
    assert settled == {f"SUB-{one}" for one in (*read, *later)}
    assert len(lost) == _skipped(again) == WENT_UNREAD, "told once"
    assert f'payung_records_skipped_total{{service="registration",topic="{INTAKE}"}} 8.0' in await _metrics(again)
    assert verification.running()
    assert again.running()


def _skipped(service: Service) -> int:
    """The number of skipped records in the service's log, over all partitions."""
    lines = [json.loads(line) for line in service.said().splitlines() if line.startswith("{")]
    return sum(one["last"] - one["first"] + 1 for one in lines if one["event"] == TOLD)


async def _delete_all_records(world: World) -> None:
    client = AdminClient({"bootstrap.servers": world.kafka})
    count = len(client.list_topics(INTAKE, timeout=30).topics[INTAKE].partitions)
    # -1: up to the present end.
    asked = client.delete_records([TopicPartition(INTAKE, number, -1) for number in range(count)])
    await asyncio.to_thread(lambda: [one.result(30) for one in asked.values()])


async def _vitals(service: Service) -> dict[str, object]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", trust_env=False) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


async def _metrics(service: Service) -> str:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.port}", trust_env=False) as client:
        return (await client.get("/metrics")).text
