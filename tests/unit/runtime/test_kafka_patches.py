"""What FastStream and aiokafka do differently from what we need. A failing test means that a patch is no longer needed,
or that nobody has checked it for the installed version.
"""

from __future__ import annotations

import asyncio
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from aiokafka import ConsumerRecord
from aiokafka.conn import OAuthAuthenticator
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError, KafkaTimeoutError, SaslAuthenticationFailed
from aiokafka.producer.sender import Sender
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from faststream.kafka.parser import AioKafkaBatchParser

from shared.runtime.kafka import patches

# Since this version a broker reports the ids of its topics.
METADATA_WITH_IDS = 10


@pytest.mark.parametrize("library", patches.HOLDS_FOR)
def test_the_patches_were_checked_for_the_installed_version(library: str) -> None:
    looked_at = patches.HOLDS_FOR[library]
    assert metadata.version(library) == looked_at, f"read each part of patches.py that concerns {library} again"


def raw_record(**fields: Any) -> ConsumerRecord[bytes, bytes]:
    values: dict[str, Any] = {
        "topic": "t",
        "partition": 0,
        "offset": 0,
        "timestamp": 0,
        "timestamp_type": 0,
        "key": b"k",
        "value": b"v",
        "checksum": None,
        "serialized_key_size": 1,
        "serialized_value_size": 1,
        "headers": (),
    }
    return ConsumerRecord(**{**values, **fields})


# -- FastStream -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, b"\xff"])
async def test_faststream_cannot_parse_a_batch_with_such_a_header(header: bytes | None) -> None:
    batch = (raw_record(), raw_record(headers=(("x", header),)))
    parser = AioKafkaBatchParser(msg_class=KafkaMessage, regex=None)
    with pytest.raises((AttributeError, UnicodeDecodeError)):
        await parser.parse_batch(batch)
    message = await patches.unparsed(batch, parser.parse_batch)
    assert message.raw_message is batch


class Reads:
    """A consumer that answers each read with the next of these, and then stays silent."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.silent = asyncio.Event()

    def subscribe(self, **_: Any) -> None:
        """Nothing to do."""

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""

    async def getmany(self, **_: Any) -> Any:
        """The next answer."""
        if not self._answers:
            self.silent.set()
            await asyncio.Event().wait()
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def read(reads: Reads, *middlewares: Any) -> list[Any]:
    """What a FastStream handler gets of these reads; it raises at the first batch."""
    handled: list[Any] = []
    broker = KafkaBroker(logger=None, middlewares=middlewares)

    async def handle(values: list[Any]) -> None:
        handled.append(values)
        if len(handled) == 1:
            raise RuntimeError("the store is gone")

    subscriber = broker.subscriber("t", group_id="g", batch=True)
    subscriber(handle)
    broker._setup_logger()
    broker.config.broker_config.builder = lambda **_: reads
    await subscriber.start()
    async with asyncio.timeout(10):
        await reads.silent.wait()
    await subscriber.stop()
    return handled


async def test_faststream_reads_on_after_a_failed_batch() -> None:
    batches = [{"t-0": [raw_record(offset=one)]} for one in range(2)]
    assert len(await read(Reads(*batches))) == 2


async def test_the_middleware_gets_the_error_of_a_failed_batch() -> None:
    told: list[BaseException] = []

    async def no_further(error: BaseException) -> None:
        told.append(error)

    def middleware(msg: Any, /, *, context: Any) -> patches.NothingSwallowed:
        return patches.NothingSwallowed(no_further, msg, context=context)

    await read(Reads({"t-0": [raw_record()]}), middleware)
    assert [type(one) for one in told] == [RuntimeError]


async def test_faststream_reads_on_after_a_failed_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_: float) -> None:
        return None

    monkeypatch.setattr(anyio, "sleep", at_once)
    assert len(await read(Reads(KafkaTimeoutError(), {"t-0": [raw_record()]}))) == 1


# -- aiokafka ---------------------------------------------------------------------------------------------------------


def test_aiokafka_cannot_read_past_such_a_header() -> None:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1_000,
    )
    builder.append(offset=0, timestamp=0, key=b"k", value=b"v", headers=[("name", b"1")])
    raw = bytes(builder.build()).replace(b"name", b"\xff\xfe\xffx")
    with pytest.raises(UnicodeDecodeError):
        list(MemoryRecords(raw).next_batch())
    assert fetcher.MemoryRecords is patches.Records
    (record,) = patches.Records(raw).next_batch()
    assert record.headers == [("\\xff\\xfe\\xffx", b"1")]


async def test_aiokafka_hides_what_one_of_its_tasks_died_of() -> None:
    async def die() -> None:
        raise AttributeError("of its own")

    told: list[BaseException] = []
    coordinator = SimpleNamespace(
        _GroupCoordinator__coordination_routine=die, _subscription=SimpleNamespace(abort_waiters=told.append)
    )
    with pytest.raises(KafkaError) as raised:
        await GroupCoordinator._coordination_routine(coordinator)
    assert type(raised.value) is KafkaError
    assert isinstance(patches.died_of(raised.value), AttributeError)


async def test_aiokafka_raises_the_cancellation_of_its_own_tasks_to_us() -> None:
    sender = SimpleNamespace(_sender_task=asyncio.create_task(asyncio.Event().wait()))
    with pytest.raises(asyncio.CancelledError) as raised:
        await Sender.close(sender)
    assert not patches.cancelled_from_outside(raised.value)


async def test_aiokafka_takes_a_refused_token_for_an_accepted_one() -> None:
    async def token() -> str:
        return "t"

    refusal = b'{"status":"invalid_token"}'
    theirs, ours = (
        one(sasl_oauth_token_provider=SimpleNamespace(token=token))
        for one in (OAuthAuthenticator, patches.Authenticator)
    )
    for one in (theirs, ours):
        assert (await one.step(None))[1]
    assert await theirs.step(refusal) is None
    with pytest.raises(SaslAuthenticationFailed, match="invalid_token"):
        await ours.step(refusal)


def test_aiokafka_asks_for_no_ids_of_topics() -> None:
    assert max(one.API_VERSION for one in MetadataRequest._CLASSES) < METADATA_WITH_IDS
