"""Scans and the officers' queue: a scan reports a pair once, when scans run, both forms side by side, and how a
decision reaches Kafka.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from services.registration import api
from services.registration.stream import SPEC
from services.registration.suspects.background import running, scan
from services.registration.suspects.background.running import Scan, ScanFailed, Scans
from services.registration.suspects.domain import likeness
from shared.contracts.registration_work import SuspicionFound
from shared.kernel.identity import worker_id
from shared.runtime import clock
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.http.auth import Caller, Guard
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Message, Record
from shared.runtime.store.leases import Leases
from tests.batches import settle
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.property.registration_world import AT, FORM, KEY, NIK, PERSONAL, REFERENCE, WORKER
from tests.toy import CIPHER

NIK_2 = "6408044107850203"
OTHER = worker_id(KEY, NIK_2)
FIRST, SECOND = sorted((WORKER, OTHER))
AT_MS = int(AT.timestamp() * 1000)
TWO = ({**FORM, **PERSONAL}, {**FORM, **PERSONAL, "nik": NIK_2, "name": "ST. AMINA", "submission_id": "SUB-2"})


class Town:
    """Registration on a store and topics in memory; the scan runs in this process."""

    def __init__(self) -> None:
        self.reader = MemoryStore(SPEC.stored, CIPHER)
        self.topics = MemoryTopics()
        letters = DeadLetterTopic(SPEC.name, self.topics)
        self.pipeline = Pipeline(SPEC, self.reader, self.topics, letters, Metrics(SPEC.name), REFERENCE)
        self.offset = 0
        context: Any = SimpleNamespace(
            reader=self.reader,
            reference=REFERENCE,
            name="registration",
            publish=self.publish,
            changes=0,
            leases=Leases(self.reader),
            environ={"PAYUNG_AUTH": "none"},
        )
        self.context = context
        self.app = FastAPI()
        self.app.include_router(api.routes(context))

    async def publish(self, messages: list[Message]) -> None:
        """Publishes to Kafka; records for the work topic go straight through the pipeline."""
        await self.topics.send_all(messages)
        await self._follow(messages)

    async def register(self, *forms: Any) -> None:
        for form in forms:
            head = {"specversion": "1.0", "id": form["submission_id"], "source": "agency/64.08/dinsos"}
            value = orjson.dumps({**head, "type": "worker.register.v1", "data": form})
            await self._settle("registration-intake-6408-dinsos", value)

    async def _settle(self, topic: str, value: bytes) -> None:
        mark = len(self.topics.published)
        self.offset += 1
        await settle(self.pipeline, [Record(topic, 0, self.offset, None, value, (), AT_MS)])
        self.context.changes += 1
        await self._follow(self.topics.published[mark:])

    async def _follow(self, messages: list[Message]) -> None:
        for one in list(messages):
            if one.topic in ("registration-work", "registration-officers"):
                await self._settle(one.topic, one.value or b"")

    async def scan(self) -> Scan:
        """Runs the scan as its process does: through its lines of input and output."""
        people = await scan.read(self.reader)
        lines = [scan.line(one) for one in likeness.find(people)]
        return running.read([*lines, orjson.dumps({"people": len(people)})], 0)

    def said(self, kind: str) -> list[Any]:
        events = [orjson.loads(one.value or b"{}") for one in self.topics.published]
        return [one["data"] for one in events if one["type"] == kind]

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://registration") as client:
            answer = await client.request(method, path, json=body)
        return answer.status_code, answer.json()


async def queue_of(context: Town) -> Any:
    return (await context.call("GET", "/v1/suspects?regency=64.08"))[1]["suspects"]


async def suspected() -> Town:
    context = Town()
    await context.register(*TWO)
    assert await running.publish_findings(context.context, await context.scan()) == 1
    return context


async def test_a_pair_is_reported_once_queued_and_gone_when_the_forms_differ() -> None:
    context = await suspected()
    assert {one["worker_id"] for one in context.said("worker.suspected.v1")} == {WORKER, OTHER}
    assert await running.publish_findings(context.context, await context.scan()) == 0
    (one,) = await queue_of(context)
    assert (one["first"], one["second"], one["status"]) == (FIRST, SECOND, "open")
    assert {"birth-date-same", "village-same", "mother-alike", "name-same"} <= set(one["reasons"])
    corrected = {**TWO[1], "submission_id": "SUB-3", "name": "RUSLI", "sex": "M", "birth_date": "1960-02-02"}
    await context.register(corrected)
    assert await running.publish_findings(context.context, await context.scan()) == 1
    assert await queue_of(context) == []
    assert {one["worker_id"] for one in context.said("worker.cleared.v1")} == {WORKER, OTHER}


async def test_no_list_event_or_line_of_a_scan_carries_personal_data() -> None:
    context = await suspected()
    people = await scan.read(context.reader)
    shown = [scan.line(one).decode() for one in likeness.find(people)]
    shown.append(str(await queue_of(context)))
    shown += [(one.value or b"").decode() for one in context.topics.published if one.topic != "identity-checks"]
    secrets = [NIK, NIK_2, "AMINA", "1985-07-01", "Halimah", "812000111", "Gang Buntu"]
    assert [secret for secret in secrets if any(secret in one for one in shown)] == []


async def test_an_officer_sees_both_forms_and_decides() -> None:
    context = await suspected()
    status, shown = await context.call("GET", f"/v1/suspects/{SECOND}/{FIRST}")
    assert status == 200
    names = {shown["fields"]["name"][side] for side in ("first", "second")}
    assert names == {"SITI AMINAH", "ST. AMINA"}
    assert shown["fields"]["birth_date"]["same"] is True
    assert shown["fields"]["nik"]["differing_digits"] == [14, 16]
    assert NIK not in str(shown)
    assert NIK_2 not in str(shown)
    decision = {"decision": "merge", "keep": WORKER, "officer": "Rina", "reason": "satu KTP"}
    assert (await context.call("POST", f"/v1/suspects/{SECOND}/{FIRST}", decision))[0] == 202
    assert await queue_of(context) == []
    merged = (await context.call("GET", "/v1/suspects?status=merged"))[1]["suspects"]
    assert [one["kept"] for one in merged] == [WORKER]
    made = (await context.call("GET", f"/v1/suspects/{FIRST}/{SECOND}"))[1]["decisions"]
    assert [(one["officer"], one["reason"], one["decision"], one["decided_at"]) for one in made] == [
        ("Rina", "satu KTP", "merge", "2026-02-01T07:30:00.000+08:00")
    ]
    other = (await context.call("GET", f"/v1/workers/{OTHER}"))[1]
    assert (other["status"], other["merged_into"]) == ("merged", WORKER)


async def test_without_a_caller_nothing_is_shown_and_nothing_taken() -> None:
    town = await suspected()
    town.context.environ = {}
    closed = FastAPI()
    closed.include_router(api.routes(town.context))
    town.app = closed
    for path in ("/v1/suspects", f"/v1/suspects/{FIRST}/{SECOND}", f"/v1/workers/{WORKER}"):
        assert (await town.call("GET", path))[0] == 401
    assert (await town.call("POST", f"/v1/suspects/{FIRST}/{SECOND}", {"decision": "different"}))[0] == 401


async def test_only_officers_of_the_regency_see_and_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    town = await suspected()

    async def from_kukar(_: Guard, __: Any) -> Caller:
        return Caller("kukar", frozenset({"64.02/*"}), frozenset({"registration-officer"}))

    async def from_kutim(_: Guard, __: Any) -> Caller:
        return Caller("rina@64.08", frozenset(), frozenset({"64.08/registration-officer"}))

    monkeypatch.setattr(Guard, "caller", from_kukar)
    assert (await town.call("GET", "/v1/suspects"))[1]["suspects"] == []
    assert (await town.call("GET", f"/v1/suspects/{FIRST}/{SECOND}"))[0] == 404
    different = {"decision": "different", "reason": "beda orang"}
    assert (await town.call("POST", f"/v1/suspects/{FIRST}/{SECOND}", different))[0] == 404
    monkeypatch.setattr(Guard, "caller", from_kutim)
    another = {**different, "officer": "someone else"}
    assert (await town.call("POST", f"/v1/suspects/{FIRST}/{SECOND}", another))[0] == 403
    assert (await town.call("POST", f"/v1/suspects/{FIRST}/{SECOND}", different))[0] == 202
    made = (await town.call("GET", f"/v1/suspects/{FIRST}/{SECOND}"))[1]["decisions"]
    assert [one["officer"] for one in made] == ["rina@64.08"], "who has signed in signs"


async def test_a_decision_that_is_no_object_is_refused_and_an_incomplete_one_is_answered() -> None:
    context = await suspected()
    assert (await context.call("POST", f"/v1/suspects/{FIRST}/{SECOND}", ["merge"]))[0] == 400
    assert (await context.call("POST", f"/v1/suspects/{FIRST}/{SECOND}", {"decision": "merge"}))[0] == 202
    (refused,) = context.said("suspect.decide.refused.v1")
    assert refused["reasons"] == ["field-missing:officer", "field-missing:reason"]
    assert (await context.call("GET", "/v1/suspects/a/b"))[0] == 404


async def test_an_officer_with_a_browser_works_through_the_queue() -> None:
    town = await suspected()
    transport, html = httpx.ASGITransport(town.app), {"accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url="http://registration", headers=html) as client:
        listed = (await client.get("/v1/suspects")).text
        assert f"/v1/suspects/{FIRST}/{SECOND}" in listed
        assert "tanggal lahir sama" in listed
        assert "AMINA" not in listed
        shown = (await client.get(f"/v1/suspects/{FIRST}/{SECOND}")).text
        assert "ST. AMINA" in shown
        assert "angka ke-14, ke-16" in shown
        assert {"held", "fisheries", "1985-07-01"} & set(re.split("[<>]", shown)) == set(), "a clerk reads Indonesian"
        form = {"officer": "Rina", "reason": "satu KK", "decision": "merge:second", "key": "once"}
        sent = await client.post(f"/v1/suspects/{FIRST}/{SECOND}", data=form)
        assert (sent.status_code, sent.headers["location"]) == (303, "/v1/suspects?sent=1")
        await client.post(f"/v1/suspects/{FIRST}/{SECOND}", data=form)
        assert "Tidak ada" in (await client.get("/v1/suspects?sent=1")).text
        merged_page = (await client.get(f"/v1/suspects/{FIRST}/{SECOND}")).text
        assert "Batalkan penggabungan" in merged_page
        assert "<strong>digabung: satu orang</strong> oleh Rina" in merged_page
    (merged,) = (await town.call("GET", "/v1/suspects?status=merged"))[1]["suspects"]
    assert merged["kept"] == SECOND
    assert len((await town.call("GET", f"/v1/suspects/{FIRST}/{SECOND}"))[1]["decisions"]) == 1


async def test_a_scan_waits_for_quiet_and_comes_at_once_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    context, now = Town(), [0.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    scans = Scans(context.context, 10.0, context.scan)
    await context.register(*TWO)
    assert not await scans.look()
    now[0] = 9.0
    assert not await scans.look()
    await context.register({**TWO[0], "submission_id": "SUB-9"})
    assert not await scans.look()
    now[0] = 19.5
    assert await scans.look()
    assert len(await queue_of(context)) == 1
    assert (await context.call("GET", "/v1/suspects"))[1]["scanned"]["people"] == 2
    # The scan's own writes count as one more change; after that there is nothing to scan.
    assert not await scans.look()
    now[0] = 40.0
    assert await scans.look()
    now[0] = 80.0
    assert not await scans.look()
    assert (await context.call("POST", "/v1/suspects/scan"))[0] == 202
    assert await scans.look()


async def test_only_one_of_two_processes_scans_the_same_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, now, scanned = Town(), [0.0], []
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])

    def process(name: str) -> tuple[Any, Scans]:
        own: Any = SimpleNamespace(
            reader=context.reader, publish=context.publish, changes=0, leases=Leases(context.reader)
        )

        async def scan_by() -> Scan:
            scanned.append(name)
            assert not await other_of[name].look(), "no two at a time"
            return await context.scan()

        return own, Scans(own, 10.0, scan_by)

    (one, scans), (other, others) = process("one"), process("other")
    other_of = {"one": others, "other": scans}
    await context.register(*TWO)
    one.changes, other.changes = 1, 1
    for moment in (0.0, 12.0, 14.0, 26.0, 50.0):
        now[0] = moment
        await scans.look()
        await others.look()
    assert scanned == ["one"]
    # Workers that only the other instance saved are scanned by that instance, so the first one does not scan.
    other.changes = 2
    for moment in (60.0, 75.0, 90.0, 120.0):
        now[0] = moment
        await scans.look()
        await others.look()
    assert scanned == ["one", "other"]
    # When a scan is asked for, one of them runs at once.
    await context.call("POST", "/v1/suspects/scan")
    assert await others.look()
    assert not await scans.look()
    assert scanned == ["one", "other", "other"]


@pytest.mark.parametrize(
    ("lines", "code"), [([], 0), ([b'{"people": 5}'], 1), ([b'{"first": "a", "second": "b", "score": 60}'], 0)]
)
def test_an_incomplete_scan_has_no_effect(lines: list[bytes], code: int) -> None:
    with pytest.raises(ScanFailed):
        running.read(lines, code)


def test_the_same_finding_has_one_event_id() -> None:
    found = SuspicionFound(first="a", second="b", score=60, reasons=[], regencies=["64.08"], villages=[])
    names = {orjson.loads(running._message("suspicion.found.v1", "a|b", found, None).value or b"")["id"] for _ in "12"}
    assert len(names) == 1


async def test_a_worker_is_shown_with_every_source_and_as_of_an_earlier_day() -> None:
    context = Town()
    await context.register(TWO[0], {**TWO[0], "submission_id": "SUB-2", "sector": "trade", "name": "SITI AMINAH R"})
    now = (await context.call("GET", f"/v1/workers/{WORKER}"))[1]
    assert (now["fields"]["sector"]["agency"], now["fields"]["sector"]["value"]) == ("dinsos", "trade")
    assert "value" not in now["fields"]["name"]
    then = (await context.call("GET", f"/v1/workers/{WORKER}?as_of=2026-02-01"))[1]
    assert then["sector"] == "trade"
    assert (await context.call("GET", f"/v1/workers/{WORKER}?as_of=2026-01-31"))[0] == 404
    assert (await context.call("GET", f"/v1/workers/{WORKER}?as_of=yesterday"))[0] == 400
    (step,) = (await context.call("GET", f"/v1/workers/{WORKER}/history"))[1]["history"]
    assert step["before"]["sector"] == {
        "agency": "dinsos",
        "submission_id": "SUB-1",
        "said_on": "2026-02-01",
        "value": "fisheries",
    }
    assert "value" not in step["before"]["name"]
