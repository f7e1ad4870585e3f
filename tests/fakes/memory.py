"""Verified fakes of the shell's ports: a document store and topics in memory, with switches for trouble.

For tests and simulation only. The conformance suite (tests/conformance) holds them to what the real ones do.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.kernel.decision import Address
from shared.runtime import clock
from shared.runtime.fold import Folded, SavedOutcome, Stored
from shared.runtime.ports import Codec, DueWork, Holder, Noted, PendingOutcomes, Settled, Where
from shared.runtime.records import Message, Record
from shared.runtime.store import documents, sealed
from shared.runtime.store.crypto import FieldCipher
from shared.runtime.store.hashes import PURPOSE, ContentHashes
from tests.fakes.queries import matches, ordered, tallied

# Called with the name of each step; may raise Unavailable (before or after its effect) or a crash of the test.
Trouble = Callable[[str], Awaitable[None]]


# The attributes that make up a store's contents.
_STANDS = ("collections", "names", "waiting", "noted", "journals", "plain")


async def _no_trouble(_: str) -> None:
    return None


class MemoryStore:
    """Documents of one service in dictionaries; the same document shape as the real store."""

    def __init__(self, stored: Mapping[str, Codec], cipher: FieldCipher, trouble: Trouble = _no_trouble) -> None:
        self._stored = stored
        self._cipher = cipher
        self._hashes = ContentHashes(cipher.derived(PURPOSE))
        self.trouble = trouble
        self.collections: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in stored}
        self.names: dict[str, str] = {}
        self.waiting: dict[Address, datetime] = {}
        self.noted: dict[Noted, int] = {}
        self.journals: dict[str, list[tuple[Address, str]]] = {}
        self.plain: dict[str, dict[str, dict[str, Any]]] = {}
        # Who holds a lease, and until when on the store's own clock.
        self.leases: dict[str, tuple[Holder, float]] = {}

    def seen_by(self, trouble: Trouble) -> MemoryStore:
        """The same documents as another process sees them, with trouble of its own."""
        seen = copy.copy(self)
        seen.trouble = trouble
        return seen

    def kept(self) -> dict[str, Any]:
        """A copy of everything in the store, like a backup."""
        return {name: _copied(getattr(self, name)) for name in _STANDS}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Replaces the contents with an older copy, for every process that uses this store."""
        for name in _STANDS:
            standing = getattr(self, name)
            standing.clear()
            standing.update(_copied(kept[name]))

    async def check(self) -> None:
        """Accepts every store."""

    async def close(self) -> None:
        """Nothing to close."""

    def content_hash(self, content: bytes) -> str:
        """The hash under a key that is derived from the cipher's."""
        return self._hashes.of(content)

    async def claim_names(self, names: Mapping[str, str]) -> dict[str, str]:
        """The first content claims a name; returns the names that are taken with other content."""
        other = {}
        for name, content in names.items():
            await self.trouble("names")
            standing = self.names.setdefault(name, content)
            if content not in (standing, self._hashes.current(standing)):
                other[name] = standing
        await self.trouble("names done")
        return other

    async def load(self, addresses: Sequence[Address]) -> dict[Address, Stored]:
        await self.trouble("load")
        found = {}
        for address in addresses:
            document = self.collections[address.collection].get(address.id)
            if document is not None:
                codec = self._stored[address.collection]
                found[address] = documents.stored_from(_copied(document), codec, self._cipher)
        await self.trouble("load done")
        return found

    async def outcomes(self, wanted: Mapping[Address, Sequence[str]]) -> dict[Address, dict[str, list[SavedOutcome]]]:
        await self.trouble("outcomes")
        found: dict[Address, dict[str, list[SavedOutcome]]] = {}
        for address, names in wanted.items():
            document = self.collections[address.collection].get(address.id)
            if document is not None:
                found[address] = {
                    one["n"]: documents.outcomes_from(one, self._cipher)
                    for one in document["inputs"]
                    if one["n"] in names
                }
        return found

    def measure(self, folded: Folded) -> int:
        return sum(len(outcome.value) for taken in folded.taken for outcome in taken.outcomes)

    async def save(self, writes: Sequence[Folded]) -> set[Address]:
        """Compare-and-set one by one; trouble may strike between any two."""
        unsettled: set[Address] = set()
        for one in writes:
            await self.trouble("save")
            collection = self.collections[one.address.collection]
            standing = collection.get(one.address.id)
            if (standing["version"] if standing else 0) != one.base:
                unsettled.add(one.address)
                continue
            codec = self._stored[one.address.collection]
            if standing is None:
                collection[one.address.id] = documents.new_document(one, codec, self._cipher)
            else:
                collection[one.address.id] = self._changed(standing, one, codec)
            if one.due is not None:
                self.waiting[one.address] = one.due.at
            else:
                self.waiting.pop(one.address, None)
        await self.trouble("save done")
        return unsettled

    def _changed(self, standing: Mapping[str, Any], one: Folded, codec: Codec) -> dict[str, Any]:
        """The document after an update. The old one is never changed in place: another process may have read it."""
        changed, gone = documents.changed_state(one, codec, self._cipher)
        state = dict(standing["state"])
        for path in gone:
            state.pop(path.removeprefix("state."), None)
        for path, value in changed.items():
            if path == "state":
                state = value
            else:
                state[path.removeprefix("state.")] = value
        added = [documents.input_document(taken, self._cipher) for taken in one.taken]
        document: dict[str, Any] = {
            "_id": one.address.id,
            "version": one.version,
            "state": state,
            "inputs": [*standing["inputs"], *added],
        }
        if one.due is not None:
            document["due"] = documents.due_document(one.due)
        return document

    async def open_journal(self, journal: str, writes: Sequence[Folded]) -> None:
        """Notes which inputs may owe outcomes."""
        await self.trouble("journal")
        self.journals[journal] = [(one.address, taken.name) for one in writes for taken in one.taken if taken.outcomes]
        await self.trouble("journal done")

    async def close_journal(self, journal: str) -> None:
        """Removes the entry: nothing is owed any more."""
        await self.trouble("journal close")
        self.journals.pop(journal, None)
        await self.trouble("journal close done")

    async def unpublished(self) -> list[PendingOutcomes]:
        """What open journals name."""
        owed = []
        for journal, entries in list(self.journals.items()):
            outcomes = [(await self.outcomes({at: [name]})).get(at, {}).get(name) for at, name in entries]
            listed = [outcome for one in outcomes if one is not None for outcome in one]
            owed.append(PendingOutcomes(journal, listed, complete=None not in outcomes))
        return owed

    async def note_settled(self, offsets: Mapping[Noted, int]) -> dict[Noted, int] | None:
        """Raises noted offsets, never lowers them."""
        await self.trouble("note")
        before = dict(self.noted)
        self.noted.update({one: max(offset, before.get(one, 0)) for one, offset in offsets.items()})
        await self.trouble("note done")
        return before

    async def set_settled(self, offsets: Mapping[Noted, int]) -> None:
        """Sets offsets whatever was noted before."""
        self.noted.update(offsets)

    async def settled(self) -> Settled:
        """The noted offsets. They are complete, because this store has noted them since its first record."""
        await self.trouble("read")
        return Settled(dict(self.noted), whole=True)

    async def due(self, until: datetime, limit: int) -> list[DueWork]:
        """Due documents, oldest first."""
        await self.trouble("due")
        found = []
        for address, at in self.waiting.items():
            document = self.collections[address.collection][address.id]
            due = documents.due_from(document.get("due"))
            if at <= until and due is not None:
                found.append(DueWork(address, self._decode(address.collection, document), due))
        return sorted(found, key=lambda one: one.due.at)[:limit]

    async def count_due(self, until: datetime, limit: int) -> int:
        await self.trouble("due")
        return min(limit, sum(1 for at in self.waiting.values() if at <= until))

    async def take_leases(self, names: Sequence[str], holder: Holder, for_s: float, at_most: int) -> set[str]:
        """Uses this process's clock, which is the store's clock here."""
        await self.trouble("lease")
        free = [name for name in dict.fromkeys(names) if self._is_free(name, holder)][:at_most]
        self.leases.update({name: (holder, clock.monotonic() + for_s) for name in free})
        await self.trouble("lease done")
        return set(free)

    def _is_free(self, name: str, holder: Holder) -> bool:
        who, until_s = self.leases.get(name, (holder, 0.0))
        return who.token == holder.token or who.owner == holder.owner != "" or until_s <= clock.monotonic()

    async def renew_leases(self, names: Sequence[str], holder: Holder, for_s: float) -> set[str]:
        """Renews the leases that this process still holds."""
        await self.trouble("lease")
        held = self._held(names, holder)
        self.leases.update({name: (holder, clock.monotonic() + for_s) for name in held})
        await self.trouble("lease done")
        return held

    async def release_leases(self, names: Sequence[str], holder: Holder, rest_s: float, *, forget: bool) -> None:
        """Releases the leases that this process holds."""
        await self.trouble("lease")
        for name in self._held(names, holder):
            self.leases[name] = (Holder("", ""), clock.monotonic() + rest_s)
            if forget:
                del self.leases[name]

    def _held(self, names: Sequence[str], holder: Holder) -> set[str]:
        return {name for name in names if name in self.leases and self.leases[name][0].token == holder.token}

    async def states(self, collection: str, ids: Sequence[str]) -> dict[str, Any]:
        await self.trouble("read")
        documents_of = self.collections[collection]
        return {key: self._decode(collection, documents_of[key]) for key in ids if key in documents_of}

    async def find(
        self, collection: str, where: Where, *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[tuple[str, Any]]:
        """Decoded states that match, ordered."""
        await self.trouble("read")
        found = [one for one in self.collections[collection].values() if matches(one, where)]
        return [(one["_id"], self._decode(collection, one)) for one in ordered(found, order)[:limit]]

    async def count(self, collection: str, where: Where) -> int:
        await self.trouble("read")
        return sum(1 for one in self.collections[collection].values() if matches(one, where))

    async def tally(
        self, collection: str, where: Where, by: Sequence[str], *, sums: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        await self.trouble("read")
        return tallied(self.collections[collection].values(), where, by, sums)

    async def rows(self, collection: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        held = self.plain.get(collection, {})
        return {key: dict(held[key]) for key in ids if key in held}

    async def find_rows(
        self, collection: str, where: Where, *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[dict[str, Any]]:
        held = self.plain.get(collection, {})
        found = [{"_id": key, **row} for key, row in held.items()]
        return ordered([one for one in found if matches(one, where)], order)[:limit]

    async def save_rows(self, collection: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        self.plain.setdefault(collection, {}).update({key: dict(row) for key, row in rows.items()})

    async def delete_rows(self, collection: str, ids: Sequence[str]) -> None:
        for key in ids:
            self.plain.get(collection, {}).pop(key, None)

    async def keep_first(self, collection: str, identifier: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Inserts the row, or returns the one that exists."""
        return dict(self.plain.setdefault(collection, {}).setdefault(identifier, dict(row)))

    async def sealed_with(self, names: Sequence[str]) -> dict[str, int]:
        """Looks at every document and row."""
        held = [one for kept in (*self.collections.values(), *self.plain.values()) for one in kept.values()]
        found = [sealed.keys_in(one) for one in held]
        return {name: sum(name in one for one in found) for name in names}

    async def check_opens(self) -> None:
        """Tries to open every sealed value."""
        for kept in (*self.collections.values(), *self.plain.values()):
            for one in kept.values():
                for value in sealed.sealed_in(one):
                    self._cipher.open_bytes(value)

    def _decode(self, collection: str, document: Mapping[str, Any]) -> Any:
        return self._stored[collection].decode(_copied(document["state"]), self._cipher)


class MemoryTopics:
    """Topics in memory: what was published, in order, and the records that a consumer would get."""

    def __init__(self, trouble: Trouble = _no_trouble, partitions: int = 3) -> None:
        self.trouble = trouble
        self.partitions = partitions
        self.published: list[Message] = []
        # Called with every record after it is stored.
        self.listeners: list[Callable[[Message], None]] = []
        self.logs: dict[tuple[str, int], list[Record]] = {}
        self.now_ms = 1_767_571_200_000  # 2026-01-05T00:00:00Z; tests move it forward

    def seen_by(self, trouble: Trouble) -> MemoryPublisher:
        """The same topics as another process sees them, with trouble of its own."""
        return MemoryPublisher(self, trouble)

    async def send_all(self, messages: Sequence[Message]) -> None:
        """Appends by key, one after the other; trouble may strike between any two."""
        await MemoryPublisher(self, self.trouble).send_all(messages)

    def append(self, one: Message) -> None:
        """Stamps and stores one record."""
        self.published.append(one)
        number = sum(one.key or b"") % self.partitions
        log = self.logs.setdefault((one.topic, number), [])
        log.append(Record(one.topic, number, len(log), one.key, one.value, one.headers, self.now_ms))
        for listener in self.listeners:
            listener(one)


class MemoryPublisher:
    """The publisher of one process."""

    def __init__(self, topics: MemoryTopics, trouble: Trouble) -> None:
        self._topics = topics
        self._trouble = trouble

    async def send_all(self, messages: Sequence[Message]) -> None:
        """Appends by key, one after the other; trouble may strike between any two."""
        for one in messages:
            await self._trouble("publish")
            self._topics.append(one)
        await self._trouble("publish done")


def _copied(value: Any) -> Any:
    """A copy of plain data. copy.deepcopy keeps a memo of every object, and took most of a simulation's time."""
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
