"""One suite for every store: checks what the pipeline relies on, in memory, on motor and on PyMongo's own client."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.kernel.decision import Address, Due
from shared.runtime.fold import Folded, SavedOutcome, Taken
from shared.runtime.ports import Index, StateStore
from shared.runtime.store.driver import connect
from shared.runtime.store.mongo import MongoStore
from tests.fakes.memory import MemoryStore
from tests.toy import AT, CIPHER, SPEC

_numbers = itertools.count(1)


@pytest.fixture(
    params=[
        "memory",
        pytest.param("motor", marks=pytest.mark.connected),
        pytest.param("pymongo", marks=pytest.mark.connected),
    ]
)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[StateStore]:
    if request.param == "memory":
        yield MemoryStore(SPEC.stored, CIPHER)
        return
    url = request.getfixturevalue("mongo_url")
    found = MongoStore(
        connect(url, request.param),
        f"conformance_{request.param}_{next(_numbers)}",
        SPEC.stored,
        {"counters": [Index(fields=("state.group", "-state.sum"))]},
        CIPHER,
    )
    await found.check()
    yield found
    await found.close()


def write(key: str, base: int, state: dict[str, Any], *names: str, due: Due | None = None, size: int = 0) -> Folded:
    """The result of folding these inputs."""
    taken = [
        Taken(
            name,
            f"hash-{name}",
            base + at,
            (SavedOutcome(f"id-{name}", "out", "k", "said", name.encode() + b"." * size, personal=at == 2),),
        )
        for at, name in enumerate(names, start=1)
    ]
    return Folded(Address("counters", key), base, base + len(names), state, due, taken)


async def test_a_document_comes_back_as_it_was_saved(store: StateStore) -> None:
    due = Due("d1", "call", AT, {"n": 1})
    assert await store.save([write("a", 0, {"sum": 3}, "e1", "e2", due=due)]) == set()
    found = await store.load([Address("counters", "a"), Address("counters", "none")])
    assert list(found) == [Address("counters", "a")]
    one = found[Address("counters", "a")]
    assert (one.version, one.state, one.due) == (2, {"sum": 3}, due)
    assert dict(one.taken) == {"e1": "hash-e1", "e2": "hash-e2"}


async def test_saved_outcomes_come_back_byte_for_byte(store: StateStore) -> None:
    await store.save([write("a", 0, {"sum": 3}, "e1", "e2")])
    found = await store.outcomes({Address("counters", "a"): ["e1", "e2"], Address("counters", "none"): ["e1"]})
    values = {name: [one.value for one in outcomes] for name, outcomes in found[Address("counters", "a")].items()}
    assert values == {"e1": [b"e1"], "e2": [b"e2"]}


async def test_only_the_expected_version_is_replaced(store: StateStore) -> None:
    await store.save([write("a", 0, {"sum": 1}, "e1")])
    assert await store.save([write("a", 0, {"sum": 9}, "x")]) == {Address("counters", "a")}
    assert await store.save([write("a", 5, {"sum": 9}, "x")]) == {Address("counters", "a")}
    assert await store.save([write("a", 1, {"sum": 2}, "e2")]) == set()
    found = await store.load([Address("counters", "a")])
    one = found[Address("counters", "a")]
    assert (one.version, one.state, sorted(one.taken)) == (2, {"sum": 2}, ["e1", "e2"])


async def test_a_loaded_document_is_changed_field_by_field(store: StateStore) -> None:
    await store.save([write("a", 0, {"sum": 1, "group": "x", "left": "behind"}, "e1")])
    loaded = (await store.load([Address("counters", "a")]))[Address("counters", "a")]
    change = write("a", 1, {"sum": 2, "group": "x", "new": [1]}, "e2")
    change.kept = loaded.kept
    assert await store.save([change]) == set()
    assert (await store.load([Address("counters", "a")]))[Address("counters", "a")].state == {
        "sum": 2,
        "group": "x",
        "new": [1],
    }


async def test_a_conflict_does_not_undo_other_writes(store: StateStore) -> None:
    await store.save([write("a", 0, {"sum": 1}, "e1")])
    unsettled = await store.save([write("b", 0, {"sum": 1}, "e2"), write("a", 0, {"sum": 9}, "x")])
    assert Address("counters", "a") in unsettled
    found = await store.load([Address("counters", "a"), Address("counters", "b")])
    assert found[Address("counters", "a")].state == {"sum": 1}
    assert found[Address("counters", "b")].state == {"sum": 1}


async def test_an_update_for_a_missing_document_creates_none(store: StateStore) -> None:
    assert await store.save([write("ghost", 3, {"sum": 9}, "x")]) == {Address("counters", "ghost")}
    assert await store.load([Address("counters", "ghost")]) == {}


async def test_names_are_first_come_first_served(store: StateStore) -> None:
    assert await store.claim_names({"n1": "h1", "n2": "h2"}) == {}
    assert await store.claim_names({"n1": "h1", "n2": "other", "n3": "h3"}) == {"n2": "h2"}
    assert await store.claim_names({"n3": "h3"}) == {}


async def test_a_journal_finds_what_was_saved_and_forgets_it_once_closed(store: StateStore) -> None:
    batch = [write("a", 0, {"sum": 1}, "e1"), write("never", 0, {"sum": 1}, "e2")]
    await store.open_journal("j1", batch)
    await store.save(batch[:1])
    (owed,) = await store.unpublished()
    assert (owed.journal, [one.value for one in owed.outcomes], owed.complete) == ("j1", [b"e1"], False)
    await store.save(batch[1:])
    (owed,) = await store.unpublished()
    assert ([one.value for one in owed.outcomes], owed.complete) == ([b"e1", b"e2"], True)
    await store.close_journal("j1")
    # The removal is not waited for by a majority (losing it costs a repeat), so a majority read sees it a little later.
    async with asyncio.timeout(10):
        while await store.unpublished():  # noqa: ASYNC110  # the store has no event to wait for
            await asyncio.sleep(0)


async def test_due_work_is_found_when_its_time_has_come_and_gone_when_it_is_done(store: StateStore) -> None:
    late = Due("d2", "call", AT + timedelta(hours=1), {})
    await store.save(
        [
            write("a", 0, {"sum": 1}, "e1", due=Due("d1", "call", AT, {"n": 1})),
            write("b", 0, {"sum": 2}, "e2", due=late),
        ]
    )
    found = await store.due(AT + timedelta(minutes=1), 10)
    assert [(one.address.id, one.due.id, one.state) for one in found] == [("a", "d1", {"sum": 1})]
    assert [one.due.id for one in await store.due(AT + timedelta(hours=2), 10)] == ["d1", "d2"]
    counted = [await store.count_due(AT + timedelta(hours=hours), limit) for hours, limit in ((1, 9), (2, 9), (2, 1))]
    assert counted == [2, 2, 1]
    await store.save([write("a", 1, {"sum": 1}, "e3")])
    assert await store.count_due(AT, 9) == 0
    assert [one.due.id for one in await store.due(AT + timedelta(hours=2), 10)] == ["d2"]


async def test_heavy_documents_drop_published_outcomes_but_keep_the_names(store: StateStore) -> None:
    if isinstance(store, MemoryStore):
        # A dictionary has no 16 MB limit, so the fake keeps every outcome. It only publishes more of them again.
        return
    await store.save([write("a", 0, {"sum": 1}, "e1", size=300_000)])
    again = write("a", 1, {"sum": 2}, "e2", due=Due("d", "call", AT, {}), size=10)
    await store.open_journal("j", [again])
    await store.save([again])
    address = Address("counters", "a")
    found = await store.outcomes({address: ["e1", "e2"]})
    assert found[address]["e1"] == []
    assert len(found[address]["e2"]) == 1
    loaded = (await store.load([address]))[address]
    assert sorted(loaded.taken) == ["e1", "e2"]
    assert (loaded.version, loaded.state, loaded.due is not None) == (2, {"sum": 2}, True)


async def test_a_heavy_document_among_many_is_trimmed_too(store: StateStore) -> None:
    if isinstance(store, MemoryStore):
        return
    names = [f"e{number}" for number in range(20)]
    await store.save([write("a", 0, {"sum": 1}, *names, size=300_000 // 20)])
    await store.save([write(f"b{number}", 0, {"sum": 1}, f"b{number}") for number in range(100)])
    more = [write(f"b{number}", 1, {"sum": 2}, f"c{number}") for number in range(100)]
    assert await store.save([write("a", 20, {"sum": 2}, "last"), *more]) == set()
    address = Address("counters", "a")
    assert (await store.outcomes({address: ["e0"]}))[address]["e0"] == []


async def test_heavy_outcomes_that_another_batch_still_owes_are_kept(store: StateStore) -> None:
    first = write("a", 0, {"sum": 1}, "e1", size=300_000)
    await store.open_journal("another", [first])
    await store.save([first])
    await store.save([write("a", 1, {"sum": 2}, "e2")])
    address = Address("counters", "a")
    assert len((await store.outcomes({address: ["e1"]}))[address]["e1"]) == 1


async def test_queries_filter_order_count_and_tally(store: StateStore) -> None:
    rows = [("a", 1, "x", ["p", "q"]), ("b", 2, "x", ["p"]), ("c", 3, "y", []), ("d", 4, "y", ["q"])]
    await store.save(
        [write(key, 0, {"sum": n, "group": group, "tags": tags}, f"e{key}") for key, n, group, tags in rows]
    )
    found = await store.find("counters", {"state.group": "x"}, order=("-state.sum",))
    assert [key for key, _ in found] == ["b", "a"]
    either = {"$or": [{"state.sum": {"$gte": 4}}, {"state.sum": {"$lt": 2}}]}
    assert sorted(key for key, _ in await store.find("counters", either)) == ["a", "d"]
    assert await store.count("counters", {"state.sum": {"$in": [1, 9]}}) == 1
    assert await store.count("counters", {"state.none": {"$exists": False}}) == 4
    tally = await store.tally("counters", {}, ("state.group",), sums=("state.sum",))
    assert sorted((row["group"], row["count"], row["sum"]) for row in tally) == [("x", 2, 3), ("y", 2, 7)]
    tags = await store.tally("counters", {"state.tags": {"$ne": []}}, ("state.tags[]",))
    assert sorted((row["tags"], row["count"]) for row in tags) == [("p", 2), ("q", 2)]
    assert sorted(await store.states("counters", ["a", "zz"])) == ["a"]


async def test_a_tally_counts_the_items_of_an_array_that_meet_all_conditions(store: StateStore) -> None:
    spans = {
        "a": [
            {"month": "2026-01", "until": "2026-03", "place": "x"},
            {"month": "2026-03", "until": "2026-05", "place": "y"},
        ],
        "b": [{"month": "2026-02", "until": "2026-09", "place": "x"}],
        "c": [],
    }
    await store.save([write(key, 0, {"sum": 1, "past": past}, f"e{key}") for key, past in spans.items()])
    await store.save([write("d", 0, {"sum": 1}, "ed")])

    async def places(month: str) -> list[tuple[str, int]]:
        where = {"state.sum": 1, "state.past[].month": {"$lte": month}, "state.past[].until": {"$gt": month}}
        return sorted(
            (row["place"], row["count"]) for row in await store.tally("counters", where, ["state.past[].place"])
        )

    assert await places("2025-12") == []
    assert await places("2026-02") == [("x", 2)]
    assert await places("2026-03") == [("x", 1), ("y", 1)]
    assert await places("2026-09") == []


async def test_plain_rows_are_replaced_by_id(store: StateStore) -> None:
    await store.save_rows("reference", {"r1": {"v": 1}, "r2": {"v": 2}})
    await store.save_rows("reference", {"r1": {"v": 3}})
    assert await store.rows("reference", ["r1", "r2", "r3"]) == {"r1": {"v": 3}, "r2": {"v": 2}}
    assert await store.find_rows("reference", {"v": {"$gt": 2}}) == [{"_id": "r1", "v": 3}]
    await store.delete_rows("reference", ["r1", "r3"])
    assert await store.rows("reference", ["r1", "r2"]) == {"r2": {"v": 2}}
