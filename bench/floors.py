"""The raw floors of the benches: the rates of plain libraries with the same bytes in the same run.

Uses no domain and no shell: aiokafka, motor and pydantic as their own documentation shows them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import BaseModel, TypeAdapter

from bench.people import AGENCY
from payung import publish
from payung.installations import Installation
from shared.contracts.topics import Topic
from shared.lists.reader import open_list
from shared.runtime import clock
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.server import Server

BATCH = 2_000


class _Row(BaseModel):
    """The part of an event that a stage without any decision reads."""

    id: str
    source: str
    type: str
    data: dict[str, Any]


async def flow(at: Installation, path: Path, when: str) -> float:
    """Records a second while they are produced: with all acks, consumed in batches, inserted durably."""
    topic = await _topic(at, f"bench-flow-{when}")
    values = _values(path)
    async with _producer(at) as producer, _consumer(at, topic) as consumer:
        collection = _collection(at, topic)
        started = clock.monotonic()
        producing = asyncio.create_task(_produce(producer, topic, values))
        taken = 0
        while taken < len(values):
            records = await _next(consumer)
            await collection.insert_many(
                [{"_id": taken + n, "v": one.value} for n, one in enumerate(records)], ordered=False
            )
            taken += len(records)
        await producing
        return len(values) / (clock.monotonic() - started)


async def stage(at: Installation, path: Path, when: str) -> float:
    """Records a second of a whole stage over waiting records: it decodes each by a model, inserts it durably, publishes
    one keyed record for it with all acks and idempotence, and commits offsets for each batch."""
    topic, out = await _topic(at, f"bench-stage-{when}"), await _topic(at, f"bench-stage-out-{when}")
    values = _values(path)
    rows = TypeAdapter(_Row)
    async with _producer(at) as producer, _consumer(at, topic, group=f"bench-{when}") as consumer:
        await _produce(producer, topic, values)
        collection = _collection(at, topic)
        started = clock.monotonic()
        taken = 0
        while taken < len(values):
            records = await _next(consumer)
            read = [rows.validate_json(one.value) for one in records]
            documents = [{"_id": row.id, "v": one.value} for row, one in zip(read, records, strict=True)]
            await collection.insert_many(documents, ordered=False)
            sent = [
                await producer.send(out, one.value, key=row.id.encode()) for row, one in zip(read, records, strict=True)
            ]
            await asyncio.gather(*sent)
            await consumer.commit()
            taken += len(records)
        return len(values) / (clock.monotonic() - started)


async def _topic(at: Installation, name: str) -> str:
    await topics_admin.apply(environ=at.environ, wanted=[Topic(name=name, producer="bench", key="row", partitions=3)])
    return name


def _values(path: Path) -> list[bytes]:
    run = publish.Publication(id=clock.new_id(), file=str(path), sha256="", agency=AGENCY, kind="workers", feedback={})
    return [orjson.dumps(publish.row_event(run, row)) for row in open_list(path, "workers").rows()]


def _producer(at: Installation) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **Server(at.environ).options(),
        acks="all",
        enable_idempotence=True,
        max_batch_size=262_144,
        linger_ms=2,
    )


def _consumer(at: Installation, topic: str, group: str | None = None) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        topic,
        **Server(at.environ).options(),
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )


def _collection(at: Installation, name: str) -> Any:
    return AsyncIOMotorClient(at.environ["PAYUNG_MONGO_URL"], w="majority", journal=True)["bench"][name]


async def _produce(producer: AIOKafkaProducer, topic: str, values: Sequence[bytes]) -> None:
    await asyncio.gather(*[await producer.send(topic, one, key=b"%d" % n) for n, one in enumerate(values)])


async def _next(consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
    while True:
        batches = await consumer.getmany(timeout_ms=1000, max_records=BATCH)
        if batches:
            return [record for batch in batches.values() for record in batch]
