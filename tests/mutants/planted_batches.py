"""Defects in taking and committing batches: offsets, retries, dead letters."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from shared.runtime import app
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.errors import Unavailable
from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Batch, record_of
from tests.mutants.registry import later, mutant


@mutant("the offsets are committed before the batch is settled")
def commit_first(patch: pytest.MonkeyPatch) -> None:
    handle = KafkaConsumer._handle

    async def early(self: KafkaConsumer, message: Any) -> None:
        await self._commit(message.raw_message)
        await handle(self, message)

    patch.setattr(KafkaConsumer, "_handle", early)


@mutant("after an error the handler returns, and the next batch is committed past this one")
def nack_and_go_on(patch: pytest.MonkeyPatch) -> None:
    async def tolerant(self: KafkaConsumer, message: Any) -> None:
        batch = Batch([record_of(one) for one in message.raw_message])
        try:
            await self._take(batch)
            await self._settle(batch)
        except Unavailable:
            return
        await self._commit(message.raw_message)

    _impatient(patch)
    patch.setattr(KafkaConsumer, "_handle", tolerant)


@mutant("only the partition of the first record of a batch is committed")
def one_partition_committed(patch: pytest.MonkeyPatch) -> None:
    commit = KafkaConsumer._commit

    async def of_the_first(self: KafkaConsumer, raw: Sequence[Any]) -> None:
        await commit(self, [one for one in raw if _place(one) == _place(raw[0])])

    patch.setattr(KafkaConsumer, "_commit", of_the_first)


@mutant("all records of the batch's partitions are committed, also unread ones")
def bare_commit(patch: pytest.MonkeyPatch) -> None:
    commit = KafkaConsumer._commit

    async def of_all(self: KafkaConsumer, raw: Sequence[Any]) -> None:
        session: Any = self._consumer
        member = session._member
        ends = {at: len(member._topics.logs[at]) for at in member.assignment()}
        await commit(self, [_Raw(at[0], at[1], end - 1) for at, end in ends.items()])

    patch.setattr(KafkaConsumer, "_commit", of_all)


@mutant("a failed commit is not repeated")
def commit_forgotten(patch: pytest.MonkeyPatch) -> None:
    commit_settled = KafkaConsumer.commit_settled

    async def once(self: KafkaConsumer) -> None:
        await commit_settled(self)
        self._uncommitted.clear()

    patch.setattr(KafkaConsumer, "commit_settled", once)


@mutant("an exception of the store or the broker is swallowed: the batch counts as settled")
def exception_swallowed(patch: pytest.MonkeyPatch) -> None:
    def quiet(step: Callable[[Pipeline, Batch], Awaitable[None]]) -> Callable[[Pipeline, Batch], Awaitable[None]]:
        async def swallow(self: Pipeline, batch: Batch) -> None:
            with contextlib.suppress(Unavailable):
                await step(self, batch)

        return swallow

    patch.setattr(Pipeline, "take", quiet(Pipeline.take))
    patch.setattr(Pipeline, "settle", quiet(Pipeline.settle))


@mutant("a batch is settled and committed before the batch ahead of it")
def settled_past_another(patch: pytest.MonkeyPatch) -> None:
    handle = KafkaConsumer._handle

    async def alone(self: KafkaConsumer, message: Any) -> None:
        self._settling = None
        await handle(self, message)

    patch.setattr(KafkaConsumer, "_handle", alone)


@mutant("a batch that was read before its partitions moved away and back is committed over later commits of others")
def committed_after_all(patch: pytest.MonkeyPatch) -> None:
    settle_and_commit = KafkaConsumer._settle_and_commit

    async def whoever_owns(self: KafkaConsumer, batch: Batch, raw: Any, _: int) -> None:
        class Always(int):
            def __eq__(self, other: object) -> bool:
                return True

            __hash__ = int.__hash__

        await settle_and_commit(self, batch, raw, Always())

    patch.setattr(KafkaConsumer, "_settle_and_commit", whoever_owns)


@mutant("after transient trouble the batch is given up instead of being taken again")
def retry_skips_the_batch(patch: pytest.MonkeyPatch) -> None:
    async def once(self: app.Process, attempt: Any, metrics: Any = None) -> Any:
        try:
            return await attempt()
        except Unavailable:
            return None

    patch.setattr(app.Process, "_retry_transient", once)


@mutant("dead letters are not waited for before the commit")
def dead_letter_before_ack(patch: pytest.MonkeyPatch) -> None:
    put = DeadLetterTopic.put

    async def hasty(self: DeadLetterTopic, letters: Any) -> None:
        later(put(self, letters))

    patch.setattr(DeadLetterTopic, "put", hasty)


@mutant("a record that cannot be read is skipped")
def dead_letter_dropped(patch: pytest.MonkeyPatch) -> None:
    async def nowhere(self: DeadLetterTopic, letters: Any) -> None:
        return None

    patch.setattr(DeadLetterTopic, "put", nowhere)


@mutant("a dead letter loses the record's own headers")
def dead_letter_headers_lost(patch: pytest.MonkeyPatch) -> None:
    put = DeadLetterTopic.put

    async def bare(self: DeadLetterTopic, letters: Any) -> None:
        await put(self, [(dataclasses.replace(record, headers=()), code, text) for record, code, text in letters])

    patch.setattr(DeadLetterTopic, "put", bare)


class _Raw:
    """The fields of a record that a commit needs."""

    timestamp = 0

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        self.topic, self.partition, self.offset = topic, partition, offset


def _place(raw: Any) -> tuple[str, int]:
    return raw.topic, raw.partition


def _impatient(patch: pytest.MonkeyPatch) -> None:
    """Errors reach the caller at once, without retries."""

    async def once(self: app.Process, attempt: Any, metrics: Any = None) -> Any:
        return await attempt()

    patch.setattr(app.Process, "_retry_transient", once)


@mutant("a group that is ahead of its store does not go back")
def group_believed(patch: pytest.MonkeyPatch) -> None:
    async def nowhere(self: KafkaConsumer, assigned: Any) -> None:
        return None

    patch.setattr(KafkaConsumer, "go_back", nowhere)
