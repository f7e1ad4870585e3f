"""The form of a dead letter: each original record is recovered exactly as it was written."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts import topics
from shared.runtime import deadletters
from shared.runtime.deadletters import DeadLetterTopic, Letter, Letters, letter_id
from shared.runtime.records import Record
from tests.fakes.memory import MemoryTopics

INTAKE = "registration-intake-6408-dinsos"
HEADERS = st.lists(st.tuples(st.text(max_size=8) | st.sampled_from(["dlq_id", "dlq_part", "ce_id"]), st.binary()))


async def written(records: list[Record], ids: Mapping[str, str] | None = None) -> list[Record]:
    memory = MemoryTopics()

    async def read_ids() -> Mapping[str, str]:
        return ids or {}

    letters = DeadLetterTopic("registration", memory, read_ids if ids is not None else None)
    await letters.put([(one, "not-json", "unexpected character") for one in records])
    return [
        Record(one.topic, 0, place, one.key, one.value, one.headers, 1_000 + place)
        for place, one in enumerate(memory.published)
    ]


def read(records: list[Record]) -> tuple[list[Letter], Letters]:
    letters = Letters()
    return [one for one in map(letters.take, records) if one is not None], letters


@settings(max_examples=200)
@given(key=st.none() | st.binary(), value=st.none() | st.binary(), headers=HEADERS, cut=st.booleans())
async def test_the_original_comes_back_as_it_was(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]], cut: bool
) -> None:
    record = Record(INTAKE, 2, 77, key, value, headers, 5)
    with pytest.MonkeyPatch.context() as patch:
        if cut:
            patch.setattr(topics, "DEAD_LETTER_BYTES_MAX", -1)
            patch.setattr(deadletters, "PART_BYTES_MAX", 7)
        found, _ = read(await written([record]))
    (letter,) = found
    assert (letter.key, letter.value, list(letter.headers)) == (key, value, headers)
    assert (letter.topic, letter.partition, letter.offset, letter.timestamp_ms) == (INTAKE, 2, 77, 5)
    assert (letter.error, letter.detail, letter.id) == ("not-json", "unexpected character", letter_id(record))


async def test_an_original_of_any_size_is_kept_in_records_that_the_topic_takes() -> None:
    large = Record(INTAKE, 0, 1, b"k", b"x" * (5 * topics.DEAD_LETTER_BYTES_MAX), (("h", b"v"),), 5)
    records = await written([large])
    assert len(records) > 5
    assert all(len(one.value or b"") <= topics.DEAD_LETTER_BYTES_MAX for one in records)
    (letter,), _ = read(records)
    assert letter.value == large.value


async def test_parts_in_any_order_and_repetition_are_joined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "DEAD_LETTER_BYTES_MAX", -1)
    monkeypatch.setattr(deadletters, "PART_BYTES_MAX", 60)
    first, second = [await written([Record(INTAKE, 0, n, b"k", b"abc" * 40, (), 5)]) for n in (1, 2)]
    mixed = [first[0], second[0], *first[:2], *second[1:], *first[2:]]
    found, letters = read(mixed)
    assert [letter.offset for letter in found] == [2, 1]
    assert {letter.value for letter in found} == {b"abc" * 40}
    assert letters.strange == letters.incomplete == 0


async def test_incomplete_letters_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "DEAD_LETTER_BYTES_MAX", -1)
    monkeypatch.setattr(deadletters, "PART_BYTES_MAX", 100)
    monkeypatch.setattr(deadletters, "UNFINISHED_BYTES_MAX", 300)
    halves = [(await written([Record(INTAKE, 0, n, b"k", b"x" * 150, (), 5)]))[0] for n in range(10)]
    found, letters = read(halves)
    assert found == []
    assert letters.incomplete == 7


def test_records_that_are_no_letters_are_counted_and_skipped() -> None:
    found, letters = read(
        [Record("registration-dlq", 0, 0, None, b"?", headers, 0) for headers in ((), (("dlq_id", b"1"),))]
    )
    assert found == []
    assert letters.strange == 2


async def test_letters_of_a_recreated_topic_get_new_ids() -> None:
    record = Record(INTAKE, 0, 1, None, b"{", (), 5)
    ids = [read(await written([record], {INTAKE: number}))[0][0].id for number in ("one", "two", "one")]
    assert ids[0] == ids[2] != ids[1]
