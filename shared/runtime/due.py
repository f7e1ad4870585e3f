"""Due work: calls to other systems, and waits. It starts only from saved state and never blocks the consumer.

Theory of operation
The answer of a call is an event of the service's `-work` topic. Its name is the due id, so an answer that arrives twice
is taken once. The work stays due in the store until that event is taken. Calls in flight are remembered here, so that
they are not started twice.

One process of a service performs all of its due work, under a lease (store/leases.py); the others wait for their turn.
Agreed limits (calls per second, calls per day) and the knowledge that a system is down apply to the service, however
many processes it has. One process that makes all the calls knows them all. A call is mostly waiting and little work, so
a second process would add no speed. When the process dies, another gets the lease within LEASE_S + TURN_S. It first
lets the service take the answers that stand in the work topic, for at most HANDOVER_S, and then goes on. Calls that
were in flight at that moment are made again, under the same idempotency key.

A performer that raises `Paused` stops its whole kind until the given time. The waiting work stays in the store; it is
not tried one by one against a system that must be left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from shared.contracts import envelope, topics
from shared.kernel.decision import Address
from shared.runtime import clock
from shared.runtime.errors import Paused, Unavailable
from shared.runtime.ops import traces
from shared.runtime.ops.metrics import Metrics
from shared.runtime.ports import DueWork, Publisher, Rows, StateStore
from shared.runtime.records import Message
from shared.runtime.spec import ServiceSpec, WorkResult
from shared.runtime.store.leases import Leases

log = structlog.get_logger()

LOOK_S = 1.0
# 50 calls a second with one in twenty hanging for 5 s and the others taking 0.5 s need 38 places.
CONCURRENT_MAX = 48
# Every look also reads the running work. So look for several places at once, not at each place that becomes free.
ROOM_MIN = 12
PERFORM_TIMEOUT_S = 60.0
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 60.0
# The lease of the process that performs, and how often the others ask for it.
DUE = "due"
TURN_S = 2.0
# After an orderly stop no process calls for this long, so that calls of the old and of the new process are never in the
# same second.
REST_S = 1.0
# At an orderly stop, calls under way get this long to be answered.
STOP_WAIT_S = 6.0
HANDOVER_LOOK_S = 0.2
# A new process waits this long until the answers of the last one are taken: the partitions of a dead process may have
# no owner yet.
HANDOVER_S = 30.0
# An answer that was published but not taken within this time is requested again (the call is idempotent).
TAKEN_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class _Postponed:
    """Work that is left alone until a moment of the monotonic clock; with its document and its due time."""

    until_s: float
    address: Address
    at: datetime


class DueWorkplace:
    """The view of the service that performers get (ports.Workplace)."""

    def __init__(self, reader: Rows, reference: Any, caught_up: Callable[[Sequence[str]], Any]) -> None:
        self.reader = reader
        self.reference = reference
        self._caught_up = caught_up

    async def caught_up(self, names: Sequence[str]) -> bool:
        """Whether the service has settled everything that stood in these topics at the call."""
        return bool(await self._caught_up(names))


class DueRunner:
    """Looks for due work and performs it, a limited number of calls at a time."""

    def __init__(
        self,
        spec: ServiceSpec,
        store: StateStore,
        publisher: Publisher,
        metrics: Metrics,
        place: DueWorkplace,
        leases: Leases,
    ) -> None:
        self._spec = spec
        self._store = store
        self._publisher = publisher
        self._metrics = metrics
        self._place = place
        self._leases = leases
        self._has_turn = False
        self._stopping = False
        self._resting: dict[str, _Postponed] = {}
        self._failures: dict[str, int] = {}
        # By kind, until when, on the monotonic clock: if the wall clock were set back, the pause would last longer.
        self._paused: dict[str, float] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Looks at once, because something was saved."""
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        if not self._spec.performers:
            return
        try:
            while True:
                if not await self._is_our_turn():
                    await asyncio.sleep(TURN_S)
                    continue
                if not await self._look():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._woken.wait(), LOOK_S)
                self._woken.clear()
        finally:
            for task in self._running.values():
                task.cancel()

    async def stop(self) -> None:
        """An orderly stop: no new call starts, calls under way get a bounded time for their answer, and another process
        takes over."""
        self._stopping = True
        if self._running:
            await asyncio.wait(tuple(self._running.values()), timeout=STOP_WAIT_S)
        await self._leases.release(DUE, rest_s=REST_S)

    async def _is_our_turn(self) -> bool:
        if self._stopping:
            return False
        if self._leases.holds(DUE):
            if self._has_turn:
                return True
        else:
            self._end_turn()
        try:
            if await self._leases.mine(DUE) and await self._took_over():
                self._has_turn = True
                log.info("this process performs the due work now")
        except Unavailable as error:
            log.warning("due work waits: its lease cannot be taken now", error=str(error))
        return self._has_turn

    def _end_turn(self) -> None:
        if self._has_turn:
            log.warning("this process no longer performs the due work: its lease was not renewed")
        self._has_turn = False

    async def _took_over(self) -> bool:
        """Waits until the service has taken the last process's answers, because their calls would be made again
        otherwise.

        A partition without an owner delays this by HANDOVER_S at most. False when the lease was lost meanwhile.
        """
        until = clock.monotonic() + HANDOVER_S
        while self._leases.holds(DUE):
            with contextlib.suppress(Unavailable):
                if await self._place.caught_up([topics.work(self._spec.name)]):
                    break
            if clock.monotonic() >= until:
                log.warning("answers of the last process were not read in time; their calls are made again")
                break
            await asyncio.sleep(HANDOVER_LOOK_S)
        return self._leases.holds(DUE)

    async def _look(self) -> bool:
        room = CONCURRENT_MAX - len(self._running)
        if room < ROOM_MIN:
            await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
            return True
        now, moment = clock.now(), clock.monotonic()
        self._paused = {kind: until for kind, until in self._paused.items() if until > moment}
        if len(self._paused) == len(self._spec.performers):
            return False
        try:
            # Resting and running work comes first in the order, so read past it.
            limit = room + len(self._running) + len(self._resting)
            found = await self._store.due(now, limit)
            await self._forget(found, limit, moment)
        except Unavailable as error:
            log.warning("due work cannot be looked up", error=str(error))
            return False
        if not self._leases.holds(DUE) or self._stopping:
            return False
        started = False
        for one in found:
            if one.due.id in self._running or one.due.id in self._resting or len(self._running) >= CONCURRENT_MAX:
                continue
            pause = self._paused.get(one.due.kind)
            if pause is not None:
                self._rests(one, pause)
                continue
            task = asyncio.create_task(self._perform(one))
            self._running[one.due.id] = task
            task.add_done_callback(partial(self._ended, one.due.id))
            started = True
        return started

    def _ended(self, key: str, _: asyncio.Task[None]) -> None:
        self._running.pop(key, None)

    async def _forget(self, found: Sequence[DueWork], limit: int, moment: float) -> None:
        """Keeps in memory only work that is still due: work that is missing from its place in the order is done.

        Resting work may lie behind the end of a full look, because older work or work of the same instant was saved
        after it. Such work is looked up by itself: if it were forgotten while its answer is under way, it would be
        called again.
        """
        still = {one.due.id for one in found}
        self._resting = {key: rest for key, rest in self._resting.items() if rest.until_s > moment}
        unseen = {key: rest for key, rest in self._resting.items() if key not in still}
        if unseen and len(found) >= limit:
            beyond = {key: rest.address for key, rest in unseen.items() if rest.at >= found[-1].due.at}
            documents = await self._store.load(list(beyond.values())) if beyond else {}
            for key, address in beyond.items():
                document = documents.get(address)
                if document is not None and document.due is not None and document.due.id == key:
                    still.add(key)
        self._resting = {key: rest for key, rest in self._resting.items() if key in still}
        self._failures = {key: n for key, n in self._failures.items() if key in still or key in self._running}

    def _rests(self, one: DueWork, until_s: float) -> None:
        self._resting[one.due.id] = _Postponed(until_s, one.address, one.due.at)

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
            # The other system answers, so any pause is over.
            self._paused.pop(kind, None)
            self._rests(one, clock.monotonic() + TAKEN_WITHIN_S)
            self._metrics.performed(kind, "answered")

    def _pause(self, kind: str, pause: Paused) -> None:
        self._metrics.performed(kind, "paused")
        if kind not in self._paused:
            log.warning("due work pauses", kind=kind, why=str(pause), until=pause.until.isoformat())
        wait_s = max(0.0, (pause.until - clock.now()).total_seconds())
        self._paused[kind] = clock.monotonic() + wait_s
        asyncio.get_running_loop().call_later(wait_s, self.wake)

    def _rest(self, one: DueWork, kind: str, fate: str, error: BaseException) -> None:
        failures = self._failures.get(one.due.id, 0) + 1
        self._failures[one.due.id] = failures
        pause_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures - 1, 10))
        self._rests(one, clock.monotonic() + pause_s)
        self._metrics.performed(kind, fate)
        if failures in (1, 5) or fate == "failed":
            log.warning("due work waits", kind=kind, fate=fate, error=traces.safe_text(error), again_in_s=pause_s)
        # The end of the pause is known: look at that moment, not up to LOOK_S later.
        asyncio.get_running_loop().call_later(pause_s, self.wake)

    def _message(self, one: DueWork, answer: WorkResult) -> Message:
        now, name, identifier = clock.now(), self._spec.name, one.due.id
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        first = str(one.due.data.get("correlation_id", identifier))
        value = envelope.internal(name, identifier, answer.type, answer.data, at, first_cause=first, cause=identifier)
        return Message(topics.work(name), answer.key.encode(), value)
