"""A heading that names another person, another unit or a refusal never fills the worker's own fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from payung import checks
from shared.lists import ListError, open_list

WORKER = ["6408044107850001", "SITI AMINAH", "01/07/1985", "P", "64.08.04.2011", "perikanan", "nelayan", "04/01/2026"]
HEADING = ["NIK", "Nama", "Tanggal Lahir", "L/P", "Desa", "Sektor", "Pekerjaan", "Persetujuan"]
OTHER = "6408042011900003"


def csv(folder: Path, *rows: list[str]) -> Path:
    path = folder / "daftar.csv"
    path.write_text("\n".join(";".join(row) for row in rows), encoding="utf-8")
    return path


def only(path: Path, kind: Any = "workers") -> dict[str, Any]:
    [row] = open_list(path, kind).rows()
    return row.data


@pytest.mark.parametrize("other", ["NIK (Kepala Keluarga)", "NIK (KK)", "NIK (Ahli Waris)", "NIK (Suami/Istri)"])
def test_the_nik_of_another_person_is_never_the_workers(tmp_path: Path, other: str) -> None:
    found = open_list(csv(tmp_path, [other, *HEADING], [OTHER, *WORKER]), "workers")
    [row] = found.rows()
    assert row.data["nik"] == WORKER[0]
    assert any(other in text for text, _ in found.notices)


@pytest.mark.parametrize("name", ["Nama (sesuai KTP/KK)", "NAMA (WAJIB)", "Nama (huruf besar)"])
def test_other_brackets_change_nothing(tmp_path: Path, name: str) -> None:
    heading = [HEADING[0], name, "Tanggal Lahir (hari/bulan/tahun)", "Jenis Kelamin (L/P)", *HEADING[4:]]
    data = only(csv(tmp_path, heading, WORKER))
    assert (data["name"], data["birth_date"], data["sex"]) == ("SITI AMINAH", "1985-07-01", "F")


def test_an_heir_in_brackets_is_the_heir(tmp_path: Path) -> None:
    heading = ["Nama (Ahli Waris)", "No HP (Ahli Waris)", "Hubungan (Suami/Istri)", *HEADING]
    data = only(csv(tmp_path, heading, ["AHMAD", "081253001234", "suami", *WORKER]))
    assert data["name"] == "SITI AMINAH"
    assert data["heir"] == {"name": "AHMAD", "phone": "+6281253001234", "relation": "spouse"}
    assert "phone" not in data


@pytest.mark.parametrize("unit", ["per hari", "Rp juta", "Rp/Tahun", "dalam ribuan", "Rp. 000", "per minggu"])
def test_an_amount_in_another_unit_is_not_read_as_monthly_income(tmp_path: Path, unit: str) -> None:
    found = open_list(csv(tmp_path, [*HEADING, f"Penghasilan ({unit})"], [*WORKER, "75.000"]), "workers")
    [row] = found.rows()
    assert "monthly_income" not in row.data
    assert any(unit in text for text, _ in found.notices)


@pytest.mark.parametrize("unit", ["Rp", "Rp/bulan", "per bulan", "rupiah"])
def test_rupiah_by_the_month_are_the_income(tmp_path: Path, unit: str) -> None:
    data = only(csv(tmp_path, [*HEADING, f"Penghasilan ({unit})"], [*WORKER, "1.500.000"]))
    assert data["monthly_income"] == 1_500_000


def test_an_earlier_name_is_not_the_new_one(tmp_path: Path) -> None:
    path = csv(tmp_path, ["NIK", "Nama (lama)", "Nama"], [WORKER[0], "SITI AMINA", "SITI AMINAH"])
    assert only(path, "updates")["name"] == "SITI AMINAH"


def test_the_heirs_columns_of_a_heading_on_two_lines_stay_the_heirs(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["No", "Ahli Waris", None, None, "Identitas Pekerja", None, None, None, *HEADING[4:]],
        [None, "NIK", "Nama", "Hubungan", *HEADING[:4]],
        [1, OTHER, "AHMAD", "Suami", *WORKER],
    ]
    path = tmp_path / "daftar.xlsx"
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.active.merge_cells("B1:D1")
    book.active.merge_cells("E1:H1")
    book.save(path)
    data = only(path)
    assert (data["nik"], data["name"]) == (WORKER[0], "SITI AMINAH")
    assert data["heir"] == {"name": "AHMAD", "relation": "spouse"}


@pytest.mark.parametrize(
    "heading", ["Bersedia Ikut (Ya/Tidak)", "Setuju Didaftarkan?", "Pernyataan Kesediaan", "Persetujuan Pekerja"]
)
def test_only_a_yes_below_a_question_for_consent_counts(tmp_path: Path, heading: str) -> None:
    said = ["Ya", "Tidak", "", "mungkin", "v"]
    rows = [[*WORKER, word] for word in said]
    result = checks.check(csv(tmp_path, [*HEADING, heading], *rows), "64.08", "workers")
    assert [(one.row, one.reason) for one in result.refused] == [
        (3, "consent-missing"),
        (4, "field-invalid:consent"),
        (5, "field-invalid:consent"),
        (6, "field-invalid:consent"),
    ]
    messages = [one.message for one in result.refused[1:]]
    name = heading.strip()
    assert [message.partition(";")[0] for message in messages] == [
        f"Kolom {name} kosong",
        f"Kolom {name} berisi mungkin",
        f"Kolom {name} berisi v",
    ]


def test_an_empty_yes_beside_the_day_does_not_count_as_a_yes(tmp_path: Path) -> None:
    heading = [*HEADING[:7], "Persetujuan (Ya/Tidak)", "Tanggal Persetujuan"]
    rows = [[*WORKER[:7], word, "04/01/2026"] for word in ("Ya", "", "Tidak")]
    result = checks.check(csv(tmp_path, heading, *rows), "64.08", "workers")
    assert [(one.row, one.reason) for one in result.refused] == [
        (3, "field-invalid:consent"),
        (4, "consent-missing"),
    ]


@pytest.mark.parametrize("heading", ["Tanggal Terima Setuju", "Persetujuan Camat", "Nama Petugas Persetujuan"])
def test_a_question_for_the_consent_of_others_is_not_read_as_the_workers_consent(tmp_path: Path, heading: str) -> None:
    assert "given" not in only(csv(tmp_path, [*HEADING, heading], [*WORKER, "H. SUPARNO"]))["consent"]


def test_a_column_for_the_refusal_is_never_passed_over(tmp_path: Path) -> None:
    path = csv(tmp_path, [*HEADING, "Setuju", "Tidak Setuju"], [*WORKER, "", "v"])
    with pytest.raises(ListError, match="Tidak Setuju"):
        open_list(path, "workers")
