"""Reading agencies' lists: the variants that people send, and the values that the reader makes of them."""

from __future__ import annotations

import codecs
import json
import tracemalloc
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from payung import checks
from shared.lists import HeaderError, ListError, ListKind, Row, open_list, read
from shared.runtime import clock

ENGLISH = "submission_id,nik,name,birth_date,sex,village,sector,occupation,consent"
CELLS = "S-1,6408044107850002,SITI AMINAH,1985-07-01,F,64.08.04.2001,fisheries,nelayan,2026-01-04"
INDONESIAN = (
    "id_pengajuan;nik;nama;tempat_lahir;tanggal_lahir;jenis_kelamin;desa;sektor;pekerjaan;penghasilan;telepon;alamat;"
    "nama_ibu;ahli_waris;persetujuan"
)
CELLS_ID = (
    "S-1;6408044107850002;SITI AMINAH;Sangatta;01/07/1985;P;64.08.04.2001;perikanan;nelayan;1.000.000;0812 3456 789;"
    "RT 003;ROHANI;AHMAD;04/01/2026"
)
EXPECTED = {
    "submission_id": "S-1",
    "nik": "6408044107850002",
    "name": "SITI AMINAH",
    "birth_date": "1985-07-01",
    "sex": "F",
    "village": "64.08.04.2001",
    "sector": "fisheries",
    "occupation": "nelayan",
    "consent": {"given_at": "2026-01-04", "method": "form"},
}


def rows_of(tmp_path: Path, content: str | bytes, kind: ListKind = "workers", name: str = "list.csv") -> list[Row]:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(path, kind))


def one(tmp_path: Path, header: str, cells: str, kind: ListKind = "workers") -> Row:
    (row,) = rows_of(tmp_path, f"{header}\n{cells}\n", kind)
    return row


def with_cell(header: str, cells: str, column: str, value: str, mark: str = ",") -> str:
    parts = cells.split(mark)
    parts[header.split(mark).index(column)] = value
    return mark.join(parts)


def test_english_header(tmp_path: Path) -> None:
    row = one(tmp_path, ENGLISH, CELLS)
    assert row.data == EXPECTED
    assert row.type == "worker.register.v1"
    assert row.number == 2
    assert row.problems == ()
    assert row.columns["name"] == "SITI AMINAH"


def test_indonesian_header(tmp_path: Path) -> None:
    row = one(tmp_path, INDONESIAN, CELLS_ID)
    assert row.data == EXPECTED | {
        "birth_place": "Sangatta",
        "monthly_income": 1_000_000,
        "phone": "+628123456789",
        "address": "RT 003",
        "mother_name": "ROHANI",
        "heir": {"name": "AHMAD"},
    }
    assert row.columns["tanggal_lahir"] == "01/07/1985"


def test_the_heading_that_village_lists_have_for_the_sex(tmp_path: Path) -> None:
    row = one(tmp_path, INDONESIAN.replace("jenis_kelamin", "L/P"), CELLS_ID)
    assert row.data["sex"] == EXPECTED["sex"]


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + f"{ENGLISH}\r\n{CELLS}\r\n".encode(),
        f"{ENGLISH}\r{CELLS}\r".encode(),
        f"{ENGLISH}\n\n{CELLS}".encode(),
        f"{ENGLISH}\n{CELLS}".replace(",", ";").encode(),
        f"{ENGLISH}\n{CELLS}".replace(",", "\t").encode(),
        f"sep=;\n{ENGLISH}\n{CELLS}".replace(",", ";").encode(),
        f"{ENGLISH}\n{CELLS}".encode("utf-16"),
        f"{ENGLISH}\n{CELLS}".encode("utf-16-le"),
        f"{ENGLISH}\n{CELLS}".encode("utf-16-be"),
        f"DAFTAR PEKERJA RENTAN, 2026\n\n{ENGLISH}\n{CELLS}".encode(),
        f"{ENGLISH},,\n{CELLS},,\n,,,,,,,,,,\n".encode(),
        f"{ENGLISH}\n{CELLS},,,\n".encode(),
        (ENGLISH.upper().replace("_", " ") + "\n" + CELLS).encode(),
        (f"{ENGLISH}\n" + ",".join(f'"{cell}"' for cell in CELLS.split(","))).encode(),
    ],
)
def test_any_separator_and_line_end_is_read(tmp_path: Path, content: bytes) -> None:
    (row,) = rows_of(tmp_path, content)
    assert row.problems == ()
    assert row.data == EXPECTED


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1985-07-01", "1985-07-01"),
        ("01/07/1985", "1985-07-01"),
        ("1/7/1985", "1985-07-01"),
        ("01-07-1985", "1985-07-01"),
        ("1 Juli 1985", "1985-07-01"),
        ("1985-07-01 00:00:00", "1985-07-01"),
        ("31229", "1985-07-01"),
        # A day that does not exist is passed on unchanged: the service refuses it with its own reason.
        ("31/02/1985", "31/02/1985"),
        ("1985-02-31", "1985-02-31"),
        ("01/07/85", "01/07/85"),
        ("kemarin", "kemarin"),
    ],
)
def test_dates(tmp_path: Path, written: str, meant: str) -> None:
    row = one(tmp_path, ENGLISH, with_cell(ENGLISH, CELLS, "birth_date", written))
    assert row.data["birth_date"] == meant
    assert row.problems == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1.000.000", 1_000_000),
        ("1000000", 1_000_000),
        ("Rp 1.000.000", 1_000_000),
        ("Rp1.000.000,00", 1_000_000),
        ("1,000,000", 1_000_000),
        ("1000000.00", 1_000_000),
        ("Rp. 1.000.000,-", 1_000_000),
        ("1,5 juta", 1_500_000),
        ("500 ribu", 500_000),
        ("Rp. 500rb", 500_000),
        ("1.000.000,-/bulan", 1_000_000),
        ("Rp1.000.000 per bulan", 1_000_000),
        ("1000000/bln.", 1_000_000),
        ("1.000.000 - 2.000.000", "1.000.000 - 2.000.000"),
        ("0", 0),
        ("-5", "-5"),
        ("satu juta", "satu juta"),
        ("1.5", "1.5"),
    ],
)
def test_amounts(tmp_path: Path, written: str, meant: int | str) -> None:
    row = one(tmp_path, INDONESIAN, with_cell(INDONESIAN, CELLS_ID, "penghasilan", written, ";"))
    assert row.data["monthly_income"] == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("L", "M"),
        ("P", "F"),
        ("F", "F"),
        ("M", "M"),
        ("laki-laki", "M"),
        ("Laki Laki", "M"),
        ("PEREMPUAN", "F"),
        ("X", "X"),
    ],
)
def test_sexes(tmp_path: Path, written: str, meant: str) -> None:
    assert one(tmp_path, ENGLISH, with_cell(ENGLISH, CELLS, "sex", written)).data["sex"] == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("pertanian", "agriculture"),
        ("Perkebunan", "plantation"),
        ("perikanan", "fisheries"),
        ("peternakan", "livestock"),
        ("perdagangan", "trade"),
        ("TRANSPORTASI", "transport"),
        ("konstruksi", "construction"),
        ("kerajinan", "crafts"),
        ("jasa", "services"),
        ("lainnya", "other"),
        ("Trade", "trade"),
        ("tambang", "tambang"),
    ],
)
def test_sectors(tmp_path: Path, written: str, meant: str) -> None:
    assert one(tmp_path, ENGLISH, with_cell(ENGLISH, CELLS, "sector", written)).data["sector"] == meant


def test_without_a_submission_id_the_row_number_serves(tmp_path: Path) -> None:
    header, cells = ENGLISH.removeprefix("submission_id,"), CELLS.removeprefix("S-1,")
    rows = rows_of(tmp_path, f"{header}\n{cells}\n\n{cells}\n")
    assert [row.data["submission_id"] for row in rows] == ["2", "4"]
    assert one(tmp_path, ENGLISH, with_cell(ENGLISH, CELLS, "submission_id", "")).data["submission_id"] == "2"


@pytest.mark.parametrize("written", ["6.40E+15", "6,40804E+15", "6.40804410785E+15", "6E+15", "6.40e15"])
def test_a_nik_that_excel_has_shortened_is_refused_with_its_row(tmp_path: Path, written: str) -> None:
    cells = with_cell(ENGLISH, CELLS, "nik", written, ",") if "," not in written else None
    header, cells = (
        (ENGLISH, cells)
        if cells
        else (ENGLISH.replace(",", ";"), CELLS.replace(",", ";").replace("6408044107850002", written))
    )
    row = one(tmp_path, header, cells)
    assert (row.problems, row.data["nik"]) == ((), written)
    assert [remark.field for remark in row.remarks] == ["nik"]
    assert written in row.remarks[0].message_id
    assert row.number == 2


@pytest.mark.parametrize("written", ["123", "abc", "6408044107850000", "640804410785000X"])
def test_a_wrong_nik_is_passed_on_to_the_service(tmp_path: Path, written: str) -> None:
    row = one(tmp_path, ENGLISH, with_cell(ENGLISH, CELLS, "nik", written))
    assert row.problems == ()
    assert row.data["nik"] == written


def test_empty_cells_are_left_out(tmp_path: Path) -> None:
    row = one(tmp_path, ENGLISH, with_cell(ENGLISH, with_cell(ENGLISH, CELLS, "name", "  "), "consent", ""))
    assert "name" not in row.data
    assert "consent" not in row.data
    assert row.problems == ()


def test_rows_of_another_width_are_refused_and_the_others_are_read(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, f"{ENGLISH}\nS-1,6408\n{CELLS},extra\n{CELLS}\n")
    assert [[problem.reason for problem in row.problems] for row in rows] == [["row-ragged"], ["row-ragged"], []]
    assert [row.number for row in rows] == [2, 3, 4]


def test_quoted_cells_may_hold_separators_quotes_and_lines(tmp_path: Path) -> None:
    cells = CELLS.replace("SITI AMINAH", '"AMINAH, Hj. ""SITI""\nbinti RAHMAN"')
    rows = rows_of(tmp_path, f"{ENGLISH}\n{cells}\n{CELLS}\n")
    assert rows[0].data["name"] == 'AMINAH, Hj. "SITI"\nbinti RAHMAN'
    assert [row.number for row in rows] == [2, 3]


def test_a_quote_that_never_closes_costs_one_row(tmp_path: Path) -> None:
    broken = CELLS.replace("SITI AMINAH", '"SITI')
    rows = rows_of(tmp_path, "\n".join([ENGLISH, broken, *[CELLS] * 50]))
    assert len(rows) == 51
    assert [problem.reason for problem in rows[0].problems] == ["row-ragged"]
    assert all(row.data == EXPECTED and not row.problems for row in rows[1:])


def test_windows_text_is_read_with_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(f"{ENGLISH}\n{CELLS}\n".replace("SITI AMINAH", "NURʼAINI É").replace("ʼ", "’").encode("cp1252"))
    found = open_list(path, "workers")
    assert next(found.rows()).data["name"] == "NUR’AINI É"
    assert "Windows-1252" in found.notices[0][1]


def test_in_a_mixed_file_only_the_broken_rows_are_refused(tmp_path: Path) -> None:
    good, bad = CELLS.replace("SITI", "NUR’AINI"), CELLS.replace("SITI", "É")
    content = f"{ENGLISH}\n{good}\n".encode() + f"{bad}\n".encode("cp1252") + f"{CELLS}\n".encode()
    rows = rows_of(tmp_path, content)
    assert [[problem.reason for problem in row.problems] for row in rows] == [[], ["row-unreadable"], []]
    assert rows[0].data["name"] == "NUR’AINI AMINAH"
    assert rows[1].cells[2] == "\ufffd AMINAH"


@pytest.mark.parametrize("content", [b"", b"\n \n", codecs.BOM_UTF8, b"\xd0\xcf\x11\xe0old excel"])
def test_files_that_are_no_list(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ListError) as caught:
        rows_of(tmp_path, content)
    assert caught.value.message_id
    assert caught.value.message_en


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="cannot be opened"):
        read(tmp_path / "none.csv", "workers")


def test_a_wrong_header_is_answered_with_the_missing_columns_and_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(HeaderError) as caught:
        rows_of(
            tmp_path, f"{INDONESIAN.replace('tanggal_lahir', 'tanggal_lahr').replace('sektor', 'warna')}\n{CELLS_ID}\n"
        )
    assert set(caught.value.missing) == {"birth_date", "sector"}
    assert set(caught.value.unknown) == {"tanggal_lahr", "warna"}
    assert "tanggal_lahr (did you mean tanggal_lahir?)" in caught.value.message_en
    assert "tanggal_lahir (birth_date)" in caught.value.message_id


def test_hundreds_of_unknown_columns_make_one_notice(tmp_path: Path) -> None:
    path = tmp_path / "daftar.csv"
    names = [f"isian{number}" for number in range(200)]
    heading = ",".join([ENGLISH, "penghasilann", *names])
    path.write_text(heading + "\n" + CELLS + "," * 201 + "\n", encoding="utf-8")
    found = [text for text, _ in open_list(path, "workers").notices]
    assert found == [
        "Kolom penghasilann tidak dipakai (maksudnya penghasilan?).",
        f"200 kolom tidak dipakai: {', '.join(names)}.",
    ]


def test_columns_that_nobody_knows_are_left_out_with_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"No,{ENGLISH},penghasilann\n1,{CELLS},1000000\n", encoding="utf-8")
    found = open_list(path, "workers")
    assert next(found.rows()).data == EXPECTED
    assert any("penghasilann" in english and "penghasilan?" in english for _, english in found.notices)


def workbook(path: Path, rows: list[list[object]], *, cover: bool = False) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    if cover:
        sheet.append(["Laporan"])
        sheet = book.create_sheet("Data")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("cover", [False, True])
def test_xlsx_with_date_and_number_cells(tmp_path: Path, cover: bool) -> None:
    header: list[object] = list(INDONESIAN.split(";"))
    cells: list[object] = list(CELLS_ID.split(";"))
    cells[4], cells[9], cells[10], cells[14] = date(1985, 7, 1), 1_000_000.0, 8123456789, datetime(2026, 1, 4, 8)  # noqa: DTZ001
    (row,) = read(workbook(tmp_path / "list.xlsx", [header, cells], cover=cover), "workers")
    assert row.problems == ()
    assert row.data["birth_date"] == "1985-07-01"
    assert row.data["monthly_income"] == 1_000_000
    assert row.data["phone"] == "+628123456789"
    assert row.data["consent"]["given_at"] == "2026-01-04"


@pytest.mark.parametrize(
    ("nik", "remarks"),
    [(6408044107850000, ["nik"]), (6.408044107850e15, ["nik"]), (6408044107850002, [])],
)
def test_a_nik_kept_as_a_number_in_xlsx(tmp_path: Path, nik: float, remarks: list[str]) -> None:
    cells: list[object] = list(CELLS.split(","))
    cells[1] = nik
    (row,) = read(workbook(tmp_path / "list.xlsx", [list(ENGLISH.split(",")), cells, []]), "workers")
    assert [remark.field for remark in row.remarks] == remarks
    assert remarks or row.data["nik"] == "6408044107850002"


def test_a_broken_workbook(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", [list(ENGLISH.split(","))])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ListError, match="broken"):
        read(path, "workers")


def test_jsonl_of_data_and_of_whole_events(tmp_path: Path) -> None:
    data = EXPECTED | {"heir": {"name": "AHMAD", "relation": "spouse"}}
    event = {"specversion": "1.0", "id": "1", "source": "agency/64.08/dinsos", "type": "worker.attest.v1", "data": data}
    lines = [json.dumps(data), "", json.dumps(event), "{broken", "[1]", json.dumps({"nik": "1"})]
    rows = rows_of(tmp_path, "\n".join(lines), name="list.jsonl")
    assert [row.number for row in rows] == [1, 3, 4, 5, 6]
    assert rows[0].data == data
    assert rows[0].columns["heir"] == "AHMAD"
    assert (rows[1].type, rows[1].data, rows[1].envelope) == ("worker.attest.v1", data, event)
    assert [[problem.reason for problem in row.problems] for row in rows[2:4]] == [
        ["row-unreadable"],
        ["row-unreadable"],
    ]
    assert rows[4].data == {"nik": "1", "submission_id": "6"}


def test_half_a_letter_in_json_is_refused(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, '{"name": "\\ud83d"}\n{"name": "\\u00c9"}\n', name="list.jsonl")
    assert [[problem.reason for problem in row.problems] for row in rows] == [["row-unreadable"], []]
    assert rows[1].data["name"] == "É"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "[" * 400 + "]" * 400])
def test_json_that_the_services_cannot_read_is_refused_by_its_line(tmp_path: Path, number: str) -> None:
    """NaN once became null, and null means the default income; a value nested too deep ended the whole list."""
    rows = rows_of(tmp_path, f'{{"monthly_income": {number}}}\n{{"nik": "1"}}\n', name="list.jsonl")
    assert [[problem.reason for problem in row.problems] for row in rows] == [["row-unreadable"], []]


@pytest.mark.parametrize("number", [2**63, 2**64, 2**70, -(2**70)])
def test_a_number_too_large_for_the_store_is_passed_on_and_refused(tmp_path: Path, number: int) -> None:
    (row,) = rows_of(tmp_path, json.dumps(EXPECTED | {"monthly_income": number}), name="list.jsonl")
    assert not row.problems
    found = checks.checked(open_list(tmp_path / "list.jsonl", "workers"), "64.08", clock.now())
    assert [one.reason for one in found.refused] == ["field-invalid:monthly_income"]


def test_claims_have_their_parts(tmp_path: Path) -> None:
    header = (
        "no_klaim;nik;jenis_klaim;tanggal_kejadian;penyebab;akibat;hari_tidak_bekerja;persen_cacat;transport_darat;"
        "biaya_perawatan;dokumen;nama_penerima;hubungan_penerima;rekening_penerima;anak2_nama;anak2_jenjang"
    )
    cells = (
        "K-1;6408044107850002;jkk;05/03/2026;kecelakaan;sebagian;30;12,5%;250.000;1.500.000;kk1, kk2|receipts;"
        "AHMAD;Suami;12345678901234;BUDI;SD"
    )
    row = one(tmp_path, header, cells, "claims")
    assert row.type == "claim.submit.v1"
    assert row.data == {
        "claim_no": "K-1",
        "nik": "6408044107850002",
        "kind": "jkk",
        "event_date": "2026-03-05",
        "cause": "accident",
        "details": {
            "outcome": "partial",
            "days_off_work": 30,
            "loss_percent": 12.5,
            "transport": {"land": 250_000},
            "treatment_cost": 1_500_000,
            "children": [{"name": "BUDI", "level": "sd"}],
        },
        "documents": ["kk1", "kk2", "receipts"],
        "claimant": {"name": "AHMAD", "relation": "spouse", "account": "12345678901234"},
    }


def test_a_roster_becomes_one_report_a_row(tmp_path: Path) -> None:
    header = "employer_id,employer_name,regency,nik,started_on,contract_ends_on"
    row = one(tmp_path, header, "NPP1,PT MAJU,64.08,6408044107850002,01/02/2026,", "roster")
    assert row.type == "employer.report-workers.v1"
    assert row.data == {
        "submission_id": "2",
        "employer_id": "NPP1",
        "employer_name": "PT MAJU",
        "regency": "64.08",
        "workers": [{"nik": "6408044107850002", "started_on": "2026-02-01"}],
    }


@pytest.mark.parametrize(
    ("kind", "header", "cells", "data"),
    [
        (
            "withdrawals",
            "nik,alasan,tanggal",
            "1,pindah,01/02/2026",
            {"nik": "1", "reason": "moved", "date": "2026-02-01"},
        ),
        (
            "attestations",
            "nik;sektor;pekerjaan;tanggal_pengesahan",
            "1;jasa;guru les;2026-02-01",
            {"nik": "1", "sector": "services", "occupation": "guru les", "attested_on": "2026-02-01"},
        ),
        ("updates", "nik;telepon", "1;0812000000", {"nik": "1", "phone": "+62812000000"}),
        (
            "explanations",
            "id_temuan;penjelasan",
            "employment/NPP-1/w/registered-late/2026-02-02;magang",
            {"finding_id": "employment/NPP-1/w/registered-late/2026-02-02", "explanation": "magang"},
        ),
        (
            "projects",
            "no_proyek;kontraktor;nilai_kontrak;mulai;selesai;desa;tanggal_kontrak;tanggal_perubahan",
            "P-1;CV Bangun;750.000.000;02/03/2026;31/12/2026;64.08.04.2001;20/02/2026;01/06/2026",
            {
                "project_no": "P-1",
                "contractor": "CV Bangun",
                "contract_value": 750_000_000,
                "starts_on": "2026-03-02",
                "ends_on": "2026-12-31",
                "village": "64.08.04.2001",
                "contract_date": "2026-02-20",
                "changed_on": "2026-06-01",
            },
        ),
    ],
)
def test_other_kinds(tmp_path: Path, kind: ListKind, header: str, cells: str, data: dict[str, object]) -> None:
    assert one(tmp_path, header, cells, kind).data == {"submission_id": "2"} | data


def test_a_long_list_takes_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f"{ENGLISH}\n" + f"{CELLS}\n" * 40_000, encoding="utf-8")
    tracemalloc.start()
    try:
        assert sum(1 for _ in read(path, "workers")) == 40_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size / 2
