"""Due work: a limited number at once, a rest after trouble, a pause by kind, and forgotten once its answer is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from shared.contracts.verification_work import GivenBack
from shared.kernel.decision import Address, Due
from shared.runtime import clock, due
from shared.runtime.due import DueRunner
from shared.runtime.errors import Paused, Unavailable
from shared.runtime.fold import Stored
from shared.runtime.ops.metrics import Metrics
from shared.runtime.ports import DueWork
from shared.runtime.spec import WorkResult
from shared.runtime.store.leases import Leases
from tests.fakes.memory import MemoryStore
from tests.toy import AT, CIPHER


class Work:
    """A store of due work, and the published answers; a published answer is taken at once."""

    def __init__(self, *names: str, kind: str = "call") -> None:
        self.waiting = {name: Due(name, kind, AT) for name in names}
        self.limits: list[int] = []
        self.taken: list[str] = []
        self.answered = asyncio.Event()

    async def due(self, until: datetime, limit: int) -> list[DueWork]:
        self.limits.append(limit)
        oldest = sorted(self.waiting.values(), key=lambda one: one.at)[:limit]
        return [DueWork(Address("x", one.id), one.id, one) for one in oldest]

    async def load(self, addresses: Sequence[Address]) -> dict[Address, Stored]:
        waiting = {one.id: one for one in self.waiting.values()}
        return {at: Stored(1, at.id, waiting.get(at.id), {}) for at in addresses}

    async def send_all(self, messages: Sequence[Any]) -> None:
        for one in messages:
            name = one.key.decode()
            self.waiting.pop(name, None)
            self.taken.append(name)
        if not self.waiting:
            self.answered.set()


Perform = Callable[[str, Any, Due, Any], Coroutine[Any, Any, WorkResult]]


class Place:
    """A service that has taken every answer, unless a test says otherwise."""

    def __init__(self) -> None:
        self.behind = 0

    async def caught_up(self, names: Sequence[str]) -> bool:
        assert names == ["verification-work"]
        self.behind -= 1
        return self.behind < 0


def runner_of(work: Work, leases: Leases | None = None, **performers: Perform) -> DueRunner:
    spec: Any = SimpleNamespace(name="verification", performers=performers)
    shelf: Any = work
    place: Any = Place()
    return DueRunner(spec, shelf, work, Metrics("verification"), place, leases or Leases(MemoryStore({}, CIPHER)))


def answer(name: str) -> WorkResult:
    return WorkResult("t", name, GivenBack(worker_id=name, registration_version=1))


async def run_until(runner: DueRunner, condition: asyncio.Event) -> None:
    running = asyncio.create_task(runner.run())
    try:
        async with asyncio.timeout(20):
            await condition.wait()
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "LOOK_S", 0.01)
    monkeypatch.setattr(due, "BACKOFF_FIRST_S", 0.01)


async def test_all_is_performed_a_bounded_number_at_a_time_and_forgotten_afterwards() -> None:
    work, running, most = Work(*(str(number) for number in range(500))), 0, 0

    async def perform(name: str, *_: Any) -> WorkResult:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return answer(name)

    runner = runner_of(work, call=perform)
    await run_until(runner, work.answered)
    assert sorted(work.taken, key=int) == [str(number) for number in range(500)]
    assert most == due.CONCURRENT_MAX
    # Work whose answer was taken no longer rests: a look never reads more than twice what can run.
    assert max(work.limits) <= 2 * due.CONCURRENT_MAX
    assert len(runner._resting) <= due.CONCURRENT_MAX


async def test_failed_work_rests_is_done_later_and_blocks_no_other() -> None:
    work, tries = Work("a", "b"), {"a": 0, "b": 0}

    async def perform(name: str, *_: Any) -> WorkResult:
        tries[name] += 1
        if name == "a" and tries["a"] < 4:
            raise Unavailable("x") if tries["a"] < 3 else ZeroDivisionError
        return answer(name)

    runner = runner_of(work, call=perform)
    await run_until(runner, work.answered)
    assert (work.taken, tries) == (["b", "a"], {"a": 4, "b": 1})
    assert runner._failures == {}


async def test_a_pause_stops_its_kind_and_no_other() -> None:
    work, asked, until = Work(*(f"p{number}" for number in range(100))), 0, clock.now() + timedelta(seconds=0.3)
    work.waiting |= {f"o{number}": Due(f"o{number}", "other", AT) for number in range(100)}
    over: list[datetime] = []

    async def paused(name: str, *_: Any) -> WorkResult:
        nonlocal asked
        asked += 1
        if clock.now() < until:
            raise Paused("quota", until)
        over.append(clock.now())
        return answer(name)

    async def other(name: str, *_: Any) -> WorkResult:
        over.append(clock.now())
        return answer(name)

    await run_until(runner_of(work, call=paused, other=other), work.answered)
    assert len(work.taken) == 200
    assert {name[0] for name in work.taken[:100]} == {"o"}, "the others went on meanwhile"
    assert asked <= due.CONCURRENT_MAX + 100, "nobody was tried again before the pause was over"
    assert min(over[100:]) >= until


async def test_nothing_is_read_while_all_kinds_are_paused() -> None:
    work, until = Work("a"), clock.now() + timedelta(hours=1)
    asked = asyncio.Event()

    async def perform(name: str, *_: Any) -> WorkResult:
        asked.set()
        raise Paused("midnight", until)

    runner = runner_of(work, call=perform)
    await run_until(runner, asked)
    looked = len(work.limits)
    for _ in range(5):
        assert not await runner._look()
    assert len(work.limits) == looked


async def test_one_of_two_processes_performs_and_the_other_continues_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(due, "TURN_S", 0.01)
    monkeypatch.setattr(due, "REST_S", 0.05)
    work, shelf = Work(*(str(number) for number in range(300))), MemoryStore({}, CIPHER)
    asked: list[tuple[int, str]] = []
    half = asyncio.Event()

    def performing(process: int) -> Perform:
        async def perform(name: str, *_: Any) -> WorkResult:
            asked.append((process, name))
            await asyncio.sleep(0)
            if len(asked) >= 100:
                half.set()
            return answer(name)

        return perform

    runners = [runner_of(work, Leases(shelf), call=performing(process)) for process in range(2)]
    tasks = [asyncio.create_task(one.run()) for one in runners]
    await half.wait()
    first = asked[0][0]
    assert {process for process, _ in asked} == {first}
    # An orderly end: calls under way are answered, then the other process begins.
    await runners[first].stop()
    tasks[first].cancel()
    await asyncio.wait_for(work.answered.wait(), 20)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert sorted(name for _, name in asked) == sorted(str(number) for number in range(300)), "each once"
    assert {process for process, _ in asked} == {0, 1}


async def test_no_call_is_made_without_a_certain_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "TURN_S", 0.0)
    shelf = MemoryStore({}, CIPHER)
    work, holder, leases = Work("a"), Leases(shelf), Leases(shelf)
    assert await holder.mine(due.DUE)

    async def perform(name: str, *_: Any) -> WorkResult:
        raise AssertionError("it is not its turn")

    runner = runner_of(work, leases, call=perform)
    for _ in range(20):
        assert not await runner._is_our_turn()
    await holder.release(due.DUE)
    assert await runner._is_our_turn()
    # Between the look and the call the process was paused so long that another may perform this work by now.
    later = clock.monotonic() + 60.0
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    assert not await runner._look()
    assert not runner._running


async def test_a_new_performer_first_waits_for_the_answers_of_the_last_one() -> None:
    work = Work("a")

    async def perform(name: str, *_: Any) -> WorkResult:
        assert runner._place.behind < 0, "answers of another process stood untaken"  # type: ignore[attr-defined]
        return answer(name)

    runner = runner_of(work, call=perform)
    runner._place.behind = 3  # type: ignore[attr-defined]
    await run_until(runner, work.answered)
    assert work.taken == ["a"]


async def test_a_clock_that_is_put_back_does_not_make_a_pause_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed 1796052329 of the simulation stopped the wall clock for a phase: the pause never ended."""
    work, at = Work("a"), clock.now()
    monkeypatch.setattr(clock, "now", lambda: at)
    tried = 0

    async def perform(name: str, *_: Any) -> WorkResult:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise Paused("down", at + timedelta(seconds=0.2))
        return answer(name)

    await run_until(runner_of(work, call=perform), work.answered)
    assert tried == 2


async def test_work_with_an_untaken_answer_is_not_called_again_when_older_work_appears() -> None:
    """Another process of the service saves what it read later: its work is older and comes first."""
    work = Work(*(f"new{number}" for number in range(due.CONCURRENT_MAX)))
    published: list[str] = []

    async def slowly(messages: Sequence[Any]) -> None:
        published.extend(one.key.decode() for one in messages)

    async def perform(name: str, *_: Any) -> WorkResult:
        return answer(name)

    runner = runner_of(work, call=perform)
    work.send_all = slowly  # type: ignore[method-assign]
    assert await runner._is_our_turn()
    while len(published) < due.CONCURRENT_MAX:
        await runner._look()
        await asyncio.sleep(0)
    for number in range(20 * due.CONCURRENT_MAX):
        work.waiting[f"old{number}"] = Due(f"old{number}", "call", AT - timedelta(seconds=1))
    for _ in range(200):
        await runner._look()
        await asyncio.sleep(0)
    assert len(published) == len(set(published)) == 21 * due.CONCURRENT_MAX
