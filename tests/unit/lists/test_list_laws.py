"""Laws of reading lists, for any bytes that an office may send."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.lists import ListError, RowAnswer, read, read_answers, write
from shared.lists.reading import Here

HEADER = "nik,name,birth_date,sex,village,sector,occupation,consent"
# Texts that break parsers, more often than chance would produce them.
AWKWARD = st.sampled_from([",", ";", '"', "\n", "\r", "\t", "\x00", "\u2028", "\ufeff", "E+15", "é", "=", "'", "1.000"])
CELL = st.text(st.one_of(AWKWARD.filter(lambda t: len(t) == 1), st.characters(codec="utf-8")), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_a_refusal(body: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_bytes(HEADER.encode() + b"\n" + body)
        try:
            rows = list(read(path, "workers"))
        except ListError:
            return
        assert all(len(row.cells) == len(row.header) for row in rows)
        assert [row.number for row in rows] == sorted({row.number for row in rows})


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_named_xlsx_or_jsonl_are_rows_or_a_refusal(body: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, start in (("list.xlsx", b"PK\x03\x04"), ("list.jsonl", b'{"nik":')):
            path = Path(folder) / name
            path.write_bytes(start + body)
            try:
                # In this process: two hundred starts of a process would take a minute.
                list(read(path, "workers", Here()))
            except ListError:
                continue


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(*[CELL] * 8), min_size=1, max_size=6))
def test_an_answers_file_has_one_row_for_each_row_read(table: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_text("\n".join([HEADER, *(",".join(cells) for cells in table)]), encoding="utf-8", newline="")
        said = ""
        try:
            rows = list(read(path, "workers"))
        except ListError as error:
            rows, said = [], error.message_en
        if not rows:
            assert said == "The file has headings and no rows."
            return
        target = write(path, "workers", {row.number: RowAnswer("registered") for row in rows})
        answered = list(read_answers(target))
        assert len(answered) == len(rows)
        assert [row["outcome"] for row in answered] == ["rejected" if row.problems else "registered" for row in rows]
