"""Claims over HTTP: shown only to callers of the claim's regency."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.claims import api
from shared.runtime.http import auth
from shared.runtime.http.auth import Caller
from tests.property.claims_world import World, death


async def test_callers_of_another_regency_see_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.submit(death())
    world.submit(death(claim_no="KLM-2"), source="agency/64.02/rumahsakit")
    await world.settle()
    context = SimpleNamespace(reader=world.store, reference=world.reference, environ={})
    app = FastAPI()
    app.include_router(api.routes(context))

    async def seen(*agencies: str) -> tuple[list[str], list[int]]:
        async def caller(*_: Any) -> Caller:
            return Caller("rina", frozenset(agencies))

        monkeypatch.setattr(auth.Guard, "caller", caller)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://claims") as client:
            lists = [(await client.get("/v1/claims" + query)).json() for query in ("", "?regency=64.08")]
            paths = ("rumahsakit/KLM-1", "64.08/rumahsakit/KLM-1", "rumahsakit/KLM-1?regency=64.08", "rumahsakit/KLM-2")
            found = [(await client.get(f"/v1/claims/{path}")).status_code for path in paths]
        return [one["claim_no"] for listed in lists for one in listed["claims"]], found

    assert await seen("64.08/rumahsakit") == (["KLM-1", "KLM-1"], [200, 200, 200, 404])
    assert await seen("64.02/*") == (["KLM-2"], [404, 404, 404, 200])
    assert await seen() == ([], [404] * 4)
