"""Intake over HTTP: open, or by token for one's own agency only."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from services.registration import stream as registration
from services.verification.stream import SPEC
from shared.runtime.http import auth, endpoints
from shared.runtime.http.auth import Caller
from shared.runtime.kafka import topics_admin
from shared.runtime.ops.metrics import Metrics

WORD = {
    "specversion": "1.0",
    "id": "d1",
    "source": "officer/ani",
    "type": "identity.decide.v1",
    "data": {"worker_id": "w", "decision": "verified", "officer": "Ani", "reason": "x"},
}


async def post(environ: dict[str, str], events: Any, of: Any = SPEC) -> tuple[int, list[Any]]:
    """Status of the answer, and the published records."""
    answer, published = await answered(environ, events, of)
    return answer.status_code, published


async def answered(environ: dict[str, str], events: Any, of: Any) -> tuple[httpx.Response, list[Any]]:
    """The answer of a service with this SPEC, and the published records."""
    published: list[Any] = []

    async def publish(messages: list[Any]) -> None:
        published.extend(messages)

    spec: Any = SimpleNamespace(name=of.name, description="", inputs=of.inputs, routes=None)
    context: Any = SimpleNamespace(name=of.name, spec=spec, environ=environ, publish=publish)
    watch: Any = None
    app = endpoints.build(context, watch, Metrics(of.name))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://v") as client:
        answer = await client.post("/v1/events", json=events)
    return answer, published


async def test_an_agency_without_a_topic_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """If it reached the publisher, it would wait in vain for the topic's leader and take the producer down."""
    asked: list[list[str]] = []

    async def partitions(_: Any, names: list[str]) -> dict[str, int]:
        asked.append(names)
        return {name: 3 for name in names if name.endswith("-dinsos")}

    monkeypatch.setattr(topics_admin, "partitions", partitions)
    known = {**WORD, "type": "worker.register.v1", "source": "agency/64.08/dinsos"}
    stranger = {**known, "source": "agency/64.08/nosuch"}
    environ = {"PAYUNG_AUTH": "none", "PAYUNG_KAFKA": "127.0.0.1:1"}
    answer, published = await answered(environ, [known, stranger], registration.SPEC)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, published) == (400, [])
    assert (error["pointer"], error["code"]) == ("/1", "foreign-source")
    assert (await post(environ, [known, known], registration.SPEC))[0] == 202
    assert [len(names) for names in asked] == [2, 1]


async def test_without_a_token_only_where_the_setting_says_none() -> None:
    assert await post({}, WORD) == (401, [])
    assert await post({"PAYUNG_AUTH": "https://issuer"}, WORD) == (401, [])
    status, published = await post({"PAYUNG_AUTH": "none"}, [WORD, {**WORD, "id": "d2"}])
    assert (status, [one.key for one in published]) == (202, [b"w", b"w"])


async def test_a_token_cannot_sign_as_an_officer_or_as_another_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    async def caller(*_: Any) -> Caller:
        return Caller("ani", frozenset({"64.08/verification", "64.08/dinsos"}))

    monkeypatch.setattr(auth.Guard, "caller", caller)
    assert await post({}, WORD) == (403, [])


@pytest.mark.parametrize(
    ("agencies", "source", "may"),
    [
        (None, "officer/ani", True),
        (None, "treasury/64.08", True),
        (["64.08/dinsos"], "agency/64.08/dinsos", True),
        (["64.08/dinsos"], "agency/64.08/desa", False),
        (["64.08/*"], "agency/64.08/desa", True),
        (["64.08/*"], "agency/64.02/desa", False),
        (["64.08/dinsos"], "treasury/64.08", False),
        (["64.08/treasury"], "treasury/64.08", True),
        (["64.08/*"], "officer/ani", False),
        (["64.08/*"], "payung/registration", False),
    ],
)
def test_who_may_send_as_whom(agencies: list[str] | None, source: str, may: bool) -> None:
    caller = Caller("ani", None if agencies is None else frozenset(agencies))
    assert endpoints.may_send(caller, source) is may


@pytest.mark.parametrize("levels", [17, 253, 300, 500])
async def test_an_event_nested_too_deep_is_refused_at_any_depth(levels: int) -> None:
    """JSON parses deeper than it serialises: the depths between once gave the sender a 500."""
    nested: Any = []
    for _ in range(levels):
        nested = [nested]
    deep = {**WORD, "data": nested}
    answer, published = await answered({"PAYUNG_AUTH": "none"}, deep, SPEC)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, published, error["code"]) == (400, [], "too-deep")
