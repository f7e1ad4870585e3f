"""What ends a process while it reads, and what aiokafka's own loop may try again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException, KafkaConnectionError

from shared.runtime.kafka import KafkaConsumer, Server
from shared.runtime.metrics import Metrics
from shared.runtime.pipeline import Record


class Raising:
    """A consumer whose every read raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def getmany(self, *names: Any, **options: Any) -> Any:
        raise self.error


def guarded(error: Exception) -> tuple[Any, list[BaseException]]:
    async def settle(records: Sequence[Record]) -> None:
        raise AssertionError(f"{len(records)} records out of nowhere")

    failures: list[BaseException] = []
    consumer = KafkaConsumer(Server({}), "toy", ["toy-intake"], settle, failures.append, Metrics("toy"), None)
    raising: Any = Raising(error)
    return consumer._guarded(raising), failures


@pytest.mark.parametrize("error", [CorruptRecordException(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "odd")])
async def test_what_cannot_be_taken_apart_ends_the_process(error: Exception) -> None:
    consumer, failures = guarded(error)
    reading = asyncio.ensure_future(consumer.getmany())
    await asyncio.wait({reading}, timeout=0.01)
    assert failures == [error]
    # Never back to the loop, which would read on past it.
    assert not reading.done()
    reading.cancel()


@pytest.mark.parametrize("error", [KafkaConnectionError(), ConsumerStoppedError()])
async def test_trouble_with_the_broker_is_left_to_the_loop(error: Exception) -> None:
    consumer, failures = guarded(error)
    with pytest.raises(type(error)):
        await consumer.getmany()
    assert failures == []
