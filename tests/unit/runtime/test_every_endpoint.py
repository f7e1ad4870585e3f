"""Every HTTP endpoint of the five services: guarded by PAYUNG_AUTH, or open for a reason that is given here."""

from __future__ import annotations

import base64
import re
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from services.billing.stream import SPEC as BILLING
from services.claims.stream import SPEC as CLAIMS
from services.registration.stream import SPEC as REGISTRATION
from services.reporting.stream import SPEC as REPORTING
from services.verification.stream import SPEC as VERIFICATION
from shared.runtime.http import auth
from shared.runtime.http import endpoints as http
from shared.runtime.http.auth import Caller
from shared.runtime.ops.health import Vitals
from shared.runtime.ops.metrics import Metrics
from tests.fakes.memory import MemoryStore
from tests.toy import CIPHER

SPECS = (REGISTRATION, VERIFICATION, BILLING, CLAIMS, REPORTING)
KEY = base64.b64encode(b"k" * 32).decode()
SECRETS = {"PAYUNG_ID_KEY": KEY, "PAYUNG_FIELD_KEYS": f"k1:{KEY}"}

OPERATION = "asked by supervisors and by Prometheus, which have no token; counts, no content"
DESCRIPTION = "the description of the interface: the same in every installation"
SCANNED = "anybody who stands before a house may check its sticker; no personal data"
FIGURES = "counts and amounts by area, for the public; no person, and employers only in compliance"
EVERYWHERE = {
    "GET /livez": OPERATION,
    "GET /readyz": OPERATION,
    "GET /metrics": OPERATION,
    "GET /docs": DESCRIPTION,
    "GET /docs/oauth2-redirect": DESCRIPTION,
    "GET /redoc": DESCRIPTION,
    "GET /openapi.json": DESCRIPTION,
}
OPEN: dict[str, dict[str, str]] = {
    "registration": {
        "GET /": "leads to the imports, which are guarded",
        "GET /v1/imports/template.xlsx": "an empty form of the areas that everybody knows",
        "GET /s/": SCANNED,
        "GET /s/worker.js": SCANNED,
        "GET /s/{token}": SCANNED,
    },
    "verification": {"GET /": "leads to the queue, which is guarded"},
    "billing": {},
    "claims": {},
    "reporting": {
        "GET /": FIGURES,
        "GET /v1/stream": FIGURES,
        "GET /v1/coverage": FIGURES,
        "GET /v1/budget": FIGURES,
        "GET /v1/claims": FIGURES,
        "GET /v1/compliance": FIGURES,
        "GET /v1/quality": FIGURES,
        "GET /v1/outreach": FIGURES,
        "GET /v1/deaths": FIGURES,
    },
}
# Checked before the caller is authenticated; without these the answer would be 422.
QUERY = {"regency": "64.08", "period": "2026-01"}


async def an_app(spec: Any, **environ: str) -> FastAPI:
    """All HTTP endpoints of a service, over an empty store."""
    settings = {**SECRETS, **environ}
    store = MemoryStore(spec.stored, CIPHER)
    reference = await spec.reference(store, settings)
    watch: Any = SimpleNamespace(vitals=Vitals(), pulse=None)

    async def publish(messages: list[Any]) -> None:
        raise AssertionError("a stranger's word went out")

    context: Any = SimpleNamespace(
        name=spec.name, spec=spec, reader=store, reference=reference, environ=settings, publish=publish, latest=None
    )
    return http.build(context, watch, Metrics(spec.name))


def endpoints(app: FastAPI) -> list[str]:
    """Method and path of each endpoint."""
    found = []
    for one in iter_route_contexts(app.routes):
        # A mount or a websocket has no methods, so this table would miss it.
        assert one.path is not None
        if one.path == "/static-offline-docs":
            # Scripts and styles of the documentation, from a package: everybody may have these files.
            continue
        assert one.methods, one.path
        found += [f"{method} {one.path}" for method in sorted(one.methods - {"HEAD"})]
    return found


async def ask(app: FastAPI, endpoint: str) -> int:
    """The status of one answer."""
    method, path = endpoint.split(" ")
    path = re.sub(r"\{village\}", "64.08.04.2001", path)
    path = re.sub(r"\{[^}]*\}", "x", path)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return (await client.request(method, path, params=QUERY)).status_code


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
async def test_each_endpoint_is_guarded_or_open_for_a_reason(spec: Any) -> None:
    app = await an_app(spec, PAYUNG_AUTH="https://login.example.go.id")
    open_ones = {**EVERYWHERE, **OPEN[spec.name]}
    found = endpoints(app)
    assert not set(open_ones) - set(found), "an open endpoint that is no more"
    # The stream never ends, and it begins before the caller is authenticated.
    asked = {one: await ask(app, one) for one in found if one != "GET /v1/stream"}
    assert {one for one, status in asked.items() if status != 401} == set(open_ones) - {"GET /v1/stream"}


@pytest.mark.parametrize(
    ("spec", "endpoint"),
    [
        (REGISTRATION, "GET /v1/findings"),
        (REGISTRATION, "GET /v1/findings.csv"),
        (REGISTRATION, "GET /v1/projects"),
        (REGISTRATION, "GET /v1/outreach"),
        (REGISTRATION, "GET /v1/stickers/{village}.csv"),
        (BILLING, "GET /v1/plan"),
        (BILLING, "GET /v1/budgets/what-if/scenarios"),
    ],
    ids=lambda one: getattr(one, "name", one),
)
async def test_another_regency_is_not_shown(spec: Any, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    agencies = frozenset({"64.02/dinsos"})

    async def caller(*_: Any) -> Caller:
        return Caller("rina", agencies, frozenset({"registration-officer"}))

    monkeypatch.setattr(auth.Guard, "caller", caller)
    app = await an_app(spec)
    assert await ask(app, endpoint) == 403
    agencies = frozenset({"64.08/*"})
    assert await ask(app, endpoint) in (200, 202)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
async def test_the_documentation_needs_no_other_machine(spec: Any) -> None:
    app = await an_app(spec)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        for path in ("/docs", "/redoc"):
            page = (await client.get(path)).text
            named = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
            assert named
            assert not [one for one in named if "//" in one], "from elsewhere"
            assert [(await client.get(one)).status_code for one in named] == [200] * len(named)
        assert (await client.get("/openapi.json")).json()["info"]["title"] == f"Payung {spec.name}"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
async def test_an_error_is_a_page_for_people_and_json_for_programs(spec: Any) -> None:
    app = await an_app(spec)
    browser = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        page = await client.get("/tidak-ada", headers=browser)
        assert page.status_code == 404
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "Tidak ditemukan" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        for headers in ({}, {"accept": "application/json"}, {"accept": "*/*"}):
            problem = await client.get("/tidak-ada", headers=headers)
            assert problem.headers["content-type"] == "application/problem+json"
            assert problem.json()["status"] == 404


async def test_the_answer_to_a_defect_shows_no_detail() -> None:
    app = await an_app(REGISTRATION)

    @app.get("/defect")
    async def defect() -> None:
        raise KeyError("SITI 6408044107850002")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        for headers in ({}, {"accept": "text/html"}):
            answer = await client.get("/defect", headers=headers)
            assert answer.status_code == 500
            assert "SITI" not in answer.text
            assert "6408" not in answer.text
