"""Verification over HTTP: the officers' queue and its road to Kafka, and one worker's standing. No name, no NIK."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import JSONResponse

from services.verification.domain.parts import OFFICER
from services.verification.domain.state import Identity
from shared.contracts import envelope, topics
from shared.contracts.envelope import Unreadable
from shared.contracts.verification import COMMANDS
from shared.runtime import clock
from shared.runtime.house import House
from shared.runtime.pipeline import Message

REVIEWS_MAX = 500
DECIDE = "identity.decide.v1"


def routes(house: House) -> APIRouter:
    """The endpoints."""
    router = APIRouter(prefix="/v1", tags=["verification"])

    @router.get("/reviews")
    async def reviews(regency: str | None = None) -> dict[str, Any]:
        """Held cases, the oldest first, to be settled by an officer."""
        where: dict[str, Any] = {"state.status": "held"}
        if regency is not None:
            where["state.regency"] = regency
        found = await house.reader.find("identities", where, order=("state.checked_on",), limit=REVIEWS_MAX)
        return {"reviews": [_shown(worker_id, one) for worker_id, one in found if isinstance(one, Identity)]}

    @router.post("/reviews/{worker_id}", status_code=202)
    async def decide(
        worker_id: str, request: Request, idempotency_key: Annotated[str | None, Header()] = None
    ) -> JSONResponse:
        """Takes an officer's decision (`{"decision": "verified|rejected", "officer", "reason"}`) as an
        `identity.decide.v1`; 202 with its id once Kafka has acknowledged it. What becomes of it is an event."""
        body = await request.body()
        if len(body) > topics.INTAKE_BYTES_MAX:
            raise HTTPException(413, f"at most {topics.INTAKE_BYTES_MAX} bytes a decision")
        message, name = _decision(worker_id, body, idempotency_key or clock.new_id())
        await house.publish([message])
        return JSONResponse({"ids": [name]}, 202)

    @router.get("/identities/{worker_id}")
    async def identity(worker_id: str) -> dict[str, Any]:
        """Where one worker's identity stands."""
        found = (await house.reader.states("identities", [worker_id])).get(worker_id)
        if not isinstance(found, Identity):
            raise HTTPException(404, "no such worker")
        return _shown(worker_id, found)

    return router


def _decision(worker_id: str, body: bytes, name: str) -> tuple[Message, str]:
    """The record of a decision; refused here is only what the topic would put aside as unreadable (contracts.md 1)."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, {"errors": [{"pointer": "", "detail": f"not JSON: {error}"}]}) from error
    if not isinstance(data, dict):
        raise HTTPException(400, {"errors": [{"pointer": "", "detail": "no JSON object"}]})
    officer = data.get("officer")
    # A decision without a name still goes its way, and is refused with the field that is missing.
    who = officer.strip() if isinstance(officer, str) and officer.strip() else "unnamed"
    now = clock.now()
    value = orjson.dumps(
        {
            "specversion": "1.0",
            "id": name,
            "source": OFFICER + quote(who, safe=""),
            "type": DECIDE,
            "subject": worker_id,
            "time": envelope.rfc3339(now),
            "datacontenttype": "application/json",
            "data": {**data, "worker_id": worker_id},
        }
    )
    try:
        envelope.read(value, (), topics.VERIFICATION_INTAKE, int(now.timestamp() * 1000), COMMANDS)
    except Unreadable as error:
        detail = {"errors": [{"pointer": "", "code": error.code, "detail": error.detail}]}
        raise HTTPException(400, detail) from error
    return Message(topics.VERIFICATION_INTAKE, worker_id.encode(), value), name


def _shown(worker_id: str, one: Identity) -> dict[str, Any]:
    return {
        "worker_id": worker_id,
        "regency": one.asked.regency,
        "village": one.asked.village,
        "status": one.status,
        "reasons": list(one.reasons),
        "score": one.score,
        "evidence": list(one.evidence),
        "since": one.checked_on,
        "registration_version": one.asked.registration_version,
    }
