"""The offline check gives the services' own reasons for every kind of list. A list of headings alone is refused without
a crash.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from payung import checks, cli
from shared.lists.columns import LAYOUTS, ListKind
from shared.lists.errors import ListError

HEADINGS = "submission_id,nik,name,birth_date,sex,village,sector,occupation,monthly_income,consent\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_a_list_without_rows_is_reported(tmp_path: Path, as_json: bool) -> None:
    path = tmp_path / "list.csv"
    path.write_text(HEADINGS, encoding="utf-8")
    with pytest.raises(ListError) as caught:
        cli.check(path, as_json=as_json)
    assert "tanpa baris" in caught.value.message_id


@pytest.mark.parametrize(
    ("kind", "headings", "cells", "reasons"),
    [
        (
            "projects",
            "no_proyek,kontraktor,nilai_kontrak,mulai,selesai,desa",
            "P-1,CV Bangun,0,02/03/2026,01/03/2026,64.02.01.2001",
            ["field-invalid:contract_value", "field-invalid:ends_on", "village-outside"],
        ),
        (
            "roster",
            "npp,nama_perusahaan,nik,mulai_bekerja",
            "NPP-1,CV Maju,6.40E+15,30/02/2026",
            ["nik-malformed", "field-invalid:started_on"],
        ),
        (
            "roster",
            "npp,nama_perusahaan,nik,mulai_bekerja",
            "NPP-1,CV Maju,123,1",
            ["nik-malformed", "field-invalid:started_on"],
        ),
        (
            "outreach",
            "id_pertemuan,tanggal,desa,sektor,peserta",
            "R-1,2026-03-09,64.08.04.2001,tambang,40",
            ["sector-unknown"],
        ),
        ("stickers", "no_stiker,tanggal_pasang,petugas", "123,2026-03-09,Rina", ["field-invalid:sticker_no"]),
        ("explanations", "id_temuan,penjelasan", "temuan-1,magang", ["finding-unknown"]),
        (
            "explanations",
            "id_temuan,penjelasan",
            f"employment/NPP-1/{'w' * 26}/registered-late/2026-02-02,x",
            [],
        ),
    ],
)
def test_each_kind_is_judged_as_the_service_judges_it(
    tmp_path: Path, kind: ListKind, headings: str, cells: str, reasons: list[str]
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"{headings}\n{cells}\n", encoding="utf-8")
    found = checks.check(path, "64.08", kind)
    assert (found.rows, [one.reason for one in found.refused]) == (1, reasons)


def test_every_kind_of_list_is_judged(tmp_path: Path) -> None:
    for kind, layout in LAYOUTS.items():
        required = [column.name for column in layout.columns if column.required] or ["nik", "name"]
        path = tmp_path / f"{kind}.csv"
        # A row that is almost empty.
        path.write_text(f"{','.join([*required, 'x'])}\n{',' * len(required)}x\n", encoding="utf-8")
        assert checks.check(path, "64.08", kind).refused, kind
