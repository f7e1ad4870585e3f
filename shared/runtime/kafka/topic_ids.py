"""Asks the broker for the ids of its topics: only the id shows that a topic was made anew under an old name."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaClient

from shared.runtime.kafka.patches import AllTopics
from shared.runtime.kafka.server import Server, asking, quietly
from shared.runtime.ops.guards import TopicAtBroker

TIMEOUT_S = 20.0


async def look(server: Server) -> dict[str, TopicAtBroker]:
    """Every topic that this user may see, by name; Unavailable when the broker does not answer."""
    client = AIOKafkaClient(**server.options())
    try:
        with asking():
            async with asyncio.timeout(TIMEOUT_S):
                await client.bootstrap()
                answer = await client.send(client.get_random_node(), AllTopics())
    finally:
        await quietly(client.close())
    return {
        topic: TopicAtBroker(str(number), len(partitions))
        for code, topic, number, _, partitions, *_ in answer.topics
        if code == 0
    }


async def read(server: Server) -> dict[str, str]:
    """The ids alone."""
    return {name: one.id for name, one in (await look(server)).items()}
