"""Dead letters: the original bytes, key and headers of a record that could not be read, with its origin and error."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from shared.contracts import envelope, topics
from shared.runtime.pipeline import Message, Publisher, Record

# A header of a dead letter is ours when it starts so; the original headers stand beside them unchanged.
PREFIX = "dlq_"


def letter_id(record: Record) -> str:
    """The id of a dead letter, from where the record stood."""
    return str(uuid.uuid5(envelope.NAMESPACE, f"{record.topic}|{record.partition}|{record.offset}"))


class DeadLetterTopic:
    """The dead-letter topic of one service."""

    def __init__(self, service: str, publisher: Publisher) -> None:
        self._topic = topics.dead_letters(service)
        self._publisher = publisher

    async def put(self, letters: Sequence[tuple[Record, str, str]]) -> None:
        """Puts records aside; returns when the broker acknowledged all."""
        await self._publisher.send_all([self._message(*letter) for letter in letters])

    def _message(self, record: Record, code: str, detail: str) -> Message:
        headers = [
            *record.headers,
            ("dlq_id", letter_id(record).encode()),
            ("dlq_topic", record.topic.encode()),
            ("dlq_partition", str(record.partition).encode()),
            ("dlq_offset", str(record.offset).encode()),
            ("dlq_timestamp_ms", str(record.timestamp_ms).encode()),
            ("dlq_error", code.encode()),
            ("dlq_detail", detail.encode()),
        ]
        return Message(self._topic, record.key, record.value, headers)
