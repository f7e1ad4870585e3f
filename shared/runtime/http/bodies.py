"""Bodies of HTTP requests, read up to a size limit. Knows nothing of their meaning."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import HTTPException, Request

from shared.contracts import topics

# A body up to this size, an event with room to spare, is always read. What goes beyond shares LARGE_BYTES_MAX of memory
# with all other bodies that are arriving.
SMALL_BYTES_MAX = topics.INTAKE_BYTES_MAX
LARGE_BYTES_MAX = 256 * 1024 * 1024


class _Room:
    """The memory that arriving bodies take beyond their small part, over all requests of this process."""

    taken = 0


_room = _Room()


async def read(request: Request, bytes_max: int, what: str) -> bytes:
    """The body. Raises HTTPException 413 as soon as it is too long, and 503 while too many large ones arrive together:
    senders cannot fill a service's memory.

    The length that a request declares is not used: it may be missing or false.
    """
    parts: list[bytes] = []
    size = large = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > bytes_max:
                raise HTTPException(413, f"at most {bytes_max} bytes a {what}")
            more = max(0, size - SMALL_BYTES_MAX) - large
            if more and _room.taken + more > LARGE_BYTES_MAX:
                raise HTTPException(503, "too many large requests arrive at the same time; send it again later")
            large += more
            _room.taken += more
            parts.append(part)
        return b"".join(parts)
    finally:
        _room.taken -= large


def parsed(body: bytes) -> Any:
    """The value of a JSON body; raises HTTPException 400 when it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, {"errors": [{"pointer": "", "detail": f"not JSON: {error}"}]}) from error
