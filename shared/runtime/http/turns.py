"""Lets requests begin in turn, a few in each round of the event loop.

A connection may send many requests without waiting for an answer, and a thousand connections may do so at once. If all
of these requests began in the same round, the round would take long, and everything else in the process would wait for
its end: the consumer, the heartbeats, and new connections, of which uvloop accepts one in a round. Requests for health
have a queue of their own, so that they pass those that wait for anything else.
"""

from __future__ import annotations

import asyncio
from collections import deque

# A small request takes 0.3 ms, so a round takes a few milliseconds however many requests wait. When a round takes long
# because of a batch (0.1 s), 80 requests still begin in a second.
BEGIN_A_ROUND = 8


class Turns:
    """The requests of a process that wait for their turn, in the order of arrival."""

    def __init__(self) -> None:
        self._health: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._left = 0
        self._counting = False

    async def wait(self, *, health: bool) -> None:
        """Returns when the request may begin: at once, as long as few begin in this round."""
        loop = asyncio.get_running_loop()
        if not self._counting:
            self._counting = True
            self._left = BEGIN_A_ROUND
            loop.call_soon(self._next_round, loop)
        if self._left and not self._health and not self._others:
            self._left -= 1
            return
        turn = loop.create_future()
        (self._health if health else self._others).append(turn)
        await turn

    def _next_round(self, loop: asyncio.AbstractEventLoop) -> None:
        self._left = BEGIN_A_ROUND
        while self._left and (self._health or self._others):
            # One of each in turn: a flood of requests for health does not stop other requests.
            for queue in (self._health, self._others):
                self._begin_first(queue)
        self._counting = self._left < BEGIN_A_ROUND
        if self._counting:
            loop.call_soon(self._next_round, loop)

    def _begin_first(self, queue: deque[asyncio.Future[None]]) -> None:
        """Begins the first request of a queue that was not cancelled meanwhile."""
        while self._left and queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
                return
