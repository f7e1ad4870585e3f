"""Difficult inputs: sent twenty times, all under one key, unreadable, or refused by the broker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from typing import Any

import bson
import orjson
import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from pymongo import AsyncMongoClient

from shared.contracts import topics
from tests.faults.observed import Seen
from tests.faults.processes import Service, eventually
from tests.faults.reading import lags, observe
from tests.faults.submissions import SOURCE, digest, holds, registration, said, send, submit
from tests.faults.world import World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]
REGENCY = "64.08"
HOT = 3_000
# A quarter of MongoDB's limit: published outcomes are removed from the document; names of inputs stay.
HOT_DOCUMENT_BYTES_MAX = 4 * 1024 * 1024


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("inputs"), instance="") as world:
        yield world


async def test_duplicate_storm(world: World, services: list[Service]) -> None:
    people = world.people(500)
    identifiers = [f"storm-{number}" for number in range(len(people))]
    values = [registration(one, name) for one, name in zip(people, identifiers, strict=True)]
    await send(world, values)
    await holds(world, identifiers)
    before = await digest(world)
    for _ in range(19):
        random.shuffle(values)
        await send(world, values)
    report = await holds(world, identifiers)
    assert report.counts["intake"] >= 20 * len(values)
    assert await digest(world) == before


async def test_a_hot_key(world: World, services: list[Service]) -> None:
    """An agency sends thousands of changes of one worker under one key, beside other agencies' people. The document
    grows and its partition is busy, but the rows of other agencies do not wait for them."""
    (hot,) = world.people(1)
    # It is one submission, so it is settled once; each of its events is a row with its own answer.
    values = [
        registration(hot, f"hot-{number}", submission_id="SUB-hot", monthly_income=1_000_000 + number)
        for number in range(HOT)
    ]
    other = "perikanan"
    people = world.people(200)
    mine = [f"beside-{number}" for number in range(len(people))]
    beside = [
        registration(one, name, source=f"agency/{REGENCY}/{other}") for one, name in zip(people, mine, strict=True)
    ]
    feedback = topics.feedback(REGENCY, other)
    await send(world, values[: HOT // 2], key=b"hot")
    await send(world, beside, topic=topics.registration_intake(REGENCY, other))
    await send(world, values[HOT // 2 :], key=b"hot")

    async def answered() -> bool:
        found = {one["data"]["submission_id"] for one in await said(world, "submission.answered.v1", feedback)}
        return found >= {f"SUB-{name}" for name in mine}

    await eventually(answered, 120, "the others are answered")
    await holds(world, ["hot"], 300)
    settled = {one["data"]["submission_id"] for one in await said(world, "submission.settled.v1", feedback)}
    assert settled >= {f"SUB-{name}" for name in mine}
    # The last event of a key decides, and all were taken in turn.
    (document,) = [one for one in await _documents(world, "workers") if one["version"] > HOT]
    assert document["state"]["form"]["monthly_income"] == 1_000_000 + HOT - 1
    assert len(bson.encode(document)) < HOT_DOCUMENT_BYTES_MAX
    assert all(one.running() for one in services)


async def _documents(world: World, collection: str) -> list[dict[str, Any]]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(world.mongo_url)
    try:
        return await client["payung_registration"][collection].find({}).to_list(None)
    finally:
        await client.close()


# -- records that cannot be read, and records without sense
# -----------------------------------------------------------------


def _nested(levels: int) -> object:
    found: object = 1
    for _ in range(levels):
        found = [found]
    return found


def _envelope(identifier: str, **changed: object) -> bytes:
    made = {"specversion": "1.0", "id": identifier, "source": SOURCE, "type": "worker.register.v1", "data": {}}
    return orjson.dumps({name: value for name, value in {**made, **changed}.items() if value != "gone"})


# By the contract (1) these records cannot be read at all and become dead letters.
UNREADABLE: Sequence[bytes | None] = (
    None,
    b"",
    b"\0",
    b"\0" * 1_000,
    b"not json",
    b"{",
    b'{"id": "x"} trailing',
    b"\xff\xfe\xfd",
    b"\xef\xbb\xbf{}",
    b'{"specversion":"1.0","id":"latin","source":"' + SOURCE.encode() + b'","type":"worker.register.v1","data":"\xe9"}',
    b"[" * 100_000,
    b"[" * 50_000 + b"]" * 50_000,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b"NaN",
    b"null",
    b"[]",
    b'"text"',
    b"12",
    b"{}",
    b"1" * 10_000,
    _envelope("gone", id="gone"),
    _envelope("p-empty", id=""),
    _envelope("p-number", id=7),
    _envelope("p-null", id=None),
    _envelope("p-no-source", source="gone"),
    _envelope("p-no-type", type="gone"),
    _envelope("p-type", type="worker.unknown.v1"),
    _envelope("p-claim", type="claim.submit.v1"),
    _envelope("p-ours", type="worker.registered.v1"),
    _envelope("p-version", specversion="0.3"),
    _envelope("p-no-version", specversion="gone"),
    _envelope("p-time", time="yesterday"),
    _envelope("p-naive", time="2026-01-05T08:00:00"),
    _envelope("p-foreign", source="agency/64.08/perikanan"),
    _envelope("p-service", source="payung/registration"),
    _envelope("p-deep", data=_nested(17)),
    _envelope("p-deep-attribute", extension=_nested(17)),
    _envelope("p-long", data={"name": "x" * 4_001}),
    _envelope("p-long-key", data={"x" * 4_001: 1}),
    _envelope("p-wide", data={"many": ["y" * 3_000] * 90}),
    _envelope("x" * 4_001),
)
# These can be read: the service judges any `data` and answers.
READABLE: Sequence[bytes] = (
    _envelope("r-empty"),
    _envelope("r-none", data="gone"),
    _envelope("r-null", data=None),
    _envelope("r-list", data=[]),
    _envelope("r-text", data="text"),
    _envelope("r-number", data=12),
    _envelope("r-nul\0nul", data={"submission_id": "a\0b", "name": "A\0B", "nik": "64\0"}),
    _envelope("r-emoji \U0001f680", data={"submission_id": "\U0001f680", "name": "\U0001f680" * 100}),
    _envelope("r-negative", data={"submission_id": -1, "monthly_income": -(2**63)}),
    _envelope("r-float", data={"submission_id": 1.5, "monthly_income": 1e300}),
    _envelope("r-nested", data={"submission_id": {"a": [1]}, "nik": [[]], "name": {}, "consent": [], "heir": 1}),
    _envelope("r-dollar", data={"submission_id": "s", "$set": {"a.b": 1}, "": "", "a.b": 1, "__proto__": 1}),
    _envelope("r-dates", data={"birth_date": "0000-00-00", "consent": {"given_at": "9999-99-99"}}),
    _envelope("r-full", data={"name": "x" * 4_000, "address": "y" * 4_000}),
    _envelope("r-huge", data={"monthly_income": 0}).replace(b'"monthly_income":0', b'"monthly_income":' + b"9" * 200),
    _envelope("r-over-64", data={"nik": 0}).replace(b'"nik":0', b'"nik":18446744073709551616'),
    _envelope("r-scientific", data={"nik": 0}).replace(b'"nik":0', b'"nik":6.40E+15'),
)


@pytest.mark.ci
async def test_poison_corpus(world: World, services: list[Service]) -> None:
    aside, answers = await _put_aside(world), len(await said(world, "submission.answered.v1"))
    sound = world.people(20)
    identifiers = [f"sound-{number}" for number in range(len(sound))]
    mixed = [*UNREADABLE, *READABLE, *(registration(one, name) for one, name in zip(sound, identifiers, strict=True))]
    random.shuffle(mixed)
    await send(world, mixed)
    await holds(world, identifiers)
    letters = (await _put_aside(world))[len(aside) :]
    answered = len(await said(world, "submission.answered.v1")) - answers
    assert sorted(one.value or b"" for one in letters) == sorted(one or b"" for one in UNREADABLE)
    assert answered == len(READABLE) + len(sound)
    assert all(one.running() for one in services)


async def test_odd_headers_in_binary_mode(world: World, services: list[Service]) -> None:
    aside = await _put_aside(world)
    base = [("ce_specversion", b"1.0"), ("ce_id", b"h-1"), ("ce_source", SOURCE.encode())]
    kind = ("ce_type", b"worker.register.v1")
    odd: Sequence[Sequence[tuple[str, bytes | None]]] = (
        [*base, ("ce_type", b"\xff\xfe")],
        [*base],
        [*base, kind, ("ce_time", b"\0")],
        [("ce_specversion", b""), ("ce_id", b""), kind],
        [*base, kind, ("ce_source", b"agency/64.02/dinsos")],
        [*base, ("ce_type", None)],
    )
    for headers in odd:
        await send(world, [b'{"submission_id":"h"}'], headers=headers)
    # Strange but harmless headers: unknown, repeated, without a name.
    person = world.people(1)[0]
    strange = [("", b""), ("x", b"\xff" * 100), ("x", b"1"), ("content-type", None), ("dlq_id", b"mine")]
    await send(world, [registration(person, "strange")], headers=strange)
    await holds(world, ["strange"])
    letters = (await _put_aside(world))[len(aside) :]
    assert len(letters) == len(odd)
    assert all(one.value == b'{"submission_id":"h"}' for one in letters)
    kept = [{name: value for name, value in one.headers.items() if name.startswith("ce_")} for one in letters]
    assert sorted(map(str, kept)) == sorted(str(dict(one)) for one in odd)


async def _put_aside(world: World) -> list[Seen]:
    found = await observe(world.kafka, world.mongo_url, None, ())
    return [one for one in found.records if one.topic == topics.dead_letters("registration")]


# -- a publish that the broker refuses ------------------------------------------------------------------------------


@pytest.mark.ci
async def test_a_refused_batch_does_not_poison_the_partition(world: World, services: list[Service]) -> None:
    name = topics.events("registration")
    # The broker checks sequence numbers only for a producer that has written to the partition. So write to all
    # partitions first.
    await holds(world, await submit(world, "before-the-gap", 100))
    await _limit(world, name, 500)
    try:
        identifiers = await submit(world, "gap", 60)
        await eventually(
            lambda: services[0].said().count("publish failed, MessageSizeTooLargeError") >= 2, 60, "a refused publish"
        )
    finally:
        await _limit(world, name, topics.RECORD_BYTES_MAX + 64 * 1024)
    more = await submit(world, "past-the-gap", 60)
    await holds(world, identifiers + more)
    assert all(one.running() for one in services)


async def test_nothing_is_settled_while_the_dead_letter_topic_refuses_records(
    world: World, services: list[Service]
) -> None:
    name = topics.dead_letters("registration")
    aside = await _put_aside(world)
    await _limit(world, name, 10)
    try:
        await send(world, [b"unreadable, and nowhere to put it"])
        await eventually(lambda: "publish failed, Message" in services[0].said(), 60, "a dead letter that is refused")
        # This later record waits: a commit may not pass a record before it is answered or put aside.
        identifiers = await submit(world, "behind", 30)
        await asyncio.sleep(3)
        behind = (await lags(world.kafka, ["registration"]))["registration"]
        assert sum(behind.values()) >= 1 + len(identifiers)
    finally:
        await _limit(world, name, topics.DEAD_LETTER_BYTES_MAX + 64 * 1024)
    await holds(world, identifiers)
    assert [one.value for one in (await _put_aside(world))[len(aside) :]] == [b"unreadable, and nowhere to put it"]
    assert all(one.running() for one in services)


async def _limit(world: World, topic: str, size: int) -> None:
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    client = AdminClient({"bootstrap.servers": world.kafka})
    changed = client.incremental_alter_configs([resource])
    await asyncio.to_thread(lambda: [one.result(30) for one in changed.values()])
