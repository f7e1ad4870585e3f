"""A store knows the keys that it was written with: other keys are refused by name before anything is written."""

from __future__ import annotations

import pytest

from shared.runtime.errors import StartRefused
from shared.runtime.store import key_checks
from shared.runtime.store.crypto import FieldCipher
from tests.fakes.memory import MemoryStore
from tests.toy import Codec

K1, K2, ID = b"1" * 32, b"2" * 32, b"i" * 32
FIRST = FieldCipher({"k1": K1})
BOTH = FieldCipher({"k2": K2, "k1": K1})


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore({"counters": Codec()}, FIRST)
    await key_checks.check(store, FIRST, ID)
    return store


async def test_the_same_keys_start_again_and_a_new_one_may_come_in_front(store: MemoryStore) -> None:
    await key_checks.check(store, FIRST, ID)
    await key_checks.check(store, BOTH, ID)
    assert set(await key_checks.recorded(store)) == {"key/field/k1", "key/field/k2", "key/worker-id"}


async def test_another_key_of_worker_ids_is_refused(store: MemoryStore) -> None:
    with pytest.raises(StartRefused, match="PAYUNG_ID_KEY is not the key that this store was written with"):
        await key_checks.check(store, FIRST, b"j" * 32)


async def test_another_field_key_of_the_same_name_is_refused_by_name(store: MemoryStore) -> None:
    with pytest.raises(StartRefused, match="the key named k1 is not the one"):
        await key_checks.check(store, FieldCipher({"k2": K2, "k1": b"x" * 32}), ID)
    assert "key/field/k2" not in await key_checks.recorded(store), "who is refused writes nothing"


async def test_a_key_is_removed_only_when_nothing_needs_it(store: MemoryStore) -> None:
    await store.save_rows("imports", {"a": {"name": FIRST.seal("x")}, "b": {"parts": [{"n": FIRST.seal("y")}]}})
    await key_checks.check(store, BOTH, ID)
    with pytest.raises(StartRefused, match="2 documents are still sealed with k1"):
        await key_checks.check(store, FieldCipher({"k2": K2}), ID)
    assert await key_checks.left_over(store, FieldCipher({"k2": K2})) == {"k1": 2}
    await store.delete_rows("imports", ["a", "b"])
    await key_checks.check(store, FieldCipher({"k2": K2}), ID)
    assert set(await key_checks.recorded(store)) == {"key/field/k2", "key/worker-id"}


async def test_a_store_of_an_older_release_is_not_taken_with_keys_that_do_not_open_it() -> None:
    old = MemoryStore({"counters": Codec()}, FieldCipher({"k1": b"x" * 32}))
    await old.save_rows("imports", {"a": {"name": FIRST.seal("x")}})
    with pytest.raises(StartRefused, match="sealed with other keys"):
        await key_checks.check(old, FieldCipher({"k1": b"x" * 32}), None)
