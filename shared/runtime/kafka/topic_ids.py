"""Asks the broker for the ids of its topics: only the id shows that a topic was made anew under an old name.

aiokafka speaks an older version of the metadata request, without ids. So the newer version is defined here, and nothing
else.
"""

from __future__ import annotations

import asyncio
import uuid
from io import BytesIO

from aiokafka import AIOKafkaClient
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from shared.runtime.kafka.server import Server, asking, quietly
from shared.runtime.ops.guards import Standing

TIMEOUT_S = 20.0


class _Uuid(AbstractType[uuid.UUID]):  # type: ignore[misc]  # aiokafka is untyped
    @classmethod
    def encode(cls, value: uuid.UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> uuid.UUID:
        return uuid.UUID(bytes=data.read(16))


_NUMBERS = CompactArray(Int32)


class _MetadataResponse(Response):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString()),
                ("port", Int32),
                ("rack", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString()),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", _NUMBERS),
                        ("isr", _NUMBERS),
                        ("offline_replicas", _NUMBERS),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequest(RequestStruct):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", CompactString()), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _AllTopics(Request[_MetadataRequest]):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 3

    def build(self, request_struct_class: type[_MetadataRequest]) -> _MetadataRequest:
        return request_struct_class(None, False, False, {})


async def look(server: Server) -> dict[str, Standing]:
    """Every topic that this user may see, by name; Unavailable when the broker does not answer."""
    client = AIOKafkaClient(**server.options())
    try:
        with asking():
            async with asyncio.timeout(TIMEOUT_S):
                await client.bootstrap()
                answer = await client.send(client.get_random_node(), _AllTopics())
    finally:
        await quietly(client.close())
    return {
        topic: Standing(str(number), len(partitions))
        for code, topic, number, _, partitions, *_ in answer.topics
        if code == 0
    }


async def read(server: Server) -> dict[str, str]:
    """The ids alone."""
    return {name: one.id for name, one in (await look(server)).items()}
