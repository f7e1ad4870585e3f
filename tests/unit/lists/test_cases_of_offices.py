"""Files that real offices sent (tests/cases, each with its source and its expected.md): check, publish and upload give
the same verdicts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from payung import checks, publish, wire
from services.registration.suspects.background import scan
from services.registration.suspects.domain import likeness
from shared.contracts import topics
from shared.kernel.identity import worker_id
from shared.lists import ListFile, Row, open_list
from shared.runtime import clock
from shared.runtime.records import Message
from tests.property.registration_world import KEY
from tests.unit.registration.imports.imports_context import MemoryContext
from tests.unit.registration.suspects.test_registration_scans import Town

CASES = Path(__file__).parents[2] / "cases"
INTAKE = topics.registration_intake("64.08", "dinsos")
FEEDBACK = topics.feedback("64.08", "dinsos")
TAKEN: tuple[str, ...] = ()

# For each file the reasons of each row, in the order of the file.
EXPECTED: dict[str, list[tuple[str, ...]]] = {
    "01-nik-grouped/daftar.csv": [TAKEN] * 5,
    "02-month-names/daftar.csv": [TAKEN] * 10,
    "03-month-first/daftar.csv": [("field-invalid:birth_date", "field-invalid:consent")] * 5,
    "05-sheet-per-village/daftar.xlsx": [TAKEN] * 7,
    "06-formulas-without-values/hanya-rumus.xlsx": [("formula-without-value",)] * 2,
    "07-error-values/daftar.xlsx": [
        ("field-invalid:name",),
        ("field-invalid:occupation", "field-invalid:mother_name", "field-invalid:heir"),
        ("field-invalid:monthly_income",),
        TAKEN,
    ],
    "08-stray-quotes/daftar.csv": [TAKEN, TAKEN, ("row-ragged",), *[TAKEN] * 5],
    "09-equals-quoted/ekspor.csv": [TAKEN] * 3,
    "10-utc-instants/daftar.csv": [TAKEN] * 4,
    "11-other-zips/biasa.xlsx": [TAKEN],
    "12-invisible-marks/dari-whatsapp.csv": [TAKEN] * 6,
    "12-invisible-marks/judul.csv": [TAKEN],
    "13-decree-annex/lampiran-sk.xlsx": [TAKEN] * 3,
    "13-decree-annex/satu-baris-judul.xlsx": [TAKEN] * 3,
    "14-name-beside-code/kode-dulu.csv": [TAKEN] * 3,
    "14-name-beside-code/nama-dulu.csv": [TAKEN] * 3,
    "14-name-beside-code/nama-saja.csv": [TAKEN] * 3,
    "14-name-beside-code/tanpa-titik.csv": [("village-unknown",)] * 3,
    "15-dash-for-empty/daftar.csv": [TAKEN] * 4,
    "16-first-of-january/daftar.csv": [TAKEN] * 8,
    "17-hidden-rows/disaring.xlsx": [TAKEN] * 4,
    "18-dates-of-programs/daftar.csv": [*[TAKEN] * 5, *[("field-invalid:birth_date",)] * 4, *[TAKEN] * 3],
    "19-opensid-export/sex-1-2.csv": [("field-invalid:sex",), ("field-invalid:sex",), TAKEN, TAKEN, TAKEN],
    "20-workbook-of-1904/dari-mac.xlsx": [TAKEN] * 2,
    "22-formula-text/daftar.csv": [TAKEN] * 2,
    "23-title-with-commas/daftar.csv": [TAKEN],
    "24-long-cells/daftar.csv": [TAKEN, ("field-invalid:too-large",)],
    "25-repeated-headings/daftar.csv": [TAKEN],
    "25-repeated-headings/nik-kosong-ktp-isi.csv": [TAKEN],
    "28-phantom-range/baris-terakhir.xlsx": [TAKEN] * 3,
    "28-phantom-range/kolom-terakhir.xlsx": [TAKEN] * 3,
}
# The birth date of each row, for the cases about dates.
BIRTH_DATES = {
    "02-month-names/daftar.csv": [
        *("1985-05-12", "1984-11-06", "1975-11-10", "1990-02-17", "1982-08-05"),
        *("1982-08-05", "1991-09-03", "1980-12-09", "1987-06-02", "1986-08-21"),
    ],
    "10-utc-instants/daftar.csv": ["1985-07-01", "1990-01-01", "1988-03-01", "1992-05-05"],
    "20-workbook-of-1904/dari-mac.xlsx": ["1985-07-01"] * 2,
    "18-dates-of-programs/daftar.csv": [
        *("1985-05-12", "1985-05-12", "1985-05-02", "1985-05-12", "1985-05-12"),
        *("12/05/85", "19850512", "Sangatta, 12 Mei 1985", "12051985"),
        *("1985-05-12", "1985-05-12", "1985-05-12"),
    ],
}


@pytest.fixture(params=sorted(EXPECTED))
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def listed(case: str) -> ListFile:
    return open_list(CASES / case, "workers")


def test_check(case: str) -> None:
    found = checks.checked(listed(case), "64.08", clock.now())
    reasons = {row.number: tuple(one.reason for one in found.refused if one.row == row.number) for row in rows(case)}
    assert list(reasons.values()) == EXPECTED[case]


def rows(case: str) -> list[Row]:
    return list(listed(case).rows())


async def test_publish(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    context = MemoryContext()
    published = await publish_into(context, case, monkeypatch)
    answers = {
        answer["causationid"]: tuple(answer["data"]["reasons"])
        for answer in context.said(FEEDBACK)
        if answer["type"] == "submission.answered.v1"
    }
    sent = [answers[publish.row_id(published.run, row.number)] for row in rows(case)]
    assert sent == EXPECTED[case], "a row that is refused here is refused there, with the same reasons"


async def publish_into(context: MemoryContext, case: str, monkeypatch: pytest.MonkeyPatch) -> publish.Published:
    """Publishes a file as the command does, with the service in memory behind it."""

    class Desk:
        async def send(self, topic: str, key: str, value: bytes) -> None:
            await context.publish([Message(topic, key.encode(), value)])

        async def flush(self) -> None:
            """Does nothing, because no record is waiting."""

    @asynccontextmanager
    async def sender(place: object) -> AsyncIterator[Desk]:
        yield Desk()

    monkeypatch.setattr(wire, "sender", sender)
    run = publish.Publication(id=clock.new_id(), file="", sha256="", agency="64.08/dinsos", kind="workers", feedback={})
    found = listed(case)
    result = publish.Published(run, notices=found.notices)
    nowhere: Any = None
    await publish._send(nowhere, run, found.rows(), INTAKE, result, lambda what, count: None)
    return result


async def test_upload(case: str) -> None:
    answered, _ = await upload_into(MemoryContext(), case)
    assert [tuple(one["reasons"].split()) for one in answered] == EXPECTED[case]


async def upload_into(context: MemoryContext, case: str) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """Uploads a file; returns the answers to its rows, and the import as JSON."""
    path = CASES / case
    async with context.client() as client:
        answer = await client.post(f"/v1/imports?agency=64.08/dinsos&filename={path.name}", content=path.read_bytes())
        identifier = answer.json()["id"]
        await context.carry_on()
        body = (await client.get(f"/v1/imports/{identifier}/answers.csv")).content.decode("utf-8-sig")
        shown = (await client.get(f"/v1/imports/{identifier}")).json()
    first = body.split("\r\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    return list(csv.DictReader(io.StringIO(body), delimiter=delimiter)), shown


async def test_every_road_gives_the_same_notices(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    by_check = checks.checked(listed(case), "64.08", clock.now()).notices
    by_publish = (await publish_into(MemoryContext(), case, monkeypatch)).notices
    _, shown = await upload_into(MemoryContext(), case)
    by_upload = tuple((one["message"], one["message_en"]) for one in shown["notices"])
    assert by_check == by_publish == by_upload


@pytest.mark.parametrize("case", sorted(BIRTH_DATES))
def test_dates_are_read_in_their_plain_meaning(case: str) -> None:
    assert [row.data["birth_date"] for row in rows(case)] == BIRTH_DATES[case]


def test_a_column_with_the_month_first_is_reported_once() -> None:
    (notice,) = listed("03-month-first/daftar.csv").notices
    assert "bulan dahulu" in notice[0]
    assert "tanggal_lahir" in notice[0]


def test_the_answer_names_the_chosen_village() -> None:
    found = checks.checked(listed("14-name-beside-code/nama-saja.csv"), "64.08", clock.now())
    assert any("64.08.04.2012 (3 baris)" in text for text, _ in found.notices)
    codes = {
        name: [row.data["village"] for row in rows(f"14-name-beside-code/{name}.csv")]
        for name in ("nama-dulu", "kode-dulu")
    }
    assert codes == {"nama-dulu": ["64.08.04.2012"] * 3, "kode-dulu": ["64.08.04.2012"] * 3}


def test_spreadsheet_errors_are_named() -> None:
    found = checks.checked(listed("07-error-values/daftar.xlsx"), "64.08", clock.now())
    assert [(one.row, one.message.split(";")[0]) for one in found.refused] == [
        (2, "Kolom nama berisi galat Excel #N/A"),
        (3, "Kolom pekerjaan berisi galat Excel #REF!"),
        (3, "Kolom nama_ibu berisi galat Excel #N/A"),
        (3, "Kolom ahli_waris berisi galat Excel #NAME?"),
        (4, "Kolom penghasilan berisi galat Excel #VALUE!"),
    ]


def test_a_dash_counts_as_empty() -> None:
    for row in rows("15-dash-for-empty/daftar.csv"):
        assert not {"mother_name", "phone", "address", "heir", "family_card"} & set(row.data)
        assert row.data.get("monthly_income") in (None, 1_000_000)


def test_what_is_not_used_is_named() -> None:
    told = [text for text, _ in listed("25-repeated-headings/daftar.csv").notices]
    assert [text.split(";")[0] for text in told] == [
        "Kolom nik (kolom ke-10) tidak dipakai",
        "Kolom tanggal_lahir (kolom ke-11) tidak dipakai",
        "Kolom jenis_kelamin (kolom ke-12) tidak dipakai",
    ]
    (row,) = rows("25-repeated-headings/nik-kosong-ktp-isi.csv")
    assert row.data["nik"] == "6408044107857601"


async def test_a_birth_on_the_first_of_january_alone_raises_no_suspicion() -> None:
    context = Town()
    data = [row.data for row in rows("16-first-of-january/daftar.csv")]
    await context.register(*data)
    names = {worker_id(KEY, one["nik"]): one["name"] for one in data}
    pairs = [
        {names[found.first.key], names[found.second.key]} for found in likeness.find(await scan.read(context.reader))
    ]
    assert len(names) == 8
    assert {"SITI AISYAH"} in pairs
    assert {"MUHAMMAD YUSUF"} in pairs
    assert not {"SUPARDI", "KAMARIAH"} & set().union(*pairs)


def test_numbers_for_a_sex_are_named_as_codes() -> None:
    found = checks.checked(listed("19-opensid-export/sex-1-2.csv"), "64.08", clock.now())
    assert [one.message.split(";")[0] for one in found.refused] == [
        "Kolom jenis_kelamin berisi kode 2",
        "Kolom jenis_kelamin berisi kode 1",
    ]


def test_birth_dates_lie_in_the_past_of_any_day() -> None:
    assert clock.now().date() > date(2026, 1, 5), "the cases give consent on 4 January 2026"
