"""The leases of a process: renewed together, trusted only as long as they are certain, reported when they are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Holder
from shared.runtime.store import leases
from shared.runtime.store.leases import LEASE_S, TRUST_S, Leases
from tests.fakes.memory import MemoryStore
from tests.toy import CIPHER


class Hands:
    """A clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1_000.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.now_s)

    def on(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(monkeypatch)


class Counting(MemoryStore):
    """Counts the writes that renew leases. It does not answer while it is away."""

    def __init__(self) -> None:
        super().__init__({}, CIPHER)
        self.renewals: list[list[str]] = []
        self.away = False

    async def renew_leases(self, names: Sequence[str], holder: Holder, for_s: float) -> set[str]:
        if self.away:
            raise Unavailable("away")
        self.renewals.append(sorted(names))
        return await super().renew_leases(names, holder, for_s)


async def test_all_held_leases_are_renewed_in_one_write(hands: Hands) -> None:
    store = Counting()
    one, other = Leases(store), Leases(store)
    assert await one.take([f"import|{number}" for number in range(100)], 50) == [f"import|{n}" for n in range(50)]
    assert await one.mine("due")
    for _ in range(10):
        hands.on(leases.RENEW_S)
        await one.renew()
        assert one.holds("due")
    assert [len(names) for names in store.renewals] == [51] * 10
    assert not await other.mine("due")
    assert await other.take(["import|7", "import|70"], 2) == ["import|70"]


async def test_without_the_store_a_lease_is_given_up_before_another_process_can_take_it(hands: Hands) -> None:
    store = Counting()
    one, other = Leases(store), Leases(store)
    assert await one.mine("due")
    store.away = True
    hands.on(TRUST_S - 0.1)
    with pytest.raises(Unavailable):
        await one.renew()
    assert one.holds("due")
    hands.on(0.2)
    assert not one.holds("due")
    assert not await other.mine("due"), "between the two nobody acts"
    hands.on(LEASE_S - TRUST_S)
    assert await other.mine("due")
    store.away = False
    await one.renew()
    assert not one.holds("due")
    assert not await one.mine("due")


async def test_a_process_that_lost_a_lease_learns_it_and_cannot_release_it(hands: Hands) -> None:
    store = MemoryStore({}, CIPHER)
    one, other = Leases(store), Leases(store)
    await one.mine("i")
    told = asyncio.create_task(one.lost("i"))
    await asyncio.sleep(0)
    assert not told.done()
    hands.on(LEASE_S)
    assert await other.mine("i")
    await one.release("i", forget=True)
    await asyncio.wait_for(told, 5)
    assert not await Leases(store).mine("i")


async def test_an_expired_lease_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "TRUST_S", 0.05)
    one = Leases(MemoryStore({}, CIPHER))
    await one.mine("i")
    await asyncio.wait_for(one.lost("i"), 5)
    assert not one.holds("i")
    await asyncio.wait_for(one.lost("never taken"), 5)


async def test_at_the_end_of_a_process_all_its_leases_are_free_at_once() -> None:
    store = MemoryStore({}, CIPHER)
    one, other = Leases(store), Leases(store)
    await one.take(["a", "b"], 2)
    await one.release_all()
    assert await other.take(["a", "b"], 2) == ["a", "b"]
