"""Reads the events of a name from Kafka, as far as Kafka still has them.

It reads every topic three times, to keep little in memory. First it finds the events with the name. Then it finds all
events that caused something under the same first cause. Then it reads these, and the effects of each up to a limit. Of
a record it keeps only names, type and offset, and it shows nothing personal. But it reads topics with personal data, so
this is an operator's command.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from payung import wire
from payung.installations import CommandError, Installation
from payung.tracing.story import Branch, EventName, Kin, Step, shown_fields, tell
from shared.contracts import envelope, tokens
from shared.contracts.envelope import Unreadable
from shared.kernel.identity import is_nik
from shared.runtime.deadletters import Letter, Letters
from shared.runtime.records import Record, record_of
from shared.runtime.store.crypto import naming_key_from

POLL_RECORDS = 5_000
QUIET_S = 30.0


async def trace(installation: Installation, name: str) -> list[Branch]:
    """Reads Kafka; CommandError when no event has the name."""
    if is_nik(name):
        raise CommandError("a NIK names nobody here; ask for a worker_id, as the answers to a list have it")
    async with wire.reader(installation) as consumer:
        ends = await wire.ends(installation, consumer, sorted(await consumer.topics()))
        begins = await consumer.beginning_offsets(list(ends))
        key = naming_key_from(installation.environ)
        first_causes = {one.first_cause async for one in _steps(consumer, begins, ends, key) if one.bears(name)}
        if not first_causes:
            raise CommandError(
                f"nothing on Kafka bears the name {name!r}; intake is kept for 14 days, the services' events for ever"
            )
        causes = {one.cause async for one in _steps(consumer, begins, ends, key) if one.first_cause in first_causes}
        kin = Kin(name, {one for one in causes if one is not None})
        async for one in _steps(consumer, begins, ends, key):
            if one.first_cause in first_causes:
                kin.take(one)
    return tell(kin)


async def _steps(
    consumer: AIOKafkaConsumer,
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    key: bytes,
) -> AsyncIterator[Step]:
    letters = Letters()
    async for records in wire.between(consumer, dict(begins), ends, POLL_RECORDS, QUIET_S):
        for raw in records:
            step = _step(raw, letters, key)
            if step is not None:
                yield step


def _step(raw: ConsumerRecord, letters: Letters, key: bytes) -> Step | None:
    """The step in a record; None when it is neither an event nor a dead letter."""
    record = record_of(raw)
    if raw.topic.endswith("-dlq"):
        letter = letters.take(record)
        return None if letter is None else _put_aside(letter, record, key)
    try:
        attributes, data, _ = envelope.attributes_of(record.value or b"", record.headers)
    except Unreadable:
        return None
    source, identifier = attributes["source"], attributes["id"]
    ours = source.startswith("payung/")
    key = key if _names_by_key(raw.topic) else b""
    return Step(
        name=_name(source, identifier, key),
        own=identifier,
        type=attributes["type"],
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        at=datetime.fromtimestamp(raw.timestamp / 1000, UTC),
        cause=_cause(attributes, key) if ours else None,
        first_cause=tokens.shown(source, attributes.get("correlationid") or identifier, key),
        shown_fields=shown_fields(data, ours=ours),
    )


def _cause(attributes: Mapping[str, object], key: bytes) -> EventName | None:
    """The cause that one of our own events names. The cause that an agency names is not believed."""
    source, identifier = attributes.get("causationsource"), attributes.get("causationid")
    return None if source is None or identifier is None else _name(str(source), str(identifier), key)


def _name(source: str, identifier: str, key: bytes) -> EventName:
    """The name of an event as open topics have it. Only intake and feedback contain the sender's own words."""
    return EventName(source, tokens.shown(source, identifier, key))


def _names_by_key(topic: str) -> bool:
    """Whether the services of a topic name events with the key of the services that receive NIKs."""
    return not topic.startswith(("verification-", "billing-"))


def _put_aside(letter: Letter, record: Record, key: bytes) -> Step:
    """The step of a dead letter. Its cause is the event in its original bytes, when that can be read."""
    try:
        attributes, data, _ = envelope.attributes_of(letter.value or b"", letter.headers)
    except Unreadable:
        attributes, data = {}, None
    known = bool(attributes)
    key = key if _names_by_key(letter.topic) else b""
    return Step(
        name=EventName("dead letter", letter.id),
        type="dead letter",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
        cause=_name(attributes["source"], attributes["id"], key) if known else None,
        first_cause=(
            tokens.shown(attributes["source"], attributes.get("correlationid") or attributes["id"], key)
            if known
            else letter.id
        ),
        shown_fields=shown_fields(data, ours=False),
        error=letter.error,
    )
