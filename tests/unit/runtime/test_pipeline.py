"""The shell over in-memory ports: what is decided once, what is published again, what becomes a dead letter."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from shared.kernel.decision import Address
from shared.runtime import pipeline
from shared.runtime.deadletters import DeadLetterTopic, letter_id
from shared.runtime.errors import Unavailable
from shared.runtime.fold import Folded
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import WRITE_BYTES_MAX, Pipeline
from shared.runtime.records import Message, Record
from tests.batches import settle
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.toy import CIPHER, OUT, SPEC, garbage, record


class Setup:
    """A pipeline with its ports, and a way to start it again as another process would."""

    def __init__(self) -> None:
        self.store = MemoryStore(SPEC.stored, CIPHER)
        self.topics = MemoryTopics()
        self.restart()

    def restart(self) -> None:
        metrics = Metrics(SPEC.name)
        letters = DeadLetterTopic(SPEC.name, self.topics)
        self.pipeline = Pipeline(SPEC, self.store, self.topics, letters, metrics, None)

    async def settle(self, *records: Record) -> None:
        await settle(self.pipeline, records)

    def out(self) -> list[Message]:
        return [one for one in self.topics.published if one.topic == OUT]

    def letters(self) -> list[Message]:
        return [one for one in self.topics.published if one.topic == "claims-dlq"]

    def sums(self) -> dict[str, Any]:
        return {key: one["state"]["sum"] for key, one in self.store.collections["counters"].items()}


@pytest.fixture
def context() -> Setup:
    return Setup()


async def test_inputs_of_one_document_fold_in_offset_order_into_one_write(context: Setup) -> None:
    await context.settle(*(record(f"e{n}", offset=n, counter="a", amount=n) for n in range(1, 5)))
    assert context.sums() == {"a": 10}
    assert context.store.collections["counters"]["a"]["version"] == 4
    said = [orjson.loads(one.value or b"") for one in context.out()]
    assert [one["data"]["claim_no"] for one in said] == ["1", "3", "6", "10"]
    assert [one["sequence"] for one in said] == [1, 2, 3, 4]


async def test_a_redelivery_changes_nothing_and_publishes_the_same_bytes(context: Setup) -> None:
    batch = [record(f"e{n}", offset=n, counter="a", amount=n, personal=n == 2) for n in range(1, 5)]
    await context.settle(*batch)
    first = context.out()
    context.restart()
    await context.settle(batch[1])
    await context.settle(*batch[2:], batch[0])
    again = context.out()[len(first) :]
    assert context.sums() == {"a": 10}
    assert sorted(one.value or b"" for one in again) == sorted(one.value or b"" for one in first)


async def test_personal_outcomes_are_sealed_at_rest(context: Setup) -> None:
    await context.settle(record("e1", counter="a", amount=1, personal=True))
    saved = context.store.collections["counters"]["a"]["inputs"][0]["o"][0]
    assert b"claim_no" not in saved["d"]
    assert b"claim_no" in (context.out()[0].value or b"")


async def test_the_same_name_with_other_content_is_refused_whatever_document_it_names(context: Setup) -> None:
    await context.settle(record("e1", counter="a", amount=1))
    conflicting = record("e1", offset=1, counter="b", amount=1)
    await context.settle(conflicting)
    await context.settle(conflicting)
    assert context.sums() == {"a": 1}
    refused = [orjson.loads(one.value or b"")["id"] for one in context.out()[1:]]
    assert len(refused) == 2, "the redelivered conflict says its refusal again"
    assert len(set(refused)) == 1


async def test_no_key_is_a_nik_even_if_an_input_is_named_by_one(context: Setup) -> None:
    await context.settle(record("6408044107850002", counter="a", amount=1))
    await context.settle(record("6408044107850002", offset=1, counter="b", amount=1))
    (_, refused) = context.out()
    assert refused.key == orjson.loads(refused.value or b"")["causationid"].encode()
    assert b"6408044107850002" not in (refused.value or b"")


async def test_of_two_contents_in_one_batch_the_first_counts(context: Setup) -> None:
    await context.settle(record("e1", counter="a", amount=1), record("e1", offset=1, counter="a", amount=2))
    assert context.sums() == {"a": 1}


async def test_an_unreadable_record_is_put_aside_with_its_bytes_and_the_rest_goes_on(context: Setup) -> None:
    bad = garbage(1)
    await context.settle(record("e1", counter="a", amount=1), bad, record("e2", offset=2, counter="a", amount=1))
    assert context.sums() == {"a": 2}
    (letter,) = context.letters()
    headers = dict(letter.headers)
    assert letter.value == bad.value
    assert letter.key == bad.key
    assert headers["h"] == b"v"
    assert headers["dlq_id"].decode() == letter_id(bad)
    assert (headers["dlq_topic"], headers["dlq_offset"], headers["dlq_error"]) == (b"toy-intake", b"1", b"not-json")


async def test_a_defect_puts_aside_that_input_and_the_later_ones_of_its_document(context: Setup) -> None:
    await context.settle(
        record("e1", counter="a", amount=1),
        record("e2", offset=1, counter="a", amount="boom"),
        record("e3", offset=2, counter="a", amount=1),
        record("e4", offset=3, counter="b", amount=1),
    )
    assert context.sums() == {"a": 1, "b": 1}
    assert [dict(one.headers)["dlq_offset"] for one in context.letters()] == [b"1", b"2"]


async def test_an_outcome_that_is_too_large_fails_its_record_before_the_save(context: Setup) -> None:
    events = [record(f"e{n}", offset=n, counter="a", amount=1, size=WRITE_BYTES_MAX) for n in range(1)]
    await context.settle(*events, record("e9", offset=9, counter="b", amount=1))
    assert context.sums() == {"b": 1}
    assert len(context.letters()) == 1


async def test_inputs_that_are_too_large_only_together_are_all_taken(context: Setup) -> None:
    size = WRITE_BYTES_MAX // 3
    await context.settle(*(record(f"e{n}", offset=n, counter="a", amount=n, size=size) for n in range(1, 12)))
    assert (context.sums(), context.letters()) == ({"a": 66}, [])
    assert [orjson.loads(one.value or b"")["sequence"] for one in context.out()] == list(range(1, 12))


async def test_only_the_input_that_is_too_large_is_put_aside(context: Setup) -> None:
    sizes = [1, 1, WRITE_BYTES_MAX, 1, 1]
    await context.settle(*(record(f"e{n}", offset=n, counter="a", amount=1, size=size) for n, size in enumerate(sizes)))
    assert context.sums() == {"a": 4}
    assert [dict(one.headers)["dlq_offset"] for one in context.letters()] == [b"2"]


async def test_a_full_document_refuses_its_next_input_and_the_others_go_on(
    context: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "NAMES_BYTES_MAX", 1_500 * 110)
    await context.settle(*(record(f"e{n}", offset=n, counter="a", amount=1) for n in range(2_000)))
    last = record("e-last", offset=2_000, counter="a", amount=1)
    await context.settle(last, record("e0", offset=2_001, counter="a", amount=1), record("b", counter="b", amount=1))
    assert context.sums() == {"a": 2_000, "b": 1}
    assert [dict(one.headers)["dlq_offset"] for one in context.letters()] == [b"2000"]
    # It publishes again what it took before, unchanged.
    assert context.out()[-2].value == context.out()[0].value


async def test_one_input_may_insert_several_documents(context: Setup) -> None:
    many = record("e1", counter=["a", "b", "c"], amount=2)
    await context.settle(many)
    await context.settle(many)
    assert context.sums() == {"a": 2, "b": 2, "c": 2}
    assert len({one.value for one in context.out()}) == 3


async def test_saved_but_unpublished_outcomes_go_out_at_the_next_start(context: Setup) -> None:
    async def dies(step: str) -> None:
        if step == "publish":
            raise Unavailable("the broker is gone")

    context.topics.trouble = dies
    with pytest.raises(Unavailable):
        await context.settle(record("e1", counter="a", amount=1))
    assert context.sums() == {"a": 1}
    assert not context.out()

    async def fine(step: str) -> None:
        return None

    context.topics.trouble = fine
    context.restart()
    assert await context.pipeline.sweep() == 1
    assert [orjson.loads(one.value or b"")["data"]["claim_no"] for one in context.out()] == ["1"]
    assert await context.pipeline.sweep() == 0


async def test_a_start_leaves_the_entry_of_a_batch_that_another_process_is_about_to_save(context: Setup) -> None:
    other = Setup()
    other.store, other.topics = context.store, context.topics
    other.restart()

    async def the_other_one_starts_here_and_the_broker_goes(step: str) -> None:
        if step == "journal done":
            assert await other.pipeline.sweep() == 0
        if step == "publish":
            raise Unavailable("the broker is gone")

    context.store = context.store.seen_by(the_other_one_starts_here_and_the_broker_goes)
    context.restart()
    context.topics.trouble = the_other_one_starts_here_and_the_broker_goes
    with pytest.raises(Unavailable):
        await context.settle(record("e1", counter="a", amount=1))
    context.topics.trouble = other.store.trouble
    assert await other.pipeline.sweep() == 1, "nobody else knows of it when the input has expired"


async def test_a_lost_response_of_the_store_is_read_back_not_decided_again(context: Setup) -> None:
    real = context.store.save

    async def answer_lost(writes: Sequence[Folded]) -> set[Address]:
        await real(writes)
        context.store.save = real  # type: ignore[method-assign]
        return {one.address for one in writes}

    context.store.save = answer_lost  # type: ignore[method-assign]
    await context.settle(record("e1", counter="a", amount=1))
    assert context.sums() == {"a": 1}
    assert len(context.out()) == 1


async def test_compare_and_set_detects_another_writer(context: Setup) -> None:
    await context.settle(record("e1", counter="a", amount=1))
    other = Setup()
    other.store, other.topics = context.store, context.topics
    other.restart()
    real = context.store.load
    raced = False

    async def race(addresses: Sequence[Address]) -> Any:
        nonlocal raced
        found = await real(addresses)
        if not raced:
            raced = True
            await other.settle(record("e2", counter="a", amount=10))
        return found

    context.store.load = race  # type: ignore[method-assign]
    await context.settle(record("e3", counter="a", amount=100))
    assert context.sums() == {"a": 111}
    assert context.store.collections["counters"]["a"]["version"] == 3


async def test_a_writer_that_never_wins_gives_up_after_bounded_rounds(context: Setup) -> None:
    async def never(writes: Sequence[Folded]) -> set[Address]:
        return {one.address for one in writes}

    context.store.save = never  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await context.settle(record("e1", counter="a", amount=1))


async def test_types_meant_for_others_are_skipped_on_our_streams_but_not_on_an_intake(context: Setup) -> None:
    foreign = {
        "specversion": "1.0",
        "id": "x",
        "source": "payung/billing",
        "type": "premium.paid.v1",
        "data": {},
    }
    on_stream = Record("toy-events", 0, 0, b"k", orjson.dumps(foreign), (), 0)
    await context.settle(on_stream, dataclasses.replace(on_stream, topic="toy-intake"))
    assert [dict(one.headers)["dlq_topic"] for one in context.letters()] == [b"toy-intake"]
