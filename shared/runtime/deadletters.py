"""Dead letters: the original bytes, key and headers of a record that could not be read, with its origin and error.

Defines the form of a letter for both directions: what the shell writes and what `payung dlq` reads. A letter is one
record with the unchanged original; our headers follow its own. An original that is too large for the dead-letter topic
(a small compressed batch may hold a huge record) is cut into parts, so that nothing is too large to be kept.
"""

from __future__ import annotations

import base64
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson
import structlog

from shared.contracts import envelope, topics
from shared.runtime.ports import Publisher
from shared.runtime.records import Message, Record

# Headers from the last `dlq_id` on are ours. The original headers stand before it, unchanged, whatever their names.
FIRST = "dlq_id"
PART = "dlq_part"
PART_BYTES_MAX = topics.DEAD_LETTER_BYTES_MAX // 2
# Parts of letters are joined in memory; parts whose other parts never arrive must not stay for ever.
UNFINISHED_BYTES_MAX = 256 * 1024 * 1024
# An audit line names at most this many records; all of them are in the dead-letter topic.
PLACES_MAX = 10
log = structlog.get_logger()

Headers = Sequence[tuple[str, bytes]]
ReadIds = Callable[[], Awaitable[Mapping[str, str]]]


def letter_id(record: Record, topic_id: str | None = None) -> str:
    """The id of a dead letter, made from where the record stood. It uses the topic's id, because the offsets of a topic
    made anew start again."""
    return str(uuid.uuid5(envelope.NAMESPACE, f"{topic_id or record.topic}|{record.partition}|{record.offset}"))


class DeadLetterTopic:
    """The dead-letter topic of one service. `ids` reads the ids of all topics; without it the names of topics are
    used."""

    def __init__(self, service: str, publisher: Publisher, ids: ReadIds | None = None) -> None:
        self._topic = topics.dead_letters(service)
        self._publisher = publisher
        self._ids = ids
        self._known: Mapping[str, str] = {}

    async def put(self, letters: Sequence[tuple[Record, str, str]]) -> None:
        """Puts records aside; returns when the broker acknowledged all."""
        if self._ids is not None and any(record.topic not in self._known for record, _, _ in letters):
            self._known = {**self._known, **await self._ids()}
        messages = [one for letter in letters for one in self._messages(*letter)]
        await self._publisher.send_all(messages)
        _audit(letters)

    def _messages(self, record: Record, code: str, detail: str) -> Iterator[Message]:
        ours = [
            (FIRST, letter_id(record, self._known.get(record.topic)).encode()),
            ("dlq_topic", record.topic.encode()),
            ("dlq_partition", str(record.partition).encode()),
            ("dlq_offset", str(record.offset).encode()),
            ("dlq_timestamp_ms", str(record.timestamp_ms).encode()),
            ("dlq_error", code.encode()),
            ("dlq_detail", detail.encode()),
        ]
        if _size(record) <= topics.DEAD_LETTER_BYTES_MAX:
            yield Message(self._topic, record.key, record.value, [*record.headers, *ours])
            return
        whole = _framed(record)
        count = -(-len(whole) // PART_BYTES_MAX)
        for number in range(count):
            part = whole[number * PART_BYTES_MAX : (number + 1) * PART_BYTES_MAX]
            yield Message(self._topic, None, part, [*ours, (PART, f"{number + 1}/{count}".encode())])


def _audit(letters: Sequence[tuple[Record, str, str]]) -> None:
    """One line for each topic and error. It names the positions of the records and nothing of their content."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for record, code, _ in letters:
        places[record.topic, code].append(f"{record.partition}/{record.offset}")
    for (topic, code), found in sorted(places.items()):
        log.warning("audit", what="put aside", topic=topic, codes=[code], records=len(found), places=found[:PLACES_MAX])


def _size(record: Record) -> int:
    headers = sum(len(name) + len(value or b"") + 16 for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def _framed(record: Record) -> bytes:
    """Key, headers and value in one: a line of JSON, then the value."""
    head = {
        "key": _text(record.key),
        "headers": [[name, _text(value)] for name, value in record.headers],
        "value": record.value is not None,
    }
    return orjson.dumps(head) + b"\n" + (record.value or b"")


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()


def _raw(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One dead letter as it is read back. `place` is its own offset, `at_ms` when it was put aside."""

    id: str
    error: str
    detail: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    place: int
    at_ms: int


class Letters:
    """Reads dead letters record by record in the topic's order; holds only the parts of incomplete letters."""

    def __init__(self) -> None:
        self._unfinished: dict[str, dict[int, bytes]] = {}
        self._bytes = 0
        # Counts records that are not letters, and letters with missing parts.
        self.strange = 0
        self.incomplete = 0

    def take(self, record: Record) -> Letter | None:
        """The letter that this record completes, or None."""
        at = max((place for place, (name, _) in enumerate(record.headers) if name == FIRST), default=-1)
        ours = dict(record.headers[at:]) if at >= 0 else {}
        try:
            letter = Letter(
                id=ours[FIRST].decode(),
                error=ours["dlq_error"].decode(),
                detail=ours["dlq_detail"].decode(),
                topic=ours["dlq_topic"].decode(),
                partition=int(ours["dlq_partition"]),
                offset=int(ours["dlq_offset"]),
                timestamp_ms=int(ours["dlq_timestamp_ms"]),
                key=record.key,
                value=record.value,
                headers=record.headers[:at],
                place=record.offset,
                at_ms=record.timestamp_ms,
            )
            if PART in ours:
                number, count = map(int, ours[PART].split(b"/"))
                whole = self._joined(letter.id, number, count, record.value or b"")
                if whole is None:
                    return None
                key, headers, value = _unframed(whole)
                letter = replace(letter, key=key, headers=headers, value=value)
        except (KeyError, ValueError, TypeError, AttributeError):
            # The shell did not write this record.
            self.strange += 1
            return None
        return letter

    def _joined(self, identifier: str, number: int, count: int, part: bytes) -> bytes | None:
        parts = self._unfinished.setdefault(identifier, {})
        if number not in parts:
            self._bytes += len(part)
        parts[number] = part
        if len(parts) == count:
            self._drop(identifier)
            return b"".join(parts[one] for one in sorted(parts))
        while self._bytes > UNFINISHED_BYTES_MAX:
            self._drop(next(iter(self._unfinished)))
            self.incomplete += 1
        return None

    def _drop(self, identifier: str) -> None:
        self._bytes -= sum(map(len, self._unfinished.pop(identifier).values()))


def _unframed(whole: bytes) -> tuple[bytes | None, Headers, bytes | None]:
    line, _, value = whole.partition(b"\n")
    head = orjson.loads(line)
    headers = [(name, _raw(text)) for name, text in head["headers"]]
    return _raw(head["key"]), headers, value if head["value"] else None  # type: ignore[return-value]  # a header may be null
