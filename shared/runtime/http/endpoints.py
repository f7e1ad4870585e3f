"""HTTP endpoints that every service has: health, metrics, and the way into its intake topics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException as StarletteHTTPException

from shared.contracts import envelope, topics
from shared.contracts.envelope import Unreadable
from shared.kernel.event import Event, Intake
from shared.kernel.identity import without_niks
from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.http import bodies, problems
from shared.runtime.http.auth import Caller, Guard
from shared.runtime.kafka import topics_admin
from shared.runtime.ops.health import Watch
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Message
from shared.runtime.service_context import ServiceContext

BODY_BYTES_MAX = 16 * 1024 * 1024
EVENTS_MAX = 10_000


def build(context: ServiceContext, watch: Watch, metrics: Metrics) -> FastAPI:
    """The HTTP application of one service."""
    # Like FastAPI, but its documentation pages load nothing from the internet.
    app = FastAPIOffline(title=f"Payung {context.name}", description=context.spec.description, version="1")
    app.add_exception_handler(StarletteHTTPException, problems.of_http)
    app.add_exception_handler(RequestValidationError, problems.of_invalid)
    app.add_exception_handler(Unavailable, problems.of_unavailable)
    app.add_exception_handler(Exception, problems.of_defect)

    @app.get("/livez", tags=["operation"])
    async def livez() -> JSONResponse:
        return JSONResponse({"alive": watch.vitals.alive}, 200 if watch.vitals.alive else 503)

    @app.get("/readyz", tags=["operation"])
    async def readyz() -> JSONResponse:
        vitals, pulse = watch.vitals, watch.pulse
        body = {"service": context.name, **vitals.as_json(), "dead_letters": metrics.dead_letters()}
        if pulse is not None:
            body |= {"instance": pulse.name, "due_work": pulse.due_work, "store_silent_s": round(pulse.silent_s, 1)}
            body["instances"] = pulse.processes()
        return JSONResponse(body, 200 if vitals.ready else 503)

    @app.get("/metrics", tags=["operation"])
    async def scrape() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    if any(issubclass(model, Intake) for model in context.spec.inputs.values()):
        _add_intake(app, context)
    if context.spec.routes is not None:
        app.include_router(context.spec.routes(context))
    return app


def _add_intake(app: FastAPI, context: ServiceContext) -> None:
    commands = {kind: model for kind, model in context.spec.inputs.items() if issubclass(model, Intake)}
    guard = Guard(context.environ)
    standing = topics_admin.ExistingTopics(context.environ)

    @app.post("/v1/events", status_code=202, tags=["intake"])
    async def post_events(request: Request) -> JSONResponse:
        """Takes one CloudEvent or an array of them; 202 with their ids once Kafka has acknowledged all."""
        caller = await guard.caller(request)
        parsed = bodies.parsed(await bodies.read(request, BODY_BYTES_MAX, "request"))
        events: Sequence[Any] = parsed if isinstance(parsed, list) else [parsed]
        if not events or len(events) > EVENTS_MAX:
            raise HTTPException(400, {"errors": [{"pointer": "", "detail": f"1 to {EVENTS_MAX} events a request"}]})
        messages, ids, pointers, errors = [], [], [], []
        for position, one in enumerate(events):
            pointer = f"/{position}" if isinstance(parsed, list) else ""
            try:
                message, name = _intake_message(context.name, one, commands)
            except Unreadable as error:
                errors.append({"pointer": pointer, "code": error.code, "detail": error.detail})
                continue
            if not may_send(caller, str(one["source"])):
                raise HTTPException(403, f"{pointer or '/'}: the token does not let you send as {one['source']}")
            messages.append(message)
            ids.append(name)
            pointers.append(pointer)
        # An agency without a topic is not registered. The publisher would report that the broker does not answer.
        lacking = await standing.lacking({one.topic for one in messages if topics.agency_of_topic(one.topic)})
        for pointer, message in zip(pointers, messages, strict=True):
            if message.topic in lacking:
                detail = f"there is no topic {message.topic}; payung agency add makes it"
                errors.append({"pointer": pointer, "code": "foreign-source", "detail": detail})
        if errors:
            raise HTTPException(400, {"errors": errors})
        await context.publish(messages)
        return JSONResponse({"ids": ids}, 202)


def may_send(caller: Caller, source: str) -> bool:
    """Whether a caller may send as this source.

    A caller with a token cannot sign as an officer here: only the service's own endpoint knows which cases an officer
    may decide.
    """
    kind, _, name = source.partition("/")
    if kind == "treasury":
        return caller.may_act_for(f"{name}/treasury")
    return caller.agencies is None or (kind == "agency" and caller.may_act_for(name))


def _intake_message(service: str, one: Any, commands: dict[str, type]) -> tuple[Message, str]:
    try:
        value = orjson.dumps(one)
    except orjson.JSONEncodeError as error:
        # The JSON library reads more nested levels than it writes.
        raise Unreadable("too-deep", f"nested deeper than {envelope.NESTING_MAX}") from error
    source = one.get("source") if isinstance(one, dict) else None
    topic = intake_topic(service, source if isinstance(source, str) else "")
    at_ms = int(clock.now().timestamp() * 1000)
    event = envelope.read(value, (), topic, at_ms, commands)
    assert event is not None
    return Message(topic, without_niks(_key(service, event)).encode(), value), event.id


def _key(service: str, event: Event[Intake]) -> str:
    """The key by the topics table: records that must keep their order share one (billing by regency, officers by
    worker)."""
    fields = event.data.fields
    named = fields.get({"billing": "regency", "verification": "worker_id"}.get(service, ""))
    if isinstance(named, str) and named:
        return named
    # invoice.pay has no field for the regency; its source names it (treasury/64.08).
    return event.source.rsplit("/", 1)[-1] if service == "billing" else event.id


def intake_topic(service: str, source: str) -> str:
    """The intake topic that a source may write to; raises Unreadable when there is none."""
    if service == "billing":
        return topics.BILLING_INTAKE
    if service == "verification":
        return topics.VERIFICATION_INTAKE
    if source.startswith(topics.OFFICER):
        return topics.CLAIMS_OFFICERS if service == "claims" else topics.REGISTRATION_OFFICERS
    agency = topics.agency_of_source(source)
    if agency is None:
        raise Unreadable("foreign-source", "source is not agency/<regency>/<agency>, nor officer/<name>")
    return topics.claims_intake(*agency) if service == "claims" else topics.registration_intake(*agency)
