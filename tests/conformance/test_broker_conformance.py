"""One suite for both brokers: checks what the shell relies on, on the in-memory broker and on a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from shared.runtime.errors import Unavailable
from shared.runtime.records import Message, Record
from tests.conformance.desks import PARTITIONS, Desk, KafkaDesk, MemoryDesk, Reader

RECORDS = 120
KEYS = 20
WAIT_S = 60


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.connected)])
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    if request.param == "memory":
        yield MemoryDesk()
        return
    found = KafkaDesk(request.getfixturevalue("kafka"))
    await found.start()
    yield found
    await found.stop()


class Seen:
    """The settled records, in the order of their settling."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._changed = asyncio.Condition()

    async def take(self, records: Sequence[Record]) -> None:
        async with self._changed:
            self.records.extend(records)
            self._changed.notify_all()

    async def reach(self, count: int) -> list[Record]:
        async with asyncio.timeout(WAIT_S), self._changed:
            await self._changed.wait_for(lambda: len(self.records) >= count)
        return self.records


def messages(desk: Desk, start: int = 0, count: int = RECORDS) -> list[Message]:
    return [Message(desk.topic, b"key-%d" % (n % KEYS), b"%d" % n, ()) for n in range(start, start + count)]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not await condition():  # noqa: ASYNC110  # a broker has no event to wait for
            await asyncio.sleep(0.02)


async def nothing_is_left(reader: Reader) -> bool:
    consumer = reader.consumer
    try:
        return bool(consumer.assigned()) and await consumer.lag() == 0 and not consumer._uncommitted
    except Unavailable:
        return False


async def test_a_key_keeps_its_partition_and_a_partition_its_order(desk: Desk) -> None:
    sent = messages(desk)
    for start in range(0, RECORDS, 30):
        await desk.publish(sent[start : start + 30])
    seen = Seen()
    async with desk.reading(seen.take):
        records = await seen.reach(RECORDS)
    places = {(one.key, one.partition) for one in records}
    assert len(places) == KEYS, "a key stands on one partition"
    assert 1 < len({partition for _, partition in places}) <= PARTITIONS, "and the keys on several"
    for partition in range(PARTITIONS):
        mine = [one for one in records if one.partition == partition]
        assert [one.offset for one in mine] == list(range(len(mine)))
        numbers = [int(one.value or b"") for one in mine]
        assert numbers == sorted(numbers), "in the order in which they were sent"


async def test_bytes_come_back_as_they_were_sent(desk: Desk) -> None:
    odd = [
        Message(desk.topic, b"\x00\xff", b"\xfe\x00", (("h", b"\x01"), ("h", b"\x02"))),
        Message(desk.topic, b"", b"", ()),
        Message(desk.topic, b"tombstone", None, ()),
    ]
    await desk.publish(odd)
    seen = Seen()
    async with desk.reading(seen.take):
        found = {one.key: one for one in await seen.reach(len(odd))}
    for one in odd:
        record = found[one.key]
        assert (record.topic, record.value, tuple(record.headers)) == (one.topic, one.value, tuple(one.headers))
        assert record.timestamp_ms > 0


async def test_a_start_continues_where_the_group_has_committed(desk: Desk) -> None:
    await desk.publish(messages(desk))
    first, second = Seen(), Seen()
    async with desk.reading(first.take) as reader:
        await first.reach(RECORDS)
        await until(lambda: nothing_is_left(reader))
    await desk.publish(messages(desk, RECORDS, 10))
    async with desk.reading(second.take):
        records = await second.reach(10)
    assert sorted(int(one.value or b"") for one in records) == list(range(RECORDS, RECORDS + 10))


async def test_unsettled_records_are_read_again_completely(desk: Desk) -> None:
    await desk.publish(messages(desk))
    tried: list[Record] = []

    async def fail(records: Sequence[Record]) -> None:
        tried.extend(records)
        raise RuntimeError("the store is gone for good")

    async with desk.reading(fail) as reader:
        assert isinstance(await asyncio.wait_for(asyncio.shield(reader.failure), WAIT_S), RuntimeError)
    assert tried
    seen = Seen()
    async with desk.reading(seen.take):
        records = await seen.reach(RECORDS)
    assert {(one.partition, one.offset) for one in tried} <= {(one.partition, one.offset) for one in records}
    assert sorted(int(one.value or b"") for one in records) == list(range(RECORDS))


async def test_two_members_share_the_partitions_and_each_record_is_one_members(desk: Desk) -> None:
    # The topic must exist before a subscription by pattern finds it.
    await desk.publish(messages(desk, count=KEYS))
    seen, other = Seen(), Seen()
    async with desk.reading(seen.take) as one, desk.reading(other.take) as two:

        async def shared() -> bool:
            mine, theirs = one.consumer.assigned(), two.consumer.assigned()
            return bool(mine) and bool(theirs) and not mine & theirs and len(mine | theirs) == PARTITIONS

        await until(shared)
        await until(lambda: nothing_is_left(one))
        await until(lambda: nothing_is_left(two))
        seen.records.clear()
        other.records.clear()
        await desk.publish(messages(desk, RECORDS))
        await until(lambda: _count(seen, other))
        partitions = [{record.partition for record in each.records} for each in (seen, other)]
    assert not partitions[0] & partitions[1]
    numbers = sorted(int(record.value or b"") for record in (*seen.records, *other.records))
    assert numbers == list(range(RECORDS, 2 * RECORDS))


async def _count(*both: Seen) -> bool:
    return sum(len(each.records) for each in both) >= RECORDS
