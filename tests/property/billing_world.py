"""A small world for billing: its real route, facts, codecs and decide over dictionaries, and a queue per partition.

It takes records in batches of any size and delivers some again. It uses no Kafka and no MongoDB.
"""

from __future__ import annotations

import copy
import hashlib
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import orjson
from pydantic import BaseModel

from services.billing import adapters, documents, facts
from services.billing.domain import decide, rules
from services.billing.domain.state import Reference
from services.billing.stream import SPEC
from shared.contracts import envelope
from shared.kernel.decision import Address, Due
from shared.kernel.event import Event
from shared.reference import areas, rates
from shared.runtime.fold import Folded, Stored, fold
from shared.runtime.ports import Reader

START = datetime(2026, 1, 10, 1, 0, tzinfo=UTC)
T = TypeVar("T")


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that never really waits, without the cost of an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    raise AssertionError("it waited")


class NoCipher:
    """Fails on use: billing holds no personal data, so sealing any would be a defect."""

    def seal(self, text: str) -> bytes:
        raise AssertionError("billing sealed something")

    def open(self, sealed: bytes) -> str:
        raise AssertionError("billing opened something")


CIPHER = NoCipher()


@dataclass
class Kept:
    """One document in the form of the store."""

    version: int
    body: dict[str, Any]
    due: Due | None
    taken: dict[str, str]
    outcomes: dict[str, tuple[tuple[str, bytes], ...]] = field(default_factory=dict)


@dataclass
class Backup:
    """A copy of the store with its settled offsets."""

    kept: dict[Address, Kept]
    names: dict[str, str]
    settled: dict[tuple[str, str], int]


class DictReader:
    """The part of the store that billing uses outside its decisions, over dictionaries."""

    def __init__(self) -> None:
        self.kept: dict[Address, Kept] = {}
        self.plain: dict[str, dict[str, dict[str, Any]]] = {}

    async def find_rows(
        self, collection: str, where: Mapping[str, Any], *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[dict[str, Any]]:
        held = self.plain.get(collection, {})
        rows = [
            {"_id": key, **row}
            for key, row in held.items()
            if all(row[name] == wanted for name, wanted in where.items())
        ]
        for name in reversed(order):
            rows.sort(key=lambda row: str(row[name.removeprefix("-")]), reverse=name[0] == "-")
        return rows[:limit]

    async def rows(self, collection: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        held = self.plain.get(collection, {})
        return {one: dict(held[one]) for one in ids if one in held}

    async def save_rows(self, collection: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        self.plain.setdefault(collection, {}).update({key: dict(row) for key, row in rows.items()})

    async def keep_first(self, collection: str, identifier: str, row: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self.plain.setdefault(collection, {}).setdefault(identifier, dict(row)))

    async def states(self, collection: str, ids: Sequence[str]) -> dict[str, Any]:
        codec = documents.STORED[collection]
        found = {one: self.kept.get(Address(collection, one)) for one in ids}
        return {one: codec.decode(kept.body, CIPHER) for one, kept in found.items() if kept is not None}

    async def find(
        self, collection: str, where: Mapping[str, Any], *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[tuple[str, Any]]:
        codec = documents.STORED[collection]
        rows = [
            (address.id, kept.body)
            for address, kept in self.kept.items()
            if address.collection == collection and all(_holds(kept.body, *rule) for rule in where.items())
        ]
        for path in reversed(order):
            rows.sort(key=lambda row: row[0] if path == "_id" else row[1][path.removeprefix("state.")])
        return [(one, codec.decode(body, CIPHER)) for one, body in rows[:limit]]

    async def tally(
        self, collection: str, where: Mapping[str, Any], by: Sequence[str], *, sums: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        names, added = ([path.removeprefix("state.") for path in paths] for paths in (by, sums))
        for address, kept in self.kept.items():
            if address.collection == collection and all(_holds(kept.body, *rule) for rule in where.items()):
                key = tuple(kept.body[name] for name in names)
                row = rows.setdefault(
                    key, {**dict(zip(names, key, strict=True)), "count": 0, **dict.fromkeys(added, 0)}
                )
                row["count"] += 1
                for name in added:
                    row[name] += kept.body[name]
        return list(rows.values())

    async def count(self, collection: str, where: Mapping[str, Any]) -> int:
        return len(await self.find(collection, where, limit=10**9))


def _holds(body: Mapping[str, Any], path: str, rule: Any) -> bool:
    value = body[path.removeprefix("state.")]
    if not isinstance(rule, dict):
        return bool(value == rule)
    if "$in" in rule:
        return value in rule["$in"]
    tests = {"$gt": value.__gt__, "$gte": value.__ge__, "$lt": value.__lt__, "$lte": value.__le__}
    return all(tests[name](bound) for name, bound in rule.items())


class World:
    """Billing with its topics. Without `polite`, the runs of two funders over one month meet. In production this
    happens when both check their turn at the same moment."""

    def __init__(self, step_workers: int = 3, polite: bool = True) -> None:
        self.polite = polite
        self.reader = DictReader()
        self.reference = Reference(areas.load(), rates.load(), step_workers)
        self.queues: dict[tuple[str, str], deque[tuple[bytes, datetime]]] = {}
        self.logs: dict[tuple[str, str], list[tuple[bytes, datetime]]] = {}
        self.names: dict[str, str] = {}
        self.told: list[dict[str, Any]] = []
        self.now = START
        self._names = 0

    def command(self, kind: str, data: Any, key: str = "64.08", source: str = "treasury/64.08") -> str:
        """Puts a command on billing-intake."""
        return self.put("billing-intake", key, kind, data, source)

    def put(self, topic: str, key: str, kind: str, data: Any, source: str = "", sequence: int | None = None) -> str:
        """Puts an event on a topic, by default from the topic's own service. Events of one key stay in order."""
        self._names += 1
        source = source or f"payung/{topic.split('-', 1)[0]}"
        header: dict[str, Any] = {"specversion": "1.0", "id": f"e{self._names}", "source": source, "type": kind}
        if sequence is not None:
            header["sequence"] = sequence
        body = data.model_dump(mode="json") if isinstance(data, BaseModel) else data
        self._append(topic, key, orjson.dumps({**header, "data": body}))
        return str(header["id"])

    def _append(self, topic: str, key: str, value: bytes) -> None:
        self.now += timedelta(milliseconds=7)
        self.queues.setdefault((topic, key), deque()).append((value, self.now))
        self.logs.setdefault((topic, key), []).append((value, self.now))

    def take(self, queue: tuple[str, str], batch: int, again: bool = False) -> None:
        """Settles the first records of one queue; twice with `again`."""
        waiting = self.queues[queue]
        records = [waiting.popleft() for _ in range(min(batch, len(waiting)))]
        for _ in range(2 if again else 1):
            self._settle(queue[0], records)

    def backup(self) -> Backup:
        """The store, and how far it has settled the log."""
        settled = {queue: len(log) - len(self.queues[queue]) for queue, log in self.logs.items()}
        return Backup(copy.deepcopy(self.reader.kept), dict(self.names), settled)

    def restore(self, backup: Backup) -> None:
        """Puts an older store under the log as it is now; everything after its offsets is read again."""
        self.reader.kept = copy.deepcopy(backup.kept)
        self.names = dict(backup.names)
        self.queues = {queue: deque(log[backup.settled.get(queue, 0) :]) for queue, log in self.logs.items()}

    def _settle(self, topic: str, records: Sequence[tuple[bytes, datetime]]) -> None:
        waiting: dict[Address, list[Event]] = {}
        order: list[tuple[Address, str]] = []
        routed = []
        for value, at in records:
            event = envelope.read(value, (), topic, int(at.timestamp() * 1000), SPEC.inputs)
            assert event is not None
            content = hashlib.sha256(value).hexdigest()
            if event.type in SPEC.first_only and self.names.setdefault(event.name, content) != content:
                continue
            for part in decide.route(event, self.reference):
                seen = event.with_data(part.data, for_cause=part.for_cause)
                waiting.setdefault(part.address, []).append(seen)
                order.append((part.address, event.name))
                routed.append((part, seen))
        looked_up = run_now(facts.facts(cast(Reader, self.reader), routed, self.reference))
        for address, events in waiting.items():
            result = fold("billing", address, self._stored(address), events, decide.decide, looked_up)
            assert not result.failed, result.failed
            self._save(result)
        for address, name in order:
            kept = self.reader.kept.get(address)
            for key, value in kept.outcomes.get(name, ()) if kept else ():
                self._publish(key, value, orjson.loads(value))

    def _publish(self, key: str, value: bytes, told: dict[str, Any]) -> None:
        if told["type"] in SPEC.outcomes:
            if told["id"] not in {one["id"] for one in self.told}:
                self.told.append(told)
        else:
            self._append("billing-work", key, value)

    def _stored(self, address: Address) -> Stored | None:
        kept = self.reader.kept.get(address)
        if kept is None:
            return None
        state = documents.STORED[address.collection].decode(kept.body, CIPHER)
        return Stored(kept.version, state, kept.due, kept.taken)

    def _save(self, result: Folded) -> None:
        if not result.changed:
            return
        body = documents.STORED[result.address.collection].encode(result.state, CIPHER)
        before = self.reader.kept.get(result.address)
        kept = Kept(result.version, body, result.due, dict(before.taken) if before else {})
        kept.outcomes.update(before.outcomes if before else {})
        for taken in result.taken:
            kept.taken[taken.name] = taken.content_hash
            kept.outcomes[taken.name] = tuple((one.key, one.value) for one in taken.outcomes)
        self.reader.kept[result.address] = kept

    def perform_due(self) -> bool:
        """Answers due runs whose turn it is, like the shell. Returns whether there was any."""
        performed = False
        for kept in list(self.reader.kept.values()):
            if kept.due is None or kept.due.kind != "catch-up":
                continue
            run = documents.STORED["runs"].decode(kept.body, CIPHER)
            if not self.is_its_turn(run):
                continue
            header = {"specversion": "1.0", "id": kept.due.id, "source": "payung/billing", "type": "run.start"}
            value = orjson.dumps(
                {**header, "data": run_now(adapters.start_of(cast(Reader, self.reader), run)).model_dump(mode="json")}
            )
            key = rules.budget_key(run.regency, run.period, run.funding)
            if all(one[0] != value for one in self.queues.get(("billing-work", key), ())):
                self._append("billing-work", key, value)
                performed = True
        return performed

    def is_its_turn(self, run: Any) -> bool:
        """Whether the run may start; without `polite` it does not wait for other funders' runs."""
        if self.polite:
            return run_now(adapters.is_its_turn(cast(Reader, self.reader), run))
        budget = self.state("budgets", f"{run.regency}|{int(run.period[:4])}|{run.funding}")
        return budget is not None and budget.queue[:1] == (run.run_id,)

    def state(self, collection: str, key: str) -> Any:
        """The decoded state of one document; None when there is none."""
        kept = self.reader.kept.get(Address(collection, key))
        return None if kept is None else documents.STORED[collection].decode(kept.body, CIPHER)

    def all(self, collection: str) -> dict[str, Any]:
        """Every decoded state of a collection."""
        return {a.id: self.state(collection, a.id) for a in self.reader.kept if a.collection == collection}

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The data of every published event of a type."""
        return [one["data"] for one in self.told if one["type"] == kind]

    def settle_all(self, batch: int = 2000) -> None:
        """Takes everything until nothing waits."""
        for _ in range(100_000):
            waiting = sorted(queue for queue, records in self.queues.items() if records)
            if waiting:
                self.take(waiting[0], batch)
            elif not self.perform_due():
                return
        raise AssertionError("the world does not come to rest")
