"""Creates and checks topics from the one table (shared/contracts/topics.py)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts import topics
from shared.contracts.topics import Topic
from shared.runtime.errors import StartRefused
from shared.runtime.kafka import durability
from shared.runtime.kafka.durability import Durability
from shared.runtime.kafka.server import Server, asking, quietly

ADMIN_TIMEOUT_S = 30.0


def config_of(topic: Topic) -> dict[str, str]:
    """The topic's configuration: timestamps by the broker, retention as the table says."""
    config = {
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(topic.bytes_max + 64 * 1024),
        "retention.ms": str(topic.retention_ms),
    }
    if topic.compacted:
        config["cleanup.policy"] = "compact"
    return config


async def apply(
    where: str | Mapping[str, str] | None = None,
    wanted: Sequence[Topic] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    replicas: int | None = None,
) -> list[str]:
    """Creates missing topics and returns their names; a wrong partition count is refused, never changed. `where` is the
    address of a broker, or an environment that names it.

    Copies and min.insync.replicas are as the environment says (durability); without that, as many copies as brokers,
    three at most. `replicas` overrides the number of copies.
    """
    settings = dict(environ if environ is not None else os.environ)
    if isinstance(where, str):
        settings["PAYUNG_KAFKA"] = where
    elif where is not None:
        settings = dict(where)
    wanted = list(wanted) if wanted is not None else topics.default_topics()
    asked = Durability.of(settings)
    async with _admin(Server(settings)) as admin:
        standing = await _partitions(admin, [one.name for one in wanted])
        _refuse_mismatch(wanted, standing)
        missing = [one for one in wanted if one.name not in standing]
        copies = replicas if replicas is not None else asked.copies(await durability.brokers(admin))
        if asked.in_step(copies) > copies:
            raise StartRefused(
                f"{durability.MIN_INSYNC}={asked.min_insync} of {copies} copies: nothing could be written"
            )
        in_step = {durability.SETTING: str(asked.in_step(copies))}
        if asked.min_insync is not None:
            await durability.raise_in_step(admin, dict.fromkeys(standing, asked.min_insync))
        made = []
        # Created in order: a feedback topic exists before the intake that needs it.
        for chunk in (missing[at : at + 50] for at in range(0, len(missing), 50)):
            new = [
                NewTopic(
                    name=one.name,
                    num_partitions=one.partitions,
                    replication_factor=copies,
                    topic_configs={**config_of(one), **in_step},
                )
                for one in chunk
            ]
            answer = await asyncio.wait_for(admin.create_topics(new), ADMIN_TIMEOUT_S)
            for name, code, *rest in answer.topic_errors:
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:
                    raise StartRefused(f"topic {name} could not be made: {rest[0] if rest else error.__name__}")
                made.append(name)
        return made


@contextlib.asynccontextmanager
async def _admin(server: Server) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client that is started, and closed within a time limit whatever happened to the broker."""
    admin = AIOKafkaAdminClient(**server.options())
    try:
        with asking():
            await asyncio.wait_for(admin.start(), ADMIN_TIMEOUT_S)
            yield admin
    finally:
        await quietly(admin.close())


async def partitions(server: Server, names: Sequence[str]) -> dict[str, int]:
    """How many partitions each of these topics has; missing topics are left out."""
    async with _admin(server) as admin:
        return await _partitions(admin, names)


async def committed(server: Server, group: str) -> dict[TopicPartition, int]:
    """The offsets that a group has committed; partitions without one are left out."""
    async with _admin(server) as admin:
        found = await asyncio.wait_for(admin.list_consumer_group_offsets(group), ADMIN_TIMEOUT_S)
    return {partition: int(one.offset) for partition, one in found.items() if one.offset >= 0}


class ExistingTopics:
    """Which topics exist, for a writer. The broker is asked once per topic, because topics are not removed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: set[str] = set()

    async def lacking(self, names: Collection[str]) -> set[str]:
        """Those of these topics that do not exist; raises Unavailable when the broker does not answer."""
        if new := set(names) - self._known:
            self._known |= (await partitions(Server(self._environ), sorted(new))).keys()
        return set(names) - self._known


async def check(server: Server, wanted: Sequence[Topic], reads: str = "", asked: Durability | None = None) -> None:
    """Refuses to start when a topic is missing, differs in its partition count from the table, or may be lost with one
    disk (unless `asked` accepts one broker).

    Checks the topics of `wanted`, and those of every agency whose intake exists and matches `reads`, a pattern.
    """
    async with _admin(server) as admin:
        names = await asyncio.wait_for(admin.list_topics(), ADMIN_TIMEOUT_S)
        of_agencies = _of_agencies([name for name in names if reads and re.match(reads, name)])
        standing = await _partitions(admin, [one.name for one in (*wanted, *of_agencies)])
        if asked is not None and not asked.one_broker:
            await durability.require(admin, list(standing))
    missing = [one.name for one in wanted if one.name not in standing]
    if missing:
        raise StartRefused(f"Kafka has no topic {', '.join(missing)}; make them with: payung topics apply")
    # Without a feedback topic an agency cannot be answered, and its first answer would block every other agency's.
    mute = [one.name for one in of_agencies if one.name not in standing]
    if mute:
        raise StartRefused(
            f"Kafka has no topic {', '.join(mute)} although the agency's intake exists; make it with: payung agency add"
        )
    _refuse_mismatch([*wanted, *of_agencies], standing)


def _of_agencies(names: Sequence[str]) -> list[Topic]:
    """The topics by the table for the agencies that own these intake topics."""
    found: dict[str, Topic] = {}
    for name in names:
        agency = topics.agency_of_topic(name)
        if agency is not None:
            pair = topics.agency_topics(*agency, claims=name == topics.claims_intake(*agency))
            found.update({one.name: one for one in pair})
    return list(found.values())


async def rewind(server: Server, group: str, names: Sequence[str]) -> None:
    """Makes a group without live members read these topics from their beginning; raises Unavailable while it has
    members."""
    if not names:
        return
    counts = await partitions(server, names)
    consumer = AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **server.options())
    try:
        with asking():
            await asyncio.wait_for(consumer.start(), ADMIN_TIMEOUT_S)
            places = {TopicPartition(name, number): 0 for name, count in counts.items() for number in range(count)}
            consumer.assign(list(places))
            await asyncio.wait_for(consumer.commit(places), ADMIN_TIMEOUT_S)
    finally:
        await quietly(consumer.stop())


async def _partitions(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    listed = set(await asyncio.wait_for(admin.list_topics(), ADMIN_TIMEOUT_S))
    present = [name for name in names if name in listed]
    if not present:
        return {}
    described = await asyncio.wait_for(admin.describe_topics(present), ADMIN_TIMEOUT_S)
    return {one["topic"]: len(one["partitions"]) for one in described}


def _refuse_mismatch(wanted: Sequence[Topic], standing: Mapping[str, int]) -> None:
    for one in wanted:
        found = standing.get(one.name)
        if found is not None and found != one.partitions:
            raise StartRefused(
                f"topic {one.name} has {found} partitions; {one.partitions} keep each key's order. Not changed"
            )
