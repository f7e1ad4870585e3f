"""A client that stops badly neither hangs its owner nor looks like a cancellation of the owner."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed

from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import refusals
from shared.runtime.kafka.server import asking, quietly


async def _ends(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), KafkaConnectionError(), TimeoutError(), OSError(), RuntimeError()]
)
async def test_an_error_of_a_closing_client_is_not_raised_again(error: BaseException) -> None:
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


def test_a_refusal_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    listener = refusals._Listener()
    monkeypatch.setattr(refusals, "_listener", listener)
    line = logging.LogRecord("aiokafka", logging.ERROR, "", 0, "Unable connect to %s: %s", ("h:1", OSError()), None)
    listener.handle(line)
    assert refusals.reason() == ""
    line.args = ("h:1", SaslAuthenticationFailed("wrong\npassword"))
    listener.handle(line)
    with pytest.raises(Unavailable) as told, asking():
        raise KafkaConnectionError
    assert str(told.value).startswith("Kafka: KafkaConnectionError (SaslAuthenticationFailed: ")
    assert "\n" not in str(told.value)
    now[0] += 61
    assert refusals.reason() == ""
