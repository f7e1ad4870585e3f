"""A registration service in memory for the tests of imports: it processes published records at once."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import orjson
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from services.registration.imports.api import web
from services.registration.imports.background.running import Running
from services.registration.imports.documents.records import IMPORTS, Import, import_of
from services.registration.stream import SPEC
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.http.problems import of_http
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Message, Record
from shared.runtime.store.leases import Leases
from tests.batches import settle
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.property.registration_world import REFERENCE
from tests.toy import CIPHER

HEADER = "nik,name,birth_date,sex,village,sector,occupation,consent"


def row(number: int, name: str = "SITI AMINAH") -> str:
    """A good row; each number is a different person."""
    return f"640804410785{number:04d},{name},1985-07-01,F,64.08.04.2001,fisheries,nelayan,2026-01-04"


def table(*rows: str) -> bytes:
    """A CSV file."""
    return ("\n".join((HEADER, *rows)) + "\n").encode()


class MemoryContext:
    """Registration's own SPEC on a store and topics in memory. With `paused`, published records are not processed."""

    def __init__(self, **environ: str) -> None:
        self.spec = SPEC
        self.name = SPEC.name
        self.reference = REFERENCE
        self.environ = {
            "PAYUNG_AUTH": "none",
            # A restarted process has the same name and does not wait for its own old lease.
            "PAYUNG_INSTANCE": "registration-1",
            "PAYUNG_FIELD_KEYS": "k1:" + base64.b64encode(b"0" * 32).decode(),
            **environ,
        }
        self.reader = MemoryStore(SPEC.stored, CIPHER)
        self.leases = Leases(self.reader, self.environ["PAYUNG_INSTANCE"])
        self.topics = MemoryTopics()
        letters = DeadLetterTopic(SPEC.name, self.topics)
        self.pipeline = Pipeline(SPEC, self.reader, self.topics, letters, Metrics(SPEC.name), REFERENCE)
        self.settled: dict[tuple[str, int], int] = {}
        self.sent = 0
        self.paused = False
        self.at_publish: Callable[[], None] = lambda: None

    @property
    def registry(self) -> CollectorRegistry:
        """The metrics of a process; each caller is another process."""
        return CollectorRegistry()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Puts records on the topics; the service reads them."""
        self.at_publish()
        self.sent += len(messages)
        await self.topics.send_all(messages)
        if not self.paused:
            await self.settle()

    async def settle(self) -> None:
        """Processes records until none is left."""
        while records := self._waiting():
            await settle(self.pipeline, records)

    def _waiting(self) -> list[Record]:
        found: list[Record] = []
        for place, log in self.topics.logs.items():
            if place[0].startswith(("registration-intake", "registration-work")):
                found += log[self.settled.get(place, 0) :]
                self.settled[place] = len(log)
        return found

    def said(self, topic: str) -> list[dict[str, Any]]:
        """The events on a topic."""
        return [
            orjson.loads(record.value or b"")
            for place, log in self.topics.logs.items()
            for record in log
            if place[0] == topic
        ]

    async def caught_up(self, topics: Sequence[str]) -> bool:
        """True at once: nothing is waiting."""
        return True

    async def imported(self, identifier: str) -> Import:
        """An import in the store."""
        return import_of(identifier, (await self.reader.rows(IMPORTS, [identifier]))[identifier], CIPHER)

    async def carry_on(self) -> None:
        """Starts a process that finishes every unfinished import, and ends it."""
        context: Any = self
        running = Running(context, CIPHER)
        await running.look()
        while running._tasks:
            for task in list(running._tasks.values()):
                await task
            await running.look()

    def client(self) -> httpx.AsyncClient:
        """The service's HTTP endpoints."""

        async def stands(topic: str) -> bool:
            return topic.endswith(("dinsos", "perikanan"))

        app = FastAPI()
        context: Any = self
        app.add_exception_handler(HTTPException, of_http)
        app.include_router(web.routes(context, stands))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registration")
