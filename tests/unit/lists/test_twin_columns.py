"""Two columns for one field: a row is read from the filled one and refused when both differ; the notices are true."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from payung import checks
from shared.lists import ListFile, open_list
from shared.runtime import clock

CELLS = {
    "nik": "6408044107850001",
    "nama": "SITI",
    "tanggal_lahir": "1985-07-01",
    "jenis_kelamin": "P",
    "desa": "64.08.04.2001",
    "sektor": "perikanan",
    "pekerjaan": "nelayan",
    "persetujuan": "2026-01-04",
}


def listed(folder: Path, twin: str, pairs: Sequence[tuple[str, str]], beside: str) -> ListFile:
    """A list with the column `twin` before `beside`; each pair fills both in one row."""
    path = folder / "daftar.csv"
    header = [name for column in CELLS for name in ((twin, column) if column == beside else (column,))]
    rows = [list({**CELLS, twin: one, beside: other}.values()) for one, other in pairs]
    order = [*CELLS, twin]
    lines = [";".join(dict(zip(order, row, strict=True))[name] for name in header) for row in rows]
    path.write_text("\n".join([";".join(header), *lines]), encoding="utf-8")
    return open_list(path, "workers")


def told(found: ListFile) -> list[str]:
    return [text for text, _ in found.notices]


def test_a_row_with_only_the_other_nik_keeps_it(tmp_path: Path) -> None:
    ours, theirs = "6408044107850001", "6408044107850002"
    found = listed(tmp_path, "no_ktp", [(ours, "-"), ("", theirs), (ours, theirs), (ours, f"'{ours}")], "nik")
    rows = list(found.rows())
    assert [row.data.get("nik") for row in rows] == [ours, theirs, None, ours]
    assert [one.reason for one in rows[2].problems] == ["field-invalid:nik"]
    assert "kolom no_ktp" in rows[2].problems[0].message_id.lower()
    assert told(found) == [
        "Kolom nik (kolom ke-2) dipakai di 1 baris, kolom no_ktp di 2 baris.",
        "Kolom no_ktp dan nik berbeda di 1 baris; baris itu ditolak.",
    ]


@pytest.mark.parametrize(
    ("twin", "beside", "pair", "field"),
    [
        ("nama_lengkap", "nama", ("SITI", "RINA"), "name"),
        ("tgl_lahir", "tanggal_lahir", ("1985-07-01", "01/08/1985"), "birth_date"),
        ("jk", "jenis_kelamin", ("L", "Perempuan"), "sex"),
        ("kode_desa", "desa", ("64.08.04.2001", "64.08.04.2012"), "village"),
        ("kelurahan", "desa", ("Swarga Bara", "Singa Gembara"), "village"),
        ("sektor_pekerjaan", "sektor", ("perikanan", "pertanian"), "sector"),
        ("tanggal_persetujuan", "persetujuan", ("2026-01-04", "2026-01-05"), "consent"),
    ],
)
def test_two_values_for_one_field_are_refused(
    tmp_path: Path, twin: str, beside: str, pair: tuple[str, str], field: str
) -> None:
    found = checks.checked(listed(tmp_path, twin, [pair], beside), "64.08", clock.now())
    assert [one.reason for one in found.refused] == [f"field-invalid:{field}"]


@pytest.mark.parametrize(
    ("twin", "beside", "pair"),
    [
        ("nama_lengkap", "nama", ("Siti  Aminah", "SITI AMINAH")),
        ("tgl_lahir", "tanggal_lahir", ("1985-07-01", "01/07/1985")),
        ("jk", "jenis_kelamin", ("P", "Perempuan")),
        ("kelurahan", "desa", ("Desa Swarga Bara", "SWARGABARA")),
        ("nama_desa", "desa", ("Sangatta Utara", "64.08.04.2001")),
    ],
)
def test_two_spellings_of_one_value_are_taken(tmp_path: Path, twin: str, beside: str, pair: tuple[str, str]) -> None:
    found = listed(tmp_path, twin, [pair], beside)
    assert checks.checked(found, "64.08", clock.now()).refused == []


def test_a_free_text_is_taken_from_the_first_column_and_counted(tmp_path: Path) -> None:
    found = listed(tmp_path, "jenis_pekerjaan", [("nelayan", "pencari ikan"), ("nelayan", "nelayan")], "pekerjaan")
    assert [row.data["occupation"] for row in found.rows()] == ["nelayan", "nelayan"]
    assert told(found) == [
        "Kolom pekerjaan (kolom ke-8) tidak dipakai; isinya diambil dari kolom jenis_pekerjaan.",
        "Kolom jenis_pekerjaan dan pekerjaan berbeda di 1 baris; yang dipakai kolom jenis_pekerjaan.",
    ]


CODE, NAME, OTHER = "64.08.04.2012", "Swarga Bara", "Singa Gembara"


@pytest.mark.parametrize(
    ("pairs", "villages", "notices"),
    [
        (
            [(NAME, CODE)],
            [CODE],
            ["Kolom nama_desa (kolom ke-5) tidak dipakai; kode di kolom kode_desa yang dipakai."],
        ),
        (
            [(NAME, CODE), (NAME, "")],
            [CODE, NAME],
            ["Kolom nama_desa (kolom ke-5) dipakai di 1 baris, kolom kode_desa di 1 baris."],
        ),
        (
            [(NAME, ""), (NAME, "-")],
            [NAME, NAME],
            ["Kolom kode_desa (kolom ke-6) kosong dan tidak dipakai; isinya diambil dari kolom nama_desa."],
        ),
        (
            [(OTHER, CODE), ("desa kita", CODE)],
            [CODE, CODE],
            [
                "Kolom nama_desa (kolom ke-5) tidak dipakai; kode di kolom kode_desa yang dipakai.",
                "Kode desa dan nama desa di baris 2 menunjuk desa yang berbeda; kodenya yang dipakai. Periksa kodenya.",
            ],
        ),
    ],
)
def test_the_notice_about_a_code_beside_a_name_is_true(
    tmp_path: Path, pairs: list[tuple[str, str]], villages: list[str], notices: list[str]
) -> None:
    path = tmp_path / "daftar.csv"
    header = ["nik", "nama", "tanggal_lahir", "jenis_kelamin", "nama_desa", "kode_desa", *list(CELLS)[5:]]
    values = [[*list(CELLS.values())[:4], *pair, *list(CELLS.values())[5:]] for pair in pairs]
    path.write_text("\n".join(";".join(cells) for cells in [header, *values]), encoding="utf-8")
    found = open_list(path, "workers")
    assert [row.data["village"] for row in found.rows()] == villages
    assert told(found) == notices


@pytest.mark.parametrize(
    ("word", "reasons"),
    [
        ("Ya", []),
        ("Tidak", ["consent-missing"]),
        ("belum", ["consent-missing"]),
        ("mungkin", ["field-invalid:consent"]),
        ("", []),
    ],
)
def test_a_yes_or_no_beside_the_day_of_the_consent(tmp_path: Path, word: str, reasons: list[str]) -> None:
    found = listed(tmp_path, "tanggal_persetujuan", [("2026-01-04", word)], "persetujuan")
    assert [one.reason for one in checks.checked(found, "64.08", clock.now()).refused] == reasons


def test_a_yes_without_a_day_does_not_count_as_consent(tmp_path: Path) -> None:
    found = listed(tmp_path, "tanggal_persetujuan", [("", "Ya")], "persetujuan")
    assert [one.reason for one in checks.checked(found, "64.08", clock.now()).refused] == ["field-invalid:consent"]


def test_an_exact_heading_takes_precedence_over_a_general_one(tmp_path: Path) -> None:
    path = tmp_path / "pengesahan.csv"
    path.write_text(
        "tanggal;nik;sektor;pekerjaan;tanggal_pengesahan\n"
        "2026-02-01;6408044107850001;perikanan;nelayan;2026-01-04\n"
        "2026-02-01;6408044107850002;perikanan;nelayan;\n",
        "utf-8",
    )
    found = open_list(path, "attestations")
    assert [row.data["attested_on"] for row in found.rows()] == ["2026-01-04", "2026-02-01"]
