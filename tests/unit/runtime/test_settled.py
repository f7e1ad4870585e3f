"""How far a store has settled the log, and where a group continues when it is ahead of its store."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared.runtime.errors import StartRefused
from shared.runtime.kafka.settled import Bounds, OffsetsLost, Partition, SettledOffsets
from tests.fakes.memory import MemoryStore
from tests.toy import CIPHER, Codec

A, B = ("toy-intake", 0), ("toy-intake", 1)


class World:
    """One store, and the ids of the topics."""

    def __init__(self) -> None:
        self.store = MemoryStore({"counters": Codec()}, CIPHER)
        self.ids = {"toy-intake": "id-1"}

    def process(self, *, accept: bool = False) -> SettledOffsets:
        async def ids() -> Mapping[str, str]:
            return dict(self.ids)

        return SettledOffsets(self.store, ids, accept=accept)


def bounds(**ends: int) -> dict[Partition, Bounds]:
    return {A: Bounds(ends.get("begin", 0), ends.get("end", 1_000)), B: Bounds(0, 1_000)}


async def test_in_normal_operation_no_offset_goes_back() -> None:
    world = World()
    one = world.process()
    assert await one.go_back({}, {}) == {}
    await one.note({A: 10, B: 4})
    await one.note({A: 12})
    # The committed offset is at most the noted one: a commit failed, or the group's offsets were set back.
    assert await world.process().go_back({A: 12, B: 3}, bounds()) == {}


async def test_a_group_ahead_of_its_store_goes_back_partition_by_partition() -> None:
    world = World()
    await world.process().note({A: 10, B: 4})
    assert await world.process().go_back({A: 25, B: 4}, bounds()) == {A: 10}
    # Never settled by this store, which has counted since its first day.
    world.store.noted.clear()
    assert await world.process().go_back({A: 25, B: 4}, bounds()) == {A: 0, B: 0}


async def test_a_service_does_not_start_when_the_log_does_not_reach_back_unless_accepted() -> None:
    world = World()
    await world.process().note({A: 10})
    with pytest.raises(StartRefused, match=r"toy-intake/0 from 10 to 20.*PAYUNG_ACCEPT_AHEAD"):
        await world.process().go_back({A: 25}, bounds(begin=20))
    assert await world.process(accept=True).go_back({A: 25}, bounds(begin=20)) == {}
    assert await world.process().go_back({A: 25}, bounds(begin=20)) == {}, "accepted once, it is known"


async def test_a_recreated_topic_is_read_from_its_beginning() -> None:
    world = World()
    await world.process().note({A: 10})
    world.ids["toy-intake"] = "id-2"
    assert await world.process().go_back({A: 3}, bounds(end=3)) == {A: 0}


async def test_a_log_older_than_the_store_is_counted_from_the_groups_offset() -> None:
    world = World()
    await world.process().note({A: 100})
    after = world.process()
    assert await after.go_back({A: 60}, bounds(end=60)) == {}
    await after.note({A: 70})
    # A still older store is detected again, although its offsets are below those of the deleted log.
    world.store.noted["id-1", 0] = 60
    assert await world.process().go_back({A: 70}, bounds(end=80)) == {A: 60}


async def test_a_store_that_is_set_back_under_a_process_ends_it() -> None:
    world = World()
    one = world.process()
    await one.note({A: 10})
    world.store.noted["id-1", 0] = 5
    with pytest.raises(OffsetsLost):
        await one.note({A: 12})


async def test_the_groups_offsets_are_taken_once_for_a_store_of_an_older_release() -> None:
    world = World()

    class Older(MemoryStore):
        """A store of an older release, which kept no count."""

        async def settled(self) -> object:  # type: ignore[override]  # the same, but for its age
            found = await super().settled()
            return type(found)(found.at, whole=False)

    world.store = Older({"counters": Codec()}, CIPHER)
    assert await world.process().go_back({A: 25}, bounds()) == {}
    world.store.noted["id-1", 0] = 20
    assert await world.process().go_back({A: 25}, bounds()) == {A: 20}
