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


async def test_who_holds_a_lease_keeps_it_and_no_other_gets_it(store: StateStore) -> None:
    one, other = holder("one"), holder("other")
    assert await store.take_leases(["a"], one, LONG_S, 1) == {"a"}
    assert await store.take_leases(["a"], other, LONG_S, 1) == set()
    assert await store.take_leases(["a"], one, LONG_S, 1) == {"a"}
    assert await store.renew_leases(["a", "b"], one, LONG_S) == {"a"}
    assert await store.renew_leases(["a"], other, LONG_S) == set()


async def test_of_many_who_ask_at_once_one_gets_each(store: StateStore) -> None:
    many = [holder() for _ in range(8)]
    got = await asyncio.gather(*(store.take_leases(["a", "b", "c"], one, LONG_S, 3) for one in many))
    assert sorted(name for names in got for name in names) == ["a", "b", "c"]
    for one, names in zip(many, got, strict=True):
        assert await store.renew_leases(["a", "b", "c"], one, LONG_S) == names


async def test_the_first_free_ones_are_taken_and_no_more_than_asked_for(store: StateStore) -> None:
    one, other = holder(), holder()
    assert await store.take_leases(["b", "d"], one, LONG_S, 5) == {"b", "d"}
    assert await store.take_leases(["a", "b", "c", "d", "e"], other, LONG_S, 2) == {"a", "c"}
    assert await store.take_leases(["b", "d"], other, LONG_S, 2) == set()
    assert await store.take_leases([], other, LONG_S, 2) == set()


async def test_what_is_not_renewed_runs_out_and_cannot_be_renewed_once_another_has_it(store: StateStore) -> None:
    dead, next_one = holder("dead"), holder("next")
    assert await store.take_leases(["a"], dead, SHORT_S, 1) == {"a"}
    await freed(store, "a", next_one)
    assert await store.renew_leases(["a"], dead, LONG_S) == set()
    assert await store.take_leases(["a"], dead, LONG_S, 1) == set()
    assert await store.renew_leases(["a"], next_one, LONG_S) == {"a"}


async def test_what_ran_out_and_nobody_took_may_be_renewed(store: StateStore) -> None:
    one, other = holder(), holder()
    await store.take_leases(["a"], one, 0.0, 1)
    assert await store.renew_leases(["a"], one, LONG_S) == {"a"}
    assert await store.take_leases(["a"], other, LONG_S, 1) == set()


async def test_a_successor_under_the_same_name_takes_it_at_once(store: StateStore) -> None:
    before, after = holder("verification-1"), holder("verification-1")
    assert await store.take_leases(["a"], before, LONG_S, 1) == {"a"}
    assert await store.take_leases(["a"], after, LONG_S, 1) == {"a"}
    assert await store.renew_leases(["a"], before, LONG_S) == set()
    # A process without a name is nobody's successor.
    assert await store.take_leases(["b"], holder(), LONG_S, 1) == {"b"}
    assert await store.take_leases(["b"], holder(), LONG_S, 1) == set()


async def test_given_back_it_rests_and_is_free(store: StateStore) -> None:
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


async def test_forgotten_it_is_free_at_once(store: StateStore) -> None:
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
