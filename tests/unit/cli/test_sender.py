"""How a command publishes: in order, a limited number of records at once, and repeatedly while the broker is away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError, UnknownTopicOrPartitionError

from payung import wire
from payung.installations import CommandError
from shared.runtime.errors import Unavailable
from shared.runtime.records import Message


class Publisher:
    """Accepts batches; before that it fails as instructed, one error per call."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.taken: list[list[bytes]] = []

    async def send_all(self, messages: Sequence[Message]) -> None:
        if self.errors:
            raise Unavailable("Kafka: publish failed") from self.errors.pop(0)
        self.taken.append([one.value or b"" for one in messages])

    async def stop(self) -> None:
        """Does nothing: no connection is open."""


def sender(*errors: Exception) -> tuple[wire.BatchSender, Publisher]:
    publisher: Any = Publisher(*errors)
    return wire.BatchSender(publisher), publisher


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "AGAIN_S", 0.0)


async def test_records_go_in_order_and_no_more_than_a_batch_gathers() -> None:
    made, publisher = sender()
    values = [b"%d" % number for number in range(2 * wire.BATCH_RECORDS + 7)]
    for value in values:
        await made.send("t", "k", value)
    await made.flush()
    assert [one for batch in publisher.taken for one in batch] == values
    assert [len(batch) for batch in publisher.taken] == [wire.BATCH_RECORDS, wire.BATCH_RECORDS, 7]


async def test_large_records_are_sent_before_they_fill_the_memory() -> None:
    made, publisher = sender()
    for _ in range(5):
        await made.send("t", "k", b"x" * (wire.BATCH_BYTES // 2))
    await made.flush()
    assert [len(batch) for batch in publisher.taken] == [2, 2, 1]


async def test_a_broker_that_is_away_for_a_moment_costs_nothing() -> None:
    made, publisher = sender(KafkaConnectionError(), KafkaConnectionError())
    await made.send("t", "k", b"1")
    await made.flush()
    assert publisher.taken == [[b"1"]]


async def test_the_error_for_a_missing_broker_says_what_to_do_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "ACK_TIMEOUT_S", -1.0)
    made, publisher = sender(KafkaConnectionError())
    await made.send("t", "k", b"1")
    with pytest.raises(CommandError, match="--resume"):
        await made.flush()
    await made.close()
    assert publisher.taken == []


@pytest.mark.parametrize(
    ("error", "said"),
    [(UnknownTopicOrPartitionError(), "payung agency add"), (MessageSizeTooLargeError(), "MessageSizeTooLarge")],
)
async def test_a_record_that_can_never_be_sent_is_not_retried(error: Exception, said: str) -> None:
    made, publisher = sender(error)
    await made.send("t", "k", b"1")
    with pytest.raises(CommandError, match=said):
        await made.flush()
    assert publisher.taken == []


@pytest.mark.parametrize(
    "value", [None, b"", b"no json", b"[1]", b"{}", b'{"source": 1, "id": "a", "data": {}}', b"\xff"]
)
def test_a_record_that_holds_no_event_is_passed_over(value: bytes | None) -> None:
    """Such a record on a topic once ended every command that follows events."""
    assert wire.decoded(value) is None
