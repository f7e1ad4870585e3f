"""Reads what a name is about from Kafka, as far as it is still there.

Every topic is read three times, so that little of them is held: for what bears the name; for all that caused something
under the same first cause; then for these, and the effects of each up to a number. Of a record only names, type and
place are kept and nothing personal is shown; but topics that hold it are read, so this is an operator's command.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from payung import wire
from payung.place import CommandError, Place
from payung.tracing.story import Branch, Kin, Step, says, tell
from shared.contracts import envelope, tokens
from shared.contracts.envelope import Unreadable
from shared.kernel.identity import is_nik
from shared.runtime.crypto import naming_key_from
from shared.runtime.deadletters import Letter, Letters
from shared.runtime.pipeline import Record, record_of

POLL_RECORDS = 5_000
QUIET_S = 30.0


async def trace(place: Place, name: str) -> list[Branch]:
    """Reads Kafka; CommandError when nothing bears the name."""
    if is_nik(name):
        raise CommandError("a NIK names nobody here; ask for a worker_id, as the answers to a list have it")
    async with wire.reader(place) as consumer:
        ends = await wire.ends(place, consumer, sorted(await consumer.topics()))
        begins = await consumer.beginning_offsets(list(ends))
        key = naming_key_from(place.environ)
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
    """What a record is; None for what is neither an event nor a dead letter."""
    record = record_of(raw)
    if raw.topic.endswith("-dlq"):
        letter = letters.take(record)
        return None if letter is None else _put_aside(letter, record, key)
    try:
        attributes, data, _ = envelope.attributes_of(record.value or b"", record.headers)
    except Unreadable:
        return None
    source, identifier = attributes["source"], attributes["id"]
    # What an agency says caused its event is not ours to believe.
    cause = attributes.get("causationsource"), attributes.get("causationid")
    ours = source.startswith("payung/")
    key = key if _names_by_key(raw.topic) else b""
    caused = None if None in cause or not ours else _name(str(cause[0]), str(cause[1]), key)
    return Step(
        name=_name(source, identifier, key),
        own=identifier,
        type=attributes["type"],
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        at=datetime.fromtimestamp(raw.timestamp / 1000, UTC),
        cause=caused,
        first_cause=tokens.shown(source, attributes.get("correlationid") or identifier, key),
        says=says(data, ours=ours),
    )


def _name(source: str, identifier: str, key: bytes) -> tuple[str, str]:
    """The name of an event as open topics have it: its sender's own words stand in intake and feedback only."""
    return source, tokens.shown(source, identifier, key)


def _names_by_key(topic: str) -> bool:
    """Whether the services behind a topic name events by the key of those who take a NIK in."""
    return not topic.startswith(("verification-", "billing-"))


def _put_aside(letter: Letter, record: Record, key: bytes) -> Step:
    """A dead letter, caused by the event whose bytes it keeps, where that can be read."""
    try:
        attributes, data, _ = envelope.attributes_of(letter.value or b"", letter.headers)
    except Unreadable:
        attributes, data = {}, None
    known = bool(attributes)
    key = key if _names_by_key(letter.topic) else b""
    return Step(
        name=("dead letter", letter.id),
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
        says=says(data, ours=False),
        error=letter.error,
    )
