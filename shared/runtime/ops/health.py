"""Health means progress: a service is ready when it has partitions and settles records, not when a socket answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence, Sized
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.ops.metrics import Metrics
from shared.runtime.ops.pulse import Pulse

log = structlog.get_logger()

LOOK_S = 1.0
# A batch takes seconds at most; when records wait and none is settled for longer, the service is stuck.
STUCK_AFTER_S = 60.0
GIVE_UP_AFTER_S = 300.0
# When a broker dies, it can kill the inner tasks of a client. Such a client never gets an answer again, even after the
# broker is back; only a new process has a new client. A real outage ends the process too; its supervisor restarts it
# until the broker answers.
SILENT_AFTER_S = 60.0
# A look happens once a second and takes up to half a second with an idle broker. A lag older than this is not reported.
FRESH_S = 5.0


@dataclass(slots=True)
class Vitals:
    """The last look at a service."""

    ready: bool = False
    alive: bool = True
    lag: int = 0
    oldest_waiting_s: float = 0.0
    partitions: int = 0
    detail: str = "starting"
    paused: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The values as plain data, for other processes of the service and for `payung status`."""
        return {
            "ready": self.ready,
            "lag": self.lag,
            "oldest_waiting_s": self.oldest_waiting_s,
            "partitions": self.partitions,
            "paused": list(self.paused),
            "detail": self.detail,
        }


class ConsumerProgress(Protocol):
    """What the watch sees of the consumer (kafka/consumer.py)."""

    last_progress: float
    held: AbstractSet[str]

    def assigned(self) -> Sized:
        """The partitions of this process."""
        ...

    async def lag(self) -> int:
        """How many records wait; raises Unavailable."""
        ...

    async def commit_settled(self) -> None:
        """Commits what is settled and not committed yet; raises Unavailable."""
        ...


class Watch:
    """Checks the consumer once a second; ends the process when it has not moved for too long.

    `vitals` are the result of the last look, combined with whether both servers answer now. A look that hangs makes the
    process unready within seconds, long before its own time limit.
    """

    def __init__(
        self,
        consumer: ConsumerProgress,
        metrics: Metrics,
        give_up: Callable[[BaseException], None],
        pulse: Pulse | None = None,
    ) -> None:
        self._consumer = consumer
        self._metrics = metrics
        self._give_up = give_up
        self.pulse = pulse
        # Other parts of the service: each returns why it stands still, or None.
        self.parts: list[Callable[[], str | None]] = []
        self.vitals = self._seen = Vitals()
        self._asked_s: float | None = None
        self._waiting_since: float | None = None
        self._silent_since: float | None = None
        self._answered_s: float | None = None

    @property
    def lag(self) -> int | None:
        """The number of records that waited at the last look, a second or two ago; None when Kafka has not answered
        since.

        Asking Kafka directly takes up to half a second: the question queues behind the consumer's own long poll.
        """
        if self._answered_s is None or clock.monotonic() - self._answered_s > FRESH_S:
            return None
        return self.vitals.lag

    async def run(self) -> None:
        """Runs until cancelled."""
        looking = asyncio.create_task(self._look_for_ever())
        try:
            while not looking.done():
                self._judge()
                await asyncio.wait({looking}, timeout=LOOK_S)
            await looking
        finally:
            looking.cancel()

    async def _look_for_ever(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(LOOK_S)

    def _judge(self) -> None:
        """Sets `vitals` to the last look; unready when a server has been silent since, or another part stands still."""
        silent = []
        if self._asked_s is not None and clock.monotonic() - self._asked_s > FRESH_S:
            silent.append(f"Kafka has not answered for {clock.monotonic() - self._asked_s:.0f} s")
            self._metrics.backlog_unknown(self._seen.partitions)
        if self.pulse is not None and not self.pulse.fresh:
            silent.append(f"MongoDB has not answered for {self.pulse.silent_s:.0f} s")
        silent += [trouble for part in self.parts if (trouble := part()) is not None]
        if silent:
            self.vitals = replace(self._seen, ready=False, detail="; ".join(silent))
        else:
            self.vitals = self._seen

    async def _look(self) -> None:
        partitions = len(self._consumer.assigned())
        self._asked_s = clock.monotonic()
        try:
            lag = await self._consumer.lag()
            # Otherwise a failed commit would wait for the next record of its partition, which may take long.
            await self._consumer.commit_settled()
        except Unavailable as error:
            self._answered_s = self._asked_s = None
            self._seen = replace(self._seen, ready=False, partitions=partitions, detail=str(error))
            self._metrics.backlog_unknown(partitions)
            self._unanswered(partitions, str(error))
            self._judge()
            return
        self._silent_since = self._asked_s = None
        now = self._answered_s = clock.monotonic()
        if lag == 0:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = now
        still_s = 0.0
        if self._waiting_since is not None:
            still_s = now - max(self._waiting_since, self._consumer.last_progress)
        stuck = still_s > STUCK_AFTER_S
        self._seen = Vitals(
            ready=not stuck,
            alive=still_s < GIVE_UP_AFTER_S,
            lag=lag,
            oldest_waiting_s=round(still_s, 1),
            partitions=partitions,
            detail=_detail(stuck, sorted(self._consumer.held)),
            paused=tuple(sorted(self._consumer.held)),
        )
        self._metrics.backlog(lag=lag, oldest_s=still_s, partitions=partitions)
        self._judge()
        if not self._seen.alive:
            self._give_up(Unavailable(f"no record was settled for {still_s:.0f} s while {lag} wait"))

    def _unanswered(self, partitions: int, why: str) -> None:
        """Kafka did not answer. A process without partitions has nothing to ask for: it is a spare that waits its
        turn."""
        now = clock.monotonic()
        if not partitions or self._silent_since is None:
            self._silent_since = now if partitions else None
            return
        silent_s = now - self._silent_since
        if silent_s > SILENT_AFTER_S:
            self._seen = replace(self._seen, alive=False)
            self._give_up(Unavailable(f"Kafka has not answered for {silent_s:.0f} s: {why}"))


def _detail(stuck: bool, held: Sequence[str]) -> str:
    moving = "stuck: records wait and none is settled" if stuck else "moving"
    return f"{moving}; paused by floods of dead letters: {', '.join(held)}" if held else moving
