"""What the shell needs from outside: a document store, a cipher, a broker. Knows no Kafka, no MongoDB, no service.

One suite (tests/conformance) runs over every implementation of the store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.kernel.decision import Address, Due
from shared.runtime.fold import Folded, SavedOutcome, Stored
from shared.runtime.records import Message, Record

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


class Writer(Protocol):
    """Writes plain rows of the service's own store. Facts have a Reader only, so judging never writes."""

    async def save_rows(self, collection: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Replaces (or inserts) plain reference rows by id."""
        ...

    async def delete_rows(self, collection: str, ids: Sequence[str]) -> None:
        """Deletes plain rows by id whose time is over. Documents with a version are never deleted."""
        ...


class Rows(Reader, Writer, Protocol):
    """Reads the store, and writes its plain rows."""


@dataclass(frozen=True, slots=True)
class DueWork:
    """One document's due work, as the due runner finds it."""

    address: Address
    state: Any
    due: Due


@dataclass(frozen=True, slots=True)
class PendingOutcomes:
    """An open journal entry and the outcomes that it names.

    `complete`: every input it names is saved, or it was written by this process's dead predecessor of the same name.
    When it is not complete, either no process will save those inputs, or another process is about to save them. Then
    the entry must stay until their outcomes are published.
    """

    journal: str
    outcomes: list[SavedOutcome]
    complete: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """Who takes a lease. `token` is unique to this process. `owner`, unless empty, is the name that it shares with its
    predecessors and successors, of which only one lives at a time: it takes over a predecessor's leases at once."""

    owner: str
    token: str


# A partition in the store: the id of its topic, and its number.
Noted = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Settled:
    """The next offset to settle of each partition. `whole`: counted since the store's first day, so a partition that is
    missing here was never settled."""

    at: Mapping[Noted, int]
    whole: bool


class StateStore(Rows, Protocol):
    """Documents with a version, the inputs they took and the outcomes they owe. Methods raise Unavailable when the
    store does not answer."""

    def content_hash(self, content: bytes) -> str:
        """The keyed hash with which this store compares the content of two inputs."""
        ...

    def claim_names(self, names: Mapping[str, str]) -> Awaitable[dict[str, str]]:
        """Fences external input names (name -> content hash) for ever; returns those that are taken with another hash.
        May start before it is awaited."""
        ...

    async def load(self, addresses: Sequence[Address]) -> dict[Address, Stored]:
        """The current documents, in one bulk read per collection, without the bytes of their outcomes."""
        ...

    async def outcomes(self, wanted: Mapping[Address, Sequence[str]]) -> dict[Address, dict[str, list[SavedOutcome]]]:
        """The saved outcomes of these inputs, by document and input name; outcomes that are surely published may be
        missing."""
        ...

    def measure(self, folded: Folded) -> int:
        """Bytes that this write adds to its document."""
        ...

    async def save(self, writes: Sequence[Folded]) -> set[Address]:
        """One unordered bulk write with compare-and-set on the version; returns every address that is not surely
        saved."""
        ...

    async def open_journal(self, journal: str, writes: Sequence[Folded]) -> None:
        """Notes, before they are written, which documents are about to hold unpublished outcomes."""
        ...

    async def close_journal(self, journal: str) -> None:
        """Removes the entry: all outcomes of the batch are surely published."""
        ...

    async def unpublished(self) -> list[PendingOutcomes]:
        """Open journals with the outcomes that they may owe; read by the sweep at start."""
        ...

    async def note_settled(self, offsets: Mapping[Noted, int]) -> dict[Noted, int] | None:
        """Raises the next offsets of these partitions, never lowers them; returns all offsets from before. None: the
        store was emptied and keeps no count."""
        ...

    async def set_settled(self, offsets: Mapping[Noted, int]) -> None:
        """Sets the next offsets of these partitions to any value: the log was replaced or is older."""
        ...

    async def settled(self) -> Settled:
        """Up to which offset this store has settled each partition."""
        ...

    async def due(self, until: datetime, limit: int) -> list[DueWork]:
        """Documents with due work that may start, oldest first."""
        ...

    async def count_due(self, until: datetime, limit: int) -> int:
        """How many documents have due work that may start; counted up to `limit`."""
        ...

    async def take_leases(self, names: Sequence[str], holder: Holder, for_s: float, at_most: int) -> set[str]:
        """Takes the first of these leases, at most `at_most`, that are free, have run out, or belong to the holder
        already.

        The holder has them for `for_s` seconds on the store's clock. When several processes ask at once, only one gets
        a lease.
        """
        ...

    async def renew_leases(self, names: Sequence[str], holder: Holder, for_s: float) -> set[str]:
        """Renews the leases that this very process still holds for `for_s` seconds from now; returns them."""
        ...

    async def release_leases(self, names: Sequence[str], holder: Holder, rest_s: float, *, forget: bool) -> None:
        """Releases the leases that this very process holds: free after `rest_s` seconds, or with `forget` their rows
        are deleted at once."""
        ...

    async def check(self) -> None:
        """Raises StartRefused when the server cannot keep our promises (standalone, too new a schema); creates the
        indexes."""
        ...

    async def keep_first(self, collection: str, identifier: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Inserts a plain row unless one exists; returns the row that exists, which another writer may have
        inserted."""
        ...

    async def sealed_with(self, names: Sequence[str]) -> dict[str, int]:
        """How many documents and rows (with their saved outcomes) each of these field keys still seals something in."""
        ...

    async def check_opens(self) -> None:
        """Raises Defect when the configured keys do not open the saved values: one value of each collection is
        tried."""
        ...


class Publisher(Protocol):
    """Publishes by key and returns when the broker acknowledged all; raises Unavailable otherwise."""

    async def send_all(self, messages: Sequence[Message]) -> None: ...


class DeadLetters(Protocol):
    """Puts records aside with their original bytes; returns when the broker acknowledged them."""

    async def put(self, letters: Sequence[tuple[Record, str, str]]) -> None: ...
