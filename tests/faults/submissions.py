"""Registrations as an agency writes them, directly to the broker, and what must be true of them at the end.

The checker judges. This file adds only what the checker cannot know: which submissions must arrive.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient

from payung.demo.population import Inhabitant
from shared.contracts import topics
from tests.faults import checker
from tests.faults.observed import distinct
from tests.faults.reading import observe
from tests.faults.world import SERVICES, World

REGENCY, AGENCY = "64.08", "dinsos"
INTAKE = topics.registration_intake(REGENCY, AGENCY)
FEEDBACK = topics.feedback(REGENCY, AGENCY)
SOURCE = f"agency/{REGENCY}/{AGENCY}"


def registration(person: Inhabitant, identifier: str, *, source: str = SOURCE, **fields: Any) -> bytes:
    """One worker.register.v1; `fields` change its data."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": identifier,
            "source": source,
            "type": "worker.register.v1",
            "time": "2026-01-05T08:00:00+08:00",
            "datacontenttype": "application/json",
            "data": {
                "submission_id": f"SUB-{identifier}",
                "nik": person.nik,
                "name": person.name,
                "birth_date": person.birth_date.isoformat(),
                "sex": person.sex,
                "village": person.village,
                "sector": person.sector,
                "occupation": person.occupation,
                "consent": {"given_at": "2026-01-04", "method": "form"},
                **fields,
            },
        }
    )


async def send(
    world: World,
    values: Sequence[bytes | None],
    *,
    topic: str = INTAKE,
    key: bytes | None = None,
    headers: Sequence[tuple[str, bytes | None]] = (),
    stamps_ms: Sequence[int] = (),
) -> None:
    """Writes records with all acks, past the proxy."""
    async with AIOKafkaProducer(
        bootstrap_servers=world.kafka, acks="all", enable_idempotence=True, max_request_size=4 * 1024 * 1024
    ) as producer:
        acks = [
            await producer.send(
                topic,
                value,
                # A repeat goes to the original's partition; only there the two have an order.
                key=key if key is not None else b"%d" % zlib.crc32(value or b""),
                headers=list(headers),
                timestamp_ms=stamps_ms[number] if stamps_ms else None,
            )
            for number, value in enumerate(values)
        ]
        for ack in acks:
            await ack


async def submit(world: World, prefix: str, count: int, chunk: int = 50) -> list[str]:
    """Registers new people in chunks, so that there are several batches. Returns the ids."""
    people = world.people(count)
    identifiers = [f"{prefix}-{number}" for number in range(count)]
    values = [registration(one, name) for one, name in zip(people, identifiers, strict=True)]
    for at in range(0, count, chunk):
        await send(world, values[at : at + chunk])
    return identifiers


async def holds(world: World, identifiers: Sequence[str], within_s: float = 180.0) -> checker.Report:
    """Asserts that the lag returns to zero without help, that every law holds over everything so far, and that these
    submissions are settled."""
    report = await checker.check_when_quiet(world.kafka, world.mongo_url, None, SERVICES, within_s=within_s)
    settled = {one["data"]["submission_id"] for one in await said(world, "submission.settled.v1")}
    missing = [one for one in identifiers if f"SUB-{one}" not in settled]
    assert not missing, f"{len(missing)} submissions were never settled: {missing[:5]}"
    return report


async def begun(world: World, prefix: str) -> bool:
    """Whether registration has begun to take one of these submissions."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(world.mongo_url)
    try:
        return bool(await client["payung_registration"]["_names"].find_one({"_id": {"$regex": prefix}}))
    finally:
        await client.close()


async def said(world: World, kind: str, feedback: str = FEEDBACK) -> list[Mapping[str, Any]]:
    """An agency's feedback events of one type, each once."""
    return distinct(await observe(world.kafka, world.mongo_url, None, ()), feedback, kind)


async def digest(world: World) -> dict[str, Any]:
    """Everything that follows from the inputs: each document's version, inputs, outcome ids and plain fields."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(world.mongo_url)
    found: dict[str, Any] = {}
    try:
        for service in SERVICES:
            database = client[f"payung_{service}"]
            for name in await database.list_collection_names():
                async for one in database[name].find({"inputs": {"$exists": True}}):
                    inputs = [(taken["n"], taken["h"], [made["i"] for made in taken["o"]]) for taken in one["inputs"]]
                    plain = {key: value for key, value in one["state"].items() if isinstance(value, str | int)}
                    found[f"{service}/{name}/{one['_id']}"] = (one["version"], inputs, plain)
    finally:
        await client.close()
    return found
