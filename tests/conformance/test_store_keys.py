"""The keys of every store; on MongoDB also sealing again beside writers, and the documents of an older release."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from pymongo import AsyncMongoClient

from shared.kernel.decision import Address
from shared.runtime.fold import Folded, SavedOutcome, Taken
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from shared.runtime.ports import Cipher, StateStore
from shared.runtime.records import Batch, Record
from shared.runtime.store.crypto import FieldCipher
from shared.runtime.store.driver import connect
from shared.runtime.store.mongo import MongoStore
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.toy import AT_MS, OUT, SPEC

_numbers = itertools.count(1)
K1, K2 = b"1" * 32, b"2" * 32
OLD, BOTH, NEW = FieldCipher({"k1": K1}), FieldCipher({"k2": K2, "k1": K1}), FieldCipher({"k2": K2})
INPUT = {"counter": "c", "amount": 5}


class Sealing:
    """A state of one personal field."""

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        return {"name": cipher.seal(state["name"]), "n": state["n"], "words": [[cipher.seal(state["name"])]]}

    def decode(self, body: Any, cipher: Cipher) -> Any:
        return {"name": cipher.open(body["name"]), "n": body["n"]}


STORED = {"people": Sealing(), "refusals": Sealing()}


def _mongo(url: str, driver: str, cipher: FieldCipher, database: str) -> MongoStore:
    return MongoStore(connect(url, driver), database, STORED, {}, cipher)


@pytest.fixture(
    params=[
        "memory",
        pytest.param("motor", marks=pytest.mark.connected),
        pytest.param("pymongo", marks=pytest.mark.connected),
    ]
)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[StateStore]:
    if request.param == "memory":
        yield MemoryStore(STORED, OLD)
        return
    url = request.getfixturevalue("mongo_url")
    found = _mongo(url, request.param, OLD, f"keys_{request.param}_{next(_numbers)}")
    await found.check()
    yield found
    await found.close()


def _write(key: str, base: int, n: int, cipher: FieldCipher) -> Folded:
    said = SavedOutcome(f"id-{key}-{n}", "out", "k", "said", b'{"name":"SITI"}', personal=True)
    taken = [Taken(f"input-{key}-{n}", "hash", base + 1, (said,))]
    return Folded(Address("people", key), base, base + 1, {"name": f"SITI {key}", "n": n}, None, taken)


async def test_the_first_row_of_a_name_is_kept(store: StateStore) -> None:
    assert await store.keep_first("_meta", "x", {"check": "a"}) == {"check": "a"}
    assert await store.keep_first("_meta", "x", {"check": "b"}) == {"check": "a"}


async def test_sealed_documents_are_counted_by_key(store: StateStore) -> None:
    await store.save([_write("a", 0, 1, OLD), _write("b", 0, 1, OLD)])
    await store.save_rows("rows", {"r": {"deep": [{"er": OLD.seal("x")}], "plain": b"\x02k1"}})
    found = await store.sealed_with(["k1", "k2"])
    assert found == {"k1": 3, "k2": 0}
    await store.check_opens()


@pytest.mark.connected
@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_long_documents_are_counted_and_sealed_again_like_short_ones(mongo_url: str, driver: str) -> None:
    name = f"long_{driver}_{next(_numbers)}"
    before, rotating = _mongo(mongo_url, driver, OLD, name), _mongo(mongo_url, driver, BOTH, name)
    await before.check()
    # PyMongo gives raw documents of more than 4 KiB as another kind of bytes, in which a search finds nothing.
    rows = {str(size): {"name": OLD.seal("SITI"), "filler": "x" * size} for size in (10, 5_000, 100_000)}
    await before.save_rows("rows", rows)
    assert await rotating.sealed_with(["k1"]) == {"k1": 3}
    assert await rotating.reseal() == (3, 0)
    assert await rotating.sealed_with(["k1", "k2"]) == {"k1": 0, "k2": 3}
    for one in (before, rotating):
        await one.close()


@pytest.mark.connected
@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_all_values_are_sealed_again_beside_a_writer_and_no_write_is_lost(mongo_url: str, driver: str) -> None:
    name = f"anew_{driver}_{next(_numbers)}"
    before = _mongo(mongo_url, driver, OLD, name)
    await before.check()
    await before.bring_up()
    people = [f"p{number}" for number in range(60)]
    await before.save([_write(one, 0, 0, OLD) for one in people])
    await before.save_rows("imports", {"i": {"name": OLD.seal("daftar.csv")}})
    rotating, live = _mongo(mongo_url, driver, BOTH, name), _mongo(mongo_url, driver, BOTH, name)

    async def write() -> None:
        for n in range(1, 6):
            loaded = await live.load([Address("people", one) for one in people])
            writes = []
            for one in people:
                stored = loaded[Address("people", one)]
                folded = _write(one, stored.version, n, BOTH)
                folded.kept = stored.kept
                writes.append(folded)
            assert await live.save(writes) == set()

    async def rotate() -> None:
        while (await rotating.reseal()) != (0, 0):
            pass

    await asyncio.gather(write(), rotate())
    await rotate()
    assert await rotating.sealed_with(["k1"]) == {"k1": 0}
    after = _mongo(mongo_url, driver, NEW, name)
    states = await after.states("people", people)
    assert states == {one: {"name": f"SITI {one}", "n": 5} for one in people}
    wanted = {Address("people", one): [f"input-{one}-{n}" for n in range(6)] for one in people}
    saved = await after.outcomes(wanted)
    assert all(len(saved[address]) == 6 and all(saved[address].values()) for address in wanted)
    await after.learn_hash_key()
    assert after.content_hash(b"x") == before.content_hash(b"x"), "the key of hashes outlives the rotation"
    for one in (before, rotating, live, after):
        await one.close()


@pytest.mark.connected
async def test_documents_of_an_older_release_are_recognised_and_lose_their_unkeyed_hashes(mongo_url: str) -> None:
    name = f"older_{next(_numbers)}"
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_url)
    event = {"specversion": "1.0", "id": "e1", "source": "test", "type": "toy.add.v1", "data": INPUT}
    other = {**event, "data": {"counter": "c", "amount": 6}}
    unkeyed, of_other = _unkeyed(event), _unkeyed(other)
    said = {"i": "o1", "t": OUT, "k": "c", "y": "sum", "p": False, "d": b"said before"}
    await client[name]["_meta"].insert_one({"_id": "schema", "version": 1})
    await client[name]["_names"].insert_many([{"_id": "test|e1", "h": unkeyed}, {"_id": "lease", "h": "a-token"}])
    taken = {"n": "test|e1", "h": unkeyed, "v": 1, "b": 11, "o": [said]}
    claim = {"_id": "c", "version": 1, "state": {"sum": 5, "fingerprint": unkeyed}, "inputs": [taken]}
    await client[name]["counters"].insert_one(claim)
    refusal = {"n": "test|e1", "h": of_other, "v": 1, "b": 11, "o": [{**said, "d": b"refused before"}]}
    old_id = f"test|e1|{of_other}"
    kept = {"_id": old_id, "version": 1, "state": {"refused": True}, "inputs": [refusal]}
    await client[name]["refusals"].insert_one(kept)
    journal = {"_id": "j/0", "journal": "j", "entries": [["refusals", old_id, "test|e1"]], "by": None}
    await client[name]["_journal"].insert_one(journal)

    store = MongoStore(connect(mongo_url, "motor"), name, SPEC.stored, {}, OLD)
    await store.check()
    await store.bring_up()
    topics = MemoryTopics()
    pipeline = Pipeline(SPEC, store, topics, _NoLetters(), Metrics("older"), None)
    assert [owed.complete for owed in await store.unpublished()] == [True]
    for number, one in enumerate((event, other)):
        batch = Batch([Record("toy-intake", 0, number, b"k", orjson.dumps(one), (), AT_MS)])
        await pipeline.take(batch)
        await pipeline.settle(batch)
    assert [one.value for one in topics.published] == [b"said before", b"refused before"]
    for collection in await client[name].list_collection_names():
        async for document in client[name][collection].find({}):
            assert not re.search(r"(?<![0-9a-fk])[0-9a-f]{24}(?![0-9a-f])", repr(document)), collection
    assert (await store.rows("_names", ["lease"]))["lease"]["h"] == "a-token"
    assert await client[name]["refusals"].count_documents({}) == 1
    await store.bring_up()
    await store.close()
    await client.close()


class _NoLetters:
    async def put(self, letters: Any) -> None:
        raise AssertionError("nothing is put aside here")


def _unkeyed(event: dict[str, Any]) -> str:
    content = orjson.dumps([event["type"], event["data"]], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=12).hexdigest()
