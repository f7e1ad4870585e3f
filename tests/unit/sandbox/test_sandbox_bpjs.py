"""The stand-in for BPJS: one payment per key, also after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.sandbox import bpjs
from services.claims.adapters import bpjs as caller
from shared.runtime import clock

ACCOUNT = "1234567890"
BENEFIT = {
    "claim": "64.08/rumahsakit|K-1",
    "worker_id": "abcdefghijklmnopqrstuvwxyz",
    "benefits": [{"benefit": "death", "amount": 20_000_000}, {"benefit": "funeral", "amount": 10_000_000}],
    "total": 30_000_000,
    "account": ACCOUNT,
    "requested_on": "2026-03-05",
}


def client_of(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bpjs")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = bpjs.create_app()
    async with client_of(app) as client:
        yield client
    app.state.ledger.close()


async def pay(client: httpx.AsyncClient, key: str = "k-1", **changed: Any) -> httpx.Response:
    return await client.post(bpjs.BENEFITS_PATH, json={**BENEFIT, **changed}, headers={"Idempotency-Key": key})


def test_the_product_calls_where_the_stand_in_answers() -> None:
    assert caller.PATH == bpjs.BENEFITS_PATH


async def test_what_a_key_paid_can_be_asked(client: httpx.AsyncClient) -> None:
    first = (await pay(client)).json()
    assert (await pay(client, total=1, benefits=[])).status_code == 409
    shown = await client.get(f"{bpjs.BENEFITS_PATH}/k-1")
    assert shown.json() == {
        "reference": first["reference"],
        "paid_on": "2026-03-05",
        "benefits": BENEFIT["benefits"],
        "total": 30_000_000,
    }
    assert (await client.get(f"{bpjs.BENEFITS_PATH}/k-9")).status_code == 404


async def test_the_same_key_and_body_get_the_same_answer(client: httpx.AsyncClient) -> None:
    first, again = await pay(client), await pay(client)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    answer = first.json()
    assert (answer["paid_on"], answer["status"]) == ("2026-03-05", "paid")
    assert answer["reference"]
    assert (await pay(client, "k-2")).json()["reference"] != answer["reference"]
    assert (await client.get("/_control/log")).json() == {
        "calls": {"paid": 2, "repeated": 1},
        "distinct": {"keys": 2},
        "payments": 2,
        "paid_rupiah": 60_000_000,
    }


@pytest.mark.parametrize("changed", [{"account": "9876543210"}, {"account": "70000"}, {"worker_id": "z"}])
async def test_the_same_key_with_another_body_is_a_conflict(client: httpx.AsyncClient, changed: dict[str, Any]) -> None:
    await pay(client)
    assert (await pay(client, **changed)).status_code == 409
    assert (await client.get("/healthz")).json()["payments"] == 1


async def test_a_rejected_account_leaves_its_key_free(client: httpx.AsyncClient) -> None:
    assert (await pay(client, account="12-3400.00")).status_code == 422
    assert (await pay(client)).status_code == 200


async def test_the_payment_day_without_requested_on_is_today_in_wita(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 5, 16, 30, tzinfo=UTC))
    assert (await pay(client, requested_on=None)).json()["paid_on"] == "2026-03-06"


@pytest.mark.parametrize(
    "changed",
    [
        {"total": 0},
        {"total": "30000000"},
        {"total": 29_999_999},
        {"benefits": [{"benefit": "death", "amount": 1.5}]},
        {"benefits": "death"},
        {"account": None},
        {"requested_on": "05-03-2026"},
    ],
)
async def test_an_unreadable_request_is_400_and_pays_nothing(
    client: httpx.AsyncClient, changed: dict[str, Any]
) -> None:
    assert (await pay(client, **changed)).status_code == 400
    assert (await client.get("/healthz")).json()["payments"] == 0


async def test_a_request_without_key_or_object_is_400(client: httpx.AsyncClient) -> None:
    assert (await client.post(bpjs.BENEFITS_PATH, json=BENEFIT)).status_code == 400
    assert (await client.post(bpjs.BENEFITS_PATH, content=b"[1")).status_code == 400


async def test_a_wrong_answer_does_not_count_as_a_payment(client: httpx.AsyncClient) -> None:
    await client.post("/_control", json={"wrong_rate": 1})
    assert (await pay(client)).json()["reference"] == ""
    assert (await client.get("/healthz")).json()["payments"] == 0


async def test_a_payment_whose_answer_was_lost_is_not_made_again(client: httpx.AsyncClient) -> None:
    await client.post("/_control", json={"lost_answer_rate": 1})
    with pytest.raises(ConnectionResetError):
        await pay(client)
    await client.post("/_control", json={"lost_answer_rate": 0})
    assert (await pay(client)).status_code == 200
    log = (await client.get("/_control/log")).json()
    assert (log["payments"], log["calls"]) == (1, {"paid": 1, "lost-answer": 1, "repeated": 1})


async def test_an_invoice_is_confirmed_once(client: httpx.AsyncClient) -> None:
    invoice = {"invoice_id": "INV-1", "amount": 16_800, "paid_on": "2026-01-20", "reference": "SP2D-1"}
    first = await client.post(bpjs.CONFIRM_PATH, json=invoice)
    again = await client.post(bpjs.CONFIRM_PATH, json=invoice)
    other = await client.post(bpjs.CONFIRM_PATH, json={**invoice, "amount": 16_801})
    wrong = await client.post(bpjs.CONFIRM_PATH, json={"invoice_id": "INV-2", "amount": True})
    assert [one.status_code for one in (first, again, other, wrong)] == [200, 200, 409, 400]
    assert first.content == again.content
    assert (first.json()["status"], first.json()["amount"]) == ("confirmed", 16_800)


async def test_a_kept_ledger_survives_a_restart_and_names_no_account(tmp_path: Path) -> None:
    answers = []
    for _ in range(2):
        app = bpjs.create_app(tmp_path)
        async with client_of(app) as client:
            answers.append((await pay(client)).content)
            assert (await client.get("/healthz")).json()["payments"] == 1
        app.state.ledger.close()
    assert answers[0] == answers[1]
    assert ACCOUNT.encode() not in (tmp_path / "bpjs.sqlite").read_bytes()
