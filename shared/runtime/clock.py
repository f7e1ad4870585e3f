"""Time and chance, the only file that knows them. Decisions get neither: their time is the record's own."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a clock that never jumps; for waits and durations only."""
    return time.monotonic()


def new_id() -> str:
    """A name for something that has no cause: a run of a command, a batch of the journal."""
    return str(uuid.uuid4())
