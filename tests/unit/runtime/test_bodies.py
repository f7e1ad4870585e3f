"""A body is read only up to its limit, whatever length the request declares."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from services.registration import stream as registration
from services.verification.stream import SPEC
from shared.contracts import topics
from shared.runtime.http import bodies, endpoints
from shared.runtime.ops.metrics import Metrics

PART = b" " * 64 * 1024


class Endless:
    """An endless body that counts how much of it was read."""

    def __init__(self) -> None:
        self.read = 0

    async def parts(self) -> AsyncIterator[bytes]:
        # Far beyond any limit. The count would show that a service reads all of it.
        while self.read < 4 * endpoints.BODY_BYTES_MAX:
            self.read += len(PART)
            yield PART


async def test_large_bodies_share_their_room_and_small_ones_always_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LARGE_BYTES_MAX", 3 * len(PART))
    app, small = FastAPI(), bodies.SMALL_BYTES_MAX
    arrived, goes_on = asyncio.Event(), asyncio.Event()

    @app.post("/")
    async def take(request: Request) -> int:
        return len(await bodies.read(request, 16 * small, "request"))

    async def slowly() -> AsyncIterator[bytes]:
        yield b" " * small
        yield PART + PART
        arrived.set()
        await goes_on.wait()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://v") as client:
        first = asyncio.create_task(client.post("/", content=slowly()))
        await arrived.wait()
        refused = await client.post("/", content=b" " * small + PART + PART)
        assert refused.status_code == 503
        assert (await client.post("/", content=b" " * small)).json() == small
        goes_on.set()
        assert (await first).json() == small + 2 * len(PART)
        # Whatever way a request ends, its room is free again.
        assert (await client.post("/", content=b" " * (small + len(PART)))).status_code == 200
    assert bodies._room.taken == 0


@pytest.mark.parametrize(
    ("spec", "path", "bytes_max"),
    [
        (registration.SPEC, "/v1/events", endpoints.BODY_BYTES_MAX),
        (SPEC, "/v1/reviews/w", topics.INTAKE_BYTES_MAX),
    ],
)
async def test_a_body_is_read_only_up_to_its_limit(spec: Any, path: str, bytes_max: int) -> None:
    async def states(*_: Any) -> dict[str, Any]:
        return {}

    reader = SimpleNamespace(states=states)
    environ = {"PAYUNG_AUTH": "none"}
    context: Any = SimpleNamespace(name=spec.name, spec=spec, environ=environ, reader=reader, reference=None)
    watch: Any = None
    endless = Endless()
    transport = httpx.ASGITransport(endpoints.build(context, watch, Metrics(spec.name)))
    async with httpx.AsyncClient(transport=transport, base_url="http://v") as client:
        answer = await client.post(path, content=endless.parts())
    assert answer.status_code == 413, answer.text
    assert bytes_max < endless.read <= bytes_max + len(PART)
