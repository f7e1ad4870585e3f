"""Due work: calls to other systems and waits, started only from saved state, never on the consumer's path.

The answer is an event of the service's `-work` topic, named by the due id, so that a call made twice is taken once.
Until that event is taken the work stays due in the store; what is in flight is remembered here, so that it is not
started twice by this process. Another process may start it again: the id is the idempotency key of the call.

A performer that raises `Paused` stops its whole kind until then: what waits stays in the store, and is not tried one by
one against a system that must be left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from shared.contracts import envelope, topics
from shared.kernel.identity import without_niks
from shared.runtime import clock, traces
from shared.runtime.errors import Paused, Unavailable
from shared.runtime.metrics import Metrics
from shared.runtime.pipeline import Message, Publisher
from shared.runtime.ports import Answer, Reader, ServiceSpec
from shared.runtime.store import DueWork, StateStore

log = structlog.get_logger()

LOOK_S = 1.0
# 50 calls a second with one in twenty hanging for 5 s and the others taking 0.5 s need 38 places.
CONCURRENT_MAX = 48
# Every look reads what runs along with what is new: look for a handful at once, not at every place that becomes free.
ROOM_MIN = 12
PERFORM_TIMEOUT_S = 60.0
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 60.0
# An answer that was published but not taken within this time is asked for again (the call is idempotent).
TAKEN_WITHIN_S = 120.0


class Place:
    """What performers see of the service (ports.Workplace)."""

    def __init__(self, reader: Reader, reference: Any, caught_up: Callable[[Sequence[str]], Any]) -> None:
        self.reader = reader
        self.reference = reference
        self._caught_up = caught_up

    async def caught_up(self, names: Sequence[str]) -> bool:
        """Whether the service has settled all that stood in these topics at the call."""
        return bool(await self._caught_up(names))


class DueRunner:
    """Looks for due work and performs it, a bounded number at a time."""

    def __init__(
        self, spec: ServiceSpec, store: StateStore, publisher: Publisher, metrics: Metrics, place: Place
    ) -> None:
        self._spec = spec
        self._store = store
        self._publisher = publisher
        self._metrics = metrics
        self._place = place
        self._resting: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._paused: dict[str, datetime] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something was saved: look now."""
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        if not self._spec.performers:
            return
        try:
            while True:
                started = await self._look()
                if not started:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._woken.wait(), LOOK_S)
                self._woken.clear()
        finally:
            for task in self._running.values():
                task.cancel()

    async def _look(self) -> bool:
        room = CONCURRENT_MAX - len(self._running)
        if room < ROOM_MIN:
            await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
            return True
        now, moment = clock.now(), clock.monotonic()
        self._paused = {kind: until for kind, until in self._paused.items() if until > now}
        if len(self._paused) == len(self._spec.performers):
            return False
        try:
            # Resting and running work stands at the front of the order, so look past it.
            found = await self._store.due(now, room + len(self._running) + len(self._resting))
        except Unavailable as error:
            log.warning("due work cannot be looked up", error=str(error))
            return False
        self._forget(found, moment)
        started = False
        for one in found:
            if one.due.id in self._running or one.due.id in self._resting or len(self._running) >= CONCURRENT_MAX:
                continue
            pause = self._paused.get(one.due.kind)
            if pause is not None:
                self._resting[one.due.id] = moment + (pause - now).total_seconds()
                continue
            task = asyncio.create_task(self._perform(one))
            self._running[one.due.id] = task
            task.add_done_callback(partial(self._ended, one.due.id))
            started = True
        return started

    def _ended(self, key: str, _: asyncio.Task[None]) -> None:
        self._running.pop(key, None)

    def _forget(self, found: Sequence[DueWork], moment: float) -> None:
        """Keeps in memory only what is still due: work that rested stands in front, so what was not found is done."""
        still = {one.due.id for one in found}
        self._resting = {key: until for key, until in self._resting.items() if until > moment and key in still}
        self._failures = {key: n for key, n in self._failures.items() if key in still or key in self._running}

    async def _perform(self, one: DueWork) -> None:
        kind = one.due.kind
        try:
            answer = await asyncio.wait_for(
                self._spec.performers[kind](one.address.id, one.state, one.due, self._place), PERFORM_TIMEOUT_S
            )
            await self._publisher.send_all([self._message(one, answer)])
        except Paused as pause:
            self._pause(kind, pause)
        except (Unavailable, TimeoutError) as error:
            self._rest(one, kind, "unavailable", error)
        except Exception as error:  # noqa: BLE001  # a defect in one call must not end the others; it is counted and tried again
            self._rest(one, kind, "failed", error)
        else:
            self._failures.pop(one.due.id, None)
            # Whatever the pause was for, it is over: the other side answers.
            self._paused.pop(kind, None)
            self._resting[one.due.id] = clock.monotonic() + TAKEN_WITHIN_S
            self._metrics.performed(kind, "answered")

    def _pause(self, kind: str, pause: Paused) -> None:
        self._metrics.performed(kind, "paused")
        if kind not in self._paused:
            log.warning("due work pauses", kind=kind, why=str(pause), until=pause.until.isoformat())
        self._paused[kind] = pause.until
        wait_s = max(0.0, (pause.until - clock.now()).total_seconds())
        asyncio.get_running_loop().call_later(wait_s, self.wake)

    def _rest(self, one: DueWork, kind: str, fate: str, error: BaseException) -> None:
        failures = self._failures.get(one.due.id, 0) + 1
        self._failures[one.due.id] = failures
        pause_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures - 1, 10))
        self._resting[one.due.id] = clock.monotonic() + pause_s
        self._metrics.performed(kind, fate)
        if failures in (1, 5) or fate == "failed":
            log.warning("due work waits", kind=kind, fate=fate, error=traces.told(error), again_in_s=pause_s)
        # The pause is over at a known time: be there, not up to LOOK_S later.
        asyncio.get_running_loop().call_later(pause_s, self.wake)

    def _message(self, one: DueWork, answer: Answer) -> Message:
        now = clock.now()
        source = f"payung/{self._spec.name}"
        header = {
            "specversion": "1.0",
            "id": one.due.id,
            "source": source,
            "type": answer.type,
            "time": envelope.rfc3339(now.replace(microsecond=now.microsecond // 1000 * 1000)),
            "datacontenttype": "application/json",
            "correlationid": without_niks(str(one.due.data.get("correlation_id", one.due.id))),
            "causationid": one.due.id,
            "causationsource": source,
        }
        return Message(topics.work(self._spec.name), answer.key.encode(), envelope.write(header, answer.data))
