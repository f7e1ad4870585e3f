"""Turns an officer's decision on an identity into the record that carries it."""

from __future__ import annotations

from fastapi import Request

from shared.contracts import topics
from shared.contracts.verification import COMMANDS
from shared.runtime.http import officers
from shared.runtime.http.officers import SentDecision
from shared.runtime.records import Message

DECIDE = "identity.decide.v1"


def message(request: Request, worker_id: str, given: SentDecision, signed_by: str | None) -> Message:
    """The record. `signed_by` is the name in the caller's token; without one the officer named in the body signs."""
    data = {**given.fields, "worker_id": worker_id}
    if signed_by is not None:
        data["officer"] = given.officer or signed_by
    return officers.record(
        request,
        given,
        signed_by,
        kind=DECIDE,
        subject=worker_id,
        data=data,
        topic=topics.VERIFICATION_INTAKE,
        commands=COMMANDS,
    )
