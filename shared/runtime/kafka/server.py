"""How to reach the broker, and which errors count as trouble with it. Knows no topic, no group and no record."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator, Mapping
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from shared.contracts import topics
from shared.runtime import configuration
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import refusals, security
from shared.runtime.kafka.patches import cancelled_from_outside, install

log = structlog.get_logger()
install()

METADATA_MAX_AGE_MS = 5_000
STOP_TIMEOUT_S = 10.0
REQUEST_BYTES_MAX = topics.DEAD_LETTER_BYTES_MAX + 64 * 1024


class Server:
    """Address and login for the broker (security.py); raises StartRefused when the settings contradict each other."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.security = security.read(environ)
        self.bootstrap = self.security.bootstrap
        # How long a consumer may be silent before its partitions are given to another.
        self.session_timeout_ms = configuration.SESSION_TIMEOUT_MS.of(environ)

    def options(self) -> dict[str, Any]:
        """Connection options of aiokafka's clients."""
        return {"bootstrap_servers": self.bootstrap, **self.security.options()}


@contextlib.contextmanager
def asking() -> Iterator[None]:
    """Wraps requests to the broker: every failure becomes Unavailable."""
    try:
        yield
    except (KafkaError, TimeoutError, OSError, asyncio.CancelledError) as error:
        if cancelled_from_outside(error):
            raise
        raise Unavailable(f"Kafka: {type(error).__name__}{refusals.reason()}") from error


async def quietly(stopping: Awaitable[Any], within_s: float = STOP_TIMEOUT_S) -> None:
    """Waits at most `within_s` seconds for a client to stop, then drops the client.

    The stop runs in a task of its own: if the broker dies meanwhile, aiokafka lets the cancellation of its own tasks
    escape, and that would look like our own cancellation.
    """
    task = asyncio.ensure_future(stopping)
    _, late = await asyncio.wait({task}, timeout=within_s)
    if late:
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)
    if late or task.cancelled():
        log.warning("a Kafka client did not stop cleanly", error="late" if late else "cancelled")
        return
    error = task.exception()
    # When a broker died, uvloop answers a write to its closed connection with RuntimeError.
    if error is not None and not isinstance(error, KafkaError | TimeoutError | OSError | RuntimeError):
        raise error
    if error is not None:
        log.warning("a Kafka client did not stop cleanly", error=type(error).__name__)
