"""What is committed when partitions moved while a batch was being processed. Found by the simulation (seed 1760)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.kafka.server import Server
from shared.runtime.ops.metrics import Metrics
from tests.batches import one_step

KEPT, MOVED = TopicPartition("t", 0), TopicPartition("t", 1)


class _Consumer:
    """Refuses a commit as aiokafka does: the whole commit, when one partition is not assigned."""

    def __init__(self) -> None:
        self.committed: dict[TopicPartition, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return {KEPT}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if not offsets.keys() <= self.assignment():
            raise IllegalStateError
        self.committed.update(offsets)


async def _settle(_: Any) -> None:
    return None


async def test_a_partition_that_moved_away_does_not_prevent_the_commits_of_others() -> None:
    consumer = KafkaConsumer(Server({}), "toy", ["t"], *one_step(_settle), lambda _: None, Metrics("toy"), None)
    fake: Any = _Consumer()
    consumer._consumer = fake
    consumer._uncommitted.update({KEPT: 5, MOVED: 7})
    await consumer.commit_settled()
    assert fake.committed == {KEPT: 5}
    await consumer.commit_settled()
    assert not consumer._uncommitted
