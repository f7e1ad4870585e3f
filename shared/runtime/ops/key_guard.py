"""Keeps two services from making worker ids with different keys.

A worker id is made from a NIK with a secret key. The service that leads (registration) publishes a check value of its
key on a compacted topic. A service that follows (claims) compares its own key with that before it writes anything, and
again while it runs: with another key, every NIK in a claim would lead to an unknown worker, and families would not be
paid. As long as the leading service has published nothing, the following one waits.

The leading service compares only when its store is new. A store that knows its key decides which key is right; a new
one accepts any key, and with another key than before every known person would get a second id. Knows no driver.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from shared.contracts import envelope, topics, worker_ids
from shared.contracts.envelope import Unreadable
from shared.runtime import clock
from shared.runtime.errors import StartRefused, Unavailable
from shared.runtime.ops.guards import regularly
from shared.runtime.ops.secrets import ID_KEY
from shared.runtime.records import Message, Record
from shared.runtime.spec import ServiceSpec

log = structlog.get_logger()

LOOK_S = 15.0
TOPIC = topics.REGISTRATION_KEY_CHECK
_RECORD_KEY = b"worker-ids"

# Every record of the topic, the oldest first.
Read = Callable[[], Awaitable[Sequence[Record]]]
Publish = Callable[[Sequence[Message]], Awaitable[None]]


class KeyGuard:
    """The guard of one process. `check` is the check value of its key; without one the service makes no worker ids, and
    the guard does nothing."""

    def __init__(
        self,
        spec: ServiceSpec,
        check: str | None,
        read: Read,
        publish: Publish,
        new_store: Callable[[], Awaitable[bool]],
    ) -> None:
        """`new_store`: whether the service's store knows no key of worker ids yet."""
        self._name = spec.name
        self._leads = spec.names_workers == "leads"
        self._mine = check
        self._read = read
        self._publish = publish
        self._new_store = new_store

    async def compare(self) -> None:
        """At start, before the store notes its key: raises StartRefused when the leading service published another key.

        A service that follows gets Unavailable while no check value is published.
        """
        if self._mine is None or (self._leads and not await self._new_store()):
            return
        said = [check for one in await self._read() if (check := _said(one)) is not None]
        if not said and not self._leads:
            raise Unavailable(f"no service has said on {TOPIC} yet with which key it makes worker ids")
        if said and said[-1] != self._mine:
            raise StartRefused(self._why_not())

    def _why_not(self) -> str:
        if self._leads:
            return (
                f"{ID_KEY} is not the key that the worker ids in Kafka were made with ({TOPIC}), and the store is new: "
                "every known worker would get a second id. Put the right key back (docs/runbooks/keys.md)"
            )
        return (
            f"{ID_KEY} is not the key that registration makes worker ids with: every NIK would lead to a worker "
            f"whom nobody knows. Give {self._name} the key of registration (docs/runbooks/keys.md)"
        )

    async def tell(self) -> None:
        """For a service that leads: publishes the check value of its key, unless the last record of the
        topic has it.
        """
        if self._mine is None or not self._leads:
            return
        said = [_said(one) for one in await self._read()]
        if said and said[-1] == self._mine:
            return
        if any(one not in (None, self._mine) for one in said):
            log.error("another key of worker ids was told before; services that still have it will refuse to run")
        await self._publish([Message(TOPIC, _RECORD_KEY, self._record(self._mine))])

    async def run(self) -> None:
        """While the service runs: the same at intervals, until cancelled."""
        if self._mine is not None:
            await regularly(self._look, LOOK_S, "the key of worker ids could not be compared")

    async def _look(self) -> None:
        if self._leads:
            await self.tell()
        else:
            await self.compare()

    def _record(self, check: str) -> bytes:
        data = worker_ids.WorkerIdsKeyed(check=check)
        return envelope.internal(self._name, f"worker-ids-{check}", worker_ids.KEYED, data, clock.now())


def _said(record: Record) -> str | None:
    """The check value in a record; None when the record is another one than this event of the leading service."""
    try:
        event = envelope.read(record.value, record.headers, record.topic, record.timestamp_ms, worker_ids.OUTCOMES)
    except Unreadable as error:
        log.warning("a record about the key of worker ids is left out", why=error.code)
        return None
    return None if event is None else str(event.data.check)
