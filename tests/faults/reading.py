"""Reads Kafka, MongoDB and the dashboard for the checker, with the drivers themselves.

It shares no code with the services, `shared/` or the command line, so that a mistake in the product's readers cannot
hide here.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from tests import logins
from tests.faults.observed import SUBSCRIPTIONS, Observed, Seen

OURS = re.compile(
    r"(registration|claims)-intake-.+|(billing|verification)-intake|identity-checks|feedback-.+|reporting-coverage"
    r"|(registration|verification|billing|claims|reporting)-(events|work|dlq)"
)
# Collections of MongoDB and of the shell; every other collection of a service holds aggregates.
_NOT_AGGREGATES = re.compile(r"system\..*|_.*")
# Reference rows (the snapshot, policies) are beside the aggregates and have no inputs.
_AGGREGATE = {"version": {"$exists": True}, "inputs": {"$exists": True}}
_CALL_S = 30.0
_PAGE_WITHIN_S = 60.0


async def observe(bootstrap: str, mongo_url: str, reporting_url: str | None, services: Iterable[str]) -> Observed:
    """Reads everything. Wait for `quiet` first: data that still change are seen as of the moment when they are read."""
    services = list(services)
    found = Observed(records=await read_all(bootstrap))
    found.lags = await lags(bootstrap, services)
    found.documents, found.journals = await asyncio.to_thread(_stores, mongo_url, services)
    if reporting_url is not None:
        for regency, period in sorted(_billed_periods(found)):
            found.figures[regency, period] = await asyncio.to_thread(_totals, reporting_url, regency, period)
    return found


def _billed_periods(found: Observed) -> set[tuple[str, str]]:
    return {
        (str(one.event["data"]["regency"]), str(one.event["data"]["period"]))
        for one in found.of("billing-events")
        if one.event is not None and one.event["type"] == "billing.run-completed.v1"
    }


# -- Kafka --------------------------------------------------------------------------------------------------------


async def read_all(bootstrap: str) -> list[Seen]:
    """Every record of each of our topics, up to the ends at the time of the call."""
    partitions = await _partitions(bootstrap)
    consumer = AIOKafkaConsumer(
        **logins.of(bootstrap), enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=100
    )
    await asyncio.wait_for(consumer.start(), _CALL_S)
    try:
        consumer.assign(partitions)
        ends = await asyncio.wait_for(consumer.end_offsets(partitions), _CALL_S)
        await consumer.seek_to_beginning()
        left = {at for at in partitions if ends[at] > 0}
        seen: list[Seen] = []
        until = time.monotonic() + 120
        while left:
            assert time.monotonic() < until, f"the checker cannot read {sorted(map(str, left))} to the end"
            batches = await consumer.getmany(*left, timeout_ms=500, max_records=5_000)
            seen += [_seen(one) for records in batches.values() for one in records]
            left = {at for at in left if await consumer.position(at) < ends[at]}
        return seen
    finally:
        await _stopped(consumer.stop())


def _seen(raw: Any) -> Seen:
    event = None
    try:
        loaded = json.loads(raw.value)
        if isinstance(loaded, dict) and {"id", "source", "type"} <= loaded.keys():
            event = loaded
    except (TypeError, ValueError, RecursionError):
        pass
    return Seen(raw.topic, raw.partition, raw.offset, raw.value, dict(raw.headers), event)


async def _partitions(bootstrap: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(**logins.of(bootstrap))
    await asyncio.wait_for(admin.start(), _CALL_S)
    try:
        names = sorted(filter(OURS.fullmatch, await asyncio.wait_for(admin.list_topics(), _CALL_S)))
        described = await asyncio.wait_for(admin.describe_topics(names), _CALL_S)
    finally:
        await _stopped(admin.close())
    found = [TopicPartition(one["topic"], at["partition"]) for one in described for at in one["partitions"]]
    # When no topic is seen, records may still wait; then no law may pass.
    assert found, "the checker sees no topics"
    return found


async def grown(bootstrap: str, topic: str, within_s: float = 60.0) -> None:
    """Waits until a topic has more records than at the call."""
    partitions = [at for at in await _partitions(bootstrap) if at.topic == topic]
    consumer = AIOKafkaConsumer(**logins.of(bootstrap), enable_auto_commit=False)
    await asyncio.wait_for(consumer.start(), _CALL_S)
    try:
        consumer.assign(partitions)
        before = await asyncio.wait_for(consumer.end_offsets(partitions), _CALL_S)
        async with asyncio.timeout(within_s):
            while await consumer.end_offsets(partitions) == before:  # noqa: ASYNC110  # a broker sends no event
                await asyncio.sleep(0.02)
    finally:
        await _stopped(consumer.stop())


async def lags(bootstrap: str, services: Iterable[str]) -> dict[str, dict[str, int]]:
    """By service: the records that its group has not committed, by topic and partition; empty when caught up."""
    partitions = await _partitions(bootstrap)
    admin = AIOKafkaAdminClient(**logins.of(bootstrap))
    consumer = AIOKafkaConsumer(**logins.of(bootstrap), enable_auto_commit=False)
    await asyncio.wait_for(asyncio.gather(admin.start(), consumer.start()), _CALL_S)
    try:
        consumer.assign(partitions)
        committed = {}
        # Read the commits first: a commit in between can only make the lag look larger.
        for service in services:
            committed[service] = await asyncio.wait_for(admin.list_consumer_group_offsets(f"payung-{service}"), _CALL_S)
        ends = await asyncio.wait_for(consumer.end_offsets(partitions), _CALL_S)
    finally:
        await asyncio.gather(_stopped(admin.close()), _stopped(consumer.stop()))
    return {service: _behind(SUBSCRIPTIONS[service], offsets, ends) for service, offsets in committed.items()}


def _behind(
    reads: re.Pattern[str], committed: Mapping[TopicPartition, Any], ends: Mapping[TopicPartition, int]
) -> dict[str, int]:
    done = {at: max(0, one.offset) for at, one in committed.items()}
    return {
        f"{at.topic}/{at.partition}": end - done.get(at, 0)
        for at, end in ends.items()
        if reads.fullmatch(at.topic) and end != done.get(at, 0)
    }


async def _stopped(stopping: Coroutine[Any, Any, Any]) -> None:
    """Stops a client within a bound. It ignores errors, because the reading is over and the broker may be dead."""
    task = asyncio.ensure_future(stopping)
    await asyncio.wait({task}, timeout=_CALL_S)
    if not task.cancel() and not task.cancelled():
        task.exception()


# -- MongoDB and HTTP -----------------------------------------------------------------------------------------------


def _stores(
    mongo_url: str, services: Sequence[str]
) -> tuple[dict[str, dict[str, list[dict[str, Any]]]], dict[str, int]]:
    documents: dict[str, dict[str, list[dict[str, Any]]]] = {}
    journals: dict[str, int] = {}
    client: MongoClient[dict[str, Any]] = MongoClient(mongo_url, serverSelectionTimeoutMS=20_000, tz_aware=True)
    try:
        for service in services:
            database = client.get_database(f"payung_{service}", read_concern=ReadConcern("majority"))
            journals[service] = database["_journal"].count_documents({})
            names = [name for name in database.list_collection_names() if not _NOT_AGGREGATES.fullmatch(name)]
            documents[service] = {name: list(database[name].find(_AGGREGATE)) for name in names}
    finally:
        client.close()
    return documents, journals


def _open(mongo_url: str, services: Sequence[str]) -> dict[str, int]:
    """The open work in the stores: due work whose time has come, and journal entries."""
    client: MongoClient[dict[str, Any]] = MongoClient(mongo_url, serverSelectionTimeoutMS=20_000, tz_aware=True)
    found = {}
    try:
        now = client.admin.command("hello")["localTime"]
        for service in services:
            database = client[f"payung_{service}"]
            names = [name for name in database.list_collection_names() if not _NOT_AGGREGATES.fullmatch(name)]
            found[f"{service}'s due work"] = sum(database[n].count_documents({"due.at": {"$lte": now}}) for n in names)
            found[f"{service}'s journals"] = database["_journal"].count_documents({})
    finally:
        client.close()
    return {what: count for what, count in found.items() if count}


def _totals(reporting_url: str, regency: str, period: str) -> dict[str, int]:
    """The totals. It asks again while nobody listens, because reporting may be restarting."""
    url = f"{reporting_url}/v1/coverage?regency={regency}&period={period}&format=json"
    until = time.monotonic() + _PAGE_WITHIN_S
    while True:
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as answer:
                totals: dict[str, int] = json.load(answer)["totals"]
        except urllib.error.URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return totals


async def quiet(
    bootstrap: str, mongo_url: str, services: Sequence[str], within_s: float, *, journals: bool = True
) -> float:
    """Waits until no service has lag, due work or an open journal entry, twice in a row (a paused process may keep its
    entry). Returns the seconds it took. AssertionError says what still moves."""
    started = time.monotonic()
    calm = 0
    while calm < 2:
        moving: dict[str, Any]
        try:
            moving = {name: behind for name, behind in (await lags(bootstrap, services)).items() if behind}
            owed = await asyncio.to_thread(_open, mongo_url, services)
            moving |= {what: count for what, count in owed.items() if journals or not what.endswith("journals")}
        except (KafkaError, PyMongoError, OSError, TimeoutError) as error:
            moving = {"no answer": type(error).__name__}
        calm = calm + 1 if not moving else 0
        assert time.monotonic() - started < within_s, f"not all at rest within {within_s:.0f} s: {moving}"
        await asyncio.sleep(0.3)
    return time.monotonic() - started
