"""The leaders in a cluster of three, and whether the cluster is whole again. Asks Kafka and MongoDB directly."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, PyMongoError

from payung.embedded import ports
from tests import logins

_CALL_S = 20.0


async def _partitions(bootstrap: str) -> list[tuple[str, dict[str, Any]]]:
    admin = AIOKafkaAdminClient(**logins.of(bootstrap))
    await asyncio.wait_for(admin.start(), _CALL_S)
    try:
        names = await asyncio.wait_for(admin.list_topics(), _CALL_S)
        described = await asyncio.wait_for(admin.describe_topics(names), _CALL_S)
    finally:
        await admin.close()
    return [(one["topic"], partition) for one in described for partition in one["partitions"]]


async def leader(bootstrap: str, topic: str) -> str:
    """The name of the broker that leads the most partitions of a topic."""
    leads = [int(partition["leader"]) for name, partition in await _partitions(bootstrap) if name == topic]
    return ports.node("kafka", max(set(leads), key=leads.count))


async def in_sync(bootstrap: str, replicas: int = 3) -> bool:
    """Whether every replica of every partition keeps up with its leader."""
    try:
        return all(len(partition["isr"]) == replicas for _, partition in await _partitions(bootstrap))
    except (KafkaError, OSError, TimeoutError):
        return False


def _members(mongo_url: str) -> dict[str, str]:
    client: MongoClient[dict[str, Any]] = MongoClient(mongo_url, serverSelectionTimeoutMS=20_000)
    try:
        status = client.admin.command("replSetGetStatus")
        return {
            ports.node("mongo", number): str(one["stateStr"]) for number, one in enumerate(status["members"], start=1)
        }
    finally:
        client.close()


async def primary(mongo_url: str) -> str:
    """The name of the member that accepts writes."""
    states = await asyncio.to_thread(_members, mongo_url)
    return next(name for name, state in states.items() if state == "PRIMARY")


async def whole(mongo_url: str) -> bool:
    """Whether there is one primary, and every other member follows it."""
    try:
        states = await asyncio.to_thread(_members, mongo_url)
    except PyMongoError:
        return False
    return sorted(states.values()) == ["PRIMARY", "SECONDARY", "SECONDARY"]


async def step_down(mongo_url: str) -> None:
    """Makes the primary step down for half a minute: an election without a crash."""

    def ask() -> None:
        client: MongoClient[dict[str, Any]] = MongoClient(mongo_url, serverSelectionTimeoutMS=20_000)
        try:
            client.admin.command("replSetStepDown", 30)
        except AutoReconnect:  # a primary closes its connections when it steps down
            pass
        finally:
            client.close()

    await asyncio.to_thread(ask)
