"""What the shell needs from outside, and what a service tells the shell. Knows no Kafka, no MongoDB, no service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel

from shared.contracts import admission
from shared.kernel.decision import Decision, Due
from shared.kernel.event import Event, Routed

Where = Mapping[str, Any]


class Cipher(Protocol):
    """Encrypts single fields at rest (AES-256-GCM); the first configured key encrypts, any of them decrypts."""

    def seal(self, text: str) -> bytes: ...
    def open(self, sealed: bytes) -> str: ...


class Codec(Protocol):
    """Turns the state of one collection into plain fields and back; personal fields pass through the cipher.

    `encode` returns the value of `state` in the document (BSON types only); queries name fields as `state.<field>`.
    """

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]: ...
    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One index of a collection: fields in order (prefix `-` sorts down), optionally partial or unique."""

    fields: tuple[str, ...]
    partial: Where | None = None
    unique: bool = False


class Reader(Protocol):
    """Reads the service's own store, in bulk. `where` is a MongoDB filter limited to equality, $in, $ne, $exists, $gt,
    $gte, $lt, $lte and $or over dotted fields (the in-memory store supports only these)."""

    async def states(self, collection: str, ids: Sequence[str]) -> dict[str, Any]:
        """The decoded states of these documents; absent ones are left out."""
        ...

    async def find(
        self, collection: str, where: Where, *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[tuple[str, Any]]:
        """(id, decoded state) of matching documents, ordered (`-field` is descending)."""
        ...

    async def count(self, collection: str, where: Where) -> int:
        """How many documents match."""
        ...

    async def tally(
        self, collection: str, where: Where, by: Sequence[str], *, sums: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Counts (and sums) per group, inside the store.

        Rows hold the `by` fields (last path part as name), `count`, and each of `sums` by its last path part. A `[]` in
        a path of `by` or `where` follows an array whose items are counted separately: `tags[]`, or `past[].month` when
        items are objects. Conditions must then hold for the same item.
        """
        ...

    async def rows(self, collection: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Plain reference rows (not aggregates) by id, without `_id`."""
        ...

    async def find_rows(
        self, collection: str, where: Where, *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[dict[str, Any]]:
        """Plain reference rows that match, with `_id`."""
        ...

    async def save_rows(self, collection: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Replaces (or inserts) plain reference rows by id."""
        ...

    async def delete_rows(self, collection: str, ids: Sequence[str]) -> None:
        """Deletes plain rows by id that may be kept no longer. Documents with a version are never deleted."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of due work: the event to publish on the service's `-work` topic, keyed for its next aggregate."""

    type: str
    key: str
    data: BaseModel


class Workplace(Protocol):
    """What a performer of due work may use."""

    reader: Reader
    reference: Any

    async def caught_up(self, topics: Sequence[str]) -> bool:
        """Whether this service has read and settled everything that stood in these topics at the call."""
        ...


# Performs one piece of due work (its document's id, state and Due) and returns the answer. Raises Unavailable when the
# other system cannot answer now: the work stays due and is tried again later, without blocking the consumer.
Performer = Callable[[str, Any, Due, Workplace], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """Everything that differs between services.

    `topics` are literal names or `^` patterns. `inputs` maps event types to their data model: `Intake` subclasses get
    the raw object, pydantic models are validated. `stored` gives each collection's codec. `reference` is loaded once at
    start (areas, policy, keys) and handed to route, facts and performers. `conflicting` makes the part that refuses an
    input whose name was used before with other content. `table` says which events each topic may carry, and from whom.
    `names_workers`: it turns NIKs into worker ids, and so needs the key of worker ids.
    """

    name: str
    description: str
    topics: tuple[str, ...]
    inputs: Mapping[str, type]
    route: Callable[[Event, Any], tuple[Routed, ...]]
    decide: Callable[[Any, Event, Any, datetime], Decision[Any]]
    facts: Callable[[Reader, Sequence[tuple[Routed, Event]], Any], Awaitable[Any]]
    stored: Mapping[str, Codec]
    indexes: Mapping[str, Sequence[Index]]
    reference: Callable[[Reader, Mapping[str, str]], Awaitable[Any]]
    conflicting: Callable[[Event], Routed] | None = None
    performers: Mapping[str, Performer] = field(default_factory=dict)
    outcomes: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    routes: Callable[[Any], Any] | None = None
    background: Callable[[Any], Awaitable[None]] | None = None
    table: admission.Table = admission.rule_of
    names_workers: bool = False
