"""The road into an intake topic over HTTP: open, or by token for one's own agency only."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from services.verification.stream import SPEC
from shared.runtime import auth, http
from shared.runtime.auth import Caller
from shared.runtime.metrics import Metrics

WORD = {
    "specversion": "1.0",
    "id": "d1",
    "source": "officer/ani",
    "type": "identity.decide.v1",
    "data": {"worker_id": "w", "decision": "verified", "officer": "Ani", "reason": "x"},
}


async def post(environ: dict[str, str], events: Any) -> tuple[int, list[Any]]:
    """Status, and what was published."""
    published: list[Any] = []

    async def publish(messages: list[Any]) -> None:
        published.extend(messages)

    spec: Any = SimpleNamespace(name=SPEC.name, description="", inputs=SPEC.inputs, routes=None)
    house: Any = SimpleNamespace(name=SPEC.name, spec=spec, environ=environ, publish=publish)
    watch: Any = None
    app = http.build(house, watch, Metrics(SPEC.name))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://v") as client:
        answer = await client.post("/v1/events", json=events)
    return answer.status_code, published


async def test_without_a_token_only_where_the_setting_says_none() -> None:
    assert await post({}, WORD) == (401, [])
    assert await post({"PAYUNG_AUTH": "https://issuer"}, WORD) == (401, [])
    status, published = await post({"PAYUNG_AUTH": "none"}, [WORD, {**WORD, "id": "d2"}])
    assert (status, [one.key for one in published]) == (202, [b"w", b"w"])


async def test_nobody_with_a_token_signs_as_an_officer_or_another_here(monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert http.may_send(caller, source) is may
