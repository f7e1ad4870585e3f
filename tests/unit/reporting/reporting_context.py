"""An in-memory store that groups like the real one; the service's own decisions fill it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.reporting import documents, facts
from services.reporting.domain.decide import decide, route
from services.reporting.settings import Settings
from shared.contracts.catalogue import OUTCOMES
from shared.contracts.envelope import rfc3339
from shared.kernel.decision import Outcome
from shared.kernel.event import Event
from shared.reference import areas
from shared.runtime.store.leases import Leases
from tests.fakes.memory import MemoryStore
from tests.fakes.queries import matches, ordered, tallied
from tests.toy import CIPHER

MODELS = {kind: model for by_type in OUTCOMES.values() for kind, model in by_type.items()}
NOON = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)


class NoCipher:
    """Fails on use: reporting encrypts nothing."""

    def seal(self, text: str) -> bytes:
        raise AssertionError("nothing to seal")

    def open(self, sealed: bytes) -> str:
        raise AssertionError("nothing to open")


def event(
    kind: str,
    /,
    topic: str = "claims-events",
    sequence: int | None = 1,
    name: str = "e1",
    at: datetime = NOON,
    subject: str | None = None,
    **data: Any,
) -> Event:
    """One of our events as the shell reads it."""
    model: Any = MODELS[kind]
    return Event(
        id=name,
        source="payung/test",
        type=kind,
        data=model.model_validate(data),
        at=at,
        topic=topic,
        content_hash="h",
        sequence=sequence,
        subject=subject,
    )


class FakeContext:
    """The running service as its modules see it, with the in-memory store."""

    name = "reporting"

    def __init__(self) -> None:
        self.reader = self
        self.reference = facts.Reference(areas.load(), Settings(look_s=0.0, counting_share=1.0))
        self.changes = 0
        self.latest: str | None = None
        self.emitted: list[Outcome] = []
        self.tallied = 0
        self.lag: int | None = 0
        self.leases = Leases(MemoryStore({}, CIPHER))
        self.environ: Mapping[str, str] = {"PAYUNG_AUTH": "none"}
        self.bodies: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in documents.STORED}

    async def emit(self, outcomes: Sequence[Outcome]) -> None:
        self.emitted.extend(outcomes)

    def take(self, *events: Event) -> None:
        """Routes, decides and saves like the shell, but remembers no inputs."""
        for one in events:
            for routed in route(one, self.reference):
                address = routed.address
                kept = self.bodies[address.collection].get(address.id)
                codec = documents.STORED[address.collection]
                state = codec.decode(kept["state"], NoCipher()) if kept else None
                decision = decide(state, one.with_data(routed.data), None)
                if decision.state is not None:
                    body = {"_id": address.id, "state": codec.encode(decision.state, NoCipher())}
                    self.bodies[address.collection][address.id] = body
        self.changes += 1
        self.latest = max([self.latest or "", *(rfc3339(one.at) for one in events)]) or None

    async def find(
        self, collection: str, where: Mapping[str, Any], *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[tuple[str, Any]]:
        found = ordered([body for body in self.bodies[collection].values() if matches(body, where)], order)
        codec = documents.STORED[collection]
        return [(body["_id"], codec.decode(body["state"], NoCipher())) for body in found[:limit]]

    async def states(self, collection: str, ids: Sequence[str]) -> dict[str, Any]:
        codec, held = documents.STORED[collection], self.bodies[collection]
        return {one: codec.decode(held[one]["state"], NoCipher()) for one in ids if one in held}

    async def count(self, collection: str, where: Mapping[str, Any]) -> int:
        return sum(matches(body, where) for body in self.bodies[collection].values())

    async def tally(
        self, collection: str, where: Mapping[str, Any], by: Sequence[str], *, sums: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        self.tallied += 1
        return tallied(self.bodies[collection].values(), where, by, sums)
