"""A body is read only up to its limit, whatever length the request declares."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from services.registration import stream as registration
from services.verification.stream import SPEC
from shared.contracts import topics
from shared.runtime.http import endpoints
from shared.runtime.ops.metrics import Metrics

PART = b" " * 64 * 1024


class Endless:
    """An endless body that counts how much of it was read."""

    def __init__(self) -> None:
        self.read = 0

    async def parts(self) -> AsyncIterator[bytes]:
        # Far beyond any limit; the count shows a service that reads all of it.
        while self.read < 4 * endpoints.BODY_BYTES_MAX:
            self.read += len(PART)
            yield PART


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
