"""Files that try to use all memory or all time. A separate process reads each, may die of it, and the sender gets one
line.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from shared.lists import ListError, open_list, read
from shared.lists.apart import Apart
from shared.lists.bounds import Bounds
from tests.unit.lists.hostile import CELLS, HEADER, book, row, sheet

SMALL = Apart(Bounds(memory=160 << 20, cpu_s=2, unpacked=64 << 20, stall_s=20))
GOOD = (row(1, HEADER), row(2, CELLS))


def far_row(path: Path) -> Path:
    return book(path, {"S": sheet(*GOOD, row(1_000_000_000_000, CELLS))})


def far_column(path: Path) -> Path:
    return book(path, {"S": sheet(*GOOD, '<row r="3"><c r="ZZZZZZZZ3"><v>1</v></c></row>')})


def entities(path: Path) -> Path:
    grown = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    text = f'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{grown}]>'
    return book(path, {"S": sheet(*GOOD, row(3, ["&a11;"]))}, head=text)


def outside_entity(path: Path) -> Path:
    text = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    return book(path, {"S": sheet(*GOOD, row(3, ["&a;"]))}, head=text)


def bomb(path: Path) -> Path:
    return book(path, {"S": sheet(*GOOD, row(3, ["a" * (80 << 20)]))})


def strings_bomb(path: Path) -> Path:
    return book(path, {"S": sheet(*GOOD)}, strings="<sst>" + "<si><t>abcdefghij</t></si>" * 2_200_000 + "</sst>")


def deep(path: Path) -> Path:
    return book(path, {"S": sheet(*GOOD, "<a>" * 4_000_000)})


def many_sheets(path: Path) -> Path:
    return book(path, {f"S{i}": sheet(*GOOD) for i in range(300)})


@pytest.mark.parametrize(
    "make",
    [far_row, far_column, entities, outside_entity, bomb, strings_bomb, deep, many_sheets],
    ids=lambda f: f.__name__,
)
def test_a_hostile_workbook_is_reported_in_one_line(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(ListError) as caught:
        open_list(make(tmp_path / "daftar.xlsx"), "workers", SMALL)
    assert "\n" not in caught.value.message_id
    assert caught.value.message_id
    assert not [one for one in psutil.Process().children() if "shared.lists.child" in one.cmdline()]


def test_endless_work_is_killed(tmp_path: Path) -> None:
    path = book(tmp_path / "daftar.xlsx", {"S": sheet(*GOOD, *(row(n, CELLS) for n in range(3, 60_000)))})
    short = Apart(Bounds(cpu_s=1, unpacked=1 << 30))
    started = time.monotonic()
    with pytest.raises(ListError, match="too large or too complex"):
        open_list(book_of_many(path, tmp_path), "workers", short)
    assert time.monotonic() - started < 60


def book_of_many(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    return book(folder / "banyak.xlsx", {f"S{i}": text for i in range(12)})


def test_a_line_of_many_megabytes_is_one_refused_row(tmp_path: Path) -> None:
    path = tmp_path / "daftar.csv"
    good = ",".join(CELLS)
    path.write_text("\n".join([",".join(HEADER), good, "x" * (20 << 20), good, '"' + "y" * (3 << 20), good]) + "\n")
    found = open_list(path, "workers", Apart(Bounds(memory=256 << 20)))
    assert [[one.reason for one in row.problems] for row in found.rows()] == [
        [],
        ["row-unreadable"],
        [],
        ["row-unreadable"],
        [],
    ]


def test_a_million_columns_are_one_refused_row(tmp_path: Path) -> None:
    path = tmp_path / "daftar.csv"
    good = ",".join(CELLS)
    path.write_text("\n".join([",".join(HEADER), good, "1," * 500_000, good + "," * 500_000]) + "\n")
    rows = list(read(path, "workers"))
    assert [[one.reason for one in row.problems] for row in rows] == [[], ["row-ragged"], []]


def test_a_stray_cell_in_the_last_column_costs_its_row(tmp_path: Path) -> None:
    stray = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    path = book(tmp_path / "daftar.xlsx", {"S": sheet(*GOOD, stray)})
    rows = list(read(path, "workers"))
    assert [(row.number, [one.reason for one in row.problems]) for row in rows] == [(2, []), (1048576, ["row-ragged"])]


def test_more_rows_than_excel_has_are_refused_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "daftar.csv"
    path.write_text("\n".join([",".join(HEADER), *[",".join(CELLS)] * 60]))
    with pytest.raises(ListError, match="more than 50 rows"):
        open_list(path, "workers", Apart(Bounds(rows=50)))


def test_the_process_that_reads_holds_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYUNG_ID_KEY", "geheim")
    path = book(tmp_path / "daftar.xlsx", {"S": sheet(row(1, HEADER), *(row(n, CELLS) for n in range(2, 3_000)))})
    rows = open_list(path, "workers").rows()
    next(rows)
    (child,) = [one for one in psutil.Process().children() if "shared.lists.child" in one.cmdline()]
    assert not [name for name in child.environ() if name.startswith("PAYUNG")]
    rows.close()  # type: ignore[attr-defined]  # a generator
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
