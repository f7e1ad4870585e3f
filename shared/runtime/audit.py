"""The audit line: who asked for what, and whether it was let through. No personal data, and no free text of theirs.

Who it was is written as a fingerprint of the token's subject, so that lines of one person can be found by whoever knows
the subject: `printf %s SUBJECT | sha256sum | cut -c-12`. Decisions keep the subject itself, where they are stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import structlog
from fastapi import Request

from shared.runtime.auth import Caller

log = structlog.get_logger()
_FINGERPRINT = 12


def fingerprint(subject: str) -> str:
    """Names a person in the log without their name."""
    return hashlib.sha256(subject.encode()).hexdigest()[:_FINGERPRINT]


def refused(request: Request, status: int, codes: Sequence[str] = ()) -> None:
    """Something was asked for that the caller may not have, or that may not be said here."""
    log.warning(
        "audit", what="refused", status=status, codes=sorted(set(codes)), method=request.method, **_asked(request)
    )


def taken(request: Request, kind: str, signed_by: str) -> None:
    """A decision goes its way. `signed_by` is the officer under whose name."""
    log.info("audit", what="decision", type=kind, officer=fingerprint(signed_by), **_asked(request))


def _asked(request: Request) -> dict[str, str | None]:
    caller = getattr(request.state, "caller", None)
    # The route and not the address: a path may hold a claim's number.
    route = request.scope.get("route")
    who = caller.signature if isinstance(caller, Caller) else None
    return {"route": getattr(route, "path", None), "who": fingerprint(who) if who is not None else None}
