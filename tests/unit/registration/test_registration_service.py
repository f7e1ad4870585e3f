"""Registration in the shell over in-memory ports: redelivery, conflicts, stored documents, and HTTP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
from fastapi import FastAPI

from services.registration import api, facts
from services.registration.compliance.domain.state import Contract, Employment, Finding
from services.registration.stream import SPEC
from shared.contracts.catalogue import DECISIONS
from shared.lists import read
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Record
from tests.batches import settle
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.property.registration_world import AT, FORM, NIK, PERSONAL, REFERENCE, WORKER
from tests.toy import CIPHER


class Shell:
    """Registration's own SPEC, codecs and routes on a store and topics in memory."""

    def __init__(self) -> None:
        self.store = MemoryStore(SPEC.stored, CIPHER)
        self.topics = MemoryTopics()
        letters = DeadLetterTopic(SPEC.name, self.topics)
        self.pipeline = Pipeline(SPEC, self.store, self.topics, letters, Metrics(SPEC.name), REFERENCE)
        self.offset = 0

    async def settle(self, *inputs: tuple[str, Any], kind: str = "worker.register.v1") -> list[tuple[str, Any]]:
        """Processes one batch of events of a kind, by (event id, data); returns topic and envelope of what was
        published.
        """
        mark, records = len(self.topics.published), []
        decides = kind in DECISIONS
        topic = "registration-officers" if decides else "registration-intake-6408-dinsos"
        for event_id, data in inputs:
            self.offset += 1
            source = "officer/rina" if decides else "agency/64.08/dinsos"
            envelope = {"specversion": "1.0", "id": event_id, "source": source}
            value = orjson.dumps({**envelope, "type": kind, "data": data})
            at = int(AT.timestamp() * 1000)
            records.append(Record(topic, 0, self.offset, None, value, (), at))
        await settle(self.pipeline, records)
        return [(one.topic, orjson.loads(one.value or b"")) for one in self.topics.published[mark:]]

    async def text(self, path: str) -> bytes:
        return (await self._get(path)).content

    async def get(self, path: str) -> tuple[int, Any]:
        answer = await self._get(path)
        return answer.status_code, answer.json()

    async def _get(self, path: str) -> httpx.Response:
        app = FastAPI()
        environ = {"PAYUNG_AUTH": "none"}
        context: Any = SimpleNamespace(reader=self.store, reference=REFERENCE, name="registration", environ=environ)
        app.include_router(api.routes(context))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registration") as client:
            return await client.get(path)


async def test_a_redelivery_gets_the_same_answer_and_a_conflict_is_refused() -> None:
    shell = Shell()
    first = await shell.settle(("e1", FORM))
    assert [topic for topic, _ in first] == ["registration-events", "identity-checks", "feedback-6408-dinsos"]
    assert await shell.settle(("e1", FORM)) == first
    ((topic, refused),) = await shell.settle(("e1", {**FORM, "name": "SITI"}))
    assert (topic, refused["data"]["reasons"]) == ("feedback-6408-dinsos", ["conflicting-duplicate"])
    assert shell.store.collections["workers"][WORKER]["version"] == 1


async def test_odd_data_is_answered_and_nothing_becomes_a_dead_letter() -> None:
    shell = Shell()
    odd: list[Any] = [None, 5, [], {}, {**FORM, "birth_date": "1985-W01-1"}, {**FORM, "monthly_income": 2**64 - 1}]
    said = await shell.settle(*((f"e{number}", data) for number, data in enumerate(odd)))
    assert [(topic, one["data"]["outcome"]) for topic, one in said] == [("feedback-6408-dinsos", "rejected")] * len(odd)


async def test_the_store_holds_no_personal_data_in_the_clear() -> None:
    shell = Shell()
    await shell.settle(("e1", {**FORM, **PERSONAL}))
    stored = repr(shell.store.collections)
    secrets = [NIK, "SITI AMINAH", "1985-07-01", "Sangatta", "Halimah", "+62812000111", "Gang Buntu", "Rahmat"]
    assert [secret for secret in secrets if secret in stored] == []


async def test_a_worker_is_shown_with_a_masked_nik_and_without_a_name() -> None:
    shell = Shell()
    await shell.settle(("e1", {**FORM, **PERSONAL}))
    status, shown = await shell.get(f"/v1/workers/{WORKER}")
    assert status == 200
    assert (shown["nik"], shown["status"]) == ("6408**********02", "checking")
    assert shown["submissions"] == [{"agency": "dinsos", "submission_id": "SUB-1", "said_on": "2026-02-01"}]
    assert NIK not in str(shown)
    assert "SITI" not in str(shown)
    assert (await shell.get("/v1/workers/nobody"))[0] == 404


PROJECT = {
    "submission_id": "P-1",
    "project_no": "PRJ-1",
    "contractor": "PT Bangun",
    "contract_value": 750_000_000,
    "starts_on": "2025-06-02",
    "ends_on": "2026-12-31",
    "village": "64.08.04.2001",
}


async def test_a_late_project_is_among_all_findings_and_not_among_the_open_ones() -> None:
    shell = Shell()
    await shell.settle(("e1", PROJECT), kind="project.register.v1")
    assert await shell.get("/v1/findings?regency=64.08") == (200, {"rows": [], "next": None})
    _, found = await shell.get("/v1/findings?regency=64.08&state=all")
    (row,) = found["rows"]
    assert (row["kind"], row["state"], row["project_no"], row["employer_name"]) == (
        "project-late",
        "cured",
        "PRJ-1",
        "PT Bangun",
    )
    assert row["evidence"]["term_from"] == "2025-06-02"


async def test_findings_come_in_pages_of_employments_then_projects() -> None:
    shell = Shell()
    for number in range(3):
        employment = Employment(
            employer_id=f"NPP-{number}",
            employer_name="CV Maju",
            regency="64.08",
            worker_id=WORKER,
            contracts=(),
            findings=(Finding(kind="registered-late", subject="d", due_on="2026-01-05", state="open", evidence=()),),
        )
        key = f"NPP-{number}|{WORKER}"
        state = SPEC.stored["employments"].encode(employment, CIPHER)
        shell.store.collections["employments"][key] = {"_id": key, "version": 1, "state": state, "inputs": []}
        await shell.settle((f"e{number}", {**PROJECT, "project_no": f"PRJ-{number}"}), kind="project.register.v1")
    seen, after = [], ""
    while after is not None:
        _, page = await shell.get(f"/v1/findings?regency=64.08&state=all&limit=2&after={after}")
        assert len(page["rows"]) <= 2
        seen += [row["employer_id"] or row["project_no"] for row in page["rows"]]
        after = page["next"]
    assert sorted(seen) == ["NPP-0", "NPP-1", "NPP-2", "PRJ-0", "PRJ-1", "PRJ-2"]
    _, projects = await shell.get("/v1/projects?regency=64.08&limit=3")
    assert (len(projects["rows"]), projects["next"]) == (3, None)


async def test_open_findings_are_a_list_that_comes_back_explained(tmp_path: Path) -> None:
    shell = Shell()
    contracts: tuple[Contract, ...] = (
        Contract(started_on="2026-01-05", ends_on=None, number="K-1", registered_on=None),
    )
    late = Finding(
        kind="registered-late",
        subject="2026-01-05",
        due_on="2026-01-05",
        state="open",
        evidence=(("started_on", "2026-01-05"),),
    )
    cured = replace(late, kind="contract-chain", state="cured")
    employment = Employment(
        employer_id="NPP-1",
        employer_name="=CV Maju",
        regency="64.08",
        worker_id=WORKER,
        contracts=contracts,
        findings=(late, cured),
    )
    key = f"NPP-1|{WORKER}"
    state = SPEC.stored["employments"].encode(employment, CIPHER)
    shell.store.collections["employments"][key] = {"_id": key, "version": 1, "state": state, "inputs": []}
    path = tmp_path / "temuan.csv"
    path.write_bytes(await shell.text("/v1/findings.csv?regency=64.08"))
    assert b"'=CV Maju" in path.read_bytes(), "no spreadsheet may run it"
    (row,) = read(path, "explanations")
    number = f"employment/NPP-1/{WORKER}/registered-late/2026-01-05"
    assert row.columns == {
        "id_temuan": number,
        "npp": "NPP-1",
        "nama_perusahaan": "=CV Maju",
        "temuan": "Pekerja belum didaftarkan pada hari pertama bekerja",
        "batas_waktu": "2026-01-05",
        "bukti": "mulai_bekerja 2026-01-05",
        "penjelasan": "",
    }
    path.write_text(path.read_text("utf-8-sig").replace("2026-01-05;\n", "2026-01-05;magang\n"), encoding="utf-8")
    (row,) = read(path, "explanations")
    said = await shell.settle(("x1", {**row.data, "agency": "64.08/dinsos"}), kind=row.type)
    ((_, answer), (_, told)) = sorted(said, key=lambda one: one[1]["type"], reverse=True)
    assert (answer["data"]["outcome"], told["data"]["state"]) == ("accepted", "explained")


async def test_the_reference_is_the_shipped_areas_and_the_configured_key() -> None:
    key = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="
    loaded = await facts.reference(MemoryStore({}, CIPHER), {"PAYUNG_ID_KEY": key})
    assert loaded.id_key == b"0" * 32
    assert loaded.areas.village("64.08.04.2001") is not None
