"""Over HTTP the records that would be dead letters get a 4xx, and no others. Nobody acts under another's name, and each
refusal leaves an audit line without names.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from payung import contracts
from services.claims import api as claims_api
from shared.contracts import admission, envelope, topics
from shared.contracts.envelope import Unreadable
from shared.runtime.http import audit, auth, endpoints
from shared.runtime.http.auth import Caller
from shared.runtime.kafka import topics_admin
from shared.runtime.ops.metrics import Metrics
from tests.property.claims_world import World, death
from tests.spoofing.test_the_table import SOURCES, TYPES

SERVICES = ("registration", "verification", "billing", "claims")
NAMED = {"regency": "64.08", "worker_id": "w" * 26, "nik": "6408044107850002", "name": "SITI AMINAH"}


async def answered(
    service: str, events: list[Any], environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> tuple[httpx.Response, list[Any]]:
    """The answer of a service's POST /v1/events, and the published records."""
    published: list[Any] = []

    async def publish(messages: list[Any]) -> None:
        published.extend(messages)

    async def partitions(_: Any, names: list[str]) -> dict[str, int]:
        return dict.fromkeys(names, 3)

    monkeypatch.setattr(topics_admin, "partitions", partitions)
    real = contracts.spec_of(service)
    spec: Any = SimpleNamespace(name=service, description="", inputs=real.inputs, routes=None)
    context: Any = SimpleNamespace(name=service, spec=spec, environ=environ, publish=publish)
    watch: Any = None
    app = endpoints.build(context, watch, Metrics(service))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://s") as client:
        return await client.post("/v1/events", json=events), published


@pytest.mark.parametrize("service", SERVICES)
async def test_http_refuses_exactly_what_would_be_a_dead_letter(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"PAYUNG_AUTH": "none", "PAYUNG_KAFKA": "127.0.0.1:1"}
    sources = [one for one in SOURCES if one]
    events = [
        {"specversion": "1.0", "id": f"e{number}", "source": source, "type": kind, "data": NAMED}
        for number, (kind, source) in enumerate((kind, source) for kind in TYPES for source in sources)
    ]
    answer, published = await answered(service, events, environ, monkeypatch)
    refused = {int(one["pointer"].strip("/")) for one in answer.json()["errors"]}
    assert (answer.status_code, published) == (400, [])
    inputs = contracts.spec_of(service).inputs
    for number, event in enumerate(events):
        assert (number in refused) == (not _stands_somewhere(service, event, inputs)), event
    good = [event for number, event in enumerate(events) if number not in refused]
    answer, published = await answered(service, good, environ, monkeypatch)
    assert (answer.status_code, len(published)) == (202, len(good))
    for one in published:
        assert envelope.read(one.value, (), one.topic, 0, inputs) is not None


def _stands_somewhere(service: str, event: Mapping[str, Any], inputs: Mapping[str, type]) -> bool:
    """Whether the decoder would accept this event on any outside topic of the service."""
    agency = topics.agency_of_source(event["source"])
    roads = {
        "registration": [topics.REGISTRATION_OFFICERS, *([topics.registration_intake(*agency)] if agency else [])],
        "verification": [topics.VERIFICATION_INTAKE],
        "billing": [topics.BILLING_INTAKE],
        "claims": [topics.CLAIMS_OFFICERS, *([topics.claims_intake(*agency)] if agency else [])],
    }[service]
    for topic in roads:
        try:
            if envelope.read(orjson.dumps(event), (), topic, 0, inputs) is not None:
                return True
        except Unreadable:
            continue
    return False


@pytest.mark.parametrize("service", SERVICES)
async def test_a_refusal_leaves_an_audit_line_that_names_nobody(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def caller(_: Any, request: Any) -> Caller:
        request.state.caller = Caller("siti.aminah", frozenset({"64.08/dinsos"}), frozenset({"claims-officer"}))
        found: Caller = request.state.caller
        return found

    monkeypatch.setattr(auth.Guard, "caller", caller)
    event = {
        "specversion": "1.0",
        "id": "SITI AMINAH",
        "source": "officer/siti",
        "type": "premium.paid.v1",
        "data": NAMED,
    }
    with capture_logs() as lines:
        answer, published = await answered(service, [event], {}, monkeypatch)
    assert (answer.status_code, published) == (400, [])
    (line,) = [one for one in lines if one["event"] == "audit"]
    assert (line["what"], line["status"], line["codes"], line["route"]) == (
        "refused",
        400,
        ["unknown-type"],
        "/v1/events",
    )
    assert line["who"] == audit.fingerprint("siti.aminah")
    assert "siti" not in str(line).casefold()


# -- decisions on claims ---------------------------------------------------------------------------------------------

OFFICER = frozenset({"64.08/claims-officer"})


@pytest.mark.parametrize(
    ("caller", "officer", "status"),
    [
        (Caller("rina", frozenset(), OFFICER), None, 202),
        (Caller("rina", frozenset(), OFFICER), "Rina", 202),
        (Caller("rina", frozenset(), OFFICER), "Budi", 403),
        (Caller("rina", frozenset({"64.08/rumahsakit"}), OFFICER), None, 403),
        (Caller("rina", frozenset({"64.08/*"}), OFFICER), None, 403),
        (Caller("rina", frozenset({"64.08/dinsos"}), OFFICER), None, 202),
        (Caller("rina", frozenset({"64.08/dinsos"})), None, 403),
        (Caller("rina", frozenset({"64.08/dinsos"}), frozenset({"verification-officer", "operator"})), None, 403),
        (Caller("rina", frozenset(), frozenset({"64.02/claims-officer"})), None, 404),
        (Caller("anyone", None), "Rina", 202),
    ],
)
async def test_who_decides_a_claim(
    caller: Caller, officer: str | None, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    world.submit(death())
    await world.settle()
    published: list[Any] = []

    async def publish(messages: list[Any]) -> None:
        published.extend(messages)

    async def asked(_: Any, request: Any) -> Caller:
        request.state.caller = caller
        return caller

    monkeypatch.setattr(auth.Guard, "caller", asked)
    spec: Any = SimpleNamespace(name="claims", description="", inputs={}, routes=claims_api.routes)
    context: Any = SimpleNamespace(
        name="claims", spec=spec, reader=world.store, reference=world.reference, environ={}, publish=publish
    )
    watch: Any = None
    app = endpoints.build(context, watch, Metrics("claims"))
    body = {"decision": "approved", "reason": "lengkap", **({"officer": officer} if officer else {})}
    with capture_logs() as lines:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://c") as client:
            answer = await client.post("/v1/claims/64.08/rumahsakit/KLM-1/decision", json=body)
    assert answer.status_code == status
    audited = [(one["what"], one.get("status")) for one in lines if one["event"] == "audit"]
    if status != 202:
        assert published == []
        assert audited == ([("refused", 403)] if status == 403 else [])
        return
    (one,) = published
    event = orjson.loads(one.value)
    signed = caller.signature or officer
    assert (one.topic, event["source"].casefold()) == ("claims-officers", f"officer/{signed}".casefold())
    assert (event["data"]["agency"], event["data"]["claim_no"]) == ("64.08/rumahsakit", "KLM-1")
    assert audited == [("decision", None)]
    rule = admission.rule_of(one.topic)
    assert rule is not None
    assert rule.admits(event["source"], event["type"])
