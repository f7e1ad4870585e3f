"""Two instances of registration on one Kafka and one MongoDB: the one that sends a list is killed, and the other
continues.
"""

from __future__ import annotations

import asyncio
import csv
import io
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient

from payung.embedded import ports, stack
from services.registration.imports.background.running import lease_of
from services.registration.imports.background.sending import BATCH_ROWS, BATCHES_AHEAD
from shared.contracts import topics
from shared.runtime import clock
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.server import Server
from shared.runtime.store.mongo import LEASES
from tests import dates
from tests.faults.processes import Service, eventually

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]

ROWS = 20_000
HEADER = "nik;nama;tanggal_lahir;jenis_kelamin;desa;sektor;pekerjaan;persetujuan"
KEYS = {"PAYUNG_ID_KEY": "QUFB" * 10 + "QUE=", "PAYUNG_FIELD_KEYS": "k1:" + "QkJC" * 10 + "QkI="}


def _list() -> bytes:
    """Each row is another person; every tenth has a village that does not exist."""
    lines = [HEADER]
    for number in range(ROWS):
        village = "64.08.99.9999" if number % 10 == 0 else "64.08.04.2001"
        month = number % 12 + 1
        lines.append(
            f"6408044{number % 9 + 1:d}{month:02d}85{number % 9_999 + 1:04d};PEKERJA {number};"
            f"{(number % 9 + 1):02d}/{month:02d}/1985;P;{village};perikanan;nelayan;04/01/2026"
        )
    return ("\r\n".join(lines) + "\r\n").encode()


class Town:
    """Servers of its own, and the two instances."""

    def __init__(self, kafka: str, mongo_url: str, folder: Path) -> None:
        self.kafka = kafka
        self.mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_url)
        base = ports.free_base()
        environ = {
            **dates.bare(os.environ),
            **KEYS,
            "PAYUNG_KAFKA": kafka,
            "PAYUNG_KAFKA_ONE_BROKER": "yes",
            "PAYUNG_MONGO_URL": mongo_url,
            "PAYUNG_AUTH": "none",
            # A dead instance's partitions go to the other after this, not after 45 s.
            "PAYUNG_SESSION_TIMEOUT_MS": "6000",
        }
        self.instances = {
            name: Service("registration", {**environ, "PAYUNG_INSTANCE": name}, folder / f"{name}.log", base + number)
            for number, name in enumerate(("registration-1", "registration-2"))
        }

    def client(self, name: str) -> httpx.AsyncClient:
        url = f"http://{ports.HOST}:{self.instances[name].port}"
        return httpx.AsyncClient(base_url=url, timeout=60, trust_env=False)

    async def carrier(self, identifier: str) -> str | None:
        """The process that holds the lease of an import."""
        row = await self.mongo["payung_registration"][LEASES].find_one({"_id": lease_of(identifier)})
        return row["owner"] if row is not None else None

    async def _partitions(self, topic: str) -> int:
        return (await topics_admin.partitions(Server({"PAYUNG_KAFKA": self.kafka}), [topic]))[topic]

    async def records(self, topic: str) -> list[dict[str, Any]]:
        """Every record of a topic."""
        partitions = [TopicPartition(topic, number) for number in range(await self._partitions(topic))]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            left = sum((await consumer.end_offsets(partitions)).values())
            found: list[dict[str, Any]] = []
            while len(found) < left:
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    found += [orjson.loads(record.value) for record in batch]
            return found
        finally:
            await consumer.stop()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with stack.servers(tmp_path / "servers", ports.free_base(), environment={}) as (kafka, mongo_url):
        await topics_admin.apply(kafka)
        made = Town(kafka, mongo_url, tmp_path)
        try:
            for one in made.instances.values():
                await eventually(one.ready, 120, "an instance is ready")
            yield made
        finally:
            for one in made.instances.values():
                if one.running():
                    one.kill()
            await made.mongo.close()


async def test_another_instance_continues_a_list_when_its_carrier_is_killed(town: Town) -> None:
    async with town.client("registration-1") as first, town.client("registration-2") as second:
        answer = await first.post("/v1/imports?agency=64.08/perikanan&filename=daftar.csv", content=_list())
        assert answer.status_code == 202, answer.text
        identifier = answer.json()["id"]
        shown: dict[str, Any] = {"answered": 0}
        async with asyncio.timeout(120):
            while not 0 < shown["answered"] < ROWS:
                shown = (await second.get(f"/v1/imports/{identifier}")).json()
                assert shown["status"] != "done", "too quick to be killed in the middle"
        killed = await town.carrier(identifier)
        assert killed in town.instances, "one of the two carries it"
        town.instances[killed].kill()
        left = second if killed == "registration-1" else first
        before, since_s = shown["answered"], clock.monotonic()

        async def done() -> bool:
            nonlocal shown
            shown = (await left.get(f"/v1/imports/{identifier}")).json()
            return bool(shown["status"] == "done")

        await eventually(done, 180, f"the other instance finishes the list; {before} rows were answered")
        print(f"killed {killed} at {before} rows; done {clock.monotonic() - since_s:.1f} s later")
        assert (shown["rows"], shown["outcomes"]) == (ROWS, {"registered": ROWS * 9 // 10, "rejected": ROWS // 10})
        whole = (await left.get(f"/v1/imports/{identifier}/answers.csv")).text
    answers = list(csv.DictReader(io.StringIO(whole.removeprefix("\ufeff")), delimiter=";"))
    assert len(answers) == ROWS
    assert Counter(one["outcome"] for one in answers) == shown["outcomes"]

    sent = await town.records(topics.registration_intake("64.08", "perikanan"))
    assert len({one["id"] for one in sent}) == ROWS
    # Only rows that were in transit when the sender died are sent again, under the same names.
    assert len(sent) <= ROWS + (BATCHES_AHEAD + 2) * BATCH_ROWS
    workers = town.mongo["payung_registration"]["workers"]
    assert await workers.count_documents({}) == ROWS * 9 // 10
    assert await workers.count_documents({"version": {"$gt": 1}}) == 0
    told = [
        one for one in await town.records(topics.feedback("64.08", "perikanan")) if "submission.answered" in one["type"]
    ]
    assert len({one["id"] for one in told}) == ROWS
    print(f"{len(sent)} records sent, {len(told)} answers")
