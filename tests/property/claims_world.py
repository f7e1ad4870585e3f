"""A small world for claims: its SPEC over the shell's verified fakes, and a bank that pays once for each key. It uses
topics, events and the store's documents, and of the service's own modules only the BPJS client.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from services.claims.adapters import bpjs
from services.claims.stream import SPEC
from shared.kernel.identity import worker_id
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.due import DueWorkplace
from shared.runtime.errors import Unavailable
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Record
from tests.batches import settle
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.toy import CIPHER

ID_KEY = b"k" * 32
ENVIRON = {"PAYUNG_ID_KEY": base64.b64encode(ID_KEY).decode(), "PAYUNG_BPJS_URL": "http://bpjs"}
NIK = "6408044107850002"
WORKER = worker_id(ID_KEY, NIK)
AGENCY = "agency/64.08/rumahsakit"
JKM_DOCUMENTS = [
    "form-4",
    "participant-card",
    "id-card",
    "heir-id-card",
    "death-certificate",
    "family-card",
    "heirs-letter",
    "bank-book",
]
JKK_DOCUMENTS = ["kk1", "kk2", "doctor-letter", "participant-card", "id-card", "chronology", "witness-statement"]
SCHOOL_DOCUMENTS = [
    "form",
    "birth-certificate",
    "family-card",
    "school-letter",
    "report-card",
    "bank-book",
    "guardian-id-card",
]
# 6 May 2026, noon in WITA.
NOON = datetime(2026, 5, 6, 4, 0, tzinfo=UTC)


def death(**changed: Any) -> dict[str, Any]:
    """A JKM claim with all its papers, for an event in April 2026."""
    return {
        "claim_no": "KLM-1",
        "nik": NIK,
        "kind": "jkm",
        "event_date": "2026-04-20",
        "cause": "illness",
        "details": {"outcome": "death"},
        "documents": JKM_DOCUMENTS,
        "claimant": {"name": "BUDI SANTOSO", "relation": "spouse", "account": "ACC-7788"},
        **changed,
    }


def accident(outcome: str = "death", **details: Any) -> dict[str, Any]:
    """A JKK claim with all its papers and receipts."""
    return death(
        kind="jkk", cause="accident", details={"outcome": outcome, **details}, documents=[*JKK_DOCUMENTS, "receipts"]
    )


def child(name: str = "ANI", level: str = "sd", **changed: Any) -> dict[str, Any]:
    """A child at school."""
    return {"name": name, "birth_date": "2016-01-01", "level": level, "school_year": "2025/2026", **changed}


class Bank:
    """BPJS: pays once for each key, refuses accounts that end in 0000, can be down."""

    def __init__(self) -> None:
        self.paid: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.status = 200

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            paid = self.paid[request.url.path.rsplit("/", 1)[1]]
            return httpx.Response(200, json={"reference": "BPJS-36", "paid_on": paid["requested_on"], **paid})
        key, body = request.headers["Idempotency-Key"], json.loads(request.content)
        self.calls.append((key, body))
        if self.status != 200:
            return httpx.Response(self.status)
        if body["account"].endswith("0000"):
            return httpx.Response(422, json={"detail": "unknown account"})
        if self.paid.setdefault(key, body) != body:
            return httpx.Response(409)
        return httpx.Response(200, json={"reference": f"BPJS-{len(key)}", "paid_on": body["requested_on"]})

    @property
    def total(self) -> int:
        """The sum of all payments, in rupiah."""
        return sum(body["total"] for body in self.paid.values())


class World:
    """The claims service with its topics. `cut` is the number of records in a batch; `again` delivers every batch
    twice.
    """

    def __init__(self, cut: int = 2000, again: bool = False) -> None:
        self.store = MemoryStore(SPEC.stored, CIPHER)
        self.topics = MemoryTopics()
        self.bank = Bank()
        self.cut, self.again = cut, again
        self.now = NOON
        self.waiting: list[Record] = []
        self.log: list[Record] = []
        self._names = self._seen = 0
        self._answered: set[str] = set()
        self._copies: Counter[bytes | None] = Counter()
        self._copies_max = 2
        self.pipeline: Pipeline | None = None
        self._client = httpx.AsyncClient(transport=httpx.MockTransport(self.bank.answer))
        setattr(bpjs, "_client", lambda *_: self._client)  # noqa: B010  # the one place where the service calls another system

    async def start(self) -> None:
        """Loads the reference, as the shell does at start."""
        self.reference = await SPEC.reference(self.store, ENVIRON)
        letters = DeadLetterTopic(SPEC.name, self.topics)
        self.pipeline = Pipeline(SPEC, self.store, self.topics, letters, Metrics(SPEC.name), self.reference)

    def put(self, topic: str, kind: str, data: Any, source: str, name: str = "", sequence: int | None = None) -> str:
        """Puts one event on a topic."""
        self._names += 1
        event = {"specversion": "1.0", "id": name or f"e{self._names}", "source": source, "type": kind, "data": data}
        if sequence is not None:
            event["sequence"] = sequence
        self._append(topic, b"k", orjson.dumps(event))
        return str(event["id"])

    def submit(self, data: Any, source: str = AGENCY, kind: str = "claim.submit.v1", name: str = "") -> str:
        """An agency's command on its own topic."""
        _, regency, agency = source.split("/")
        return self.put(f"claims-intake-{regency.replace('.', '')}-{agency}", kind, data, source, name)

    def rule(self, data: Any, officer: str = "rina", name: str = "", agency: str = "64.08/rumahsakit") -> str:
        """Sends an officer's decision on a claim of this agency."""
        told = {"agency": agency, **data} if isinstance(data, dict) else data
        return self.put("claims-officers", "claim.decide.v1", told, f"officer/{officer}", name)

    def bill(self, *periods: str, worker: str = WORKER, regency: str = "64.08", income: int = 1_000_000) -> None:
        """One worker's premium for each of these months."""
        for period in periods:
            data = {
                "worker_id": worker,
                "regency": regency,
                "district": f"{regency}.04",
                "village": f"{regency}.04.2001",
                "sector": "fisheries",
                "sex": "F",
                "birth_month": "1985-07",
                "income_base": income,
                "period": period,
                "funding": "apbd-regency",
                "lines": [],
                "total": 16_800,
                "run_id": f"RUN-{regency}-{period}",
                "invoice_id": f"INV-{regency}-{period}",
            }
            self.put("billing-events", "premium.billed.v1", data, "payung/billing")

    def merge(self, worker: str, into: str, sequence: int = 2) -> None:
        """Registration's event: `worker` is the same person as `into`."""
        where = {"regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001", "sector": "fisheries"}
        data = {"worker_id": worker, **where, "reason": "other", "effective_on": "2025-12-31", "merged_into": into}
        self.put("registration-events", "worker.withdrawn.v1", data, "payung/registration", sequence=sequence)

    def unmerge(self, worker: str, sequence: int = 3) -> None:
        """Registration's event: the worker is a separate person after all."""
        data = {
            "worker_id": worker,
            "regency": "64.08",
            "district": "64.08.04",
            "village": "64.08.04.2001",
            "sector": "fisheries",
            "occupation": "nelayan",
            "sex": "F",
            "birth_month": "1985-07",
            "income_base": 1_000_000,
            "agency": "dinsos",
            "submission": "S-1",
        }
        self.put("registration-events", "worker.registered.v1", data, "payung/registration", sequence=sequence)

    def close_run(self, *periods: str, workers: int = 1, regency: str = "64.08") -> None:
        """Completes the runs of these months."""
        for period in periods:
            data = {
                "run_id": f"RUN-{regency}-{period}",
                "invoice_id": f"INV-{regency}-{period}",
                "regency": regency,
                "period": period,
                "funding": "apbd-regency",
                "billed_workers": workers,
                "total": workers * 16_800,
                "lines": [],
                "not_billed": {},
                "budget_left": {},
            }
            self.put("billing-events", "billing.run-completed.v1", data, "payung/billing")

    def pay(self, *periods: str, on: str = "", regency: str = "64.08") -> None:
        """Pays the invoices of these months, by default on the first day of the month."""
        for period in periods:
            data = {
                "invoice_id": f"INV-{regency}-{period}",
                "regency": regency,
                "period": period,
                "funding": "apbd-regency",
                "total": 16_800,
                "workers": 1,
                "reference": "SP2D",
                "paid_on": on or f"{period}-01",
            }
            self.put("billing-events", "premium.paid.v1", data, "payung/billing")

    def cover(self, *periods: str) -> None:
        """Bills these months, completes their runs and pays them."""
        self.bill(*periods)
        self.close_run(*periods)
        self.pay(*periods)

    async def settle(self, passes: int = 300) -> None:
        """Takes everything, including its own steps and due work, until nothing more happens."""
        if self.pipeline is None:
            await self.start()
        for _ in range(passes):
            if self.waiting:
                await self._take()
            elif not await self._perform():
                return
        raise AssertionError("the world does not come to rest")

    async def _take(self) -> None:
        assert self.pipeline is not None
        batch, self.waiting = self.waiting[: self.cut], self.waiting[self.cut :]
        for _ in range(2 if self.again else 1):
            await settle(self.pipeline, batch)
        for message in self.topics.published[self._seen :]:
            self._copies[message.value] += 1
            # Deliver only a few twice, because copies of copies would double with every step.
            if message.topic == "claims-work" and self._copies[message.value] <= self._copies_max:
                self._append(message.topic, message.key or b"", message.value or b"")
        self._seen = len(self.topics.published)

    async def _perform(self) -> bool:
        """Performs the work that is due, like the shell. Returns whether anything was answered."""
        answered = False
        for one in await self.store.due(datetime.max.replace(tzinfo=UTC), 1000):
            if one.due.id in self._answered or (one.due.at - self.now).total_seconds() > 5:
                continue
            place = DueWorkplace(self.store, self.reference, lambda _: None)
            try:
                answer = await SPEC.performers[one.due.kind](one.address.id, one.state, one.due, place)
            except Unavailable:
                continue
            self._answered.add(one.due.id)
            event = {"specversion": "1.0", "id": one.due.id, "source": "payung/claims", "type": answer.type}
            self._append(
                "claims-work", answer.key.encode(), orjson.dumps({**event, "data": answer.data.model_dump(mode="json")})
            )
            answered = True
        return answered

    def _append(self, topic: str, key: bytes, value: bytes) -> None:
        at_ms = int(self.now.timestamp() * 1000)
        self.waiting.append(Record(topic, 0, len(self.log), key, value, (), at_ms))
        self.log.append(self.waiting[-1])

    async def read_again(self, order: list[str]) -> None:
        """Empties the store and reads the whole log again. `order` names the topic of each next record: the order
        within a topic stays."""
        by_topic: dict[str, list[Record]] = {}
        for one in self.log:
            by_topic.setdefault(one.topic, []).append(one)
        self.store = MemoryStore(SPEC.stored, CIPHER)
        self.waiting = [by_topic[topic].pop(0) for topic in order]
        self._copies_max = 50
        self._answered.clear()
        await self.start()
        await self.settle()

    def claims(self) -> dict[str, tuple[str, int]]:
        """Status and total of each claim."""
        decoded = {
            key: SPEC.stored["claims"].decode(one["state"], CIPHER)
            for key, one in self.store.collections["claims"].items()
        }
        return {key: (one.status.value, one.total) for key, one in decoded.items()}

    def told(self, topic: str = "claims-events") -> list[dict[str, Any]]:
        """The events that were published on a topic, each once."""
        found: dict[str, dict[str, Any]] = {}
        for message in self.topics.published:
            if message.topic == topic:
                event = orjson.loads(message.value or b"")
                found.setdefault(event["id"], event)
        return list(found.values())

    def kinds(self, claim_no: str = "KLM-1", topic: str = "claims-events") -> list[str]:
        """The event types of one claim, in order, without prefix and version."""
        return [one["type"].split(".")[1] for one in self.told(topic) if one["data"].get("claim_no") == claim_no]

    def last(self, claim_no: str = "KLM-1", topic: str = "claims-events") -> dict[str, Any]:
        """The data of the last event of a claim, with its `type`."""
        found = [one for one in self.told(topic) if one["data"].get("claim_no") == claim_no]
        return {**found[-1]["data"], "type": found[-1]["type"]} if found else {}

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The data of every event of a type on the open stream."""
        return [one["data"] for one in self.told() if one["type"] == kind]

    def everything(self) -> bytes:
        """Every byte that was published or stored."""
        return b"".join(_bytes(message.value) for message in self.topics.published) + _bytes(
            repr(self.store.collections)
        )


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value or "").encode()


def amounts(lines: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Amounts by rule; lines of one rule are added."""
    found: dict[str, int] = {}
    for line in lines:
        found[line["rule"]] = found.get(line["rule"], 0) + line["amount"]
    return found
