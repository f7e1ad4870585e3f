"""Which errors end a process while it reads, and which errors aiokafka's own loop may retry."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.errors import (
    ConsumerStoppedError,
    CorruptRecordException,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
)

from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import consumer as kafka
from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.kafka.server import Server
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Record
from tests.batches import one_step


class Raising:
    """A consumer whose every read raises, except the good ones."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.good = False

    async def getmany(self, *names: Any, **options: Any) -> Any:
        if not self.good:
            raise self.error
        return {}


def guarded(error: Exception, raising: Any = None) -> tuple[Any, list[BaseException]]:
    async def settle(records: Sequence[Record]) -> None:
        raise AssertionError(f"{len(records)} records out of nowhere")

    failures: list[BaseException] = []
    consumer: Any = KafkaConsumer(
        Server({}), "toy", ["toy-intake"], *one_step(settle), failures.append, Metrics("toy"), None
    )
    return consumer._guarded(raising or Raising(error)), failures


@pytest.mark.parametrize("error", [CorruptRecordException(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "odd")])
async def test_records_that_cannot_be_parsed_end_the_process(error: Exception) -> None:
    consumer, failures = guarded(error)
    reading = asyncio.ensure_future(consumer.getmany())
    await asyncio.wait({reading}, timeout=0.01)
    assert failures == [error]
    # Do not return to the loop: it would read on past the failed batch.
    assert not reading.done()
    reading.cancel()


@pytest.mark.parametrize("error", [KafkaConnectionError(), ConsumerStoppedError()])
async def test_trouble_with_the_broker_is_left_to_the_loop(error: Exception) -> None:
    consumer, failures = guarded(error)
    with pytest.raises(type(error)):
        await consumer.getmany()
    assert failures == []


async def test_a_client_whose_own_task_died_ends_the_process_at_once() -> None:
    # As aiokafka raises it from its coordinator and from its fetcher.
    error = KafkaError("Unexpected error during coordination")
    error.__cause__ = AttributeError("of aiokafka's own")
    consumer, failures = guarded(error)
    reading = asyncio.ensure_future(consumer.getmany())
    await asyncio.wait({reading}, timeout=0.01)
    assert isinstance(failures[0], Unavailable)
    assert "AttributeError" in str(failures[0])
    reading.cancel()


async def test_a_bare_error_without_a_cause_is_left_to_the_loop() -> None:
    consumer, failures = guarded(KafkaError("Unable to get cluster metadata over all known brokers"))
    with pytest.raises(KafkaError):
        await consumer.getmany()
    assert failures == []


async def test_reading_that_fails_for_too_long_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    consumer, failures = guarded(GroupAuthorizationFailedError("payung-toy"))
    for _ in range(2):
        with pytest.raises(GroupAuthorizationFailedError):
            await consumer.getmany()
        now[0] += kafka.READ_FAILS_S - 1
    reading = asyncio.ensure_future(consumer.getmany())
    await asyncio.wait({reading}, timeout=0.01)
    assert isinstance(failures[0], Unavailable)
    assert "GroupAuthorizationFailedError" in str(failures[0])
    reading.cancel()


async def test_one_good_read_restarts_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    raising = Raising(KafkaConnectionError())
    consumer, failures = guarded(raising.error, raising)
    for good in (False, True, False, False):
        raising.good = good
        with contextlib.suppress(KafkaConnectionError):
            await consumer.getmany()
        now[0] += kafka.READ_FAILS_S - 1
    assert failures == []
