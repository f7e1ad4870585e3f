"""The sex in two columns, L and P, with a tick in one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from payung import checks
from shared.lists import HeaderError, open_list

HEADING = ["nik", "nama", "tanggal_lahir", "L", "P", "desa", "sektor", "pekerjaan", "persetujuan"]
TAIL = ["64.08.04.2011", "perikanan", "nelayan", "2026-01-04"]


def csv(folder: Path, ticks: list[tuple[str, str]], heading: list[str] | None = None) -> Path:
    path = folder / "daftar.csv"
    rows = [
        [f"640804410785{n:04}", f"WARGA {'ABCDEFGHIJKL'[n]}", "1985-07-01", male, female, *TAIL]
        for n, (male, female) in enumerate(ticks, start=1)
    ]
    path.write_text("\n".join(";".join(row) for row in (heading or HEADING, *rows)), encoding="utf-8")
    return path


def test_the_ticked_column_is_the_sex(tmp_path: Path) -> None:
    ticks = [("v", ""), ("", "v"), ("-", "\u2713"), ("L", ""), ("", "P"), ("1", "0"), ("0", "1"), ("X", " ")]
    path = csv(tmp_path, ticks)
    assert [row.data["sex"] for row in open_list(path, "workers").rows()] == ["M", "F", "F", "M", "F", "M", "F", "M"]
    assert checks.check(path, "64.08", "workers").refused == []
    assert not open_list(path, "workers").notices


def test_what_is_not_plain_is_refused(tmp_path: Path) -> None:
    ticks = [("v", "v"), ("", ""), ("P", ""), ("", "L"), ("?", ""), ("v", "0"), ("0", "0"), ("tidak", "")]
    refused = checks.check(csv(tmp_path, ticks), "64.08", "workers").refused
    assert [one.row for one in refused] == list(range(2, 10))
    assert {one.reason for one in refused} == {"field-invalid:sex", "field-missing:sex"}


def test_a_row_cut_short_is_answered(tmp_path: Path) -> None:
    path = csv(tmp_path, [("v", "")])
    path.write_text(path.read_text(encoding="utf-8") + "\n6408044107850009;WARGA\n", encoding="utf-8")
    assert [one.reason for one in checks.check(path, "64.08", "workers").refused] == ["row-ragged"]


@pytest.mark.parametrize("male", ["L", "X"])
def test_a_column_for_the_sex_counts_alone(tmp_path: Path, male: str) -> None:
    heading = [*HEADING[:3], male, "jenis_kelamin", *HEADING[5:]]
    [row] = open_list(csv(tmp_path, [("v", "P")], heading), "workers").rows()
    assert row.data["sex"] == "F"


@pytest.mark.parametrize("pair", [("L", "L"), ("L", "X"), ("M", "F")])
def test_other_pairs_are_no_sex(tmp_path: Path, pair: tuple[str, str]) -> None:
    with pytest.raises(HeaderError):
        open_list(csv(tmp_path, [("v", "")], [*HEADING[:3], *pair, *HEADING[5:]]), "workers")
