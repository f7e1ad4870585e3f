"""The straight fold: the same inputs through the same domain, one after the other, without a shell.

It is the independent reference of the simulation. It is one loop: it names outcomes by the contract's formula, which is
written here a second time, and keeps documents in a dictionary. No batch, version check, journal, retry or fault.
"""

from __future__ import annotations

import copy
import re
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from shared.contracts import envelope, topics
from shared.contracts.envelope import Unreadable
from shared.kernel.calendar import WITA
from shared.kernel.decision import Address, Due, Outcome
from shared.kernel.event import Event, Intake
from shared.runtime.records import Message
from shared.runtime.spec import ServiceSpec, WorkResult
from tests.fakes.queries import matches, ordered, tallied
from tests.simulation.cast import HASHES

OUTCOME_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:payung:outcome")


@dataclass(slots=True)
class Doc:
    """One document: its state, its version, its inputs, and its due work."""

    state: Any
    version: int = 0
    taken: list[str] = field(default_factory=list)
    due: Due | None = None


@dataclass(slots=True)
class Letter:
    """A record that cannot be read, or on which the domain failed."""

    service: str
    message: Message
    code: str


class Shelf:
    """One service's documents, and the reader for its facts."""

    def __init__(self, spec: ServiceSpec, cipher: Any, rows: Mapping[str, dict[str, dict[str, Any]]]) -> None:
        self.spec = spec
        self.cipher = cipher
        self.docs: dict[Address, Doc] = {}
        self.names: dict[str, str] = {}
        self.reference: Any = None
        # For performers of due work (ports.Workplace).
        self.reader: Any = self
        self.rows_held = rows

    def _found(self, collection: str, where: Mapping[str, Any]) -> list[dict[str, Any]]:
        codec = self.spec.stored[collection]
        bodies = [
            {"_id": at.id, "state": codec.encode(doc.state, self.cipher)}
            for at, doc in self.docs.items()
            if at.collection == collection
        ]
        return [one for one in bodies if matches(one, where)]

    async def states(self, collection: str, ids: Sequence[str]) -> dict[str, Any]:
        """By id."""
        return {one: self.docs[Address(collection, one)].state for one in ids if Address(collection, one) in self.docs}

    async def find(
        self, collection: str, where: Mapping[str, Any], *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[tuple[str, Any]]:
        """By filter."""
        found = ordered(self._found(collection, where), order)[:limit]
        return [(one["_id"], self.docs[Address(collection, one["_id"])].state) for one in found]

    async def count(self, collection: str, where: Mapping[str, Any]) -> int:
        """How many."""
        return len(self._found(collection, where))

    async def tally(
        self, collection: str, where: Mapping[str, Any], by: Sequence[str], *, sums: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Counts and sums by group."""
        return tallied(self._found(collection, where), where, by, sums)

    async def rows(self, collection: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Plain rows."""
        held = self.rows_held.get(collection, {})
        return {one: dict(held[one]) for one in ids if one in held}

    async def find_rows(
        self, collection: str, where: Mapping[str, Any], *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[dict[str, Any]]:
        """Plain rows by filter."""
        found = [{"_id": key, **row} for key, row in self.rows_held.get(collection, {}).items()]
        return ordered([one for one in found if matches(one, where)], order)[:limit]

    async def save_rows(self, collection: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Nothing of a story saves rows."""
        raise AssertionError("the straight fold saves no rows")

    async def delete_rows(self, collection: str, ids: Sequence[str]) -> None:
        """Nothing of a story deletes rows."""
        raise AssertionError("the straight fold deletes no rows")

    async def caught_up(self, names: Sequence[str]) -> bool:
        """It always is."""
        return True


class StraightFold:
    """All services, one record at a time."""

    def __init__(self, shelves: Sequence[Shelf]) -> None:
        self.shelves = shelves
        self.events: dict[str, dict[str, tuple[bytes, dict[str, Any]]]] = {}
        self.letters: list[Letter] = []
        # The outcomes of each input, by service, input name and (for outside inputs) bytes.
        self._answers: dict[tuple[str, str, bytes], list[str]] = {}
        self._changed: dict[str, dict[str, list[Address]]] = {}
        self._queue: deque[Message] = deque()
        self._at_ms = 0
        self._patterns = {
            shelf.spec.name: re.compile("|".join(f"{one}$" if one[0] != "^" else one for one in shelf.spec.topics))
            for shelf in shelves
        }

    async def play(self, messages: Sequence[Message], at_ms: int) -> None:
        """Takes these inputs and everything that follows from them."""
        self._at_ms = at_ms
        self._queue.extend(messages)
        while True:
            while self._queue:
                message = self._queue.popleft()
                for shelf in self.shelves:
                    if self._patterns[shelf.spec.name].match(message.topic):
                        await self._take(shelf, message)
            if not await self._perform():
                return

    async def _take(self, shelf: Shelf, message: Message) -> None:
        spec = shelf.spec
        try:
            event = envelope.read(
                message.value, message.headers, message.topic, self._at_ms, spec.inputs, spec.table, HASHES.of
            )
        except Unreadable as error:
            self.letters.append(Letter(spec.name, message, error.code))
            return
        if event is None:
            return
        answers = self._answers.setdefault(_asked(spec.name, event.name, message.topic, message.value), [])
        named = isinstance(event.data, Intake) or event.type in spec.first_only
        if named and shelf.names.setdefault(event.name, event.content_hash) != event.content_hash:
            assert spec.conflicting is not None
            parts: Sequence[Any] = (spec.conflicting(event),)
        else:
            parts = spec.route(event, shelf.reference)
        for part in parts:
            await self._decide(shelf, event.with_data(part.data, for_cause=part.for_cause), part, answers)

    def answers_to(self, service: str, topic: str, value: bytes | None) -> list[str]:
        """The ids of all outcomes of this record in a service."""
        name = name_of(value)
        return [] if name is None else self._answers.get(_asked(service, name, topic, value), [])

    def documents_of(self, service: str) -> dict[str, list[Address]]:
        """The documents that each input changed, by the input's name."""
        if not self._changed:
            for shelf in self.shelves:
                by_name = self._changed.setdefault(shelf.spec.name, {})
                for address, doc in shelf.docs.items():
                    for name in doc.taken:
                        by_name.setdefault(name, []).append(address)
        return self._changed[service]

    async def _decide(self, shelf: Shelf, event: Event, part: Any, answers: list[str]) -> None:
        spec = shelf.spec
        doc = shelf.docs.get(part.address)
        if doc is not None and event.name in doc.taken:
            return
        facts = await spec.facts(shelf, [(part, event)], shelf.reference)
        decision = spec.decide(copy.deepcopy(doc.state) if doc else None, event, facts)
        if decision.state is None:
            return
        doc = shelf.docs.setdefault(part.address, Doc(None))
        doc.state, doc.due = decision.state, decision.due
        doc.version += 1
        doc.taken.append(event.name)
        for index, outcome in enumerate(decision.outcomes):
            answers.append(self._say(spec.name, event, part.address, index, outcome, doc.version))

    def _say(self, service: str, cause: Event, address: Address, index: int, outcome: Outcome, version: int) -> str:
        source, identifier = cause.cause
        name = f"{service}|{source}|{identifier}|{address.id}|{outcome.type}|{index}"
        said: dict[str, Any] = {
            "specversion": "1.0",
            "id": str(uuid.uuid5(OUTCOME_NAMESPACE, name)),
            "source": f"payung/{service}",
            "type": outcome.type,
            "time": cause.at.astimezone(WITA).isoformat(timespec="milliseconds"),
            "datacontenttype": "application/json",
            "correlationid": cause.correlation_id or cause.id,
            "causationid": identifier,
            "causationsource": source,
            "sequence": version,
        }
        if outcome.topic == f"{service}-work":
            said["savedin"], said["savedfor"] = f"{address.collection}/{address.id}", cause.name
        if outcome.subject is not None:
            said["subject"] = outcome.subject
        said["data"] = outcome.data.model_dump(mode="json", warnings=False)
        self._publish(outcome.topic, outcome.key, said)
        return str(said["id"])

    def _publish(self, topic: str, key: str, said: dict[str, Any]) -> None:
        self.events.setdefault(topic, {})[said["id"]] = (key.encode(), said)
        self._queue.append(Message(topic, key.encode(), orjson.dumps(said)))

    async def _perform(self) -> bool:
        """Performs the work that is due now. Returns whether there was any."""
        now = datetime.fromtimestamp(self._at_ms / 1000, UTC)
        due = [
            (shelf, at, doc)
            for shelf in self.shelves
            for at, doc in shelf.docs.items()
            if doc.due is not None and doc.due.at <= now
        ]
        for shelf, at, doc in due:
            assert doc.due is not None
            answer: WorkResult = await shelf.spec.performers[doc.due.kind](at.id, doc.state, doc.due, shelf)
            source = f"payung/{shelf.spec.name}"
            said = {
                "specversion": "1.0",
                "id": doc.due.id,
                "source": source,
                "type": answer.type,
                "time": now.astimezone(WITA).isoformat(timespec="milliseconds"),
                "datacontenttype": "application/json",
                "correlationid": doc.due.data.get("correlation_id", doc.due.id),
                "causationid": doc.due.id,
                "causationsource": source,
                "data": answer.data.model_dump(mode="json"),
            }
            self._publish(topics.work(shelf.spec.name), answer.key, said)
        return bool(due)


@lru_cache(maxsize=20_000)
def parsed(value: bytes) -> Any:
    """A record's JSON, for reading only; cached, because the runs of a story repeat the same bytes."""
    return orjson.loads(value)


def name_of(value: bytes | None) -> str | None:
    """The name of an event: source and id; None when nobody can read it."""
    try:
        event = parsed(value or b"")
        return f"{event['source']}|{event['id']}"
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return None


def _asked(service: str, name: str, topic: str, value: bytes | None) -> tuple[str, str, bytes]:
    return service, name, (value or b"") if topics.is_from_outside(topic) else b""
