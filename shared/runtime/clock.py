"""Time and random ids; only this file reads them. Decisions get neither: their time is the record's own."""

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
    """An id for something without a cause, for example a run of a command or a journal entry of a batch."""
    return str(uuid.uuid4())
