"""When a broker dies, aiokafka cancels its own tasks, and the cancellation reaches us. It must not look like the end of
our own task: a part of a service (for example the watchdog) could end this way without a trace.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from shared.runtime.app import Process
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import topic_ids, topics_admin
from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.kafka.server import Server
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Batch
from tests.batches import read_by
from tests.toy import SPEC


async def leak(*_: Any, **__: Any) -> Any:
    raise asyncio.CancelledError


async def test_a_part_that_a_client_cancels_ends_the_process() -> None:
    process = Process(SPEC, {})
    await process._guard(leak(), "watch")
    assert isinstance(process._failure, Unavailable)
    assert process._stopping.is_set()


async def test_a_part_that_we_cancel_ends_without_a_log_line() -> None:
    process = Process(SPEC, {})
    part = asyncio.create_task(process._guard(asyncio.Event().wait(), "watch"))
    await asyncio.sleep(0)
    part.cancel()
    with pytest.raises(asyncio.CancelledError):
        await part
    assert process._failure is None


@pytest.mark.parametrize("step", ["take", "settle"])
async def test_a_batch_that_a_client_cancels_is_not_skipped(step: str) -> None:
    async def nothing(_: Batch) -> None:
        return None

    async def leaking(_: Batch) -> None:
        await leak()

    async def commit(_: Any) -> None:
        raise AssertionError("nothing was settled")

    failures: list[BaseException] = []
    steps = (leaking, nothing) if step == "take" else (nothing, leaking)
    consumer = KafkaConsumer(Server({}), "toy", ["t"], *steps, failures.append, Metrics("toy"), None)
    raw = SimpleNamespace(topic="t", partition=0, offset=0, key=b"", value=b"", headers=(), timestamp=0)
    session = SimpleNamespace(assignment=set, commit=commit)

    async def two_batches() -> None:
        await read_by(consumer, session, raw)
        await read_by(consumer, session, raw)

    reading = asyncio.create_task(two_batches())
    await asyncio.wait({reading}, timeout=0.05)
    assert [type(one) for one in failures] == [asyncio.CancelledError]
    # Do not return to the loop: it would read on and commit past the batch.
    assert not reading.done()
    assert not consumer.settled
    reading.cancel()
    await asyncio.wait({reading})
    assert len(failures) == 1


class Client:
    """A client whose every task is cancelled from within."""

    def __init__(self, **_: Any) -> None:
        self.bootstrap = self.start = self.send = leak
        self.closing = False

    async def close(self) -> None:
        self.closing = True
        await leak()


async def test_questions_to_a_dying_broker_fail_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_ids, "AIOKafkaClient", Client)
    monkeypatch.setattr(topics_admin, "AIOKafkaAdminClient", Client)
    with pytest.raises(Unavailable, match="CancelledError"):
        await topic_ids.read(Server({}))
    with pytest.raises(Unavailable, match="CancelledError"):
        await topics_admin.check(Server({}), [])
