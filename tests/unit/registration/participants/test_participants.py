"""The participants of an invoice: their file for BPJS, and BPJS's answers read back."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import Request

from shared.reference import bpjs_files
from shared.runtime.http.auth import Caller, Guard
from tests.unit.registration.participants.participant_context import CARD, INVOICE, ParticipantContext, nik

REFUSAL = "NIK tidak ditemukan di Dukcapil"


async def three(**environ: str) -> tuple[ParticipantContext, list[str]]:
    """An invoice of three workers; the run reached the third one first."""
    context = ParticipantContext(**environ)
    workers = [await context.worker(number) for number in (1, 2, 3)]
    await context.bill(workers[2], workers[0], workers[1])
    return context, workers


async def test_the_file_has_every_worker_once_in_the_order_of_the_run() -> None:
    context, _ = await three()
    head, *rows, end = await context.file(decree="SK-12")
    assert (head["edition"], head["period"]) == ("usulan-2026", "2026-02")
    named = [dict(zip(head["columns"], one["row"], strict=True)) for one in rows]
    assert [one["NIK"] for one in named] == [nik(3), nik(1), nik(2)]
    assert end == {"rows": 3, "left_out": 0, "rupiah": 3 * 16_800}
    first = {name: value for name, value in named[1].items() if value}
    assert first == {
        "NIK": nik(1),
        "NAMA": "PEKERJA 1",
        "TANGGAL_LAHIR": "01-07-1985",
        "JENIS_KELAMIN": "P",
        "ALAMAT": "Jl. Pelita RT 3",
        "RT": "003",
        "KODE_DESA": "64.08.04.2001",
        "KECAMATAN": "Sangatta Utara",
        "JENIS_PEKERJAAN_1": "Nelayan",
        "LOKASI_KERJA": first["LOKASI_KERJA"],
        "PENGHASILAN": "1000000",
        "PROGRAM": "JKK+JKM",
        "NO_SK": "SK-12",
        "PERIODE_AWAL": "01-02-2026",
        "PERIODE_AKHIR": "28-02-2026",
    }


async def test_who_left_or_is_unknown_is_named_with_a_reason_and_never_left_out_silently() -> None:
    context = ParticipantContext()
    workers = [await context.worker(number) for number in (1, 2, 3)]
    await context.bill(*workers, "a" * 26)
    await context.withdraw(1)
    await context.judge(workers[1], "ended", "deceased")
    head, *lines, end = await context.file()
    assert [one.get("reasons") for one in lines] == [["worker-withdrawn"], ["deceased"], None, ["not-registered"]]
    assert [one["rupiah"] for one in lines if "reasons" in one] == [16_800] * 3
    assert end == {"rows": 1, "left_out": 3, "rupiah": 4 * 16_800}
    assert head["columns"][0] == "NIK"


async def test_a_worker_without_a_required_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = bpjs_files.shipped().editions[0]
    columns = tuple(
        one.model_copy(update={"required": one.required or one.holds == "mother_name"}) for one in shipped.columns
    )
    later = shipped.model_copy(update={"columns": columns, "name": "bpjs-2027"})
    monkeypatch.setattr(bpjs_files, "shipped", lambda: bpjs_files.BpjsFiles((shipped, later)))
    context, _ = await three()
    _, *lines, end = await context.file(edition="bpjs-2027")
    assert [one["reasons"] for one in lines] == [["field-missing:NAMA_IBU_KANDUNG"]] * 3
    assert end == {"rows": 0, "left_out": 3, "rupiah": 3 * 16_800}
    assert (await context.get(f"/v1/participants/{INVOICE}/file?edition=other")).status_code == 422


@pytest.mark.parametrize("share_numbers", [False, True])
async def test_many_workers_come_page_by_page_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch, share_numbers: bool
) -> None:
    monkeypatch.setattr("services.registration.participants.api.streaming.PAGE_WORKERS", 3)
    context = ParticipantContext()
    workers = [f"{letter}" * 26 for letter in "abcdefgh"]
    for number, worker in enumerate(workers, start=1):
        await context.premium(worker, number=(number // 4 if share_numbers else number))
    await context.close(len(workers))
    _, *lines, end = await context.file()
    assert sorted(one["worker_id"] for one in lines) == workers
    assert end["left_out"] == len(workers)


async def test_there_is_no_file_before_every_worker_is_known() -> None:
    context = ParticipantContext()
    one, two = [await context.worker(number) for number in (1, 2)]
    assert (await context.get(f"/v1/participants/{INVOICE}/file")).status_code == 404
    await context.premium(one)
    await context.close(2)
    answer = await context.get(f"/v1/participants/{INVOICE}/file")
    assert answer.status_code == 409
    assert "1 of 2" in answer.text
    await context.premium(two, number=2)
    assert len(await context.file()) == 4


async def test_answers_are_counted_and_shown() -> None:
    context, workers = await three()
    assert await context.answer(1, kpj=CARD) == [("participant.enrolled",)]
    assert await context.answer(2, refused=REFUSAL) == [("participant.refused", "not-found")]
    found = (await context.get(f"/v1/participants/{INVOICE}")).json()
    assert (found["known_workers"], found["enrolled"], found["refused"], found["unanswered"]) == (3, 1, 1, 1)
    assert found["refused_by_reason"] == {"not-found": 1}
    (shown,) = (await context.get(f"/v1/workers/{workers[0]}")).json()["invoices"]
    assert (shown["outcome"], shown["answers"][0]["kpj"]) == ("enrolled", CARD)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"kpj": CARD}, ("participant.enrolled",)),
        ({"kpj": CARD, "status": "BERHASIL"}, ("participant.enrolled",)),
        ({"kpj": CARD, "refused": "Sukses."}, ("participant.enrolled",)),
        ({"kpj": CARD, "status": "Berhasil", "refused": "peserta baru"}, ("participant.enrolled",)),
        ({"refused": "Usia 65 tahun"}, ("participant.refused", "too-old")),
        ({"status": "GAGAL"}, ("participant.refused", "bpjs-refused")),
        ({"refused": "kuota habis", "status": "ditolak"}, ("participant.refused", "bpjs-refused")),
        ({"refused": "Peserta sudah terdaftar"}, ("participant.refused", "bpjs-active")),
        ({}, ("participant.answer.refused", "field-missing:kpj")),
        ({"status": "berhasil"}, ("participant.answer.refused", "field-missing:kpj")),
        ({"kpj": "123"}, ("participant.answer.refused", "field-invalid:kpj")),
        ({"kpj": "2.4012E+10"}, ("participant.answer.refused", "field-invalid:kpj")),
        ({"kpj": nik(1)}, ("participant.answer.refused", "field-invalid:kpj")),
        ({"kpj": CARD, "status": "gagal"}, ("participant.answer.refused", "answer-contradicting")),
        ({"kpj": CARD, "refused": "NIK tidak valid"}, ("participant.answer.refused", "answer-contradicting")),
        ({"status": "mungkin"}, ("participant.answer.refused", "field-invalid:status")),
        ({"kpj": CARD, "nik": "12"}, ("participant.answer.refused", "nik-malformed")),
        ({"kpj": CARD, "invoice_id": "INV"}, ("participant.answer.refused", "field-invalid:invoice_id")),
        ({"kpj": CARD, "answered_at": "2026-03-01"}, ("participant.answer.refused", "field-invalid:answered_at")),
        ({"kpj": CARD, "answered_at": None}, ("participant.answer.refused", "field-missing:answered_at")),
        ({"kpj": CARD, "officer": "budi"}, ("participant.answer.refused", "field-invalid:officer")),
        ({"row_fault": "row-ragged"}, ("participant.answer.refused", "row-ragged")),
    ],
)
async def test_what_a_row_of_bpjs_means(said: dict[str, Any], told: tuple[str, ...]) -> None:
    context, _ = await three()
    assert await context.answer(1, **said) == [told]


async def test_unknown_people_and_people_of_another_invoice_are_refused() -> None:
    context, _ = await three()
    await context.worker(4)
    assert await context.answer(4, kpj=CARD) == [("participant.answer.refused", "not-on-invoice")]
    assert await context.answer(9, kpj=CARD) == [("participant.answer.refused", "not-registered")]
    other = INVOICE.replace("-1", "-2")
    assert await context.answer(1, kpj=CARD, invoice_id=other) == [("participant.answer.refused", "not-on-invoice")]
    assert (await context.get(f"/v1/participants/{INVOICE}")).json()["unanswered"] == 3


async def test_a_later_answer_replaces_an_earlier_one_and_both_are_kept() -> None:
    context, workers = await three()
    await context.answer(1, refused="Data ganda", answered_at="2026-02-03")
    assert await context.answer(1, kpj=CARD, answered_at="2026-02-04T09:00:00+08:00") == [("participant.enrolled",)]
    late = await context.answer(1, refused="meninggal", answered_at="2026-02-02")
    assert late == [("participant.answer.refused", "answer-superseded")]
    (shown,) = (await context.get(f"/v1/workers/{workers[0]}")).json()["invoices"]
    assert [one["outcome"] for one in shown["answers"]] == ["enrolled", "duplicate-identity", "deceased"]


async def test_an_answer_before_its_premium_counts_when_the_premium_comes() -> None:
    context = ParticipantContext()
    worker = await context.worker(1)
    assert await context.answer(1, kpj=CARD) == [("participant.answer.refused", "not-on-invoice")]
    told = await context.premium(worker)
    assert [one["type"] for one in told] == ["participant.enrolled.v1"]


async def test_no_card_no_nik_and_no_words_of_bpjs_are_published_or_stored_in_clear() -> None:
    context, _ = await three()
    await context.answer(1, kpj=CARD)
    await context.answer(2, refused="SITI AMINAH sudah meninggal")
    await context.answer(9, kpj="24077777777")
    await context.answer(3, kpj=f"{nik(3)}", invoice_id=nik(3))
    open_topics = [
        repr((record.key, record.value))
        for place, log in context.topics.logs.items()
        for record in log
        if place[0] == "registration-events"
    ]
    secrets = [CARD, "24077777777", "SITI AMINAH", *(nik(number) for number in (1, 2, 3, 9))]
    assert [one for one in secrets for text in open_topics if one in text] == []
    assert [one for one in secrets if one in repr(context.reader.collections)] == []


def signed_in(monkeypatch: pytest.MonkeyPatch, caller: Caller) -> None:
    async def who(self: Guard, request: Request) -> Caller:
        request.state.caller = caller
        return caller

    monkeypatch.setattr(Guard, "caller", who)


@pytest.mark.parametrize(
    ("caller", "file", "summary", "card"),
    [
        (Caller("op", frozenset(), frozenset({"64.08/operator"})), 200, 200, True),
        (Caller("rina", frozenset(), frozenset({"64.08/registration-officer"})), 200, 200, True),
        (Caller("clerk", frozenset({"64.08/dinsos"})), 403, 200, False),
        (Caller("reader", frozenset(), frozenset({"64.08/reader"})), 403, 200, False),
        (Caller("other", frozenset(), frozenset({"64.02/operator"})), 404, 404, None),
    ],
)
async def test_only_officers_and_operators_of_the_regency_get_personal_data(
    monkeypatch: pytest.MonkeyPatch, caller: Caller, file: int, summary: int, card: bool | None
) -> None:
    context, workers = await three()
    await context.answer(1, kpj=CARD)
    signed_in(monkeypatch, caller)
    assert (await context.get(f"/v1/participants/{INVOICE}/file")).status_code == file
    assert (await context.get(f"/v1/participants/{INVOICE}")).status_code == summary
    shown = await context.get(f"/v1/workers/{workers[0]}")
    if card is None:
        assert shown.status_code == 404
    else:
        assert (CARD in shown.text) is card
        assert shown.json()["invoices"][0]["outcome"] == "enrolled"


async def test_handing_out_a_file_leaves_an_audit_line(capsys: pytest.CaptureFixture[str]) -> None:
    context, _ = await three()
    await context.file()
    line = next(text for text in capsys.readouterr().out.splitlines() if "handed-out" in text)
    assert "participants" in line
    assert nik(1) not in line
    assert "PEKERJA" not in line


async def test_an_agency_may_not_answer_for_bpjs() -> None:
    context, _ = await three()
    await context.answer(1, source="agency/64.08/dinsos", kpj=CARD)
    assert [one["type"] for one in context.said("registration-dlq")] == ["participant.answer.v1"]
    assert (await context.get(f"/v1/participants/{INVOICE}")).json()["unanswered"] == 3
