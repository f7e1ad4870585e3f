"""A data folder from a release without log-ins gets log-ins at its next start, also with TLS, and loses nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from payung import installations
from payung.embedded import ports
from payung.embedded.stack import Stack, StackConfig
from payung.installations import Installation
from shared.contracts import topics
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.server import Server

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]
TOPIC = topics.events("billing")


def stack(folder: Path, base: int, *, locked: bool = True, tls: bool = False) -> Stack:
    config = StackConfig(
        data_dir=folder, port_base=base, services=(), stand_ins=(), environment={}, locked=locked, tls=tls
    )
    return Stack(config, topics_admin.apply)


async def first_record(at: Installation) -> bytes | None:
    consumer = AIOKafkaConsumer(**Server(at.environ).options(), enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(TOPIC, number) for number in range(6)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        found: bytes | None = (await consumer.getone()).value
        return found
    finally:
        await consumer.stop()


async def test_a_folder_from_before_is_locked_with_all_that_is_in_it(tmp_path: Path) -> None:
    base = ports.free_base()
    async with stack(tmp_path, base, locked=False):
        before = installations.find(tmp_path)
        assert before.credentials is None
        async with AIOKafkaProducer(**Server(before.environ).options(), acks="all") as producer:
            await producer.send_and_wait(TOPIC, b"from before", key=b"k")
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(before.environ["PAYUNG_MONGO_URL"], w="majority")
        await client["payung_billing"]["probe"].insert_one({"_id": "from before"})
        await client.close()
    async with stack(tmp_path, base, tls=True):
        at = installations.find(tmp_path)
        assert json.loads((tmp_path / "credentials" / "64.08-dinsos.json").read_text())["ca"].endswith("ca.pem")
        assert Server(at.environ).security.protocol == "SASL_SSL"
        assert await first_record(at) == b"from before"
        client = AsyncMongoClient(at.environ["PAYUNG_MONGO_URL"])
        assert await client["payung_billing"]["probe"].find_one({"_id": "from before"}) is not None
        await client.close()
        # Without TLS there is no communication.
        options = Server(at.environ).options()
        producer = AIOKafkaProducer(**{**options, "security_protocol": "SASL_PLAINTEXT", "ssl_context": None})
        with pytest.raises(KafkaError):
            await producer.start()
        await producer.stop()
        client = AsyncMongoClient(before.environ["PAYUNG_MONGO_URL"], serverSelectionTimeoutMS=2_000)
        with pytest.raises(PyMongoError):
            await client["payung_billing"]["probe"].find_one({})
        await client.close()
