"""Bodies of HTTP requests, read no further than they may be long. Knows nothing of what they ask for."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import HTTPException, Request


async def read(request: Request, bytes_max: int, what: str) -> bytes:
    """The body; HTTPException 413 as soon as it is too long, so that nobody fills a service's memory by sending on.
    What a request says of its own length is not asked: it may say nothing, or lie."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > bytes_max:
            raise HTTPException(413, f"at most {bytes_max} bytes a {what}")
        parts.append(part)
    return b"".join(parts)


def parsed(body: bytes) -> Any:
    """What a body says; HTTPException 400 when it is no JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, {"errors": [{"pointer": "", "detail": f"not JSON: {error}"}]}) from error
