"""Batches as tests want them: through both steps at once, or seen by one function only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from shared.runtime.pipeline import Batch, Pipeline, Record

Step = Callable[[Batch], Awaitable[None]]


async def settle(pipeline: Pipeline, records: Sequence[Record]) -> None:
    """Takes and settles one batch."""
    batch = Batch(records)
    await pipeline.take(batch)
    await pipeline.settle(batch)


def one_step(settle: Callable[[Sequence[Record]], Awaitable[None]]) -> tuple[Step, Step]:
    """The two steps of a consumer whose taking does nothing."""

    async def take(_: Batch) -> None:
        return None

    async def settle_batch(batch: Batch) -> None:
        await settle(batch.records)

    return take, settle_batch
