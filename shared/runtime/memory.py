"""Verified fakes of the shell's ports: a document store and topics in memory, with switches for trouble.

For tests and simulation only. The conformance suite (tests/conformance) holds them to what the real ones do.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.kernel.decision import Address
from shared.runtime import documents
from shared.runtime.crypto import FieldCipher
from shared.runtime.fold import Folded, SavedOutcome, Stored
from shared.runtime.pipeline import Message, Record
from shared.runtime.ports import Codec, Where
from shared.runtime.store import DueWork

# Called with the name of each step; may raise Unavailable (before or after its effect) or a crash of the test.
Trouble = Callable[[str], Awaitable[None]]


async def _no_trouble(_: str) -> None:
    return None


class MemoryStore:
    """Documents of one service in dictionaries; the same document shape as the real store."""

    def __init__(self, stored: Mapping[str, Codec], cipher: FieldCipher, trouble: Trouble = _no_trouble) -> None:
        self._stored = stored
        self._cipher = cipher
        self.trouble = trouble
        self.collections: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in stored}
        self.names: dict[str, str] = {}
        self.journals: dict[str, list[tuple[Address, str]]] = {}
        self.plain: dict[str, dict[str, dict[str, Any]]] = {}

    async def check(self) -> None:
        """Always fit."""

    async def close(self) -> None:
        """Nothing to close."""

    async def claim_names(self, names: Mapping[str, str]) -> dict[str, str]:
        """First come, first served."""
        await self.trouble("names")
        other = {}
        for name, content in names.items():
            standing = self.names.setdefault(name, content)
            if standing != content:
                other[name] = standing
        await self.trouble("names done")
        return other

    async def load(self, addresses: Sequence[Address]) -> dict[Address, Stored]:
        """Decodes what is there."""
        await self.trouble("load")
        found = {}
        for address in addresses:
            document = self.collections[address.collection].get(address.id)
            if document is not None:
                codec = self._stored[address.collection]
                found[address] = documents.stored_from(copy.deepcopy(document), codec, self._cipher)
        return found

    async def outcomes(self, wanted: Mapping[Address, Sequence[str]]) -> dict[Address, dict[str, list[SavedOutcome]]]:
        """The saved outcomes of these inputs."""
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
        """Outcome bytes of this write."""
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
            fresh = documents.new_document(one, self._stored[one.address.collection], self._cipher)
            if standing is not None:
                fresh["inputs"] = [*standing["inputs"], *fresh["inputs"]]
            collection[one.address.id] = fresh
        await self.trouble("save done")
        return unsettled

    async def open_journal(self, journal: str, writes: Sequence[Folded]) -> None:
        """Notes who may owe."""
        await self.trouble("journal")
        self.journals[journal] = [(one.address, taken.name) for one in writes for taken in one.taken if taken.outcomes]

    async def close_journal(self, journal: str) -> None:
        """Nobody owes any more."""
        await self.trouble("journal close")
        self.journals.pop(journal, None)

    async def unpublished(self) -> list[tuple[str, list[SavedOutcome]]]:
        """What open journals name."""
        owed = []
        for journal, entries in list(self.journals.items()):
            listed: list[SavedOutcome] = []
            for address, name in entries:
                listed.extend((await self.outcomes({address: [name]})).get(address, {}).get(name, ()))
            owed.append((journal, listed))
        return owed

    async def due(self, until: datetime, limit: int) -> list[DueWork]:
        """Due documents, oldest first."""
        found = []
        for name, collection in self.collections.items():
            for key, document in collection.items():
                due = documents.due_from(document.get("due"))
                if due is not None and due.at <= until:
                    state = self._stored[name].decode(copy.deepcopy(document["state"]), self._cipher)
                    found.append(DueWork(Address(name, key), state, due))
        return sorted(found, key=lambda one: one.due.at)[:limit]

    async def states(self, collection: str, ids: Sequence[str]) -> dict[str, Any]:
        """Decoded states by id."""
        await self.trouble("read")
        documents_of = self.collections[collection]
        return {key: self._decode(collection, documents_of[key]) for key in ids if key in documents_of}

    async def find(
        self, collection: str, where: Where, *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[tuple[str, Any]]:
        """Decoded states that match, ordered."""
        await self.trouble("read")
        found = [one for one in self.collections[collection].values() if matches(one, where)]
        return [(one["_id"], self._decode(collection, one)) for one in _ordered(found, order)[:limit]]

    async def count(self, collection: str, where: Where) -> int:
        """How many match."""
        await self.trouble("read")
        return sum(1 for one in self.collections[collection].values() if matches(one, where))

    async def tally(
        self, collection: str, where: Where, by: Sequence[str], *, sums: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Counts and sums per group."""
        await self.trouble("read")
        groups: dict[tuple[Any, ...], dict[str, Any]] = {}
        for one in self.collections[collection].values():
            if not matches(one, where):
                continue
            for key in _keys(one, by):
                row = groups.setdefault(
                    key, {**{_last(path): value for path, value in zip(by, key, strict=True)}, "count": 0}
                )
                row["count"] += 1
                for path in sums:
                    amount = value_at(one, path)
                    row[_last(path)] = row.get(_last(path), 0) + (amount if isinstance(amount, int | float) else 0)
        return list(groups.values())

    async def rows(self, collection: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Plain rows by id."""
        held = self.plain.get(collection, {})
        return {key: dict(held[key]) for key in ids if key in held}

    async def find_rows(
        self, collection: str, where: Where, *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[dict[str, Any]]:
        """Plain rows that match."""
        held = self.plain.get(collection, {})
        found = [{"_id": key, **row} for key, row in held.items()]
        return _ordered([one for one in found if matches(one, where)], order)[:limit]

    async def save_rows(self, collection: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Replaces rows by id."""
        self.plain.setdefault(collection, {}).update({key: dict(row) for key, row in rows.items()})

    def _decode(self, collection: str, document: Mapping[str, Any]) -> Any:
        return self._stored[collection].decode(copy.deepcopy(document["state"]), self._cipher)


class MemoryTopics:
    """Topics of one partition a key: what was published, in order, and the records a consumer would get."""

    def __init__(self, trouble: Trouble = _no_trouble, partitions: int = 3) -> None:
        self.trouble = trouble
        self.partitions = partitions
        self.published: list[Message] = []
        self.logs: dict[tuple[str, int], list[Record]] = {}
        self.now_ms = 1_767_571_200_000  # 2026-01-05T00:00:00Z; tests move it on

    async def send_all(self, messages: Sequence[Message]) -> None:
        """Appends by key, one after the other; trouble may strike between any two."""
        for one in messages:
            await self.trouble("publish")
            self.append(one)
        await self.trouble("publish done")

    def append(self, one: Message) -> None:
        """Stamps and stores one record."""
        self.published.append(one)
        number = sum(one.key or b"") % self.partitions
        log = self.logs.setdefault((one.topic, number), [])
        log.append(Record(one.topic, number, len(log), one.key, one.value, one.headers, self.now_ms))


def value_at(document: Any, path: str) -> Any:
    """The value at a dotted path; None when a step is missing."""
    for step in path.removesuffix("[]").split("."):
        if not isinstance(document, Mapping) or step not in document:
            return None
        document = document[step]
    return document


def matches(document: Mapping[str, Any], where: Where) -> bool:
    """The small query language of ports.Reader."""
    for path, wanted in where.items():
        if path == "$or":
            if not any(matches(document, one) for one in wanted):
                return False
            continue
        value = value_at(document, path)
        if isinstance(wanted, Mapping) and any(name.startswith("$") for name in wanted):
            if not all(_holds(name, value, operand) for name, operand in wanted.items()):
                return False
        elif isinstance(value, list) and not isinstance(wanted, list):
            if wanted not in value:
                return False
        elif value != wanted:
            return False
    return True


def _holds(operator: str, value: Any, operand: Any) -> bool:
    if operator == "$in":
        return any(one in operand for one in value) if isinstance(value, list) else value in operand
    if operator == "$ne":
        return bool(value != operand)
    if operator == "$exists":
        return (value is not None) == bool(operand)
    if value is None:
        return False
    if operator == "$gt":
        return bool(value > operand)
    if operator == "$gte":
        return bool(value >= operand)
    if operator == "$lt":
        return bool(value < operand)
    if operator == "$lte":
        return bool(value <= operand)
    raise ValueError(f"the query language has no {operator}")


def _ordered(found: list[dict[str, Any]], order: Sequence[str]) -> list[dict[str, Any]]:
    for path in reversed(order):
        name = path.removeprefix("-")
        found.sort(key=lambda one: (value_at(one, name) is not None, value_at(one, name)), reverse=path.startswith("-"))
    return found


def _keys(document: Mapping[str, Any], by: Sequence[str]) -> list[tuple[Any, ...]]:
    keys: list[tuple[Any, ...]] = [()]
    for path in by:
        value = value_at(document, path)
        values = value if path.endswith("[]") and isinstance(value, list) else [value]
        keys = [(*key, one) for key in keys for one in values]
    return keys


def _last(path: str) -> str:
    return path.removesuffix("[]").rsplit(".", 1)[-1]
