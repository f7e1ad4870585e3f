"""The used part of the day's quota, over all processes together, and the pause until the quota is there again.

With an agreed daily quota, each process takes blocks of it in its own row (`dukcapil_usage`). It writes first and then
adds up all rows: when two take at the same time, both may leave a little unused, but none takes too much. A process
that dies loses the rest of its block for that day. Dukcapil's own figure counts too: when it reports that nothing is
left, work pauses until the next business day (WITA), with one question a minute in case the quota was raised.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime, time, timedelta

import structlog

from shared.kernel.calendar import WITA, business_day
from shared.runtime import clock
from shared.runtime.errors import Paused
from shared.runtime.ops.metrics import note_external
from shared.runtime.ports import Rows

log = structlog.get_logger()

USAGE = "dukcapil_usage"
BLOCK = 50
PROBE_S = 60.0
# A pause ends this long after midnight, so that the new quota is not asked for a moment too early.
AFTER_MIDNIGHT = timedelta(seconds=5)


class Quota:
    """Counts the questions of one business day."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._process = clock.new_id()
        self._taking = asyncio.Lock()
        self._day: date | None = None
        self._used = 0
        self._block = 0
        self._none_left = False
        self._probe_at = 0.0

    async def take(self, reader: Rows) -> None:
        """Takes one question of today's quota. Raises Paused until one is available."""
        today = business_day(clock.now())
        if today != self._day:
            self._day, self._used, self._block, self._none_left = today, 0, 0, False
        if self._none_left:
            self._probe()
        if self._limit and self._used >= self._block:
            async with self._taking:
                if self._used >= self._block:
                    await self._take_block(reader, today)
        self._used += 1

    def note_remaining(self, left: object) -> None:
        """Notes how much Dukcapil says is left (`quotaLimiter`), in an answer that it did give."""
        if self._none_left:
            log.info("Dukcapil answers again before the day is over")
        self._none_left = False
        if isinstance(left, int) and not isinstance(left, bool):
            note_external("dukcapil_quota_left", float(left))

    def exhausted(self) -> Paused:
        """Notes that Dukcapil says nothing is left, and returns the pause to raise."""
        if not self._none_left:
            log.warning("Dukcapil's quota of the day is used up; checks wait", until=_midnight().isoformat())
        self._none_left = True
        self._probe_at = clock.monotonic() + PROBE_S
        note_external("dukcapil_quota_left", 0.0)
        return Paused("Dukcapil: the quota of the day is used up", min(_midnight(), _after(PROBE_S)))

    def _probe(self) -> None:
        wait_s = self._probe_at - clock.monotonic()
        if wait_s > 0:
            raise Paused("Dukcapil: the quota of the day is used up", min(_midnight(), _after(wait_s)))
        self._probe_at = clock.monotonic() + PROBE_S

    async def _take_block(self, reader: Rows, today: date) -> None:
        own = f"{today.isoformat()}|{self._process}"
        taken = self._block + BLOCK
        await reader.save_rows(USAGE, {own: {"day": today.isoformat(), "taken": taken}})
        rows = await reader.find_rows(USAGE, {"day": today.isoformat()})
        over = sum(row["taken"] for row in rows) - self._limit
        if over > 0:
            taken = max(self._block, taken - over)
            await reader.save_rows(USAGE, {own: {"day": today.isoformat(), "taken": taken}})
        note_external("dukcapil_quota_taken_today", float(sum(row["taken"] for row in rows) - max(0, over)))
        if taken <= self._used:
            log.warning("the agreed quota of the day is used up; checks wait", until=_midnight().isoformat())
            raise Paused("Dukcapil: the agreed quota of the day is used up", _midnight())
        self._block = taken


def _midnight() -> datetime:
    tomorrow = business_day(clock.now()) + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, WITA) + AFTER_MIDNIGHT


def _after(seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=seconds)
