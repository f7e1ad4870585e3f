"""Messy lists of two regencies from five agencies, by command line, HTTP and Kafka: one answer per row, one verdict per
person.

The same people are sent three times with other NIKs, each agency by another road, and in another order. The verdicts
must be the same. One regency uses its snapshot, the other asks Dukcapil.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import AsyncMongoClient

from payung import installations, publish, reference, wire
from payung.embedded import ports
from payung.embedded.console import Console
from payung.embedded.stack import Stack, StackConfig
from payung.installations import Installation
from services.registration.intake.domain.state import RefusedSubmission
from shared.contracts import topics
from shared.kernel.identity import worker_id
from shared.lists import open_list
from shared.lists.answers import read_answers
from shared.runtime.kafka import topics_admin
from shared.runtime.store.crypto import id_key_from
from tests import dates
from tests.integration import messy_lists as lists
from tests.integration.test_end_to_end import eventually
from tests.unit.lists.test_cases_as_events import GOOD, judged, verbatim
from tests.unit.lists.test_cases_of_offices import CASES

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]

SERVICES = ("registration", "verification")
BATCH = "application/cloudevents-batch+json"
# Files whose rows a program sends as they are.
CASES_AS_EVENTS = ("01-nik-grouped/daftar.csv", "08-stray-quotes/daftar.csv", "10-utc-instants/daftar.csv")
TAKEN = ("registered", "already-registered", "attested", "updated", "accepted")
Answers = list[tuple[str, str]]


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Installation]:
    everyone = [one for number in range(3) for one in lists.a_round(number).people]
    lists.population(everyone, tmp_path / "population.csv")
    environment = {
        **dates.bare(os.environ),
        "PAYUNG_AUTH": "none",
        # The copies of a person are doubles by design; suspects have a test of their own.
        "PAYUNG_SUSPECTS_QUIET_S": "0",
    }
    config = StackConfig(
        data_dir=tmp_path / "data",
        port_base=ports.free_base(),
        services=SERVICES,
        stand_ins=("dukcapil",),
        population=tmp_path / "population.csv",
        environment=environment,
    )
    async with Stack(config, topics_admin.apply, console=Console(io.StringIO())):
        yield installations.find(tmp_path / "data")


async def by_command(at: Installation, agency: str, path: Path, kind: Any) -> Answers:
    """`payung publish --wait`."""
    await publish.publish(at, path, agency, kind, wait=True)
    return read(path.with_name(path.name + ".answers.csv"))


def read(answers: Path) -> Answers:
    """The answers file's result for each row."""
    return [(one["outcome"], one["reasons"]) for one in read_answers(answers)]


async def by_http(at: Installation, agency: str, path: Path, kind: Any) -> Answers:
    """An upload, followed until it is done."""
    async with httpx.AsyncClient(base_url=at.url("registration"), timeout=60, trust_env=False) as client:
        files = {"file": (path.name, await asyncio.to_thread(path.read_bytes))}
        begun = await client.post("/v1/imports", files=files, data={"agency": agency, "kind": kind})
        assert begun.status_code == 202, begun.text
        where = f"/v1/imports/{begun.json()['id']}"

        async def done() -> bool:
            return bool((await client.get(where)).json()["status"] == "done")

        await eventually(done)
        answers = path.with_name(path.name + ".answers.csv")
        answers.write_bytes((await client.get(f"{where}/answers.csv")).content)
    return read(answers)


async def by_kafka(at: Installation, agency: str, events: list[dict[str, Any]]) -> Answers:
    """A system of the agency: publishes, and reads its feedback."""
    regency, name = publish.parse_agency(agency)

    async def send() -> None:
        async with wire.sender(at) as out:
            for one in events:
                key = str(one["data"]["submission_id"])
                await out.send(topics.registration_intake(regency, name), key, json.dumps(one).encode())
            await out.flush()

    return await answered(at, agency, events, send)


async def by_post(at: Installation, agency: str, events: list[dict[str, Any]]) -> Answers:
    """A system of the agency: `POST /v1/events`, and reads its feedback."""

    async def post() -> None:
        async with httpx.AsyncClient(base_url=at.url("registration"), timeout=60, trust_env=False) as client:
            answer = await client.post("/v1/events", json=events, headers={"content-type": BATCH})
            assert answer.status_code == 202, answer.text

    return await answered(at, agency, events, post)


async def answered(
    at: Installation, agency: str, events: list[dict[str, Any]], send: Callable[[], Awaitable[None]]
) -> Answers:
    """Sends events and waits for the answer to each."""
    regency, name = publish.parse_agency(agency)
    waiting = {one["id"]: "" for one in events}
    found: dict[str, tuple[str, str]] = {}
    async with wire.reader(at) as consumer:
        places = await wire.ends(at, consumer, [topics.feedback(regency, name)])
        await send()
        async for one in wire.follow(consumer, places, 30):
            if one["type"] == "submission.answered.v1" and one["causationid"] in waiting:
                data = one["data"]
                found[one["causationid"]] = (data["outcome"], " ".join(data.get("reasons", ())))
            if len(found) == len(waiting):
                break
    return [found[one["id"]] for one in events]


class Sending:
    """One round: the road of each agency, the order, and all answers."""

    def __init__(self, at: Installation, number: int, folder: Path) -> None:
        self.at, self.number = at, number
        self.round = lists.a_round(number)
        self.rng = random.Random(number)
        self.folder = folder / f"round-{number}"
        self.sent = 0

    async def all(self) -> None:
        """Sends forwards with the payroll last, backwards with the payroll first, or everything at once."""
        jobs = _agencies()
        if self.number == 2:
            await asyncio.gather(*(self.one(*job) for job in jobs))
            return
        for job in jobs if self.number == 0 else reversed(jobs):
            await self.one(*job)

    async def one(self, regency: str, agency: str) -> None:
        """Sends one list by the road of this round."""
        if agency == lists.EMPLOYERS:
            rows = lists.payroll_rows(self.round, regency)
        else:
            rows = self.round.rows(regency, agency, self.rng)
        road = (self.number + (*lists.AGENCIES, lists.EMPLOYERS).index(agency)) % 3
        who = f"{regency}/{agency}"
        kind = "roster" if agency == lists.EMPLOYERS else "workers"
        if road == 2:
            answers = await by_kafka(self.at, who, [lists.event(who, row) for row in rows])
        else:
            folder = self.folder / regency
            folder.mkdir(parents=True, exist_ok=True)
            path = await asyncio.to_thread(lists.write, folder, agency, rows)
            answers = await (by_command, by_http)[road](self.at, who, path, kind)
        assert len(answers) == len(rows), who
        # A NIK that Excel has rounded is a row like any other: it is sent, and the service refuses it.
        self.sent += len(rows)
        for row, (outcome, reasons) in zip(rows, answers, strict=True):
            expected = lists.refusal(row)
            if expected is None:
                assert outcome in TAKEN, (who, row, outcome, reasons)
            else:
                assert (outcome, reasons) == ("rejected", expected), (who, row)


async def settled(at: Installation) -> bool:
    """Whether there is no lag, and no verdict is missing."""
    for _ in range(2):
        for service in SERVICES:
            if (await at.get(service, "/readyz")).json()["lag"]:
                return False
        await asyncio.sleep(0.5)
    return True


async def standing(at: Installation, people: Iterable[lists.Person]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What registration shows of each person."""
    key = id_key_from(at.environ)
    found = {}
    for one in people:
        shown = (await at.get("registration", f"/v1/workers/{worker_id(key, one.nik)}")).json()
        found[one.nik] = (shown["status"], tuple(shown["reasons"]))
    return found


async def test_a_person_gets_the_same_verdict_by_every_road_and_order(at: Installation, tmp_path: Path) -> None:
    in_kukar = [one for number in range(3) for one in lists.a_round(number).people if one.regency == lists.KUKAR]
    lists.population(in_kukar, tmp_path / "kukar.csv")
    await reference.load_snapshot(at, tmp_path / "kukar.csv", lists.KUKAR)
    sendings = [Sending(at, number, tmp_path) for number in range(3)]
    for one in sendings:
        await one.all()

    async def judged() -> bool:
        shown = [found for one in sendings for found in (await standing(at, one.round.people)).values()]
        return all(status != "checking" for status, _ in shown)

    await eventually(lambda: settled(at))
    await eventually(judged)
    await _same_verdict(at, sendings)
    await _one_answer_a_row(at, sendings)
    await _nobody_is_named(at, sendings)
    await _cells_of_offices_sent_by_a_program(at)


async def _cells_of_offices_sent_by_a_program(at: Installation) -> None:
    """Rows of tests/cases verbatim as events, as records and over HTTP: taken, or refused by name; no dead letter."""
    agency, kind = "64.08/dinsos", "worker.register.v1"
    rows = [row for case in CASES_AS_EVENTS for row in open_list(CASES / case, "workers").rows()]
    # The last one is in the contract's form; its birth is an instant whose day in WITA is 1 July.
    forms = [*map(verbatim, rows), {**GOOD, "submission_id": "instant", "birth_date": "1985-06-30T16:00:00Z"}]
    expected = [_refusals(form) for form in forms]
    assert expected[-1] == ()
    assert all(expected[:-1])
    for road in (by_kafka, by_post):
        answers = await road(at, agency, [wire.event(f"agency/{agency}", kind, form) for form in forms])
        assert [tuple(reasons.split()) for _, reasons in answers] == expected
        assert answers[-1][0] in TAKEN
    assert [one async for one in records(at, topics.dead_letters("registration"))] == []


def _refusals(form: Mapping[str, Any]) -> tuple[str, ...]:
    """The reasons for which the rules alone refuse a form."""
    found = judged(form)
    return found.reasons if isinstance(found, RefusedSubmission) else ()


async def _same_verdict(at: Installation, sendings: list[Sending]) -> None:
    """Every person has the same verdict for every road, order and register, and every agency got it."""
    key = id_key_from(at.environ)
    told: dict[tuple[str, str, str], lists.Verdict] = {}
    for regency, agency in _agencies():
        async for one in records(at, topics.feedback(regency, agency)):
            event = json.loads(one.value)
            if event["type"] == "submission.settled.v1":
                data = event["data"]
                told[regency, agency, data["worker_id"]] = (data["identity"], tuple(data.get("reasons", ())))
    wrong = []
    for sending in sendings:
        shown = await standing(at, sending.round.people)
        for one in sending.round.people:
            who = worker_id(key, one.nik)
            heard = {agency: told.get((one.regency, agency, who)) for agency in one.case.words}
            if {shown[one.nik], *heard.values()} != {one.case.verdict}:
                wrong.append((sending.number, one.regency, one.case.what, shown[one.nik], heard))
    assert not wrong


async def _one_answer_a_row(at: Installation, sendings: list[Sending]) -> None:
    """The topics hold as many answers as rows were sent, none twice, and no dead letter."""
    answered = Counter[tuple[str, str]]()
    for regency, agency in _agencies():
        async for one in records(at, topics.feedback(regency, agency)):
            event = json.loads(one.value)
            if event["type"] == "submission.answered.v1":
                answered[event["causationsource"], event["causationid"]] += 1
    assert set(answered.values()) == {1}
    assert len(answered) == sum(one.sent for one in sendings)
    for service in SERVICES:
        assert [one async for one in records(at, topics.dead_letters(service))] == []


async def _nobody_is_named(at: Installation, sendings: list[Sending]) -> None:
    """No person is named in an open topic, a key, a metric, a log or the stored data."""
    people = [one for sending in sendings for one in sending.round.people]
    secrets = {one.nik for one in people} | {name for one in people for name in one.names()}
    found = re.compile("|".join(map(re.escape, sorted(secrets))).encode())
    shown = kept = 0
    for topic in topics.default_topics():
        async for one in records(at, topic.name):
            shown += bool(topic.restricted and found.search(one.value or b""))
            headers = b" ".join(value for _, value in one.headers)
            text = (one.key or b"") + b" " + (b"" if topic.restricted else (one.value or b"") + headers)
            assert not found.search(text), topic.name
    for service in SERVICES:
        for page in ("/metrics", "/readyz"):
            assert not found.search((await at.get(service, page)).content), (service, page)
    for log in (at.data_dir / "logs").glob("*.log"):
        assert not found.search(log.read_bytes()), log.name
    async with AsyncMongoClient[dict[str, Any]](at.environ["PAYUNG_MONGO_URL"]) as client:
        for service in {*await client.list_database_names()} - {"admin", "config", "local"}:
            for name in await client[service].list_collection_names():
                async for document in client[service][name].find():
                    kept += 1
                    assert not found.search(str(document).encode()), (service, name)
    # The search works: it finds names in the restricted lists, and there were stored data to search.
    assert shown >= sum(one.sent for one in sendings) // 2
    assert kept >= len(people)


def _agencies() -> list[tuple[str, str]]:
    return [(regency, agency) for regency in lists.REGENCIES for agency in (*lists.AGENCIES, lists.EMPLOYERS)]


async def records(at: Installation, topic: str) -> AsyncIterator[Any]:
    """Every record of a topic, as it is stored."""
    async with wire.reader(at) as consumer:
        left = {partition: end for partition, end in (await wire.ends(at, consumer, [topic])).items() if end > 0}
        if not left:
            return
        consumer.assign(list(left))
        await consumer.seek_to_beginning()
        while left:
            for partition, batch in (await consumer.getmany(*left, timeout_ms=10_000)).items():
                for one in batch:
                    yield one
                if batch and batch[-1].offset + 1 >= left[partition]:
                    del left[partition]
