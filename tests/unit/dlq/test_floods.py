"""When many dead letters count as a flood, how long the topic is then paused, and what the gate does."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime import clock
from shared.runtime.errors import StartRefused, Unavailable
from shared.runtime.ops import floods
from shared.runtime.ops.floodgate import PAUSED, FloodGate, OwnFlood
from shared.runtime.ops.floods import Limits, Pause, TopicCounts, Windows
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Record
from tests.fakes.memory import MemoryStore
from tests.toy import CIPHER

LIMITS = Limits(letters=10, own_letters=5, share=0.5, window_s=60, pause_s=60, pause_max_s=600)
DINSOS, DESA, OURS = "registration-intake-6408-dinsos", "registration-intake-6408-desa", "registration-work"


@pytest.mark.parametrize(
    ("records", "letters", "floods_"),
    [(10, 10, True), (20, 10, True), (21, 10, False), (9, 9, False), (1_000, 400, False), (0, 0, False)],
)
def test_a_flood_from_outside_takes_a_count_and_a_share(records: int, letters: int, floods_: bool) -> None:
    assert floods.from_outside(LIMITS, TopicCounts(records, letters)) is floods_


def test_a_flood_of_our_own_takes_a_count_only() -> None:
    assert floods.from_ours(LIMITS, TopicCounts(1_000_000, 5))
    assert not floods.from_ours(LIMITS, TopicCounts(4, 4))


def test_a_count_of_zero_switches_a_kind_off() -> None:
    off = Limits(letters=0, own_letters=0)
    assert not floods.from_outside(off, TopicCounts(10_000, 10_000))
    assert not floods.from_ours(off, TopicCounts(10_000, 10_000))


def test_the_window_forgets_and_holds_topics_apart() -> None:
    windows = Windows(LIMITS)
    windows.note(DINSOS, 6, 6, 0)
    windows.note(DESA, 6, 6, 0)
    windows.note(DINSOS, 6, 5, 60)
    assert windows.tally(DINSOS, 60) == TopicCounts(12, 11)
    assert windows.tally(DINSOS, 61) == TopicCounts(6, 5)
    assert windows.tally(DESA, 30) == TopicCounts(6, 6)
    windows.clear(DINSOS)
    assert windows.tally(DINSOS, 61) == TopicCounts(0, 0)


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 50), st.integers(0, 50)), max_size=200))
def test_the_window_is_what_was_noted_in_it(steps: list[tuple[float, int, int]]) -> None:
    windows = Windows(LIMITS)
    noted: list[tuple[float, int, int]] = []
    now = 0.0
    for step, records, letters in steps:
        now += step
        windows.note(DINSOS, records, letters, now)
        noted.append((now, records, letters))
    # Merged counts may be dropped up to a second too early, but never too late.
    surely = [one for one in noted if now - one[0] <= LIMITS.window_s - 1]
    perhaps = [one for one in noted if now - one[0] <= LIMITS.window_s]
    found = windows.tally(DINSOS, now)
    assert sum(one[1] for one in surely) <= found.records <= sum(one[1] for one in perhaps)
    assert sum(one[2] for one in surely) <= found.letters <= sum(one[2] for one in perhaps)


def test_pauses_double_while_one_follows_the_other_and_never_pass_the_longest() -> None:
    now, before, lengths = 0.0, None, []
    for _ in range(6):
        before = floods.pause(LIMITS, before, now)
        lengths.append(before.until_s - now)
        now = before.until_s + 1
    assert lengths == [60, 120, 240, 480, 600, 600]
    assert floods.pause(LIMITS, before, now + LIMITS.pause_max_s) == Pause(now + LIMITS.pause_max_s + 60, 0)


@pytest.mark.parametrize(
    ("name", "value"), [("SHARE", "1.5"), ("LETTERS", "-1"), ("WINDOW_S", "0"), ("PAUSE_S", "x"), ("PAUSE_MAX_S", "1")]
)
def test_limits_that_make_no_sense_are_refused(name: str, value: str) -> None:
    with pytest.raises(StartRefused, match=f"PAYUNG_FLOOD_{name}"):
        floods.limits_of({f"PAYUNG_FLOOD_{name}": value})


def test_limits_come_from_the_environment() -> None:
    assert floods.limits_of({}) == Limits()
    assert floods.limits_of({"PAYUNG_FLOOD_LETTERS": "7", "PAYUNG_FLOOD_SHARE": "0.9"}) == Limits(letters=7, share=0.9)


# -- the gate -------------------------------------------------------------------------------------------------------


class Consumer:
    held: AbstractSet[str] = frozenset()

    def hold_only(self, names: AbstractSet[str]) -> None:
        self.held = frozenset(names)


class Aside:
    def __init__(self) -> None:
        self.letters: list[tuple[Record, str, str]] = []

    async def put(self, letters: Sequence[tuple[Record, str, str]]) -> None:
        self.letters.extend(letters)


class Forgetful(MemoryStore):
    """A store that stops answering when a test says so."""

    away = False

    async def save_rows(self, *args: object) -> None:
        if self.away:
            raise Unavailable("away")
        await super().save_rows(*args)  # type: ignore[arg-type]

    async def find_rows(self, *args: object, **options: object) -> list[dict[str, object]]:
        if self.away:
            raise Unavailable("away")
        return await super().find_rows(*args, **options)  # type: ignore[arg-type]


class Gate:
    def __init__(self, store: Forgetful | None = None) -> None:
        self.store = store or Forgetful({}, CIPHER)
        self.consumer, self.aside, self.metrics = Consumer(), Aside(), Metrics("registration")
        self.gate = FloodGate("registration", self.aside, self.store, self.consumer, self.metrics, LIMITS)

    async def batch(self, topic: str, *, good: int = 0, bad: int = 0) -> None:
        records = [Record(topic, 0, n, None, b"", (), 0) for n in range(good + bad)]
        if bad:
            await self.gate.put([(one, "not-json", "") for one in records[:bad]])
        await self.gate.settled(records)

    def metric(self, name: str, topic: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"service": "registration", "topic": topic})


async def test_a_flooding_agency_is_paused_and_no_other() -> None:
    context = Gate()
    await context.batch(DESA, good=100)
    await context.batch(DINSOS, bad=6)
    assert context.consumer.held == frozenset()
    await context.batch(DINSOS, bad=6)
    assert context.consumer.held == {DINSOS}
    assert len(context.aside.letters) == 12
    assert context.metric("payung_topic_paused", DINSOS) == 1
    assert context.metric("payung_floods_total", DINSOS) == 1


async def test_records_read_before_the_pause_do_not_prolong_it() -> None:
    context = Gate()
    await context.batch(DINSOS, bad=10)
    await context.batch(DINSOS, bad=10)
    row = (await context.store.rows(PAUSED, [DINSOS]))[DINSOS]
    assert row["level"] == 0
    assert len(context.aside.letters) == 20
    assert context.metric("payung_floods_total", DINSOS) == 1


async def test_a_list_with_some_bad_rows_does_not_count_as_a_flood() -> None:
    context = Gate()
    for _ in range(20):
        await context.batch(DINSOS, good=90, bad=10)
    assert context.consumer.held == frozenset()


async def test_a_pause_ends_by_time_and_by_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Gate()
    await context.batch(DINSOS, bad=10)
    began = clock.now()
    for after_s, held in ((1, {DINSOS}), (62, set())):
        monkeypatch.setattr(clock, "now", lambda after_s=after_s: began + timedelta(seconds=after_s))
        await context.gate.look()
        assert context.consumer.held == held
    assert context.metric("payung_topic_paused", DINSOS) == 0
    await context.batch(DINSOS, bad=10)
    assert context.consumer.held == {DINSOS}
    row = (await context.store.rows(PAUSED, [DINSOS]))[DINSOS]
    assert row["level"] == 1
    await context.store.save_rows(PAUSED, {DINSOS: {**row, "until": clock.now()}})
    await context.gate.look()
    assert context.consumer.held == frozenset()


async def test_another_process_and_the_next_start_keep_the_pause() -> None:
    first = Gate()
    await first.batch(DINSOS, bad=10)
    second = Gate(first.store)
    await second.gate.look()
    assert second.consumer.held == {DINSOS}


async def test_a_pause_does_not_wait_for_the_store() -> None:
    context = Gate()
    context.store.away = True
    await context.batch(DINSOS, bad=10)
    await context.gate.look()
    assert context.consumer.held == {DINSOS}
    context.store.away = False
    await context.gate.look()
    assert context.consumer.held == {DINSOS}
    assert DINSOS in await context.store.rows(PAUSED, [DINSOS])


async def test_a_flood_of_our_own_stops_before_anything_is_put_aside() -> None:
    context = Gate()
    await context.batch(OURS, good=1_000, bad=4)
    with pytest.raises(OwnFlood, match="5 records of our own topic registration-work"):
        await context.batch(OURS, bad=1)
    assert len(context.aside.letters) == 4
    assert context.consumer.held == frozenset()


async def test_a_batch_that_is_tried_again_is_counted_once() -> None:
    context = Gate()
    records = [Record(OURS, 0, n, None, b"", (), 0) for n in range(4)]
    for _ in range(3):
        await context.gate.put([(one, "not-json", "") for one in records])
    await context.gate.settled(records)
