"""How text files are encoded, and lines that are not rows: encodings, line ends, separators, totals, signatures."""

from __future__ import annotations

import codecs
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.lists import ListError, open_list
from shared.lists.reading import Here
from tests.unit.lists.hostile import CELLS, HEADER

LINES = [";".join(HEADER), ";".join(CELLS), ";".join(CELLS).replace("SITI", "RÉMY")]
NAMES = ["SITI", "RÉMY"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-16-le", b""),
        ("utf-16-be", b""),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("cp1252", b""),
    ],
)
def test_any_encoding_and_line_end_is_the_same_list(tmp_path: Path, encoding: str, mark: bytes, end: str) -> None:
    path = tmp_path / "daftar.csv"
    path.write_bytes(mark + end.join([*LINES, ""]).encode(encoding))
    rows = list(open_list(path, "workers").rows())
    assert [row.data["name"] for row in rows] == NAMES
    assert [row.number for row in rows] == [2, 3]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ":"])
def test_the_separator_is_that_of_the_line_with_headings(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "daftar.csv"
    title = "DAFTAR, DESA A, KECAMATAN B, KABUPATEN C; 2026; REVISI 3; TAHAP 1"
    first = "sep=:" if separator == ":" else title
    path.write_text("\n".join([first, "", *(line.replace(";", separator) for line in LINES)]), encoding="utf-8")
    assert [row.data["name"] for row in open_list(path, "workers").rows()] == NAMES


def test_a_nul_byte_loses_no_row(tmp_path: Path) -> None:
    path = tmp_path / "daftar.csv"
    path.write_text("\n".join([*LINES, LINES[1].replace("SITI", "SI\x00TI"), "\x00"]), encoding="utf-8")
    assert open_list(path, "workers").count == 4


LINE = st.sampled_from(
    [
        "JUMLAH;3 ORANG", "TOTAL", ";;", "", "Sangatta, 5 Januari 2026", "Kepala Desa", "NIP. 19700101 199503 1 002",
        "1;2;3;4;5;6;7;8", "(1);(2);(3);(4);(5);(6);(7);(8)", LINES[0],
        "6408044107850001", ";SITI;;;;;6408 0441 0785 0001", "6.40E+15;SITI", "TOTAL;6408044107850001",
        LINES[1], LINES[2],
    ]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(LINE, max_size=9))
def test_a_line_with_a_number_like_a_nik_is_always_answered(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "daftar.csv"
        path.write_text("\n".join([LINES[0], *lines]), encoding="utf-8")
        persons = [number for number, line in enumerate(lines, start=2) if "6408" in line or "E+15" in line]
        try:
            found = open_list(path, "workers", Here())
        except ListError:
            assert not persons
            return
        answered = {row.number for row in found.rows()}
        assert answered.issuperset(persons)
        named = found.notices[-1][0] if found.notices else ""
        left_out = [n for n, line in enumerate(lines, start=2) if line.strip(";") and n not in answered]
        assert all(str(number) in named or "…" in named for number in left_out)
