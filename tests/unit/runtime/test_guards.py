"""The guards at start, without servers: recreated topics, and a URL that asks for too little durability."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.runtime.errors import StartRefused
from shared.runtime.ops import guards
from shared.runtime.ops.guards import TopicAtBroker
from tests.fakes.memory import MemoryStore
from tests.toy import CIPHER, Codec

PATTERN = r"^(?:toy-intake-.*|toy-work$)"


class World:
    """A broker's topics, one service's store, and the topics that were rewound."""

    def __init__(self) -> None:
        self.ids = {"toy-work": "w1", "toy-intake-a": "a1", "toy-events": "e1", "another": "x1"}
        self.partitions: dict[str, int] = {}
        self.store = MemoryStore({"counters": Codec()}, CIPHER)
        self.rewound: list[str] = []

    def guard(self, accept: str = "") -> guards.TopicGuard:
        async def look() -> dict[str, TopicAtBroker]:
            return {name: TopicAtBroker(number, self.partitions.get(name, 3)) for name, number in self.ids.items()}

        async def rewind(names: Sequence[str]) -> None:
            self.rewound.extend(names)

        return guards.TopicGuard(self.store, PATTERN, ["toy-work", "toy-events"], look, rewind, accept)


@pytest.fixture
def world() -> World:
    return World()


async def test_the_same_topics_and_new_ones_start(world: World) -> None:
    await world.guard().check()
    world.ids["toy-intake-b"] = "b1"
    await world.guard().check()
    assert world.rewound == []


@pytest.mark.parametrize("name", ["toy-work", "toy-intake-a", "toy-events"])
async def test_a_recreated_topic_is_refused_by_name_with_what_to_do(world: World, name: str) -> None:
    await world.guard().check()
    world.ids[name] = "other"
    for _ in range(2):
        with pytest.raises(StartRefused, match=f"topic {name} was made anew.*PAYUNG_ACCEPT_TOPIC={name}"):
            await world.guard().check()


async def test_a_topic_that_was_gone_for_a_while_is_still_remembered(world: World) -> None:
    await world.guard().check()
    del world.ids["toy-intake-a"]
    await world.guard().check()
    world.ids["toy-intake-a"] = "other"
    with pytest.raises(StartRefused, match="toy-intake-a"):
        await world.guard().check()


async def test_topics_of_other_services_may_change(world: World) -> None:
    await world.guard().check()
    world.ids["another"] = "x2"
    await world.guard().check()


@pytest.mark.parametrize("accept", ["toy-intake-a", "x, toy-intake-a", "all"])
async def test_an_accepted_topic_is_read_from_its_beginning_and_remembered(world: World, accept: str) -> None:
    await world.guard().check()
    world.ids["toy-intake-a"] = "other"
    await world.guard(accept).check()
    assert world.rewound == ["toy-intake-a"]
    await world.guard().check()
    assert world.rewound == ["toy-intake-a"]


async def test_an_accepted_name_covers_no_other(world: World) -> None:
    await world.guard().check()
    world.ids |= {"toy-intake-a": "other", "toy-work": "other"}
    with pytest.raises(StartRefused, match="topic toy-work was"):
        await world.guard("toy-intake-a").check()
    assert world.rewound == []


async def test_many_topics_are_counted_not_listed(world: World) -> None:
    world.ids |= {f"toy-intake-{number}": "1" for number in range(20)}
    await world.guard().check()
    world.ids |= {f"toy-intake-{number}": "2" for number in range(20)}
    with pytest.raises(StartRefused, match=r"and 17 more was made anew.*PAYUNG_ACCEPT_TOPIC=all") as refused:
        await world.guard().check()
    assert "\n" not in str(refused.value)


async def test_a_topic_recreated_under_a_running_service_ends_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "LOOK_S", 0)
    guard = world.guard()
    await guard.check()
    world.ids["toy-intake-a"] = "other"
    with pytest.raises(StartRefused, match="toy-intake-a"):
        await guard.run()


@pytest.mark.parametrize("name", ["toy-work", "toy-intake-a", "toy-events"])
async def test_partitions_added_under_a_running_service_end_it(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(guards, "LOOK_S", 0)
    guard = world.guard()
    await guard.check()
    world.partitions[name] = 4
    with pytest.raises(StartRefused, match=f"topic {name} has 4 partitions now, and had 3"):
        await guard.run()


async def test_partitions_of_a_topic_that_came_later_are_watched_too(world: World) -> None:
    guard = world.guard()
    await guard.check()
    world.ids["toy-intake-b"] = "b1"
    await guard._look()
    world.partitions |= {"another": 9, "toy-intake-b": 9}
    with pytest.raises(StartRefused, match="topic toy-intake-b has 9"):
        await guard._look()


async def test_the_last_process_to_start_holds_the_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "NAME_LOOK_S", 0)
    first, second = guards.NameGuard(world.store, "billing-1"), guards.NameGuard(world.store, "billing-1")
    other = guards.NameGuard(world.store, "billing-2")
    for one in (first, other, second):
        await one.claim()
    with pytest.raises(StartRefused, match="another process was started with PAYUNG_INSTANCE=billing-1"):
        await first.run()
    await second._look()
    await other._look()


async def test_a_store_that_was_emptied_takes_the_name_again(world: World) -> None:
    guard = guards.NameGuard(world.store, "billing-1")
    await guard.claim()
    world.store.plain.clear()
    await guard._look()
    with pytest.raises(StartRefused):
        await guards.NameGuard(world.store, "billing-1")._look()


async def test_a_process_without_a_name_cannot_lose_it(world: World) -> None:
    for _ in range(2):
        guard = guards.NameGuard(world.store, None)
        await guard.claim()
        await guard.run()
    assert world.store.plain == {}


@pytest.mark.parametrize("query", ["w=1", "replicaSet=rs0&w=0", "W=2", "journal=false", "j=false"])
def test_a_url_below_majority_is_refused(query: str) -> None:
    with pytest.raises(StartRefused, match="majority"):
        guards.check_store_url({"PAYUNG_MONGO_URL": f"mongodb://127.0.0.1:1/?{query}"})


@pytest.mark.parametrize("url", ["mongodb://h:1/?replicaSet=rs0", "mongodb://u:p@h:1,i:2/db?w=majority&journal=true"])
def test_a_url_that_asks_for_no_less_is_taken(url: str) -> None:
    guards.check_store_url({"PAYUNG_MONGO_URL": url})
    guards.check_store_url({})
