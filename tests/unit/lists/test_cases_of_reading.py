"""Files that are not lists, and remarks on lists: check, upload and snapshot load say the same."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from payung import cli, reference
from services.verification.facts import sources
from shared.lists import ListError, open_list
from tests.unit.registration.imports.imports_context import MemoryContext

CASES = Path(__file__).parents[2] / "cases"
# A word for the kind of the file, in Indonesian.
REFUSED = {
    "11-other-zips/berkata-sandi.xlsx": "kata sandi",
    "11-other-zips/daftar.ods": "OpenDocument",
    "11-other-zips/daftar.xlsb": ".xlsb",
    "11-other-zips/dikompres.zip": "ZIP",
    "11-other-zips/strict.xlsx": "Strict",
    "11-other-zips/surat-pengantar.docx": "Word",
    "21-no-rows/hanya-judul.csv": "tanpa baris",
    "21-no-rows/hanya-judul.xlsx": "tanpa baris",
}
# Lists whose headings lack a required column; population files need fewer.
WITHOUT_A_COLUMN = {"19-opensid-export/ekspor-opensid.xlsx": "sektor (sector), pekerjaan (occupation), persetujuan"}
NOTICES = {
    "05-sheet-per-village/daftar.xlsx": [],
    "06-formulas-without-values/hanya-rumus.xlsx": ["Lembar Data tidak dibaca"],
    "13-decree-annex/lampiran-sk.xlsx": ["Kolom NO tidak dipakai", "Baris 13, 17, 19, 20, 22 tidak memuat data"],
    "13-decree-annex/satu-baris-judul.xlsx": ["Kolom NO tidak dipakai", "Baris 4, 8, 10, 11, 13 tidak memuat data"],
    "17-hidden-rows/disaring.xlsx": ["2 baris tersembunyi ikut terkirim."],
    "28-phantom-range/baris-terakhir.xlsx": [],
    "28-phantom-range/kolom-terakhir.xlsx": [],
}
BEGINNINGS = [
    (b"%PDF-1.7\n", "daftar.pdf", "PDF"),
    (b"\x89PNG\r\n\x1a\n", "daftar.xlsx", "gambar"),
    (b"\xff\xd8\xff\xe0JFIF", "foto.csv", "gambar"),
    (b"{\\rtf1\\ansi", "daftar.doc", "RTF"),
    (b"\x1f\x8b\x08\x00", "daftar.csv.gz", "gzip"),
    (b"7z\xbc\xaf\x27\x1c\x00\x04", "daftar.7z", "7z"),
    (b"Rar!\x1a\x07\x00", "daftar.rar", "RAR"),
    (b"<html><table><tr><td>nik</td></tr></table></html>", "daftar.xls", "halaman web"),
    (
        b'\xef\xbb\xbf<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        "d.xls",
        "XML 2003",
    ),
    (b"\xd0\xcf\x11\xe0" + b"\x00" * 600 + "WordDocument".encode("utf-16-le"), "surat.doc", "Word lama"),
    (b"\xd0\xcf\x11\xe0" + b"\x00" * 600 + "Workbook".encode("utf-16-le"), "daftar.xlsx", "Excel lama"),
    (b"\xd0\xcf\x11\xe0" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le"), "daftar.xlsx", "kata sandi"),
    (b"\x00\x01\x02\x03\x04\x05" * 50, "daftar.xlsx", "bukan buku kerja"),
    (b"PK\x03\x04" + b"\x00" * 100, "daftar.xlsx", "rusak"),
]


@pytest.mark.parametrize("case", sorted(REFUSED | WITHOUT_A_COLUMN))
def test_check_names_the_kind_of_the_file(case: str) -> None:
    with pytest.raises(ListError) as caught:
        cli.check(CASES / case)
    assert (REFUSED | WITHOUT_A_COLUMN)[case] in caught.value.message_id
    assert "\n" not in caught.value.message_id


@pytest.mark.parametrize("case", sorted(REFUSED | WITHOUT_A_COLUMN))
async def test_an_upload_ends_as_failed_with_the_same_words(case: str) -> None:
    context = MemoryContext()
    path = CASES / case
    async with context.client() as client:
        answer = await client.post(f"/v1/imports?agency=64.08/dinsos&filename={path.name}", content=path.read_bytes())
        await context.carry_on()
        shown = (await client.get(f"/v1/imports/{answer.json()['id']}")).json()
    assert shown["status"] == "failed"
    assert (REFUSED | WITHOUT_A_COLUMN)[case] in shown["error"]["message"]
    assert context.sent == 0


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_reference_data_is_refused_with_the_same_words(case: str) -> None:
    with pytest.raises(ListError) as caught:
        reference.listed(CASES / case, ("nik", "name"))
    assert REFUSED[case] in caught.value.message_id


@pytest.mark.parametrize(("content", "name", "word"), BEGINNINGS)
def test_other_files_are_named_by_their_kind(tmp_path: Path, content: bytes, name: str, word: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ListError) as caught:
        open_list(path, "workers")
    assert word in caught.value.message_id


@pytest.mark.parametrize("case", sorted(NOTICES))
def test_left_out_parts_are_named_once(case: str) -> None:
    told = [text for text, _ in open_list(CASES / case, "workers").notices]
    assert len(told) == len(NOTICES[case])
    assert all(said.startswith(wanted) for said, wanted in zip(told, NOTICES[case], strict=True))


async def test_answers_keep_sheet_and_row_and_may_be_sent_again() -> None:
    context = MemoryContext()
    path = CASES / "05-sheet-per-village/daftar.xlsx"
    async with context.client() as client:
        sent, places = path.read_bytes(), [("", "")]
        for outcome in ("registered", "already-registered"):
            answer = await client.post("/v1/imports?agency=64.08/dinsos&filename=daftar", content=sent)
            await context.carry_on()
            body = (await client.get(f"/v1/imports/{answer.json()['id']}/answers.csv")).content
            rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig")), delimiter=body[:400].decode()[4]))
            assert [row["outcome"] for row in rows] == [outcome] * 7
            sent = body
            if outcome == "registered":
                places = [(row["lembar"], row["baris"]) for row in rows]
    assert places == [
        *[("Swarga Bara", "2"), ("Swarga Bara", "3"), ("Swarga Bara", "4")],
        *[("Teluk Lingga", "2"), ("Teluk Lingga", "3"), ("Sangatta Utara", "2"), ("Sangatta Utara", "3")],
    ]


def test_wage_earners_of_every_sheet_are_read() -> None:
    path = CASES / "05-sheet-per-village/penerima-upah.xlsx"
    rows = list(reference.rows_of(path, sources.COLUMNS["wage-earner"]))
    niks = ("6408040107859501", "6408040207859502", "6408040307859503")
    assert rows == [{"nik": nik, "started_on": "2026-02-01"} for nik in niks]
