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
from shared.contracts import envelope
from shared.contracts.envelope import Unreadable
from shared.kernel.identity import is_nik
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
        first_causes = {one.first_cause async for one in _steps(consumer, begins, ends) if one.bears(name)}
        if not first_causes:
            raise CommandError(
                f"nothing on Kafka bears the name {name!r}; intake is kept for 14 days, the services' events for ever"
            )
        causes = {one.cause async for one in _steps(consumer, begins, ends) if one.first_cause in first_causes}
        kin = Kin(name, {one for one in causes if one is not None})
        async for one in _steps(consumer, begins, ends):
            if one.first_cause in first_causes:
                kin.take(one)
    return tell(kin)


async def _steps(
    consumer: AIOKafkaConsumer, begins: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> AsyncIterator[Step]:
    letters = Letters()
    async for records in wire.between(consumer, dict(begins), ends, POLL_RECORDS, QUIET_S):
        for raw in records:
            step = _step(raw, letters)
            if step is not None:
                yield step


def _step(raw: ConsumerRecord, letters: Letters) -> Step | None:
    """What a record is; None for what is neither an event nor a dead letter."""
    record = record_of(raw)
    if raw.topic.endswith("-dlq"):
        letter = letters.take(record)
        return None if letter is None else _put_aside(letter, record)
    try:
        attributes, data, _ = envelope.attributes_of(record.value or b"", record.headers)
    except Unreadable:
        return None
    source, identifier = attributes["source"], attributes["id"]
    # What an agency says caused its event is not ours to believe.
    cause = attributes.get("causationsource"), attributes.get("causationid")
    ours = source.startswith("payung/")
    return Step(
        name=(source, identifier),
        type=attributes["type"],
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        at=datetime.fromtimestamp(raw.timestamp / 1000, UTC),
        cause=(str(cause[0]), str(cause[1])) if ours and None not in cause else None,
        first_cause=attributes.get("correlationid") or identifier,
        says=says(data, ours=ours),
    )


def _put_aside(letter: Letter, record: Record) -> Step:
    """A dead letter, caused by the event whose bytes it keeps, where that can be read."""
    try:
        attributes, data, _ = envelope.attributes_of(letter.value or b"", letter.headers)
    except Unreadable:
        attributes, data = {}, None
    known = bool(attributes)
    return Step(
        name=("dead letter", letter.id),
        type="dead letter",
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
        cause=(attributes["source"], attributes["id"]) if known else None,
        first_cause=(attributes.get("correlationid") or attributes["id"]) if known else letter.id,
        says=says(data, ours=False),
        error=letter.error,
    )
