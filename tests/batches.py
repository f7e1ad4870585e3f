"""Batches for tests: one call for both steps, or one function in place of both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any

from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Batch, Record

Step = Callable[[Batch], Awaitable[None]]


async def settle(pipeline: Pipeline, records: Sequence[Record]) -> None:
    """Takes and settles one batch."""
    batch = Batch(records)
    await pipeline.take(batch)
    await pipeline.settle(batch)


def one_step(settle: Callable[[Sequence[Record]], Awaitable[None]]) -> tuple[Step, Step]:
    """The two steps of a consumer; the first step, taking, does nothing."""

    async def take(_: Batch) -> None:
        return None

    async def settle_batch(batch: Batch) -> None:
        await settle(batch.records)

    return take, settle_batch


async def read_by(consumer: KafkaConsumer, session: Any, *raw: Any) -> None:
    """Gives the handler one batch as FastStream does; `raw` are records in aiokafka's form."""
    message: Any = SimpleNamespace(consumer=session, raw_message=raw)
    await consumer._handle(message)
