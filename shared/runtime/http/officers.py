"""Turns an officer's decision, sent over HTTP by a machine or by a page's form, into a record.

An officer cannot decide under another officer's name, and an unreadable decision is refused here. Everything else is
judged by the service that takes the record. Every decision that is sent on leaves an audit line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import orjson
from fastapi import HTTPException, Request

from shared.contracts import envelope, officers, topics
from shared.contracts.envelope import Unreadable
from shared.runtime import clock
from shared.runtime.http import audit, bodies
from shared.runtime.records import Message

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class SentDecision:
    """A decision as it was sent: its fields, the name its record will have, and whether a page's form sent it."""

    fields: Mapping[str, Any]
    name: str
    from_page: bool

    @property
    def officer(self) -> str | None:
        """The officer whom the fields name."""
        named = self.fields.get("officer")
        return (named.strip() or None) if isinstance(named, str) else None


async def read(request: Request, idempotency_key: str | None) -> SentDecision:
    """The decision in a request; raises HTTPException 400 or 413. A form carries the name in a field, `key`."""
    body = await bodies.read(request, topics.INTAKE_BYTES_MAX, "decision")
    if not request.headers.get("content-type", "").startswith(FORM):
        return SentDecision(_object(body), idempotency_key or clock.new_id(), from_page=False)
    fields = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    return SentDecision(fields, fields.pop("key", clock.new_id()), from_page=True)


def record(
    request: Request,
    given: SentDecision,
    signed_by: str | None,
    *,
    kind: str,
    subject: str,
    data: Mapping[str, Any],
    topic: str,
    commands: Mapping[str, type],
) -> Message:
    """The record, keyed by its subject.

    `signed_by` is the name in the caller's token; when nobody has signed in, the officer whom the fields name signs.
    Raises HTTPException 403 for a decision under another's name, 400 for a record that the topic's reader would put
    aside as unreadable.
    """
    if signed_by is not None and given.officer is not None and not officers.same_person(signed_by, given.officer):
        raise HTTPException(403, "you are signed in under another name than the officer whom the decision names")
    # A decision without an officer's name is still sent on: the service refuses it and names the missing field.
    who = signed_by or given.officer or "unnamed"
    now = clock.now()
    source, time = officers.source_of(who), envelope.rfc3339(now)
    value = orjson.dumps(envelope.command(source, given.name, kind, data, time, subject=subject))
    try:
        envelope.read(value, (), topic, int(now.timestamp() * 1000), commands)
    except Unreadable as error:
        detail = {"errors": [{"pointer": "", "code": error.code, "detail": error.detail}]}
        raise HTTPException(400, detail) from error
    audit.taken(request, kind, who)
    return Message(topic, subject.encode(), value)


def _object(body: bytes) -> dict[str, Any]:
    data = bodies.parsed(body)
    if not isinstance(data, dict):
        raise HTTPException(400, {"errors": [{"pointer": "", "detail": "no JSON object"}]})
    return data
