"""Dead letters end to end: a real broker and store, a real process of a service, the command as operators type it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient
from typer.testing import CliRunner

from payung import cli
from payung.embedded import ports
from shared.contracts import topics
from shared.kernel.calendar import business_day
from shared.runtime import clock
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.consumer import BATCH_RECORDS_MAX
from shared.runtime.kafka.publisher import KafkaPublisher
from shared.runtime.kafka.server import Server
from shared.runtime.records import Message
from tests.integration.dead_letter_service import AGENCIES

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

ONE, OTHER = (topics.claims_intake(*agency.split("/")) for agency in AGENCIES)
DLQ, WORK = topics.dead_letters("claims"), topics.work("claims")
REPO = Path(__file__).parents[2]
GARBAGE = b'{"specversion":"1.0","data":{"nik":"6408044107850002","name":"SITI'


class Place:
    """The servers, with the topics of the toy, and what a process or an operator needs to reach them."""

    def __init__(self, kafka: str, mongo_url: str, folder: Path) -> None:
        self.kafka = kafka
        self.mongo_url = mongo_url
        self.folder = folder
        self.port = ports.free_base()
        self.environ = {
            **os.environ,
            "PAYUNG_KAFKA": kafka,
            "PAYUNG_KAFKA_ONE_BROKER": "yes",
            "PAYUNG_MONGO_URL": mongo_url,
            "PAYUNG_FIELD_KEYS": "k1:" + base64.b64encode(b"0" * 32).decode(),
            "PAYUNG_ID_KEY": base64.b64encode(b"1" * 32).decode(),
            "PAYUNG_HTTP_PORT": str(self.port),
            "PAYUNG_SESSION_TIMEOUT_MS": "6000",
            "PAYUNG_LOG": "json",
            "HOME": str(folder),
        }

    async def make_topics(self) -> None:
        wanted = [one for one in topics.fixed_topics() if one.name.startswith("claims-")]
        for agency in AGENCIES:
            wanted += topics.agency_topics(*agency.split("/"), claims=True)
        await topics_admin.apply(self.kafka, wanted)

    async def send(self, messages: Sequence[Message]) -> None:
        publisher = KafkaPublisher(Server({"PAYUNG_KAFKA": self.kafka}), "test")
        await publisher.send_all(messages)
        await publisher.stop()

    async def letters(self) -> list[Any]:
        """The dead-letter topic, read without any of our own code."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            partition = TopicPartition(DLQ, 0)
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            found: list[Any] = []
            while await consumer.position(partition) < end:
                found.extend((await consumer.getmany(partition, timeout_ms=1000)).get(partition, []))
            return found
        finally:
            await consumer.stop()

    async def unread(self, topic: str) -> int:
        """Records of a topic that the service has not committed."""
        asking = AIOKafkaConsumer(bootstrap_servers=self.kafka, group_id="payung-claims", enable_auto_commit=False)
        await asking.start()
        try:
            partitions = [TopicPartition(topic, number) for number in range(6 if topic == WORK else 3)]
            ends = await asking.end_offsets(partitions)
            return sum([int(ends[one]) - (await asking.committed(one) or 0) for one in partitions])
        finally:
            await asking.stop()

    async def sums(self) -> dict[str, int]:
        client: AsyncMongoClient[Any] = AsyncMongoClient(self.mongo_url)
        try:
            return {row["_id"]: row["state"]["sum"] async for row in client["payung_claims"]["counters"].find()}
        finally:
            await client.close()

    def payung(self, *argv: str) -> Any:
        """Runs the command like a script, in a process of its own."""
        command = [sys.executable, "-m", "payung", "dlq", *argv]
        return json.loads(subprocess.check_output(command, env=self.environ, cwd=REPO, timeout=90))

    async def asked(self, *argv: str, code: int = 0) -> Any:
        """Runs the command in a thread of this process, without loading everything again. Parses printed JSON."""
        runner = CliRunner()
        result = await asyncio.to_thread(runner.invoke, cli.app, ["dlq", *argv], env=self.environ)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if "--json" in argv else result.stdout

    @asynccontextmanager
    async def service(self, **environ: str) -> AsyncIterator[Service]:
        """The toy, running and ready."""
        one = Service(self, environ)
        try:
            await eventually(one.ready)
            yield one
        finally:
            one.end()


class Service:
    """One process of the toy."""

    def __init__(self, place: Place, environ: Mapping[str, str]) -> None:
        self._place = place
        self._log = place.folder / f"claims-{len(list(place.folder.glob('claims-*')))}.log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.dead_letter_service"],
                env={**place.environ, **environ},
                cwd=REPO,
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> bool:
        try:
            return bool((await self.readyz())["ready"])
        except httpx.HTTPError:
            assert self.process.poll() is None, self.log()
            return False

    async def readyz(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self._get("/readyz")).json()
        return found

    async def metric(self, series: str) -> float:
        lines = (await self._get("/metrics")).text.splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(series)), 0.0)

    async def _get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            return await client.get(f"http://127.0.0.1:{self._place.port}{path}")

    async def exit(self) -> int:
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), 60)

    def log(self) -> str:
        return self._log.read_text()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(30) == 0, self.log()


@pytest.fixture
async def place(kafka: str, mongo_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    found = Place(kafka, mongo_url, tmp_path)
    await found.make_topics()
    yield found
    # Each test has topics, offsets and documents of its own.
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    names = [name for name in await admin.list_topics() if name.startswith(("claims-", "feedback-6499-"))]
    await admin.delete_topics(names)
    await eventually(lambda: _gone(admin, names))
    await admin.close()
    client: AsyncMongoClient[Any] = AsyncMongoClient(mongo_url)
    await client.drop_database("payung_claims")
    await client.close()


async def _gone(admin: AIOKafkaAdminClient, names: Sequence[str]) -> bool:
    return not set(names) & set(await admin.list_topics())


async def eventually(condition: Callable[[], Awaitable[bool]], within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110  # other processes have no event to wait for
            await asyncio.sleep(0.1)


def event(identifier: str, agency: str = AGENCIES[0], **data: Any) -> Message:
    body = {"specversion": "1.0", "id": identifier, "source": f"agency/{agency}", "type": "toy.add.v1", "data": data}
    return Message(topics.claims_intake(*agency.split("/")), b"k", orjson.dumps(body), [("x", b"kept")])


async def test_a_letter_is_found_shown_and_saved(place: Place) -> None:
    odd = [("ce_note", b"\xff"), ("dlq_id", b"theirs"), ("dlq_id", b"again")]
    async with place.service():
        await place.send([event("a", counter="c", amount=1), Message(ONE, b"row-7", GARBAGE, odd)])
        await eventually(lambda: _equal(place.unread(ONE), 0))
    (raw,) = await place.letters()
    assert (raw.value, raw.key, list(raw.headers[:3])) == (GARBAGE, b"row-7", odd)
    ours = dict(raw.headers)
    assert (ours["dlq_topic"].decode(), ours["dlq_error"]) == (ONE, b"not-json")
    (found,) = await asyncio.to_thread(
        place.payung, "list", "claims", "--json", "--agency", AGENCIES[0], "--error", "not-json"
    )
    assert (found["topic"], found["key"], found["bytes"], found["replayed"]) == (ONE, "row-7", len(GARBAGE), None)
    assert found["id"] == ours["dlq_id"].decode()
    assert await place.asked("list", "--json", "claims", "--agency", AGENCIES[1]) == []
    today = business_day(clock.now())
    for since, until, there in ((0, 0, True), (-1, 1, True), (1, 1, False), (-1, -1, False)):
        days = [(today + timedelta(days=days)).isoformat() for days in (since, until)]
        listed = await place.asked("list", "--json", "claims", "--since", days[0], "--until", days[1])
        assert [one["id"] for one in listed] == [found["id"]] * there, (since, until)
    shown = await place.asked("show", "claims", found["id"][:8])
    assert "SITI" not in shown
    assert "6408044107850002" not in shown
    assert "dlq_id: xxxxxx" in shown
    copy = place.folder / "original"
    await place.asked("show", "claims", found["id"], "--save", str(copy), "--by", "budi")
    assert copy.read_bytes() == GARBAGE
    (line,) = await place.asked("audit", "claims", "--json")
    assert (line["by"], line["action"], line["what"]) == ("budi", "save", {"letter": found["id"]})


async def _equal(found: Awaitable[int], wanted: int) -> bool:
    return await found == wanted


async def test_a_replay_has_its_effect_once_however_often_it_is_done(place: Place) -> None:
    async with place.service():
        await place.send([event("a", counter="c", amount=1), event("b", counter="c", amount="boom")])
        await place.send([Message(ONE, None, GARBAGE, ()), event("z", counter="c", amount=5)])
        await eventually(lambda: _equal(place.unread(ONE), 0))
    assert await place.sums() == {"c": 6}
    assert len(await place.letters()) == 2
    async with place.service(PAYUNG_TEST_MENDED="1"):
        plan = await place.asked("replay", "claims", "--error", "defect", "--dry-run", "--json")
        assert (plan["found"], plan["replayed"], await place.unread(ONE)) == (1, 1, 0)
        assert await place.sums() == {"c": 6}
        first = await place.asked("replay", "claims", "--error", "defect", "--json", "--by", "budi")
        assert {name: first[name] for name in ("found", "replayed", "taken", "waiting", "dead_again")} == {
            "found": 1,
            "replayed": 1,
            "taken": 1,
            "waiting": 0,
            "dead_again": {},
        }
        assert await place.sums() == {"c": 106}
        # The same replay leaves it out. With --force the service gets it: a known input changes nothing, and an
        # unreadable record becomes a dead letter again.
        second = await place.asked("replay", "claims", "--json")
        assert (second["found"], second["replayed"], second["already_replayed"]) == (2, 1, 1)
        assert second["dead_again"] == {"not-json": 1}
        forced = await place.asked("replay", "claims", "--error", "defect", "--again", "--json")
        assert (forced["replayed"], forced["taken"]) == (1, 1)
        assert await place.sums() == {"c": 106}
        unheard = "00000000-0000-0000-0000-000000000000"
        missing = await place.asked("replay", "claims", unheard, "--json", code=1)
        assert (missing["found"], missing["not_found"]) == (0, [unheard])
    letters = await place.letters()
    assert [one.value for one in letters].count(GARBAGE) == 2
    audit = await place.asked("audit", "claims", "--json")
    assert [line["step"] for line in audit[:3]] == ["start", "sent", "end"]
    assert {line["by"] for line in audit[:3]} == {"budi"}
    assert audit[2]["what"]["taken"] == 1
    listed = await place.asked("list", "claims", "--json", "--error", "defect")
    assert listed[0]["replayed"]["by"]


async def test_a_long_list_is_replayed_in_steps(place: Place) -> None:
    async with place.service(PAYUNG_FLOOD_LETTERS="0"):
        await place.send([Message(ONE, b"%d" % n, b"%d" % n, ()) for n in range(1_200)])
        await eventually(lambda: _equal(place.unread(ONE), 0))
    steps = []
    for _ in range(3):
        report = await place.asked("replay", "claims", "--limit", "700", "--wait", "0", "--json")
        steps.append((report["already_replayed"], report["replayed"], await place.unread(ONE)))
    assert steps == [(0, 700, 700), (700, 500, 1_200), (1_200, 0, 1_200)]


async def test_without_its_dead_letter_topic_a_service_stops_and_skips_nothing(place: Place) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=place.kafka)
    await admin.start()
    async with place.service() as service:
        await place.send([event("a", counter="c", amount=1)])
        await eventually(lambda: _equal(place.unread(ONE), 0))
        await admin.delete_topics([DLQ])
        await eventually(lambda: _gone(admin, [DLQ]))
        await place.send([Message(ONE, b"k", GARBAGE, ()), event("b", counter="c", amount=1)])
        assert await service.exit() == 75, service.log()
        assert "stopped" in service.log()
    await admin.close()
    assert await place.unread(ONE) == 2
    await place.make_topics()
    async with place.service(PAYUNG_ACCEPT_TOPIC=DLQ):
        await eventually(lambda: _equal(place.unread(ONE), 0))
    assert [one.value for one in await place.letters()] == [GARBAGE]
    assert await place.sums() == {"c": 2}


async def test_an_original_larger_than_any_record_is_kept_and_can_go_back(place: Place) -> None:
    # Small on the wire, huge when decompressed: the dead-letter topic would refuse it unchanged.
    huge = b"[" + bytes(range(256)) * 4 * 1024 * 8
    producer = AIOKafkaProducer(bootstrap_servers=place.kafka, compression_type="gzip", max_request_size=2 * len(huge))
    await producer.start()
    await producer.send_and_wait(ONE, huge, key=b"k", headers=[("x", b"kept")])
    await producer.stop()
    async with place.service():
        await eventually(lambda: _equal(place.unread(ONE), 0))
        parts = await place.letters()
        assert len(parts) > 1
        assert all(len(one.value) <= topics.DEAD_LETTER_BYTES_MAX for one in parts)
        (found,) = await place.asked("list", "claims", "--json")
        assert (found["bytes"], found["key"]) == (len(huge), "k")
        copy = place.folder / "original"
        await place.asked("show", "claims", "--save", str(copy))
        assert copy.read_bytes() == huge
        report = await place.asked("replay", "claims", found["id"], "--json")
        assert (report["replayed"], report["dead_again"]) == (1, {"not-json": 1})


async def test_a_full_document_does_not_block_other_inputs(place: Place) -> None:
    """MongoDB's limit for a document is 16 MiB. An input that does not fit becomes a dead letter; the service
    continues.
    """
    taken = [{"n": f"x|{number}{'y' * 3_900}", "h": "h", "v": number, "b": 0, "o": []} for number in range(1, 4_242)]
    client: AsyncMongoClient[Any] = AsyncMongoClient(place.mongo_url)
    full = {"_id": "c", "version": len(taken), "state": {"sum": 1}, "inputs": taken}
    await client["payung_claims"]["counters"].insert_one(full)
    await client.close()
    async with place.service():
        await place.send([event("a" * 3_000, counter="c", amount=1), event("b", AGENCIES[1], counter="d", amount=1)])
        await eventually(lambda: _equal(place.unread(ONE), 0))
        await eventually(lambda: _equal(place.unread(OTHER), 0))
    assert await place.sums() == {"c": 1, "d": 1}
    (letter,) = await place.letters()
    assert dict(letter.headers)["dlq_error"] == b"defect"


async def test_a_flood_from_one_agency_pauses_its_topic_and_no_other(place: Place) -> None:
    # More than one settled batch and one taken batch together.
    sent = 3 * BATCH_RECORDS_MAX
    async with place.service(PAYUNG_FLOOD_LETTERS="100", PAYUNG_FLOOD_PAUSE_S="3600") as service:
        await place.send([Message(ONE, b"%d" % n, GARBAGE, ()) for n in range(sent)])
        await eventually(lambda: _paused(service))
        await place.send([event("a", AGENCIES[1], counter="c", amount=1)])
        await eventually(lambda: _equal(place.unread(OTHER), 0))
        left = await place.unread(ONE)
        assert 0 < left < sent
        assert await place.sums() == {"c": 1}
        # Ready, and only the paused records wait.
        await eventually(lambda: _well_but_for(service, ONE))
        assert await place.unread(ONE) == left
        (paused,) = await place.asked("paused", "claims", "--json")
        assert (paused["topic"], paused["level"]) == (ONE, 0)

        async def drained() -> bool:
            # The other records cannot be read either, so the topic is paused again and again until all are read.
            if await place.asked("paused", "claims", "--json"):
                await place.asked("resume", "claims", "--topic", ONE)
            return await place.unread(ONE) == 0

        await eventually(drained, 120)
    letters = await place.letters()
    assert len({dict(one.headers)["dlq_id"] for one in letters}) == sent
    assert len(letters) == sent


async def _paused(service: Service) -> bool:
    return await service.metric(f'payung_topic_paused{{service="claims",topic="{ONE}"}}') == 1


async def _well_but_for(service: Service, topic: str) -> bool:
    vitals = await service.readyz()
    assert vitals["ready"], vitals
    return vitals["lag"] == 0 and topic in vitals["detail"]


async def test_a_pause_survives_a_restart(place: Place) -> None:
    limits = {"PAYUNG_FLOOD_LETTERS": "100", "PAYUNG_FLOOD_PAUSE_S": "3600"}
    async with place.service(**limits) as service:
        await place.send([Message(ONE, b"k", GARBAGE, ()) for _ in range(150)])
        await eventually(lambda: _paused(service))
        await eventually(lambda: _equal(place.unread(ONE), 0))
    async with place.service(**limits) as service:
        await place.send([event("a", counter="c", amount=1), event("b", AGENCIES[1], counter="d", amount=1)])
        await eventually(lambda: _equal(place.unread(OTHER), 0))
        assert await place.sums() == {"d": 1}
        assert (await service.readyz())["ready"]
        await place.asked("resume", "claims")
        await eventually(lambda: _equal(place.unread(ONE), 0))
    assert await place.sums() == {"c": 1, "d": 1}


async def test_a_flood_of_our_own_topic_stops_the_service_before_it_drains(place: Place) -> None:
    await place.send([Message(WORK, b"k", GARBAGE, ()) for _ in range(150)])
    service = Service(place, {})
    assert await service.exit() == 70
    why = [line for line in service.log().splitlines() if '"why"' in line]
    assert len(why) == 1
    assert "our own topic claims-work" in why[0]
    assert (await place.unread(WORK), await place.letters()) == (150, [])
    # The operator has checked the letters and releases them.
    async with place.service(PAYUNG_FLOOD_OWN_LETTERS="0"):
        await eventually(lambda: _equal(place.unread(WORK), 0))
    assert len(await place.letters()) == 150
