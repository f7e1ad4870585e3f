"""The simulated world: five services' stores, one broker, processes that come and go, and a clock of its own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.claims.adapters import bpjs
from services.verification.adapters import dukcapil
from shared.kernel.decision import Address
from shared.runtime import app, clock, due
from shared.runtime.kafka import consumer
from shared.runtime.kafka.consumer import pattern_of
from shared.runtime.ops import health
from shared.runtime.records import Record
from shared.runtime.spec import ServiceSpec
from shared.runtime.store import leases
from shared.runtime.store.crypto import FieldCipher
from tests.fakes.groups import MemoryGroup, Partition
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.simulation.chaos import Chaos, Kind
from tests.simulation.host import Host
from tests.simulation.outside import Outside
from tests.simulation.reference import name_of
from tests.simulation.scheduler import SimLoop, Stuck
from tests.simulation.stories import Phase

RESTART_S_MAX = 20.0
# Only these services are restored. After a restore inputs may be decided in another order of topics (docs/delivery.md,
# Not promised), and the straight fold does not know that order: registration takes a verdict at its repeat,
# verification waits long for an answer. On a real broker the log's clock orders them (`KafkaConsumer._handle`); here
# the clock stands still.
RESTORABLE = frozenset({"billing", "claims", "reporting"})
HOSTS_MAX = 3
# The longest pauses are 100 s (a nap, an outage). A run must recover without the watchdog, which ends a process after
# 300 s.
REST_WITHIN_S = 200.0
# The documents that each input changes, by the input's name, for one service.
Changes = Callable[[str], Mapping[str, Sequence[Address]]]
# Idle runners look seldom, because each save wakes them. Leases are as slow, in their real proportions.
LOOK_S = 20.0
LEASE_S, TRUST_S, RENEW_S, TURN_S = 50.0, 33.0, 10.0, 7.0


class Silent:
    """Replaces logs, metrics and the broker connection, which are not used here."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return _nothing

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self


def _nothing(*_: Any, **__: Any) -> Any:
    return SILENT


SILENT = Silent()


class Service:
    """The part of a service that outlives its processes: documents and committed offsets."""

    def __init__(self, spec: ServiceSpec, reference: Any, cipher: FieldCipher) -> None:
        self.spec = spec
        self.name = spec.name
        self.store = MemoryStore(spec.stored, cipher)
        self.metrics: Any = SILENT
        self.reference = reference
        self.hosts: list[Host] = []
        self.group: MemoryGroup
        # The first offset of each partition that has not expired; the log keeps older records for the checker.
        self.expired: dict[Partition, int] = {}
        # Its store at the beginning of the phase.
        self.copy: dict[str, Any] = {}
        self.restored = False

    def listen(self, topics: MemoryTopics, order: Callable[[list[Partition]], None]) -> None:
        """Connects to this world's broker."""
        self.group = MemoryGroup(topics, pattern_of(self.spec.topics), order)


class World:
    """The stores, topics, processes and clock of one run."""

    def __init__(self, chaos: Chaos, services: Sequence[Service], outside: Outside, changes: Changes) -> None:
        self.chaos = chaos
        self.services = services
        self.outside = outside
        self.topics = MemoryTopics(partitions=chaos.rng.choice((1, 2, 3)))
        for service in services:
            service.listen(self.topics, chaos.rng.shuffle)
        self._changes = changes
        self.outages: dict[tuple[str, bool], float] = {}
        self.defects: list[BaseException] = []
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.restorable = RESTORABLE
        self.over = False
        self.troubled_at = 0.0
        self._starting = 0
        self._rest: asyncio.Future[None] | None = None

    # -- processes --------------------------------------------------------------------------------------------------

    def start(self, service: Service) -> None:
        """Starts one more process."""
        if len(service.hosts) < HOSTS_MAX:
            service.hosts.append(Host(self, service))

    def buried(self, host: Host) -> None:
        """Notes a dead process; its supervisor restarts it a little later."""
        host.service.hosts.remove(host)
        if not self.over:
            self._starting += 1
            pause_s = self.chaos.rng.uniform(0.0, RESTART_S_MAX)
            asyncio.get_running_loop().call_later(pause_s, self._started, host.service)

    def _started(self, service: Service) -> None:
        self._starting -= 1
        self.start(service)

    def disturb(self, kind: Kind, service: Service) -> None:
        """Applies a fault to a group or a topic instead of one call."""
        rng, group = self.chaos.rng, service.group
        match kind:
            case Kind.SECOND:
                self.start(service)
            case Kind.REBALANCE:
                group.rebalance()
            case Kind.REWIND if group.committed:
                place = rng.choice(list(group.committed))
                group.committed[place] = rng.randint(0, group.committed[place])
                group.rebalance()
            case Kind.RESTORE if service.name in self.restorable and not service.expired:
                for host in tuple(service.hosts):
                    host.die()
                service.store.restore(service.copy)
                service.restored = True
            case Kind.DUPLICATE if self.topics.published:
                self.topics.append(rng.choice(self.topics.published))
            case _:
                pass

    def expire(self, service: Service) -> None:
        """Removes this service's saved but uncommitted records from its topics. Only its journal still names them."""
        changed = self._changes(service.name)
        for place, log in self.topics.logs.items():
            if service.group.subscribed(place[0]):
                noted = service.store.noted.get(place, 0)
                start = min(service.group.committed.get(place, 0), noted)
                while start < len(log) and self._is_saved(
                    service, changed.get(name_of(log[start].value) or ""), log[start]
                ):
                    start += 1
                service.group.committed[place] = start
                service.expired[place] = max(start, service.expired.get(place, 0))
                # A process that meets the gap notes it, then commits past it.
                service.store.noted[place] = max(start, service.store.noted.get(place, 0))

    def _is_saved(self, service: Service, addresses: Sequence[Address] | None, record: Record) -> bool:
        name = name_of(record.value)
        if not addresses:
            return False
        for address in addresses:
            document = service.store.collections[address.collection].get(address.id)
            if document is None or all(one["n"] != name for one in document["inputs"]):
                return False
        return True

    # -- time -------------------------------------------------------------------------------------------------------

    async def play(self, phase: Phase) -> None:
        """Sends a phase's inputs and waits until nothing is left to do."""
        for service in self.services:
            service.copy = service.store.kept()
        self.now = phase.at
        self.topics.now_ms = phase.at_ms
        for service in self.services:
            if not service.hosts and not self._starting:
                self.start(service)
        for message in phase.messages:
            self.topics.append(message)
            if self.chaos.switches():
                await asyncio.sleep(0)
        await self._at_rest()

    async def replay(self) -> None:
        """Every service reads everything again, from the first record."""
        for service in self.services:
            service.group.committed.clear()
            service.group.rebalance()
        await self._at_rest()

    async def _at_rest(self) -> None:
        loop = asyncio.get_running_loop()
        self.troubled_at = loop.time()
        self._rest = loop.create_future()
        await self._rest

    def idle(self) -> bool:
        """Called when nothing can run now; returns whether the phase is over."""
        if self._rest is None or self._rest.done():
            return False
        if not (self.defects or self._is_at_rest()):
            waited_s = asyncio.get_running_loop().time() - self.troubled_at
            if waited_s > REST_WITHIN_S:
                raise Stuck(f"{waited_s:.0f} s after the last trouble there is no rest: {self.unfinished()}")
            return False
        self._rest.set_result(None)
        return True

    def _is_at_rest(self) -> bool:
        if self._starting:
            return False
        for service in self.services:
            for host in service.hosts:
                if host.busy or (host.runner is not None and host.runner._running):
                    return False
        return all(service.group.lag() == 0 and not self._is_due(service) for service in self.services)

    def _is_due(self, service: Service) -> bool:
        return any(at <= self.now for at in service.store.waiting.values())

    def unfinished(self) -> str:
        """What prevents the world from resting, for the text of a failure."""
        found = [f"{self._starting} to start"]
        for service in self.services:
            busy = sum(host.busy for host in service.hosts)
            running = sum(len(host.runner._running) for host in service.hosts if host.runner)
            due_now = self._is_due(service)
            if busy or running or due_now or service.group.lag():
                what = f"{busy} busy, {running} performing, {service.group.lag()} behind, due {due_now}"
                found.append(f"{service.name}: {len(service.hosts)} processes, {what}")
        return "; ".join(found)

    def end(self) -> None:
        """Ends every process and starts no more."""
        self.over = True
        for service in self.services:
            for host in tuple(service.hosts):
                host.die()


@contextlib.contextmanager
def isolated(loop: SimLoop, rng: random.Random, outside: Outside, now: Callable[[], datetime]) -> Iterator[None]:
    """Replaces the real clock, randomness and other systems by this world's."""
    numbers = itertools.count(1)
    changed = [
        (clock, "now", now),
        (clock, "monotonic", loop.time),
        (clock, "new_id", lambda: f"journal-{next(numbers)}"),
        (dukcapil, "_client", lambda *_: outside),
        (bpjs, "_client", lambda *_: outside),
        (due, "LOOK_S", LOOK_S),
        (due, "TURN_S", TURN_S),
        (leases, "LEASE_S", LEASE_S),
        (leases, "TRUST_S", TRUST_S),
        (leases, "RENEW_S", RENEW_S),
        (health, "LOOK_S", LOOK_S),
        (app, "random", rng),
        (consumer, "KafkaBroker", SILENT),
        *((module, "log", SILENT) for module in (app, due, consumer, leases)),
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in changed]
    for module, name, value in changed:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
