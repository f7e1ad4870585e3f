"""Checks what must hold during and after every run: compares the world's stores and topics with the straight fold.

Reads documents, logs and headers by itself; shares no code with the shell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Protocol

from shared.contracts import topics
from shared.kernel.decision import Address
from shared.runtime.records import Message, Record
from tests.fakes.groups import Partition
from tests.simulation.cast import CIPHER
from tests.simulation.chaos import Kind
from tests.simulation.reference import Letter, Shelf, StraightFold, name_of, parsed
from tests.simulation.world import Service, World

# Only the documents of this service ignore older news of an aggregate (services/reporting/domain/rules.py, `latest`).
LATEST_ONLY = "reporting"


# Faults that interrupt no call and lose no answer: processes start, partitions move, senders repeat records.
NO_CALL_IS_LOST = {Kind.SECOND, Kind.REBALANCE, Kind.DUPLICATE}


class Straight(Protocol):
    """The part of a straight fold that the laws of a running world need."""

    letters: list[Letter]

    def answers_to(self, service: str, topic: str, value: bytes | None) -> Sequence[str]:
        """The ids of all outcomes of this record in a service."""
        ...

    def documents_of(self, service: str) -> Mapping[str, Sequence[Address]]:
        """The documents that each input changes, by the input's name."""
        ...


def watch(world: World, fold: Straight) -> None:
    """Checks two laws during the run: no outcome is published before it is saved, and no committed offset passes an
    effect that does not exist yet."""
    ledger = _Ledger(world, fold)
    world.topics.listeners.append(ledger.published)
    for service in world.services:
        service.group.watch = _Commits(world, service, fold, ledger)


class _Ledger:
    """The events and dead letters in the topics."""

    def __init__(self, world: World, fold: Straight) -> None:
        self._services = {service.name: service for service in world.services}
        self._fold = fold
        self.unreadable = _unreadable(fold)
        self.events: set[str] = set()
        self.letters: set[tuple[str, str, int, int]] = set()

    def published(self, message: Message) -> None:
        """Notes one more record."""
        if message.topic.endswith("-dlq"):
            self.letters.add(_origin(message))
        elif not topics.is_from_outside(message.topic):
            event = parsed(message.value or b"")
            if event["id"] not in self.events:
                self._must_be_saved(event)
                self.events.add(event["id"])

    def _must_be_saved(self, event: Mapping[str, Any]) -> None:
        service = self._services[event["source"].removeprefix("payung/")]
        cause = f"{event['causationsource']}|{event['causationid']}"
        if event["id"] == event["causationid"]:
            # An answer to due work: the document that waits for it is already saved.
            return
        for address in self._fold.documents_of(service.name).get(cause, ()):
            document = service.store.collections[address.collection].get(address.id)
            if document is not None and any(
                event["id"] == said["i"] for one in document["inputs"] if one["n"] == cause for said in one["o"]
            ):
                return
        # An input that was passed on: the document took it under the name of the step.
        if any(
            event["id"] == said["i"]
            for documents in service.store.collections.values()
            for document in documents.values()
            for one in document["inputs"]
            for said in one["o"]
        ):
            return
        raise AssertionError(f"{service.name} said {event['type']} {event['id']} before it was saved")


class _Commits:
    """Checks each commit of one group."""

    def __init__(self, world: World, service: Service, fold: Straight, ledger: _Ledger) -> None:
        self._world = world
        self._service = service
        self._fold = fold
        self._ledger = ledger

    def __call__(self, place: Partition, before: int, after: int) -> None:
        if self._service.restored:
            # After a restore inputs are read in another order of topics. An answer may come before its question; then
            # it is ignored and asked for again. The check at the end sees that nothing is missing.
            return
        expired = self._service.expired.get(place, 0)
        for record in self._world.topics.logs[place][before:after]:
            self._must_be_durable(record, expired=record.offset < expired)

    def _must_be_durable(self, record: Record, *, expired: bool) -> None:
        name, ledger = self._service.name, self._ledger
        if (name, record.topic, record.value) in ledger.unreadable:
            letter = (topics.dead_letters(name), record.topic, record.partition, record.offset)
            if letter not in ledger.letters:
                raise AssertionError(f"{name} committed past a dead letter that is not there: {letter[1:]}")
            return
        for wanted in self._fold.answers_to(name, record.topic, record.value):
            # Nobody reads an expired record again. A journal entry keeps its outcomes until they are published, at the
            # latest at the end of the run.
            if wanted not in ledger.events and not (expired and self._is_owed(record)):
                raise AssertionError(f"{name} committed past an outcome that is not there, of {record.value!r:.200}")
        if topics.is_from_outside(record.topic):
            # Another input with the same name may have other content and change another document.
            return
        cause = name_of(record.value)
        for address in self._fold.documents_of(name).get(cause or "", ()):
            document = self._service.store.collections[address.collection].get(address.id)
            if document is None or cause is None:
                raise AssertionError(f"{name} committed past a document that is not there, of {record.value!r:.200}")
            taken = {one["n"] for one in document["inputs"]}
            if cause not in taken and not _is_overtaken(self._world, self._service, cause, taken):
                raise AssertionError(f"{name} committed past a change that is not there, of {record.value!r:.200}")

    def _is_owed(self, record: Record) -> bool:
        cause = name_of(record.value)
        return any(cause == name for named in self._service.store.journals.values() for _, name in named)


def check(world: World, fold: StraightFold, paid: Mapping[str, Any]) -> None:
    """Checks everything at the end of a run."""
    if world.outside.paid != paid:
        raise AssertionError(f"BPJS paid {sorted(world.outside.paid)}, not {sorted(paid)}")
    if world.chaos.struck.keys() <= NO_CALL_IS_LOST:
        again = {key: times for key, times in world.outside.called.items() if times > 1}
        _same("calls that nothing had cut short and that were made again", again, {})
    for service, shelf in zip(world.services, fold.shelves, strict=True):
        _check_documents(world, service, shelf)
        if service.group.lag():
            raise AssertionError(f"{service.name} left {service.group.lag()} records")
    _check_events(world, fold)
    _check_letters(world, fold)


def _check_documents(world: World, service: Service, shelf: Shelf) -> None:
    found = {
        Address(collection, key): document
        for collection, documents in service.store.collections.items()
        for key, document in documents.items()
    }
    _same(f"documents of {service.name}", set(found), set(shelf.docs))
    for address, document in found.items():
        doc, codec = shelf.docs[address], service.spec.stored[address.collection]
        what = f"{service.name} {address.collection} {address.id}"
        taken = {one["n"] for one in document["inputs"]}
        late = {one for one in set(doc.taken) - taken if _is_overtaken(world, service, one, taken)}
        wanted = [one for one in doc.taken if one not in late]
        _same(f"inputs of {what}", sorted(one["n"] for one in document["inputs"]), sorted(wanted))
        _same(f"version of {what}", document["version"], doc.version - len(late))
        _same(
            f"state of {what}",
            codec.decode(document["state"], CIPHER),
            codec.decode(codec.encode(doc.state, CIPHER), CIPHER),
        )
        due = document.get("due")
        _same(f"due work of {what}", due and (due["id"], due["at"]), doc.due and (doc.due.id, doc.due.at))


def _is_overtaken(world: World, service: Service, late: str, taken: Set[str]) -> bool:
    """Whether this input was correctly ignored: the document took news of the same source with a higher sequence, and
    that news is before the input's first record in the same partition. This happens when a process saved both and died
    before it published the first. Only reporting keeps just the latest news of an aggregate.
    """
    if service.name != LATEST_ONLY:
        return False
    for place, log in world.topics.logs.items():
        names = [name_of(record.value) for record in log] if service.group.subscribed(place[0]) else []
        if late not in names:
            continue
        first = names.index(late)
        word = parsed(log[first].value or b"")
        return any(
            name in taken
            and (before := parsed(record.value or b""))["source"] == word["source"]
            and before.get("sequence", 0) > word.get("sequence", 0)
            for name, record in zip(names[:first], log, strict=False)
        )
    return False


def _check_events(world: World, fold: StraightFold) -> None:
    said: dict[str, dict[str, Message]] = {}
    again = {kind for service in world.services if service.restored for kind in service.spec.first_only}
    for message in world.topics.published:
        if topics.is_from_outside(message.topic) or message.topic.endswith("-dlq"):
            continue
        event = parsed(message.value or b"")
        first = said.setdefault(message.topic, {}).setdefault(event["id"], message)
        if event["type"] in again:
            # A restored store may find something else; the first record stands.
            continue
        if (first.value, first.key) != (message.value, message.key):
            raise AssertionError(f"{event['type']} {event['id']} was said twice, with other bytes")
    _same("topics with events", set(said), set(fold.events))
    for topic, by_id in said.items():
        wanted = fold.events[topic]
        _same(f"events on {topic}", _named(by_id), {name: one["type"] for name, (_, one) in wanted.items()})
        for name, message in by_id.items():
            key, event = wanted[name]
            _same(f"{event['type']} on {topic}", (message.key, parsed(message.value or b"")), (key, event))


def _named(by_id: Mapping[str, Message]) -> dict[str, str]:
    return {name: parsed(message.value or b"")["type"] for name, message in by_id.items()}


def _check_letters(world: World, fold: StraightFold) -> None:
    unreadable = _unreadable(fold)
    wanted = {
        (topics.dead_letters(service.name), record.topic, record.partition, record.offset)
        for service in world.services
        for place, log in world.topics.logs.items()
        if service.group.subscribed(place[0])
        for record in log
        if (service.name, record.topic, record.value) in unreadable
    }
    letters = [message for message in world.topics.published if message.topic.endswith("-dlq")]
    _same("dead letters", {_origin(letter) for letter in letters}, wanted)
    for letter in letters:
        _, topic, partition, offset = _origin(letter)
        record = world.topics.logs[topic, partition][offset]
        _same("a dead letter", (letter.value, letter.key), (record.value, record.key))
        _same("headers of a dead letter", set(record.headers) - set(letter.headers), set())


def _unreadable(fold: Straight) -> set[tuple[str, str, bytes | None]]:
    return {(letter.service, letter.message.topic, letter.message.value) for letter in fold.letters}


def _origin(letter: Message) -> tuple[str, str, int, int]:
    headers = dict(letter.headers)
    return (
        letter.topic,
        headers["dlq_topic"].decode(),
        int(headers["dlq_partition"]),
        int(headers["dlq_offset"]),
    )


def _same(what: str, found: Any, wanted: Any) -> None:
    if found == wanted:
        return
    more: list[Any] = []
    less: list[Any] = []
    if isinstance(found, set) and isinstance(wanted, set):
        more, less = sorted(map(str, found - wanted)), sorted(map(str, wanted - found))
    elif isinstance(found, dict) and isinstance(wanted, dict):
        more = [(one, found[one]) for one in found.keys() - wanted.keys()]
        less = [(one, wanted[one]) for one in wanted.keys() - found.keys()]
    if more or less:
        raise AssertionError(f"{what}: too many {more!s:.1500}; missing {less!s:.1500}")
    raise AssertionError(f"{what}:\n  found  {found!s:.1500}\n  wanted {wanted!s:.1500}")
