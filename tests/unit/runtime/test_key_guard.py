"""Claims waits until it knows which key registration makes worker ids with, and does not run with another one."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from services.claims.stream import SPEC as CLAIMS
from services.registration.stream import SPEC as REGISTRATION
from services.reporting.stream import SPEC as REPORTING
from shared.contracts import envelope
from shared.kernel.identity import worker_id
from shared.runtime.errors import StartRefused, Unavailable
from shared.runtime.ops.key_guard import TOPIC, KeyGuard
from shared.runtime.records import Message, Record
from shared.runtime.spec import ServiceSpec
from shared.runtime.store.crypto import id_check_value
from tests.fakes.memory import MemoryTopics

KEY, OTHER = b"i" * 32, b"o" * 32


class Broker(MemoryTopics):
    """The topic of one partition, as each service reads and writes it."""

    def __init__(self) -> None:
        super().__init__(partitions=1)

    async def read(self) -> list[Record]:
        return list(self.logs.get((TOPIC, 0), ()))

    def guard(self, spec: ServiceSpec, key: bytes | None, *, new_store: bool = False) -> KeyGuard:
        check = None if key is None else id_check_value(key)

        async def new() -> bool:
            return new_store

        return KeyGuard(spec, check, self.read, self.send_all, new)

    def forge(self, value: bytes) -> None:
        """Writes this to the topic, as an intruder would."""
        self.append(Message(TOPIC, b"worker-ids", value))


@pytest.fixture
def broker() -> Broker:
    return Broker()


async def test_claims_waits_until_registration_has_published_its_key_check(broker: Broker) -> None:
    claims = broker.guard(CLAIMS, KEY)
    with pytest.raises(Unavailable, match="no service has said on registration-key-check yet"):
        await claims.compare()
    await broker.guard(REGISTRATION, KEY).tell()
    await claims.compare()


async def test_another_key_than_registrations_is_refused_by_name(broker: Broker) -> None:
    await broker.guard(REGISTRATION, KEY).tell()
    with pytest.raises(
        StartRefused, match="PAYUNG_ID_KEY is not the key that registration makes worker ids with"
    ) as found:
        await broker.guard(CLAIMS, OTHER).compare()
    assert "Give claims the key of registration" in str(found.value)


async def test_registration_on_a_new_store_is_refused_with_another_key_than_before(broker: Broker) -> None:
    registration = broker.guard(REGISTRATION, KEY, new_store=True)
    await registration.compare()
    await registration.tell()
    with pytest.raises(StartRefused, match="every known worker would get a second id") as found:
        await broker.guard(REGISTRATION, OTHER, new_store=True).compare()
    assert str(found.value).startswith("PAYUNG_ID_KEY is not the key that the worker ids in Kafka were made with")
    # The right key begins again on a new store.
    await broker.guard(REGISTRATION, KEY, new_store=True).compare()


async def test_registration_with_a_known_key_starts_and_its_last_event_counts(broker: Broker) -> None:
    await broker.guard(REGISTRATION, OTHER).tell()
    registration = broker.guard(REGISTRATION, KEY)
    await registration.compare()
    await registration.tell()
    await broker.guard(CLAIMS, KEY).compare()
    with pytest.raises(StartRefused):
        await broker.guard(CLAIMS, OTHER).compare()


async def test_the_key_check_is_published_once(broker: Broker) -> None:
    for _ in range(3):
        await broker.guard(REGISTRATION, KEY).tell()
    assert len(broker.published) == 1


async def test_the_event_is_registrations_and_shows_neither_the_key_nor_a_worker(broker: Broker) -> None:
    await broker.guard(REGISTRATION, KEY).tell()
    [record] = await broker.read()
    assert record.value is not None
    event = orjson.loads(record.value)
    assert (event["type"], event["source"], record.key) == ("worker-ids.keyed.v1", "payung/registration", b"worker-ids")
    assert event["data"] == {"check": id_check_value(KEY)}
    assert KEY not in record.value
    assert worker_id(KEY, "6408044107850002").encode() not in record.value


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        orjson.dumps(envelope.command("payung/claims", "a", "worker-ids.keyed.v1", {"check": id_check_value(OTHER)})),
        orjson.dumps(envelope.command("agency/64.08/dinsos", "a", "worker-ids.keyed.v1", {"check": "0" * 16})),
        orjson.dumps(envelope.command("payung/registration", "a", "worker-ids.keyed.v1", {"check": "KEY"})),
        orjson.dumps(envelope.command("payung/registration", "a", "worker.registered.v1", {})),
    ],
)
async def test_a_record_of_another_writer_is_ignored_and_registration_publishes_again(
    broker: Broker, value: bytes
) -> None:
    broker.forge(value)
    with pytest.raises(Unavailable):
        await broker.guard(CLAIMS, KEY).compare()
    registration, claims = broker.guard(REGISTRATION, KEY), broker.guard(CLAIMS, KEY)
    await registration.tell()
    broker.forge(value)
    await claims.compare()
    # Compaction keeps the last record of the key only, so registration's own must be the last.
    await registration.tell()
    last = (await broker.read())[-1].value
    assert last is not None
    assert orjson.loads(last)["data"] == {"check": id_check_value(KEY)}
    await claims.compare()


async def test_a_service_without_worker_ids_reads_and_writes_nothing(broker: Broker) -> None:
    guard = broker.guard(REPORTING, None)
    await guard.compare()
    await guard.tell()
    await guard.run()
    assert broker.published == []
    assert TOPIC not in REPORTING.reads
    assert TOPIC in CLAIMS.reads
    assert TOPIC not in replace(CLAIMS, names_workers=None).reads
