"""Leases on every store: one of many processes gets a lease while it renews it; the store's own clock decides."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from shared.runtime.ports import Holder, StateStore
from tests.conformance import test_store_conformance

store = test_store_conformance.store
LONG_S, SHORT_S = 600.0, 0.3
_numbers = itertools.count(1)


def holder(owner: str = "") -> Holder:
    """A process that asks."""
    return Holder(owner, f"token-{next(_numbers)}")


async def freed(store: StateStore, name: str, who: Holder) -> None:
    """Waits until this process gets the lease."""
    async with asyncio.timeout(30):
        while not await store.take_leases([name], who, LONG_S, 1):  # noqa: ASYNC110  # the store has no event to wait for
            await asyncio.sleep(0.02)


async def test_the_holder_keeps_a_lease_and_no_other_process_gets_it(store: StateStore) -> None:
    one, other = holder("one"), holder("other")
    assert await store.take_leases(["a"], one, LONG_S, 1) == {"a"}
    assert await store.take_leases(["a"], other, LONG_S, 1) == set()
    assert await store.take_leases(["a"], one, LONG_S, 1) == {"a"}
    assert await store.renew_leases(["a", "b"], one, LONG_S) == {"a"}
    assert await store.renew_leases(["a"], other, LONG_S) == set()


async def test_each_lease_goes_to_one_of_many_simultaneous_requests(store: StateStore) -> None:
    many = [holder() for _ in range(8)]
    got = await asyncio.gather(*(store.take_leases(["a", "b", "c"], one, LONG_S, 3) for one in many))
    assert sorted(name for names in got for name in names) == ["a", "b", "c"]
    for one, names in zip(many, got, strict=True):
        assert await store.renew_leases(["a", "b", "c"], one, LONG_S) == names


async def test_the_first_free_leases_are_taken_up_to_the_limit(store: StateStore) -> None:
    one, other = holder(), holder()
    assert await store.take_leases(["b", "d"], one, LONG_S, 5) == {"b", "d"}
    assert await store.take_leases(["a", "b", "c", "d", "e"], other, LONG_S, 2) == {"a", "c"}
    assert await store.take_leases(["b", "d"], other, LONG_S, 2) == set()
    assert await store.take_leases([], other, LONG_S, 2) == set()


async def test_an_unrenewed_lease_expires_and_cannot_be_renewed_once_another_process_has_it(store: StateStore) -> None:
    dead, next_one = holder("dead"), holder("next")
    assert await store.take_leases(["a"], dead, SHORT_S, 1) == {"a"}
    await freed(store, "a", next_one)
    assert await store.renew_leases(["a"], dead, LONG_S) == set()
    assert await store.take_leases(["a"], dead, LONG_S, 1) == set()
    assert await store.renew_leases(["a"], next_one, LONG_S) == {"a"}


async def test_an_expired_lease_that_nobody_took_may_be_renewed(store: StateStore) -> None:
    one, other = holder(), holder()
    await store.take_leases(["a"], one, 0.0, 1)
    assert await store.renew_leases(["a"], one, LONG_S) == {"a"}
    assert await store.take_leases(["a"], other, LONG_S, 1) == set()


async def test_a_successor_under_the_same_name_takes_it_at_once(store: StateStore) -> None:
    before, after = holder("verification-1"), holder("verification-1")
    assert await store.take_leases(["a"], before, LONG_S, 1) == {"a"}
    assert await store.take_leases(["a"], after, LONG_S, 1) == {"a"}
    assert await store.renew_leases(["a"], before, LONG_S) == set()
    # A process without a name does not succeed another process.
    assert await store.take_leases(["b"], holder(), LONG_S, 1) == {"b"}
    assert await store.take_leases(["b"], holder(), LONG_S, 1) == set()


async def test_a_released_lease_is_free_after_its_rest(store: StateStore) -> None:
    one, other = holder("one"), holder("other")
    await store.take_leases(["a", "b", "c"], one, LONG_S, 3)
    await store.release_leases(["a"], one, 0.0, forget=False)
    await store.release_leases(["b"], one, SHORT_S, forget=False)
    # Only its holder can give a lease back.
    await store.release_leases(["c"], other, 0.0, forget=True)
    assert await store.take_leases(["a", "b", "c"], other, LONG_S, 3) in ({"a"}, {"a", "b"})
    assert await store.take_leases(["c"], other, LONG_S, 1) == set()
    await freed(store, "b", other)
    assert await store.renew_leases(["a", "b", "c"], one, LONG_S) == {"c"}


async def test_a_forgotten_lease_is_free_at_once(store: StateStore) -> None:
    one, other = holder("one"), holder("other")
    await store.take_leases(["a"], one, LONG_S, 1)
    await store.release_leases(["a"], one, 0.0, forget=True)
    assert await store.renew_leases(["a"], one, LONG_S) == set()
    assert await store.take_leases(["a"], other, LONG_S, 1) == {"a"}


@pytest.mark.parametrize("name", ["$owner", "import|$x", "a.b"])
async def test_any_text_is_a_name(store: StateStore, name: str) -> None:
    who = holder("$token")
    assert await store.take_leases([name], who, LONG_S, 1) == {name}
    assert await store.renew_leases([name], who, LONG_S) == {name}
