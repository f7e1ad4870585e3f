"""What FastStream and aiokafka do differently from what we need, and our answer to it (ADR 0011).

Each part says what the library does. `HOLDS_FOR` names the versions in which somebody looked. The tests in
tests/unit/runtime/test_kafka_patches.py show each flaw in the library itself: one of them fails when a part is no
longer needed, or when a version changed and nobody looked.

`install` changes aiokafka for the whole process; server.py calls it, so it holds for everything that reaches a broker.
The bounds for what compressed records unpack to have a file of their own (unpacking.py).
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.conn import AIOKafkaConnection, OAuthAuthenticator
from aiokafka.consumer import fetcher
from aiokafka.errors import KafkaError, SaslAuthenticationFailed
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from faststream import BaseMiddleware
from faststream.kafka import KafkaBroker

from shared.runtime.kafka import unpacking

# The versions in which each part below was looked at.
HOLDS_FOR = {"aiokafka": "0.14.0", "faststream": "0.7.4"}

# In all versions of the batch format: where the length field stands, and the bytes that it does not count.
_LENGTH_AT, _OVERHEAD = 8, 12


def install() -> None:
    """Makes every client of this process read records and answers to tokens in our way."""
    unpacking.install()
    fetcher.MemoryRecords = Records
    AIOKafkaConnection.authenticator_oauth = _authenticator


# -- FastStream -------------------------------------------------------------------------------------------------------


async def unparsed(batch: tuple[Any, ...], parse: Callable[[tuple[Any, ...]], Awaitable[Any]]) -> Any:
    """A parser that parses nothing.

    FastStream's own parser decodes every header. If one header is null or not UTF-8, FastStream silently drops the
    whole batch, and the next batch commits past it.
    """
    message = await parse((replace(batch[0], headers=()),))
    message.raw_message = batch
    return message


@dataclass(slots=True)
class Read:
    """What the handler gets of a message.

    Injecting the message through a FastStream Context would cost a thread switch for each batch and delay other tasks.
    A message that is its own decoded body would refer to itself, and every batch would stay in memory.
    """

    consumer: AIOKafkaConsumer
    raw_message: tuple[Any, ...]


async def undecoded(message: Any) -> Read:
    """A decoder that decodes nothing: each record is decoded by itself, later."""
    return Read(message.consumer, message.raw_message)


class NothingSwallowed(BaseMiddleware[Any, Any]):
    """FastStream logs an error around a handler and goes on with the next batch. Here the error ends the process."""

    def __init__(self, no_further: Callable[[BaseException], Awaitable[None]], msg: Any, /, *, context: Any) -> None:
        super().__init__(msg, context=context)
        self._no_further = no_further

    async def after_processed(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> bool | None:
        """The error becomes the failure of the process, and this batch is the last."""
        if isinstance(exc_val, Exception):
            await self._no_further(exc_val)
        return False


def wrap_consumers(broker: KafkaBroker, wrap: Callable[[AIOKafkaConsumer], AIOKafkaConsumer]) -> None:
    """Wraps each consumer that this connected broker builds. FastStream has no place for it: when a read fails, its own
    loop logs the error and reads on."""
    config = broker.config.broker_config
    build = config.builder
    config.builder = lambda *names, **options: wrap(build(*names, **options))


# -- aiokafka ---------------------------------------------------------------------------------------------------------


class Records:
    """The batches of one answer to a fetch, also when the name of a header is not UTF-8.

    Any C client can send such a header. aiokafka raises when it reaches it, and again after every restart, so one
    record would stop an agency's whole partition. Here aiokafka's compiled reader stays in use. Only when it fails in a
    batch, aiokafka's own Python reader reads the rest of that batch, with such a name escaped (`\\xff`). Key, value
    and everything else stay as they were sent. A batch that unpacks to more than its bound is one unreadable record.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records: Any = MemoryRecords(data)
        self._at = 0

    def size_in_bytes(self) -> int:
        """Bytes of the answer."""
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        """Whether another whole batch is there."""
        return bool(self._records.has_next())

    def next_batch(self) -> _Batch:
        """The next batch."""
        start = self._at
        length = int.from_bytes(self._data[start + _LENGTH_AT : start + _OVERHEAD], "big")
        self._at = start + _OVERHEAD + length
        return _Batch(self._records.next_batch(), self._data, start, self._at)


class _Batch:
    """One batch. Only iteration is ours; everything else is aiokafka's."""

    __slots__ = ("_batch", "_data", "_end", "_start")

    def __init__(self, batch: Any, data: bytes, start: int, end: int) -> None:
        self._batch = batch
        self._data = data
        self._start = start
        self._end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            records = iter(self._batch)
        except unpacking.UNPACKABLE:
            yield self._packed()
            return
        read = 0
        try:
            for record in records:
                yield record
                read += 1
        except UnicodeDecodeError:
            yield from islice(_escaped(self._data[self._start : self._end]), read, None)

    def _packed(self) -> unpacking.Packed:
        """The whole batch as one unreadable record, at the place of its last record."""
        one, packed = self._batch, bytes(self._data[self._start : self._end])
        return unpacking.Packed(one.next_offset - 1, one.max_timestamp, one.timestamp_type, packed)


def _escaped(raw: bytes) -> Iterator[Any]:
    batch: Any = _DefaultRecordBatchPy(raw)
    # The buffer holds decompressed bytes only after iteration has begun.
    records = iter(batch)
    batch._buffer = _Buffer(batch._buffer)
    return records  # type: ignore[no-any-return]  # aiokafka is untyped


class _Buffer(bytearray):
    """Bytes whose slices always decode: invalid UTF-8 is escaped."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Buffer(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace")


def died_of(error: Exception) -> BaseException | None:
    """The error that killed one of aiokafka's own tasks (of the group or of fetching); None for other errors.

    aiokafka then raises a bare KafkaError made from it at every read for ever. Only a restart of the process helps.
    """
    return error.__cause__ if type(error) is KafkaError else None


def cancelled_from_outside(error: BaseException) -> bool:
    """Whether this very task was cancelled.

    When a broker dies, aiokafka lets the cancellation of its own tasks escape. That is only trouble of a client. If it
    were taken for our own cancellation, a part of the service would end silently.
    """
    if not isinstance(error, asyncio.CancelledError):
        return False
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Authenticator(OAuthAuthenticator):  # type: ignore[misc]  # aiokafka is untyped
    """Reads the broker's answer to a token. aiokafka does not: it takes a refusal for consent, is cut off at its next
    request, and reports only that it could not connect."""

    async def step(self, payload: bytes | None) -> Any:
        """The next message to the broker; None when the log-in is complete."""
        if payload:
            raise SaslAuthenticationFailed(f"the broker refuses the token: {payload[:200].decode('ascii', 'replace')}")
        return await super().step(payload)


def _authenticator(connection: Any) -> Authenticator:
    return Authenticator(sasl_oauth_token_provider=connection._sasl_oauth_token_provider)


class _Uuid(AbstractType[uuid.UUID]):  # type: ignore[misc]  # aiokafka is untyped
    @classmethod
    def encode(cls, value: uuid.UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> uuid.UUID:
        return uuid.UUID(bytes=data.read(16))


_NUMBERS = CompactArray(Int32)


class _MetadataResponse(Response):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString()),
                ("port", Int32),
                ("rack", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString()),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", _NUMBERS),
                        ("isr", _NUMBERS),
                        ("offline_replicas", _NUMBERS),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequest(RequestStruct):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", CompactString()), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class AllTopics(Request[_MetadataRequest]):  # type: ignore[misc]  # aiokafka is untyped
    """Asks for all topics with their ids. aiokafka sends an older version of this request, without ids."""

    API_KEY = 3

    def build(self, request_struct_class: type[_MetadataRequest]) -> _MetadataRequest:
        return request_struct_class(None, False, False, {})
