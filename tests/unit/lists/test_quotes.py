"""Quotes in CSV files: a cell of several lines is one cell. No row disappears in a cell with an unclosed quote."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.lists import read
from shared.lists.reading import Here

HEADER = "nik,nama,tanggal_lahir,alamat,jenis_kelamin,desa,sektor,pekerjaan,persetujuan"


def line(number: int, address: str = "RT 001", name: str = "SITI", separator: str = ",") -> str:
    cells = (
        f"640804410785{number:04}",
        name,
        "01/07/1985",
        address,
        "P",
        "64.08.04.2012",
        "perikanan",
        "nelayan",
        "04/01/2026",
    )
    return separator.join(cells)


def rows_of(text: str) -> list[tuple[tuple[str, ...], list[str]]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "daftar.csv"
        path.write_text(text, encoding="utf-8", newline="")
        return [(row.cells, [one.reason for one in row.problems]) for row in read(path, "workers", Here())]


@pytest.mark.parametrize(
    "address",
    [
        '"Jl. Pelita\nRT 3"',
        '"Jl. Pelita\r\n\r\nRT 3, RW 1"',
        '"\nRT 3"',
        '"RT ""3""\nblok C\n"',
        '"Jl. A, gang 2,\nno 3"',
    ],
)
def test_an_address_of_several_lines_is_one_cell(address: str) -> None:
    rows = rows_of("\n".join([HEADER, line(1), line(2, address), line(3)]) + "\n")
    assert [problems for _, problems in rows] == [[], [], []]
    assert "\n" in rows[1][0][3]


def test_a_first_column_of_several_lines_is_one_cell() -> None:
    header = "alamat," + HEADER.replace("alamat,", "")
    cells = line(1).split(",")
    good = ",".join(['"Jl. A\nRT 3"', *cells[:3], *cells[4:]])
    rows = rows_of("\n".join([header, good, good]) + "\n")
    assert [problems for _, problems in rows] == [[], []]


def test_headings_of_several_lines_are_one_heading() -> None:
    header = HEADER.replace("tanggal_lahir", '"Tanggal\nLahir"')
    assert [problems for _, problems in rows_of("\n".join([header, line(1), line(2)]))] == [[], []]


@settings(max_examples=200, deadline=None)
@given(
    st.integers(2, 8),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 60)), max_size=4),
    st.sampled_from([",", ";"]),
    st.booleans(),
)
def test_every_line_is_answered_wherever_a_quote_stands(
    count: int, quotes: list[tuple[int, int]], separator: str, every_cell_quoted: bool
) -> None:
    lines = []
    for number in range(count):
        text = line(number, separator=separator)
        if every_cell_quoted:
            text = separator.join(f'"{cell}"' for cell in text.split(separator))
        for which, place in quotes:
            if which == number:
                text = text[:place] + '"' + text[place:]
        lines.append(text)
    rows = rows_of("\n".join([HEADER.replace(",", separator), *lines]) + "\n")
    assert len(rows) == count
    for number, (cells, _) in enumerate(rows):
        written = "".join(cells).replace('"', "")
        assert f"640804410785{number:04}" in written
        assert all(f"640804410785{other:04}" not in written for other in range(count) if other != number)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["whole", "open", "cut", "joined", "spanning", "blank"]), min_size=1, max_size=8))
def test_every_line_that_is_not_blank_is_answered(kinds: list[str]) -> None:
    lines: list[str] = []
    answers = 0
    for number, kind in enumerate(kinds):
        whole = line(number)
        made = {
            "whole": [whole],
            "open": [line(number, '"RT 003')],
            "cut": [whole[:40], whole[40:]],
            "joined": [whole + whole],
            "spanning": [line(number, '"Jl. Pelita\nRT 3"')],
            "blank": ["   "],
        }[kind]
        lines += made
        answers += 0 if kind == "blank" else len(made)
    if not answers:
        return
    rows = rows_of("\n".join([HEADER, *lines]) + "\n")
    assert len(rows) == answers
    taken = [problems for _, problems in rows].count([])
    assert taken == sum(1 for kind in kinds if kind in ("whole", "spanning"))


def test_a_line_without_its_first_cell_does_not_join_the_line_above() -> None:
    first = line(1, '"RT 001')
    # The row below has no NIK any more, so that both together have exactly the cells of the heading.
    second = line(2, 'RT 002"').split(",", 1)[1]
    found = rows_of("\n".join([HEADER, first, second, line(3)]) + "\n")
    assert [reasons for _, reasons in found] == [["row-ragged"], ["row-ragged"], []]


def test_an_address_of_several_lines_may_have_as_many_separators_as_cells_follow() -> None:
    header = HEADER.replace("alamat,", "") + ",alamat,telepon"
    start = line(1).replace("RT 001,", "")
    rows = rows_of(f'{header}\n{start},"Jl. Pelita, RT 3\nSangatta",081234567890\n')
    assert [(cells[-2], problems) for cells, problems in rows] == [("Jl. Pelita, RT 3\nSangatta", [])]
