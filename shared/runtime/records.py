"""What passes through the shell: a record that was read, a batch of them, a message to publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.contracts import envelope
from shared.runtime.fold import SavedOutcome


@dataclass(slots=True)
class Record:
    """One record as the broker gave it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int


def record_of(raw: Any) -> Record:
    """A record as aiokafka shows it."""
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, raw.headers, raw.timestamp)


@dataclass(slots=True)
class Message:
    """One record to publish."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = envelope.HEADERS


@dataclass(slots=True)
class Batch:
    """Records under way, and what the last attempt at taking them left to publish.

    `journals` are the entries of all attempts: a later attempt publishes what a failed attempt saved, as redeliveries.
    `steps` are the names of the service's own steps that its documents have taken. `log_went_back`: the log ended
    before what was read, and is read again from its first record.
    """

    records: Sequence[Record]
    letters: list[tuple[Record, str, str]] = field(default_factory=list)
    outcomes: Sequence[SavedOutcome] = ()
    journals: list[str] = field(default_factory=list)
    steps: set[str] = field(default_factory=set)
    log_went_back: bool = False
