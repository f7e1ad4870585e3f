"""Lists over HTTP, on the service's own rules in memory: answers, round trip, restarts, retention."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import openpyxl
import pytest
from prometheus_client import CollectorRegistry

from services.registration.imports.api import answering
from services.registration.imports.background import running, sending
from services.registration.imports.documents import spool
from services.registration.imports.documents.records import ANSWERS, CHUNKS, IMPORTS, KEPT_DAYS, RECEIVING_HOURS
from shared.kernel.calendar import business_day
from shared.lists import ListError, Row, open_list
from shared.runtime import clock
from shared.runtime.errors import Unavailable
from tests.toy import CIPHER
from tests.unit.registration.imports.imports_context import MemoryContext, row, table
from tests.unit.registration.stickers.sticker_context import StickerContext

URL = "/v1/imports?agency=64.08/dinsos&filename=daftar.csv"


class Died(BaseException):
    """Simulates the death of the process in the middle of its work."""


async def _send(client: httpx.AsyncClient, body: bytes, url: str = URL) -> str:
    answer = await client.post(url, content=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def _answers(client: httpx.AsyncClient, identifier: str) -> list[dict[str, str]]:
    answer = await client.get(f"/v1/imports/{identifier}/answers.csv")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def _outcomes(rows: list[dict[str, str]]) -> list[str]:
    return [one["outcome"] for one in rows]


async def test_every_row_is_answered_with_a_reason_in_both_languages() -> None:
    context = MemoryContext()
    async with context.client() as client:
        bad = row(3).replace("64.08.04.2001", "99.99.99.9999")
        excel = row(4).replace("6408044107850004", "6.40E+15")
        identifier = await _send(client, table(row(1), row(2), bad, excel, row(1)))
        await context.carry_on()
        answers = await _answers(client, identifier)
        shown = (await client.get(f"/v1/imports/{identifier}")).json()
    # The same worker twice in one file: the second row is one more submission of the same agency.
    assert sorted(_outcomes(answers)) == ["already-registered", "registered", "registered", "rejected", "rejected"]
    assert [one["reasons"] for one in answers] == ["", "", "village-unknown", "nik-malformed", ""]
    assert "Excel" in answers[3]["message"]
    assert all(one["message"] and one["message_en"] for one in answers)
    assert len(answers[0]["worker_id"]) == 26
    assert (shown["status"], shown["answered"], shown["sent"]) == ("done", 5, 5)
    assert shown["reasons"] == {"village-unknown": 1, "nik-malformed": 1}


async def test_a_corrected_answers_file_changes_no_accepted_row() -> None:
    context = MemoryContext()
    async with context.client() as client:
        first = await _send(client, table(row(1), row(2).replace("fisheries", "mancing")))
        await context.carry_on()
        for suffix in ("csv", "xlsx"):
            answer = await client.get(f"/v1/imports/{first}/answers.{suffix}")
            again = await _send(client, answer.content, URL.replace("daftar.csv", f"jawaban.{suffix}"))
            await context.carry_on()
            assert _outcomes(await _answers(client, again)) == ["already-registered", "rejected"]
        mended = (await client.get(f"/v1/imports/{first}/answers.csv")).content.replace(b"mancing", b"perikanan")
        third = await _send(client, mended)
        await context.carry_on()
        assert _outcomes(await _answers(client, third)) == ["already-registered", "registered"]
    assert len(context.reader.collections["workers"]) == 2


async def test_a_restart_in_the_middle_answers_as_if_nothing_had_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BATCH_ROWS", 2)
    context = MemoryContext()

    def dies_at_the_third_batch() -> None:
        if context.sent >= 4:
            raise Died

    async with context.client() as client:
        identifier = await _send(client, table(*(row(number) for number in range(1, 10))))
        context.at_publish = dies_at_the_third_batch
        with pytest.raises(Died):
            await context.carry_on()
        assert (await context.imported(identifier)).status == "running"
        context.at_publish = lambda: None
        monkeypatch.setattr(sending, "BATCH_ROWS", 5)
        await context.carry_on()
        answers = await _answers(client, identifier)
    assert _outcomes(answers) == ["registered"] * 9
    assert [one["version"] for one in context.reader.collections["workers"].values()] == [1] * 9


async def test_a_dead_letter_does_not_block_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "GIVE_UP_S", 0.0)
    context = MemoryContext()
    context.paused = True
    async with context.client() as client:
        identifier = await _send(client, table(row(1)))
        await context.carry_on()
        (answer,) = await _answers(client, identifier)
    assert (answer["outcome"], answer["message"]) == ("", "Belum ada jawaban.")


@pytest.mark.parametrize("days", [-1, 0, 1])
async def test_a_row_sent_before_midnight_and_received_after_it_has_its_answer(
    days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consent has the broker's day, which may be tomorrow by our own clock."""
    monkeypatch.setattr(sending, "GIVE_UP_S", 0.0)
    context = MemoryContext()
    at = clock.now() + timedelta(days=days)
    context.topics.now_ms = int(at.timestamp() * 1000)
    dated = row(1).removesuffix("2026-01-04") + business_day(at).isoformat()
    async with context.client() as client:
        identifier = await _send(client, table(dated))
        await context.carry_on()
        assert _outcomes(await _answers(client, identifier)) == ["registered"]


async def test_a_silent_broker_only_delays_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LOOK_MAX_S", 0.0)
    context = MemoryContext()
    troubles = iter([Unavailable("Kafka"), Unavailable("Kafka")])

    def trouble() -> None:
        if error := next(troubles, None):
            raise error

    context.at_publish = trouble
    async with context.client() as client:
        identifier = await _send(client, table(row(1)))
        await context.carry_on()
        assert _outcomes(await _answers(client, identifier)) == ["registered"]


async def test_a_form_in_any_order_and_a_browser_is_sent_to_the_page() -> None:
    context = MemoryContext()
    async with context.client() as client:
        files = {"file": (r"C:\Users\desa\daftar.csv", table(row(1)), "text/csv")}
        answer = await client.post(
            "/v1/imports", files=files, data={"agency": "64.08/dinsos"}, headers={"accept": "text/html"}
        )
        assert answer.status_code == 303
        await context.carry_on()
        page = await client.get(answer.headers["location"], headers={"accept": "text/html,*/*"})
    assert "Selesai" in page.text
    assert "Kiriman daftar.csv" in page.text
    assert "refresh" not in page.text


@pytest.mark.parametrize(
    ("url", "body", "status"),
    [
        ("/v1/imports?agency=dinsos", b"x", 422),
        ("/v1/imports?agency=64.08/tidakada", b"x", 422),
        ("/v1/imports?agency=64.08/dinsos&kind=claims", b"x", 422),
        ("/v1/imports?agency=64.08/dinsos", b"", 422),
        ("/v1/imports", b"x", 422),
    ],
)
async def test_a_file_that_is_no_list_is_refused_and_leaves_nothing(url: str, body: bytes, status: int) -> None:
    context = MemoryContext()
    async with context.client() as client:
        answer = await client.post(url, content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert not any(context.reader.plain.values())


async def test_the_reason_is_given_for_an_unreadable_file() -> None:
    context = MemoryContext()
    async with context.client() as client:
        identifier = await _send(client, b"nik,name\n1,2\n")
        await context.carry_on()
        shown = (await client.get(f"/v1/imports/{identifier}")).json()
        assert shown["status"] == "failed"
        assert "Kolom wajib tidak ada" in shown["error"]["message"]
        assert (await client.get(f"/v1/imports/{identifier}/answers.csv")).status_code == 409


async def test_too_much_is_refused_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "FILE_BYTES_MAX", 10)
    context = MemoryContext()
    async with context.client() as client:
        assert (await client.post(URL, content=b"x" * 11)).status_code == 413
    assert not any(context.reader.plain.values())


async def test_a_file_is_sealed_and_deleted_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "CHUNK_BYTES", 64)
    context = MemoryContext()
    async with context.client() as client:
        identifier = await _send(client, table(row(1), row(2)), URL.replace("daftar", "SITI AMINAH"))
        await context.carry_on()
        stored = repr(context.reader.plain)
        assert [secret for secret in ("SITI", "640804410785", "nelayan") if secret in stored] == []
        assert len(context.reader.plain[CHUNKS]) > 2
        later = clock.now() + timedelta(days=KEPT_DAYS, minutes=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        any_context: Any = context
        await running.tidy(any_context, CIPHER)
        assert not context.reader.plain[CHUNKS]
        assert not context.reader.plain[ANSWERS]
        gone = await client.get(f"/v1/imports/{identifier}/answers.csv")
        assert gone.status_code == 410
        shown = (await client.get(f"/v1/imports/{identifier}")).json()
    assert (shown["status"], shown["outcomes"]) == ("expired", {"registered": 2})
    assert list(context.reader.plain[IMPORTS]) == [identifier]


async def test_a_second_click_joins_the_import_at_work() -> None:
    context = MemoryContext()
    async with context.client() as client:
        first = await _send(client, table(row(1)))
        assert await _send(client, table(row(1))) == first
        await context.carry_on()
        other = await _send(client, table(row(1)))
        assert other != first
        await context.carry_on()
        assert _outcomes(await _answers(client, other)) == ["already-registered"]


async def test_without_a_setting_every_caller_is_refused_and_foreign_pages_cannot_send() -> None:
    async with MemoryContext(PAYUNG_AUTH="").client() as client:
        assert (await client.post(URL, content=b"x")).status_code == 401
        assert (await client.get("/v1/imports")).status_code == 401
    async with MemoryContext().client() as client:
        answer = await client.post(URL, content=b"x", headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403


async def test_the_template_filled_in_is_taken_and_its_example_is_not() -> None:
    context = MemoryContext()
    async with context.client() as client:
        answer = await client.get("/v1/imports/template.xlsx?regency=64.08")
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        sheet: Any = book["Pekerja"]
        assert sheet["B5"].number_format == "@"
        picked = [rule.formula1 for rule in sheet.data_validations.dataValidation if rule.type == "list"]
        assert len(picked) == 5
        villages = [cell.value for cell in book["Pilihan"]["B"] if cell.value]
        assert len(villages) == len(set(villages)) > 100
        header = [cell.value for cell in sheet[4]]
        filled = {
            "nik": "6408044107850002",
            "nama": "SITI AMINAH",
            "tanggal_lahir": "01/07/1985",
            "jenis_kelamin": "P",
            "desa": villages[0],
            "sektor": "perikanan",
            "pekerjaan": "nelayan",
            "setuju": "Ya",
            "persetujuan": "04/01/2026",
        }
        for number, consent in ((5, "Ya"), (6, "Tidak"), (7, "")):
            for name, text in {**filled, "setuju": consent}.items():
                sheet.cell(number, header.index(name) + 1).value = text
        out = io.BytesIO()
        book.save(out)
        identifier = await _send(client, out.getvalue(), URL.replace(".csv", ".xlsx"))
        await context.carry_on()
        answers = await _answers(client, identifier)
        assert (await client.get("/v1/imports/template.xlsx?regency=99.99")).status_code == 404
    assert [(one["outcome"], one["reasons"]) for one in answers] == [
        ("registered", ""),
        ("rejected", "consent-missing"),
        ("rejected", "field-invalid:consent"),
    ]


async def test_later_results_of_the_identity_check_appear_in_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "LOOKED_UP_S", 0.0)
    context = StickerContext(clock.now())
    async with context.client() as client:
        identifier = await _send(client, table(row(1), row(2), row(3)))
        await context.carry_on()
        before = await _answers(client, identifier)
        assert "sedang diperiksa" in before[0]["message"]
        await context.judge(before[0]["worker_id"], "verified")
        await context.judge(before[1]["worker_id"], "held", "name-mismatch")
        after = await _answers(client, identifier)
        shown = (await client.get(f"/v1/imports/{identifier}")).json()
        page = (await client.get(f"/v1/imports/{identifier}", headers={"accept": "text/html"})).text
    assert shown["identities"] == {"verified": 1, "held": 1, "checking": 1}
    assert after[0]["message"] == "Terdaftar. Identitasnya cocok."
    assert after[1]["message"].startswith("Terdaftar. Identitasnya ditahan sampai diperiksa petugas: Nama")
    assert [(one["outcome"], one["reasons"]) for one in after] == [("registered", "")] * 3
    assert after[2] == before[2]
    assert "Pemeriksaan identitas" in page


async def test_the_remains_of_a_broken_upload_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "CHUNK_BYTES", 4)
    context = MemoryContext()

    async def breaks_off() -> AsyncIterator[bytes]:
        yield b"nik,name"
        raise Died

    async with context.client() as client:
        with pytest.raises(Died):
            await client.post(URL, content=breaks_off())
        assert (await client.get("/v1/imports")).json() == {"imports": []}
    any_context: Any = context
    await running.tidy(any_context, CIPHER)
    assert len(context.reader.plain[CHUNKS]) == 2
    later = clock.now() + timedelta(hours=RECEIVING_HOURS, minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    await running.tidy(any_context, CIPHER)
    assert not any(context.reader.plain.values())


async def test_a_truncated_workbook_is_reported_after_its_sent_rows_are_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "BATCH_ROWS", 1)
    context = MemoryContext()

    def breaks_off(source: Any, kind: Any) -> Any:
        found = open_list(source, kind)

        def rows() -> Iterator[Row]:
            yield next(iter(found.rows()))
            raise ListError("Berkas XLSX rusak; simpan ulang.", "The XLSX file is broken; save it again.")

        return replace(found, rows=rows)

    monkeypatch.setattr(sending, "open_list", breaks_off)
    async with context.client() as client:
        identifier = await _send(client, table(row(1), row(2)))
        await context.carry_on()
        shown = (await client.get(f"/v1/imports/{identifier}")).json()
    assert (shown["status"], shown["outcomes"]) == ("failed", {"registered": 1})
    assert shown["error"]["message"] == "Berkas XLSX rusak; simpan ulang."


async def test_lists_that_wait_and_lists_that_fail_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    context = MemoryContext()
    registry = CollectorRegistry()
    monkeypatch.setattr(MemoryContext, "registry", registry)
    seen: Any = context
    one = running.Running(seen, CIPHER)

    def figure(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"service": "registration", **labels})

    async def tick() -> None:
        monkeypatch.setattr(running, "MEASURE_EVERY_S", -1.0)
        await one._measure()

    await tick()
    assert (figure("payung_imports_waiting"), figure("payung_import_oldest_waiting_seconds")) == (0, 0)
    async with context.client() as client:
        await _send(client, table(row(1), row(2)))
        await _send(client, b"PK\x03\x04 no workbook")
        later = clock.now() + timedelta(minutes=90)
        monkeypatch.setattr(clock, "now", lambda: later)
        await tick()
        assert figure("payung_imports_waiting") == 2
        assert 5_390 < (figure("payung_import_oldest_waiting_seconds") or 0) < 5_420
        await one.look()
        await asyncio.gather(*one._tasks.values())
        await one.look()
        await tick()
    assert (figure("payung_imports_waiting"), figure("payung_import_oldest_waiting_seconds")) == (0, 0)
    assert figure("payung_import_rows_sent_total") == 2
    assert figure("payung_imports_failed_total", code="unreadable") == 1
    assert figure("payung_imports_failed_total", code="defect") == 0

    async def breaks(_: Any) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(sending.Sending, "run", breaks)
    async with context.client() as client:
        await _send(client, table(row(3)))
        await one.look()
        await asyncio.gather(*one._tasks.values(), return_exceptions=True)
        await one.look()
    assert figure("payung_imports_failed_total", code="defect") == 1
