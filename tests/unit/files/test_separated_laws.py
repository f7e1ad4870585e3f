"""CSV for people: no cell runs as a formula, no text is lost, and a written list can be read again."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.files.separated import BOM, for_excel, guarded, line, unguarded, writable
from shared.lists import RowAnswer, open_list, read_answers, write

TEXTS = st.text(st.sampled_from("=+-@'; \t\n0123,.AB\"\uff1d|()!"), max_size=20)
# A quote after a line break may open a cell or be a stray one; the laws of the list reader decide that.
CELLS = TEXTS.filter(lambda text: not ("\n" in text and '"' in text))
RUNS = ("=", "+", "@", "-", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@given(st.one_of(TEXTS, st.text(max_size=30)))
def test_the_reader_undoes_the_guard(text: str) -> None:
    assert unguarded(guarded(text)) == text


@given(TEXTS)
def test_no_part_starts_a_formula(text: str) -> None:
    for part in guarded(text).replace("\n", ";").split(";"):
        bare = part.lstrip(" ")
        number = bare.lstrip("+-").replace(".", "").replace(",", "").replace(" ", "").isdigit()
        assert not bare.startswith(RUNS) or number or not bare.strip("- ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('=HYPERLINK("http://contoh.invalid","klik")', '\'=HYPERLINK("http://contoh.invalid","klik")'),
        ("@SUM(1+1)*cmd|' /C calc'!A0", "'@SUM(1+1)*cmd|' /C calc'!A0"),
        ("+62 NAMA", "'+62 NAMA"),
        ("-2+3", "'-2+3"),
        ("RT 3;=1+1", "RT 3;'=1+1"),
        ("-", "-"),
        ("+628123456789", "+628123456789"),
        ("-5", "-5"),
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert guarded(text) == shown


@given(st.text(st.characters(), max_size=20))
def test_every_text_can_be_written(text: str) -> None:
    assert "\x00" not in writable(text)
    for_excel([(text, 5, None)])


def test_numbers_stay_numbers() -> None:
    assert line((-5, None, "=1")) == "-5;;'=1\r\n"
    assert for_excel([("a",)]).decode("utf-8").startswith(BOM)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
@example([("", ",0\n")])
def test_an_answers_file_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("lists") / "list.csv"
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        ["nik", "nama", "tanggal_lahir", "jenis_kelamin", "desa", "sektor", "pekerjaan", "persetujuan", "alamat"]
    )
    for name, address in cells:
        # The text that a person typed, without the apostrophe that guards against formulas.
        row = [unguarded(name), unguarded(address)]
        writer.writerow(
            ["6408044107850002", row[0], "01/07/1985", "P", "64.08.04.2001", "jasa", "x", "04/01/2026", row[1]]
        )
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    before = list(open_list(path, "workers").rows())
    if any(row.problems for row in before):
        return
    target = write(path, "workers", {row.number: RowAnswer("registered") for row in before})
    after = list(open_list(target, "workers").rows())
    assert [row.data for row in after] == [row.data for row in before]
    assert [row["nama"] for row in read_answers(Path(target))] == [row.columns["nama"] for row in before]
