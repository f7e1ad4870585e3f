"""Bodies of HTTP requests, read up to a size limit. Knows nothing of their meaning."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import HTTPException, Request


async def read(request: Request, bytes_max: int, what: str) -> bytes:
    """The body; raises HTTPException 413 as soon as it is too long, so that a sender cannot fill a service's memory.

    The length that a request declares is not used: it may be missing or false.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > bytes_max:
            raise HTTPException(413, f"at most {bytes_max} bytes a {what}")
        parts.append(part)
    return b"".join(parts)


def parsed(body: bytes) -> Any:
    """The value of a JSON body; raises HTTPException 400 when it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, {"errors": [{"pointer": "", "detail": f"not JSON: {error}"}]}) from error
