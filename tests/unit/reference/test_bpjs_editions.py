"""The editions of BPJS's files: the shipped one has the columns of the rules, and a new one is data only."""

from __future__ import annotations

from datetime import date
from importlib import resources
from typing import get_args

import pytest

from services.registration.participants.domain.rows import _VALUES
from shared.contracts.reasons import Reason
from shared.reference import bpjs_files
from shared.reference.bpjs_files import BpjsFilesError, Held

TEXT = resources.files("shared.reference").joinpath("bpjs_files.toml").read_text(encoding="utf-8")
COLUMNS = [
    "NIK",
    "NAMA",
    "TEMPAT_LAHIR",
    "TANGGAL_LAHIR",
    "JENIS_KELAMIN",
    "NAMA_IBU_KANDUNG",
    "ALAMAT",
    "RT",
    "RW",
    "KODE_DESA",
    "KECAMATAN",
    "KODE_POS",
    "HP",
    "EMAIL",
    "JENIS_PEKERJAAN_1",
    "JENIS_PEKERJAAN_2",
    "LOKASI_KERJA",
    "JAM_KERJA",
    "PENGHASILAN",
    "PROGRAM",
    "NAMA_AHLI_WARIS",
    "HUBUNGAN",
    "HP_AHLI_WARIS",
    "NO_SK",
    "PERIODE_AWAL",
    "PERIODE_AKHIR",
]


def test_the_shipped_edition_has_the_proposed_columns() -> None:
    (shipped,) = bpjs_files.shipped().editions
    assert [column.name for column in shipped.columns] == COLUMNS


def test_every_word_of_a_column_has_a_value() -> None:
    assert set(get_args(Held)) == set(_VALUES)


def test_the_newest_edition_that_has_begun_is_used() -> None:
    later = TEXT[TEXT.index("[[edition]]") :].replace("usulan-2026", "bpjs-2027").replace("2015-07-01", "2027-01-01")
    files = bpjs_files.read(TEXT + later)
    days = (date(2000, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [files.on(day).name for day in days] == ["usulan-2026", "usulan-2026", "bpjs-2027"]
    assert files.named("bpjs-2028") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('holds = "nik"', 'holds = "passport"'),
        ('code = "not-found"', 'code = "no-such-code"'),
        ("%d-%m-%Y", "%d-%m"),
        (r"'\d{11}'", "'('"),
        ('name = "NAMA"', 'name = "NIK"'),
        ("[edition.answers]", "[edition.replies]"),
        ('since = "2015-07-01"', 'since = "soon"'),
        ("[[edition]]", "[[edition]"),
    ],
)
def test_an_edition_with_a_mistake_is_refused(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(BpjsFilesError):
        bpjs_files.read(TEXT.replace(old, new, 1))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("  NIK  TIDAK ditemukan ", Reason.NOT_FOUND),
        ("Peserta sudah terdaftar di perusahaan lain", Reason.BPJS_ACTIVE),
        ("Usia 65 tahun ke atas", Reason.TOO_OLD),
        ("kuota 1650 penuh", Reason.BPJS_REFUSED),
        ("", Reason.BPJS_REFUSED),
    ],
)
def test_bpjs_words_become_codes(words: str, code: Reason) -> None:
    assert bpjs_files.shipped().on(date(2026, 1, 1)).answers.code_of(words) == code
