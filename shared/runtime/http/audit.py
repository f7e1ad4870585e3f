"""The audit line: who asked for what, and whether it was allowed. No personal data, and no free text of the caller.

The caller is written as a fingerprint of the token's subject, so that whoever knows the subject can find that person's
lines: `printf %s SUBJECT | sha256sum | cut -c-12`. Stored decisions keep the subject itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from fastapi import Request

from shared.runtime.http.auth import Caller
from shared.runtime.ops.audit_trail import fingerprint

__all__ = ["fingerprint", "refused", "taken"]
log = structlog.get_logger()


def refused(request: Request, status: int, codes: Sequence[str] = ()) -> None:
    """Writes that a request was refused: the caller may not read this, or may not send this."""
    log.warning(
        "audit", what="refused", status=status, codes=sorted(set(codes)), method=request.method, **_asked(request)
    )


def taken(request: Request, kind: str, signed_by: str) -> None:
    """Writes that a decision was sent on. `signed_by` is the officer who signs it."""
    log.info("audit", what="decision", type=kind, officer=fingerprint(signed_by), **_asked(request))


def handed_out(request: Request, what: str, people: int) -> None:
    """Writes that the personal data of so many people are handed out to this caller."""
    log.info("audit", what="handed-out", content=what, people=people, **_asked(request))


def _asked(request: Request) -> dict[str, str | None]:
    caller = getattr(request.state, "caller", None)
    # The route, not the path: a path may hold a claim's number.
    route = request.scope.get("route")
    who = caller.signature if isinstance(caller, Caller) else None
    return {"route": getattr(route, "path", None), "who": fingerprint(who) if who is not None else None}
