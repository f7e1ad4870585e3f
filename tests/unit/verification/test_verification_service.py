"""The service in its shell over memory: from a check on Kafka to a verdict, stored, over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from services.verification import api
from services.verification.adapters import loading
from services.verification.documents import STORED
from services.verification.facts import Reference
from services.verification.facts.sources import POPULATION, SNAPSHOTS
from services.verification.settings import Settings
from services.verification.stream import SPEC
from shared.kernel.decision import Address
from shared.kernel.identity import worker_id
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Message, Record
from tests.batches import settle
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.toy import AT, AT_MS, CIPHER

KEY = b"k" * 32
NIKS = [f"64080441078500{number:02d}" for number in range(1, 20)]


def person(nik: str, **changed: str) -> dict[str, str]:
    row = {"nik": nik, "name": "SITI AMINAH", "birth_place": "Sangatta", "birth_date": "1985-07-01", "sex": "F"}
    return {**row, "village": "64.08.04.2001", "status": "alive", **changed}


class Service:
    """Verification with topics, and mostly a store, in memory."""

    def __init__(self, store: Any = None) -> None:
        self.store = store or MemoryStore(STORED, CIPHER)
        self.topics = MemoryTopics()
        reference = Reference(CIPHER, Settings.from_environment({}))
        letters = DeadLetterTopic(SPEC.name, self.topics)
        self.pipeline = Pipeline(SPEC, self.store, self.topics, letters, Metrics(SPEC.name), reference)
        self.offset = 0

    async def load(self, rows: Iterable[dict[str, str]], version: str, regency: str = "64.08") -> int:
        taken, _ = await loading.load(self.store, CIPHER, rows, regency, KEY, version)
        return taken

    async def take(self, *events: dict[str, Any], topic: str = "identity-checks") -> list[dict[str, Any]]:
        """Processes these events as one batch; returns what was published."""
        records = []
        for event in events:
            self.offset += 1
            records.append(Record(topic, 0, self.offset, b"k", orjson.dumps(event), (), AT_MS))
        before = len(self.topics.published)
        await settle(self.pipeline, records)
        return [orjson.loads(one.value or b"") for one in self.topics.published[before:]]

    async def publish(self, messages: list[Message]) -> None:
        await self.topics.send_all(messages)

    def http(self) -> httpx.AsyncClient:
        app = FastAPI()
        context: Any = SimpleNamespace(
            reader=self.store,
            publish=self.publish,
            name="verification",
            environ={"PAYUNG_AUTH": "none"},
            reference=Reference(CIPHER, Settings.from_environment({})),
        )
        app.include_router(api.routes(context))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://v")


def check(nik: str, version: int = 1, **changed: Any) -> dict[str, Any]:
    who = worker_id(KEY, nik)
    data: dict[str, Any] = {
        "worker_id": who,
        "regency": "64.08",
        "nik": nik,
        "name": "SITI AMINAH",
        "birth_date": "1985-07-01",
    }
    data |= {"sex": "F", "birth_place": "Sangatta", "district": "64.08.04", "village": "64.08.04.2001"}
    data |= {"sector": "trade", "income_base": 1_000_000, "registration_version": version, "attestations": []}
    return {
        "specversion": "1.0",
        "id": f"{who}-{version}",
        "source": "payung/registration",
        "type": "identity.check-requested.v1",
        "time": "2026-01-05T08:00:00+08:00",
        "correlationid": "first",
        "sequence": version,
        "data": {**data, **changed},
    }


def decision(nik: str, name: str = "d1", **changed: Any) -> dict[str, Any]:
    data = {"worker_id": worker_id(KEY, nik), "decision": "verified", "officer": "Ani", "reason": "dilihat Budi"}
    envelope = {"specversion": "1.0", "id": name, "source": "officer/ani", "type": "identity.decide.v1"}
    return {**envelope, "data": {**data, **changed}}


@pytest.fixture
def service() -> Service:
    return Service()


async def test_a_batch_is_judged_by_the_snapshot_and_the_rest_is_due(service: Service) -> None:
    assert await service.load([person(NIKS[0]), person(NIKS[1], status="double")], "v1") == 2
    out = await service.take(*(check(nik) for nik in NIKS[:3]))
    assert [one["type"] for one in out] == ["identity.verified.v1", "identity.held.v1"]
    assert out[0]["data"]["evidence"] == ["snapshot:v1"]
    assert out[0]["correlationid"] == "first"
    (due,) = await service.store.due(AT, 10)
    assert due.address == Address("identities", worker_id(KEY, NIKS[2]))
    assert due.state.asked.nik == NIKS[2]
    await service.take(check(NIKS[2], version=1, name="OTHER") | {"id": "again"})
    assert [one.due.id for one in await service.store.due(AT, 10)] == [due.due.id]
    answer = {"worker_id": due.address.id, "registration_version": 1, "status": "alive", "score": 100}
    answer |= {"birth_date_matches": True, "sex_matches": True}
    envelope = {"specversion": "1.0", "id": due.due.id, "source": "payung/verification", "correlationid": "first"}
    event = envelope | {"type": "dukcapil.answered.v1", "data": answer}
    out = await service.take(event, event, topic="verification-work")
    assert [(one["type"], one["correlationid"]) for one in out][:1] == [("identity.verified.v1", "first")]
    assert len({one["id"] for one in out}) == 1
    assert await service.store.due(AT, 10) == []


async def test_the_size_of_batches_does_not_change_the_result(service: Service) -> None:
    await service.load([person(nik) for nik in NIKS[:2]], "v1")
    events = [check(NIKS[0], 1, name="JOKO"), check(NIKS[1]), check(NIKS[0], 2), check(NIKS[0], 3, name="SITI RAHMAH")]
    whole = await service.take(*events)
    other = Service()
    await other.load([person(nik) for nik in NIKS[:2]], "v1")
    parts = [one for event in events for one in await other.take(event)]
    assert whole == parts
    assert [one["type"] for one in whole] == [
        "identity.rejected.v1",
        "identity.verified.v1",
        "identity.verified.v1",
        "identity.held.v1",
    ]


async def test_personal_data_are_neither_stored_readable_nor_published(service: Service) -> None:
    await service.load([person(NIKS[0], status="double")], "v1")
    await service.take(check(NIKS[0]))
    await service.take(decision(NIKS[0]), topic="verification-intake")
    kept = repr([service.store.collections, service.store.plain, service.topics.published])
    for secret in (NIKS[0], "SITI", "AMINAH", "1985-07-01", "Sangatta", "dilihat", "Budi"):
        assert secret not in kept
    (found,) = (await service.store.states("identities", [worker_id(KEY, NIKS[0])])).values()
    assert (found.asked.name, found.asked.birth_place, found.ruling.reason) == (
        "SITI AMINAH",
        "Sangatta",
        "dilihat Budi",
    )


async def test_a_load_that_breaks_off_changes_nothing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "LOAD_ROWS", 1)
    await service.load([person(NIKS[0])], "v1")

    def broken() -> Iterable[dict[str, str]]:
        yield person(NIKS[0], status="deceased")
        raise OSError("the file ends")

    with pytest.raises(OSError, match="the file ends"):
        await service.load(broken(), "v2")
    assert [one["type"] for one in await service.take(check(NIKS[0]))] == ["identity.verified.v1"]


async def test_a_later_load_replaces_and_forgets_and_takes_two_slots_at_most(service: Service) -> None:
    for number in range(1, 6):
        await service.load([person(NIKS[0]), person(NIKS[number])], f"v{number}")
    out = await service.take(*(check(nik) for nik in NIKS[:6]))
    assert [one["data"]["worker_id"] for one in out] == [worker_id(KEY, NIKS[0]), worker_id(KEY, NIKS[5])]
    assert out[0]["data"]["evidence"] == ["snapshot:v5"]
    assert len(await service.store.due(AT, 10)) == 4
    assert {key.split("|")[1] for key in service.store.plain[POPULATION]} == {"a", "b"}
    assert service.store.plain[SNAPSHOTS]["64.08"]["rows"] == 2


@pytest.mark.parametrize(
    "changed",
    [{"nik": "123"}, {"nik": ""}, {"status": "?"}, {"birth_date": "01/07/1985"}, {"sex": "L"}, {"name": " "}],
)
async def test_an_unusable_row_is_left_out(service: Service, changed: dict[str, str]) -> None:
    assert await service.load([person(NIKS[0]) | changed, person(NIKS[1])], "v1") == 1
    await service.take(check(NIKS[0]))
    assert len(await service.store.due(AT, 10)) == 1


async def test_officers_see_held_cases_without_names_and_settle_them_through_kafka(service: Service) -> None:
    await service.load([person(NIKS[0], status="double"), person(NIKS[1])], "v1")
    await service.take(*(check(nik) for nik in NIKS[:2]))
    held, fine = (worker_id(KEY, nik) for nik in NIKS[:2])
    async with service.http() as http:
        (case,) = (await http.get("/v1/reviews", params={"regency": "64.08"})).json()["reviews"]
        assert (case["worker_id"], case["reasons"], case["since"]) == (held, ["duplicate-identity"], "2026-01-05")
        assert NIKS[0] not in str(case)
        assert (await http.get("/v1/reviews", params={"regency": "64.02"})).json()["reviews"] == []
        assert (await http.get(f"/v1/identities/{fine}")).json()["status"] == "verified"
        assert (await http.get("/v1/identities/nobody")).status_code == 404
        word = {"decision": "verified", "officer": "Ani Wijaya", "reason": "KTP asli"}
        answer = await http.post(f"/v1/reviews/{held}", json=word, headers={"Idempotency-Key": "n1"})
        assert (answer.status_code, answer.json()) == (202, {"ids": ["n1"]})
        sent = service.topics.published[-1]
        assert (sent.topic, sent.key) == ("verification-intake", held.encode())
        out = await service.take(orjson.loads(sent.value or b""), topic="verification-intake")
        assert [one["type"] for one in out] == ["identity.verified.v1"]
        assert out[0]["causationsource"] == "officer/Ani%20Wijaya"
        assert (await http.get("/v1/reviews")).json() == {"reviews": [], "total": 0, "next": None}


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (orjson.dumps({"reason": "x" * 4_001}), 400), (b" " * 300_000, 413), (b"{}", 202)],
)
async def test_http_refuses_only_what_cannot_be_read_at_all(service: Service, body: bytes, status: int) -> None:
    async with service.http() as http:
        answer = await http.post("/v1/reviews/w", content=body)
    assert answer.status_code == status
    if status == 202:
        (out,) = await service.take(
            orjson.loads(service.topics.published[-1].value or b""), topic="verification-intake"
        )
        assert out["data"]["worker_id"] is None
        assert out["data"]["reasons"] == ["field-missing:decision", "field-missing:officer", "field-missing:reason"]
    else:
        assert service.topics.published == []
