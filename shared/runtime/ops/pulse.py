"""The pulse of a process: asks the store every two seconds, and tells other processes of this service that it is alive.

Each beat is one small majority write and one read. They show within seconds that a database is frozen, read-only, full
or without a majority, even when the consumer is idle. The written row is all that the other processes, and through them
`payung status`, know of this process. Waiting due work is counted here too, because no other part counts all of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import structlog

from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.ops.metrics import Metrics
from shared.runtime.ports import StateStore

log = structlog.get_logger()

PROCESSES = "_processes"
BEAT_S = 2.0
# One beat plus five seconds for its answer: a probe notices a frozen store within ten seconds.
FRESH_S = 7.0
# Counting reads the index entries of all due work, so it runs less often and stops at COUNT_MAX.
COUNT_EVERY_S = 10.0
COUNT_MAX = 100_000
# A process that ended without removing its row is shown as silent for this long, then forgotten.
FORGET_S = 600.0
FAREWELL_S = 2.0


class Pulse:
    """The pulse of one process. `vitals` returns what the process reports about itself."""

    def __init__(
        self, store: StateStore, instance: str | None, vitals: Callable[[], Mapping[str, Any]], metrics: Metrics
    ) -> None:
        self._store = store
        self._vitals = vitals
        self._metrics = metrics
        self.name = instance or f"{platform.node()}-{clock.new_id()[:8]}"
        self._started = clock.now()
        self._answered_s = clock.monotonic()
        self._counted_s: float | None = None
        self._rows: list[dict[str, Any]] = []
        self.due_work: int | None = None

    @property
    def silent_s(self) -> float:
        """Seconds since the store answered last."""
        return clock.monotonic() - self._answered_s

    @property
    def fresh(self) -> bool:
        """Whether the store answers."""
        return self.silent_s <= FRESH_S

    def processes(self) -> list[dict[str, Any]]:
        """All processes of this service at the last beat: name, seconds since their last beat, and what they
        reported."""
        now = clock.now()
        found = []
        for row in sorted(self._rows, key=lambda one: str(one["_id"])):
            told = {name: value for name, value in row.items() if name not in ("_id", "at", "started")}
            heard_s = round(max(0.0, (now - row["at"]).total_seconds()), 1)
            found.append({"name": row["_id"], "heard_s": heard_s, "started": row["started"].isoformat(), **told})
        return found

    async def run(self) -> None:
        """Runs until cancelled; asks again while the store does not answer."""
        while True:
            try:
                await self.beat()
            except Unavailable as error:
                log.warning("the store did not answer", why=str(error))
            self._metrics.store_answered(self.fresh)
            await asyncio.sleep(BEAT_S)

    async def beat(self) -> None:
        """One beat; raises Unavailable. The driver limits its time, so that two beats never overlap."""
        now = clock.now()
        await self._store.save_rows(PROCESSES, {self.name: {"at": now, "started": self._started, **self._vitals()}})
        rows = await self._store.find_rows(PROCESSES, {}, limit=1_000)
        self._answered_s = clock.monotonic()
        gone = [str(row["_id"]) for row in rows if now - row["at"] > timedelta(seconds=FORGET_S)]
        self._rows = [row for row in rows if row["_id"] not in gone]
        if gone:
            await self._store.delete_rows(PROCESSES, gone)
        await self._count()

    async def _count(self) -> None:
        if self._counted_s is not None and clock.monotonic() - self._counted_s < COUNT_EVERY_S:
            return
        self.due_work = await self._store.count_due(clock.now(), COUNT_MAX)
        self._counted_s = clock.monotonic()
        self._metrics.due_work(self.due_work)

    async def farewell(self) -> None:
        """Removes this process's row after an orderly stop, so that it is not reported as missing."""
        with contextlib.suppress(Unavailable, TimeoutError):
            await asyncio.wait_for(self._store.delete_rows(PROCESSES, [self.name]), FAREWELL_S)
