"""A deterministic event loop: virtual time, no I/O, and one seeded generator that picks what runs next."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable
from typing import Any

STEPS_MAX = 40_000


class Stuck(AssertionError):
    """Nothing can run any more, or the run never ends."""


class SimLoop(asyncio.BaseEventLoop):
    """Runs ready callbacks in a random order; when none is ready, time jumps to the next timer."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng
        self._now = 0.0
        self._clock_resolution = 1e-9
        self.steps = 0
        self.steps_max = STEPS_MAX
        # Called when nothing is ready; returns True when it made something ready.
        self.on_idle: Callable[[], bool] = lambda: False
        self.tasks: list[asyncio.Task[Any]] = []
        self.describe: Callable[[], str] = str
        # Untyped internals of BaseEventLoop, typed here once.
        self._pool: Any = self._ready  # type: ignore[attr-defined]
        self._timers: Any = self._scheduled  # type: ignore[attr-defined]

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def create_task(self, coro: Any, **more: Any) -> Any:
        """Keeps the task, because asyncio's own register is a weak set and slow to read for every short run."""
        task = super().create_task(coro, **more)
        self.tasks.append(task)
        return task

    def _run_once(self) -> None:
        pool = self._pool
        if not pool:
            self._jump()
            return
        self.steps += 1
        if self.steps > self.steps_max:
            raise Stuck(f"the world does not come to rest: {self.describe()}")
        count = len(pool)
        if count > 1:
            # A rotation costs less than a removal, and every callback has the same chance.
            pool.rotate(int(self._rng.random() * count))
        handle = pool.popleft()
        if not handle._cancelled:
            handle._run()

    def _jump(self) -> None:
        if self.on_idle():
            return
        timers = self._timers
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if not timers:
            raise Stuck(f"nothing is left to run: {self.describe()}")
        self._now = max(self._now, timers[0]._when)
        while timers and timers[0]._when <= self._now:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            if not timer._cancelled:
                self._pool.append(timer)

    def _process_events(self, event_list: Any) -> None:
        """Does nothing: there are no I/O events."""

    def _write_to_self(self) -> None:
        """Does nothing: no other thread calls."""
