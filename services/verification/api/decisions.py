"""An officer's decision as the record that carries it. Only what could not be read at all is refused here."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
from fastapi import HTTPException

from services.verification.domain.parts import OFFICER
from shared.contracts import envelope, topics
from shared.contracts.envelope import Unreadable
from shared.contracts.verification import COMMANDS
from shared.runtime import clock
from shared.runtime.pipeline import Message

DECIDE = "identity.decide.v1"


def parsed(body: bytes) -> dict[str, Any]:
    """A JSON object; 400 for anything else."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, {"errors": [{"pointer": "", "detail": f"not JSON: {error}"}]}) from error
    if not isinstance(data, dict):
        raise HTTPException(400, {"errors": [{"pointer": "", "detail": "no JSON object"}]})
    return data


def message(worker_id: str, given: dict[str, Any], name: str, signed_by: str | None) -> Message:
    """The record. `signed_by` is who the caller's token says they are; without one the body's officer signs."""
    officer = given.get("officer")
    said = officer.strip() if isinstance(officer, str) and officer.strip() else None
    # A decision without a name still goes its way, and is refused with the field that is missing.
    who = signed_by or said or "unnamed"
    data = {**given, "worker_id": worker_id}
    if signed_by is not None:
        data["officer"] = said or signed_by
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
            "data": data,
        }
    )
    try:
        envelope.read(value, (), topics.VERIFICATION_INTAKE, int(now.timestamp() * 1000), COMMANDS)
    except Unreadable as error:
        detail = {"errors": [{"pointer": "", "code": error.code, "detail": error.detail}]}
        raise HTTPException(400, detail) from error
    return Message(topics.VERIFICATION_INTAKE, worker_id.encode(), value)
