"""Controls the calls to Dukcapil: the agreed rate, the daily quota, a circuit breaker, repeats.

Theory of operation
Every call passes, in this order, the breaker (when open, the work pauses until a probe is allowed), the quota (when
used up, it pauses until the next business day) and the rate limiter (it waits for its turn). A failed call is repeated
a few times with growing, spread pauses; then the work goes back to the store and stays due. A pause is `Paused`: the
runner then starts no more work of this kind, so a system that is down gets one probe at a time and not all waiting
work. There is one gate per process and event loop, and one process of the service calls (shared/runtime/due.py), so
rate and breaker hold for all of its processes. The gate sees no NIK and no credential: to it, a call is a function.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import NamedTuple, TypeVar

import structlog
from aiolimiter import AsyncLimiter
from circuitbreaker import CircuitBreaker
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from services.verification.adapters.quota import Quota
from services.verification.settings import Settings
from shared.runtime import clock
from shared.runtime.errors import Paused, Unavailable
from shared.runtime.ops.metrics import note_external
from shared.runtime.ports import Rows

log = structlog.get_logger()

# Failures in a row. With 5 % random faults a healthy service reaches ten in a row once in 10^13 calls.
FAILURES_MAX = 10
OPEN_S = 15.0
ATTEMPTS_MAX = 3
REPEAT_FIRST_S, REPEAT_MAX_S = 0.2, 2.0
# The backlog, in seconds, that may be sent at once after calls were held up: so no second sees more than 1.5 times the
# rate.
BURST_S = 0.5

T = TypeVar("T")


class _Breaker(CircuitBreaker):  # type: ignore[misc]  # the library has no types
    """The library's breaker on the product's clock, so that a wait that it reports to the runner ends when the runner
    expects it.
    """

    _since = 0.0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failed = kind is not None and self.is_failure(kind, error)
        super().__exit__(kind, error, trace)
        if failed and self.failure_count == FAILURES_MAX:
            log.warning("Dukcapil is not called for a while: too many calls failed in a row", for_s=OPEN_S)
        if failed:
            self._since = clock.monotonic()

    @property
    def open_remaining(self) -> float:
        """Seconds until the breaker allows a probe."""
        return self._since + OPEN_S - clock.monotonic()


class Gate:
    """Lets calls through as the agreement and the health of Dukcapil allow."""

    def __init__(self, settings: Settings) -> None:
        burst = max(1.0, settings.rate * BURST_S)
        self._limiter = AsyncLimiter(burst, burst / settings.rate)
        self._breaker = _Breaker(FAILURES_MAX, OPEN_S, Unavailable, "dukcapil")
        self._probing = False
        self.quota = Quota(settings.daily_quota)

    async def call(self, name: str, work: Callable[[], Awaitable[T]], reader: Rows, *, counted: bool = True) -> T:
        """Performs `work` when it is allowed; raises Unavailable (or its subclass Paused) when it cannot be done now.

        `name` spreads the repeats of different work over time; `counted` calls use the quota.
        """
        attempts = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS_MAX),
            retry=retry_if_exception(lambda error: isinstance(error, Unavailable) and not isinstance(error, Paused)),
            wait=lambda state: _pause_s(name, state),
            reraise=True,
        )
        return await attempts(self._once, work, reader, counted)

    async def _once(self, work: Callable[[], Awaitable[T]], reader: Rows, counted: bool) -> T:
        self._pass_breaker()
        if counted:
            await self.quota.take(reader)
        await self._limiter.acquire()
        # The breaker may have opened while this call waited for its turn.
        self._pass_breaker()
        probe = self._breaker.state == "half_open"
        self._probing = self._probing or probe
        try:
            with self._breaker:
                return await work()
        finally:
            if probe:
                self._probing = False
            note_external("dukcapil_breaker_open", float(self._breaker.opened))

    def _pass_breaker(self) -> None:
        if self._breaker.opened:
            raise Paused("Dukcapil: not called for a while after failures", _after(self._breaker.open_remaining))
        if self._breaker.state == "half_open" and self._probing:
            raise Paused("Dukcapil: one call finds out whether it is back", _after(1.0))


def _after(seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=max(0.0, seconds))


def _pause_s(name: str, state: RetryCallState) -> float:
    """A pause that doubles with each attempt and varies by the work's name: equal on every run, different for
    each worker.
    """
    longest = min(REPEAT_MAX_S, REPEAT_FIRST_S * 2.0 ** (state.attempt_number - 1))
    spread = zlib.crc32(f"{name}|{state.attempt_number}".encode()) / 2**32
    return longest * (0.5 + spread / 2)


class _Known(NamedTuple):
    """The gate of one loop, and the settings that it was made with."""

    loop: asyncio.AbstractEventLoop
    settings: Settings
    gate: Gate


_gates: dict[int, _Known] = {}


def gate_of(settings: Settings) -> Gate:
    """The gate of the running event loop."""
    loop = asyncio.get_running_loop()
    known = _gates.get(id(loop))
    if known is None or known.loop is not loop or known.settings != settings:
        # A process has one loop, except in tests: gates of closed loops are dropped.
        for key in [key for key, one in _gates.items() if one.loop.is_closed()]:
            del _gates[key]
        known = _gates[id(loop)] = _Known(loop, settings, Gate(settings))
    return known.gate
