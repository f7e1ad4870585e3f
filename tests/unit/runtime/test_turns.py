"""How many requests begin in one round of the event loop, and which come first."""

from __future__ import annotations

import asyncio
from collections import Counter

from shared.runtime.http.turns import BEGIN_A_ROUND, Turns


class Rounds:
    """Numbers the rounds of the event loop, and notes in which of them each request begins."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.begun: list[tuple[str, int]] = []
        self._number = 0
        self._running = True
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._number += 1
        if self._running:
            asyncio.get_running_loop().call_soon(self._next)

    async def request(self, name: str, *, health: bool = False) -> None:
        await self.turns.wait(health=health)
        self.begun.append((name, self._number))

    def stop(self) -> None:
        self._running = False


async def test_few_requests_begin_in_one_round_and_in_the_order_of_arrival() -> None:
    rounds = Rounds()
    await asyncio.gather(*(rounds.request(str(number)) for number in range(100)))
    rounds.stop()
    assert [name for name, _ in rounds.begun] == [str(number) for number in range(100)]
    assert max(Counter(number for _, number in rounds.begun).values()) <= BEGIN_A_ROUND


async def test_requests_for_health_pass_those_that_wait_and_do_not_stop_them() -> None:
    rounds = Rounds()
    others = [rounds.request("other") for _ in range(100)]
    health = [rounds.request("health", health=True) for _ in range(50)]
    await asyncio.gather(*others, *health)
    rounds.stop()
    names = [name for name, _ in rounds.begun[BEGIN_A_ROUND:]]
    # Half of the turns each, while both wait.
    assert Counter(names[:80]) == {"health": 40, "other": 40}


async def test_a_cancelled_request_does_not_use_up_a_turn() -> None:
    rounds = Rounds()
    tasks = [asyncio.create_task(rounds.request(str(number))) for number in range(40)]
    await asyncio.sleep(0)
    for task in tasks[BEGIN_A_ROUND:30]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    rounds.stop()
    assert {name for name, _ in rounds.begun} >= {str(number) for number in range(30, 40)}


async def test_a_request_that_comes_alone_begins_at_once() -> None:
    rounds = Rounds()
    for number in range(3 * BEGIN_A_ROUND):
        await asyncio.wait_for(rounds.request(str(number)), 5)
        await asyncio.sleep(0)
    rounds.stop()
    assert len({number for _, number in rounds.begun}) == len(rounds.begun)
