"""A client that stops badly neither hangs its owner nor looks like the owner's own cancellation."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from shared.runtime.kafka import quietly


async def _ends(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KafkaConnectionError(), TimeoutError(), OSError()])
async def test_what_a_dying_client_raises_is_not_raised_again(error: BaseException) -> None:
    await quietly(_ends(error))


async def test_a_stop_that_hangs_is_given_up() -> None:
    await quietly(asyncio.Event().wait(), within_s=0.01)


async def test_a_defect_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="ours"):
        await quietly(_ends(ValueError("ours")))


async def test_our_own_cancellation_goes_through() -> None:
    waiting = asyncio.create_task(quietly(asyncio.Event().wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
