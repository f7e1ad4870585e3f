"""Reads a dead-letter topic by filters, from the first letter that can fit, one poll of records at a time."""

from __future__ import annotations

import fnmatch
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from payung import wire
from payung.dlq import masking
from payung.installations import CommandError, Installation
from payung.options import moment
from shared.contracts import envelope, topics
from shared.runtime.deadletters import Letter, Letters
from shared.runtime.records import record_of

POLL_RECORDS = 500
QUIET_S = 60.0
ID_PREFIX_MIN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Selects letters. `since` and `until` are the time of the letter; the beginning of an id is enough."""

    ids: tuple[str, ...] = ()
    topic: str | None = None
    error: str | None = None
    agency: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, letter: Letter) -> bool:
        """Whether the filter selects a letter."""
        if self.ids and not any(letter.id.startswith(one) for one in self.ids):
            return False
        if self.topic is not None and not fnmatch.fnmatchcase(letter.topic, self.topic):
            return False
        if self.error is not None and letter.error != self.error:
            return False
        if self.agency is not None and "/".join(topics.agency_of_topic(letter.topic) or ()) != self.agency:
            return False
        at = _instant(letter.at_ms)
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)

    @property
    def empty(self) -> bool:
        """Whether the filter selects every letter."""
        return self == Filter()

    def as_json(self) -> dict[str, Any]:
        """The filter, for the audit."""
        asked = {
            "ids": list(self.ids),
            "topic": self.topic,
            "error": self.error,
            "agency": self.agency,
            "since": self.since and envelope.rfc3339(self.since),
            "until": self.until and envelope.rfc3339(self.until),
        }
        return {name: value for name, value in asked.items() if value}


def filter_of(
    *,
    ids: tuple[str, ...] = (),
    topic: str | None = None,
    error: str | None = None,
    agency: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Filter:
    """A filter from the typed options; CommandError says which one is wrong."""
    short = [one for one in ids if len(one) < ID_PREFIX_MIN]
    if short:
        raise CommandError(
            f"{short[0]!r} is no id of a letter: at least its first {ID_PREFIX_MIN} characters are needed"
        )
    if agency is not None and topics.agency_of_source(f"agency/{agency}") is None:
        raise CommandError(f"--agency is REGENCY/NAME, e.g. 64.08/dinsos; got {agency!r}")
    return Filter(
        ids=ids,
        topic=topic,
        error=error,
        agency=agency,
        since=moment(since, "--since"),
        until=moment(until, "--until", timedelta(days=1)),
    )


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a dead-letter topic begins and ends at one moment."""

    partition: TopicPartition
    first: int
    end: int


async def extent(consumer: AIOKafkaConsumer, installation: Installation, service: str) -> Extent:
    """The present extent of a service's dead-letter topic."""
    (partition, end), *_ = (await wire.ends(installation, consumer, [topics.dead_letters(service)])).items()
    first = (await consumer.beginning_offsets([partition]))[partition]
    return Extent(partition, int(first), int(end))


async def scan(
    consumer: AIOKafkaConsumer, over: Extent, wanted: Filter, letters: Letters, *, newest: int | None = None
) -> AsyncIterator[Letter]:
    """The selected letters of an extent, oldest first; with `newest`, at least that many from its end."""
    at = over.first if newest is None else max(over.first, over.end - newest)
    if wanted.since is not None:
        found = (await consumer.offsets_for_times({over.partition: int(wanted.since.timestamp() * 1000)}))[
            over.partition
        ]
        at = over.end if found is None else max(at, found.offset)
    places, ends = {over.partition: at}, {over.partition: over.end}
    async for records in wire.between(consumer, places, ends, POLL_RECORDS, QUIET_S):
        for raw in records:
            letter = letters.take(record_of(raw))
            if letter is not None and wanted.until is not None and _instant(letter.at_ms) >= wanted.until:
                # The broker's timestamps rise, so every later record is younger.
                return
            if letter is not None and wanted.fits(letter):
                yield letter


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def summary(service: str, letter: Letter) -> dict[str, Any]:
    """One letter as a line of a list."""
    named = attributes(letter)
    return {
        "id": letter.id,
        "service": service,
        "put_aside_at": envelope.rfc3339(_instant(letter.at_ms)),
        "error": letter.error,
        "detail": letter.detail,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "at": envelope.rfc3339(_instant(letter.timestamp_ms)),
        "agency": "/".join(topics.agency_of_topic(letter.topic) or ()) or None,
        "key": masking.key(letter.key),
        "bytes": len(letter.value or b""),
        "event": {name: named[name] for name in ("source", "id", "type") if name in named},
    }


def details(service: str, letter: Letter) -> dict[str, Any]:
    """One letter in full, personal data masked."""
    return {
        **summary(service, letter),
        "headers": [list(one) for one in masking.headers(letter.headers)],
        "value": masking.original(letter.value),
    }


def attributes(letter: Letter) -> dict[str, str]:
    """The CloudEvents attributes of the original, as far as they can be read."""
    binary = {
        name[3:]: (value or b"").decode("utf-8", "replace") for name, value in letter.headers if name[:3] == "ce_"
    }
    found: Any = binary
    if not binary:
        try:
            found = orjson.loads(letter.value or b"")
        except orjson.JSONDecodeError:
            return {}
    if not isinstance(found, dict):
        return {}
    return {
        name: masking.blurred(value)
        for name, value in found.items()
        if name in masking.ENVELOPE and isinstance(value, str)
    }
