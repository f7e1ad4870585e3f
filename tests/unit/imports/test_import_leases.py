"""Several instances of registration and one list: one carries it, another goes on when the first one falls silent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.registration.imports import leases, sending
from services.registration.imports.leases import LEASE_S, Leases
from services.registration.imports.running import Running
from shared.runtime import clock
from shared.runtime.memory import MemoryStore
from tests.toy import CIPHER
from tests.unit.imports.imports_house import MemoryHouse, row, table

URL = "/v1/imports?agency=64.08/dinsos&filename=daftar.csv"


class Hands:
    """A clock that the test turns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1_000.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.now_s)

    def on(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


async def test_a_holder_keeps_it_as_long_as_it_beats_and_is_told_when_it_is_gone(hands: Hands) -> None:
    store = MemoryStore({}, CIPHER)
    one, other = Leases(store), Leases(store)
    held = await one.take("i")
    assert held is not None
    for _ in range(3):
        assert await other.take("i") is None
        hands.on(LEASE_S - 1)
        assert await one.beat(held)
    assert await other.take("i") is None
    hands.on(LEASE_S)
    taken = await other.take("i")
    assert taken is not None
    assert not await one.beat(held)
    # Who lost it cannot give away what is another's now.
    await one.release(held, done=True)
    assert await other.beat(taken)


async def test_of_those_who_wait_one_takes_over(hands: Hands) -> None:
    store = MemoryStore({}, CIPHER)
    await Leases(store).take("i")
    waiting = [Leases(store) for _ in range(4)]
    assert [await one.take("i") for one in waiting] == [None] * 4
    hands.on(LEASE_S)
    won = await asyncio.gather(*(one.take("i") for one in waiting))
    assert len([one for one in won if one is not None]) == 1


async def test_who_died_before_the_first_beat_does_not_keep_it(hands: Hands) -> None:
    store = MemoryStore({}, CIPHER)
    await store.claim_names({"import-lease|i|1": "somebody"})
    one = Leases(store)
    assert await one.take("i") is None
    assert await one.take("i") is None
    hands.on(LEASE_S)
    taken = await one.take("i")
    assert taken is not None
    assert taken.term == 2


async def test_given_back_or_of_a_predecessor_it_is_free_at_once() -> None:
    store = MemoryStore({}, CIPHER)
    first = await Leases(store, "registration-1").take("i")
    assert await Leases(store, "registration-2").take("i") is None
    again = await Leases(store, "registration-1").take("i")
    assert again is not None
    assert first is not None
    assert not await Leases(store, "registration-1").beat(first)
    await Leases(store).release(again, done=False)
    assert await Leases(store, "registration-2").take("i") is not None


def _instance(house: MemoryHouse, name: str) -> Running:
    seen: Any = house
    house.environ["PAYUNG_INSTANCE"] = name
    return Running(seen, CIPHER)


async def test_two_instances_send_each_row_once() -> None:
    house = MemoryHouse()
    async with house.client() as client:
        identifier = (await client.post(URL, content=table(*(row(number) for number in range(1, 8))))).json()["id"]
        instances = [_instance(house, "registration-1"), _instance(house, "registration-2")]
        for one in instances:
            await one.look()
        await asyncio.gather(*(task for one in instances for task in one._tasks.values()))
        shown = (await client.get(f"/v1/imports/{identifier}")).json()
    assert (shown["status"], shown["outcomes"], house.sent) == ("done", {"registered": 7}, 7)
    assert not house.reader.plain[leases.LEASES]


async def test_another_instance_goes_on_where_the_first_fell_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BATCH_ROWS", 2)
    monkeypatch.setattr(leases, "LEASE_S", 0.2)
    monkeypatch.setattr(leases, "BEAT_S", 0.05)
    house = MemoryHouse()
    stuck = asyncio.Event()
    publish = house.publish

    async def hangs_at_the_third_batch(messages: Any) -> None:
        if house.sent >= 4 and not stuck.is_set():
            stuck.set()
            await asyncio.Event().wait()
        await publish(messages)

    monkeypatch.setattr(house, "publish", hangs_at_the_third_batch)
    async with house.client() as client:
        identifier = (await client.post(URL, content=table(*(row(number) for number in range(1, 8))))).json()["id"]
        first, second = _instance(house, "registration-1"), _instance(house, "registration-2")
        # It will hang with its lease and without a beat, like a process that was killed.
        monkeypatch.setattr(first, "_beat", _silent)
        await first.look()
        await stuck.wait()
        (carried,) = first._tasks.values()
        async with asyncio.timeout(10):
            while not second._tasks:
                await second.look()
                await asyncio.sleep(0.01)
        await asyncio.gather(*second._tasks.values())
        shown = (await client.get(f"/v1/imports/{identifier}")).json()
        carried.cancel()
        await asyncio.wait({carried})
    assert (shown["status"], shown["outcomes"]) == ("done", {"registered": 7})
    assert [one["version"] for one in house.reader.collections["workers"].values()] == [1] * 7


async def _silent(lease: Any) -> None:
    await asyncio.Event().wait()
