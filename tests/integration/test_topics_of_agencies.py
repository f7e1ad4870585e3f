"""A service starts only when every agency whose intake it reads can be answered, and the order of its keys is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts import topics
from shared.contracts.topics import Topic
from shared.runtime.errors import StartRefused
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.consumer import pattern_of
from shared.runtime.kafka.server import Server

pytestmark = pytest.mark.connected

FEEDBACK, INTAKE = topics.agency_topics("64.97", "uji", claims=False)
READS = pattern_of(["^registration-intake-6497-.*"])


@pytest.fixture
async def made(kafka: str) -> AsyncIterator[list[Topic]]:
    """The topics that a test makes; they are deleted afterwards, because other tests read agencies' topics by
    pattern.
    """
    found: list[Topic] = []
    yield found
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    names = {one.name for one in found}
    await admin.delete_topics(sorted(names))
    async with asyncio.timeout(30):
        while names & set(await admin.list_topics()):  # noqa: ASYNC110  # a broker sends no event
            await asyncio.sleep(0.05)
    await admin.close()


async def make(kafka: str, made: list[Topic], wanted: Sequence[Topic]) -> Server:
    await topics_admin.apply(kafka, wanted)
    made += wanted
    counts = {one.name: one.partitions for one in wanted}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    async with asyncio.timeout(30):
        # A broker shows a new topic a moment after it has answered that the topic is made.
        while await _standing(admin, counts) != counts:  # noqa: ASYNC110  # a broker sends no event
            await asyncio.sleep(0.05)
    await admin.close()
    return Server({"PAYUNG_KAFKA": kafka})


async def _standing(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    found = await admin.describe_topics(list(names))
    return {one["topic"]: len(one["partitions"]) for one in found if not one["error_code"]}


async def test_an_agency_with_both_its_topics_is_taken(kafka: str, made: list[Topic]) -> None:
    await topics_admin.check(await make(kafka, made, [FEEDBACK, INTAKE]), [], READS)


async def test_an_agency_that_cannot_be_answered_is_refused(kafka: str, made: list[Topic]) -> None:
    server = await make(kafka, made, [INTAKE])
    with pytest.raises(StartRefused, match=r"no topic feedback-6497-uji .*payung agency add"):
        await topics_admin.check(server, [], READS)
    await topics_admin.check(server, [], pattern_of(["^claims-intake-.*"]))


@pytest.mark.parametrize(("odd", "count"), [(INTAKE, 5), (FEEDBACK, 2)])
async def test_an_agency_with_another_partition_count_than_the_table_is_refused(
    kafka: str, made: list[Topic], odd: Topic, count: int
) -> None:
    pair = [replace(one, partitions=count) if one is odd else one for one in (FEEDBACK, INTAKE)]
    server = await make(kafka, made, pair)
    with pytest.raises(StartRefused, match=rf"topic {odd.name} has {count} partitions; {odd.partitions} keep"):
        await topics_admin.check(server, [], READS)
