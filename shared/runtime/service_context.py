"""What the HTTP routes and the background task of a service may use: its store, its reference, its way to Kafka."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry

from shared.contracts import envelope
from shared.kernel.decision import Outcome
from shared.runtime import clock
from shared.runtime.pipeline import Pipeline
from shared.runtime.ports import Publisher, StateStore
from shared.runtime.records import Message
from shared.runtime.spec import ServiceSpec
from shared.runtime.store.leases import Leases


class ServiceContext:
    """One running service, as its own routes and background task see it."""

    def __init__(
        self,
        spec: ServiceSpec,
        store: StateStore,
        reference: Any,
        publisher: Publisher,
        pipeline: Pipeline,
        lag: Callable[[], int | None],
        environ: Mapping[str, str],
        caught_up: Callable[[Sequence[str]], Awaitable[bool]],
        leases: Leases,
        parts: list[Callable[[], str | None]] | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self.spec = spec
        self.name = spec.name
        self.reader = store
        self.reference = reference
        self.environ = environ
        self._lag = lag
        self.caught_up = caught_up
        self.leases = leases
        # An independent part of the service adds a function that returns why it stands still, or None; readiness
        # reports it.
        self.parts = [] if parts is None else parts
        # The metrics of this process; a part adds its own.
        self.registry = CollectorRegistry() if registry is None else registry
        self._publisher = publisher
        self._pipeline = pipeline

    @property
    def changes(self) -> int:
        """Grows whenever a batch is saved."""
        return self._pipeline.changes

    @property
    def lag(self) -> int | None:
        """Records that waited at the watch's last look, some seconds ago at most; None when Kafka does not answer."""
        return self._lag()

    @property
    def latest(self) -> str | None:
        """The newest record that this process has settled, RFC 3339 in WITA; None before the first."""
        at_ms = self._pipeline.latest_ms
        return envelope.rfc3339(datetime.fromtimestamp(at_ms / 1000, UTC)) if at_ms else None

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publishes ready records; returns when all are acknowledged."""
        await self._publisher.send_all(messages)

    async def emit(self, outcomes: Sequence[Outcome]) -> None:
        """Publishes snapshots that no single input caused; named by their content, so a repeat has the same id."""
        now = clock.now()
        messages = []
        for one in outcomes:
            body = one.data.model_dump_json()
            digest = hashlib.blake2b(f"{one.type}|{one.key}|{body}".encode(), digest_size=16).hexdigest()
            value = envelope.internal(self.name, digest, one.type, one.data, now)
            messages.append(Message(one.topic, one.key.encode(), value))
        await self._publisher.send_all(messages)
