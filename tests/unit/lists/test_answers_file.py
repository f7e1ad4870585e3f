"""The answers file: one row for each row of the list, in its order, and readable as a list again."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from shared.lists import RowAnswer, answers_path, read, read_answers, write

HEADER = "nik,nama,tanggal_lahir,jenis_kelamin,desa,sektor,pekerjaan,persetujuan"
ROW = '6408044107850002,"AMINAH, SITI",01/07/1985,P,64.08.04.2001,perikanan,nelayan,04/01/2026'
BROKEN = ROW.replace("6408044107850002", "6.40E+15")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text("\n".join([HEADER, ROW, BROKEN, ROW, "x,y", ROW]) + "\n", encoding="utf-8")
    return path


ANSWERS = {
    3: RowAnswer("rejected", ("nik-malformed",)),
    2: RowAnswer("registered", (), "abcdefghijklmnopqrstuvwxyz"),
    4: RowAnswer("rejected", ("village-outside", "field-missing:occupation")),
}


def test_each_row_has_its_answer(source: Path) -> None:
    target = write(source, "workers", ANSWERS)
    assert target == answers_path(source)
    assert target.name == "list.csv.answers.csv"
    rows = list(read_answers(target))
    assert [row["outcome"] for row in rows] == ["registered", "rejected", "rejected", "rejected", ""]
    assert rows[0]["nama"] == "AMINAH, SITI"
    assert rows[0]["tanggal_lahir"] == "01/07/1985"
    assert rows[0]["worker_id"] == "abcdefghijklmnopqrstuvwxyz"
    assert rows[0]["message"].startswith("Terdaftar")
    assert rows[1]["reasons"] == "nik-malformed"
    assert "Excel mengubah NIK menjadi 6.40E+15" in rows[1]["message"]
    assert rows[2]["reasons"] == "village-outside field-missing:occupation"
    assert "pekerjaan" in rows[2]["message"]
    assert "occupation" in rows[2]["message_en"]
    assert rows[3]["reasons"] == "row-ragged"
    assert rows[4]["message"] == "Belum ada jawaban."
    assert not list(source.parent.glob("*.part"))


def test_an_answers_file_is_a_list_again(source: Path) -> None:
    target = write(source, "workers", ANSWERS)
    original, again = list(read(source, "workers")), list(read(target, "workers"))
    whole = [0, 1, 2, 4]
    assert [again[at].data for at in whole] == [original[at].data for at in whole]
    assert again[0].header == original[0].header
    second = write(target, "workers", ANSWERS)
    assert second.read_text(encoding="utf-8").splitlines()[0] == target.read_text(encoding="utf-8").splitlines()[0]


def test_separator_and_mark_are_the_lists_own(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(codecs.BOM_UTF8 + f"{HEADER.replace(',', ';')}\n{ROW.replace(',', ';')}\n".encode())
    content = write(path, "workers", ANSWERS, tmp_path / "out.csv").read_bytes()
    assert content.startswith(codecs.BOM_UTF8)
    assert content.splitlines()[0].endswith(b";outcome;reasons;message;message_en;worker_id")
    assert next(read_answers(tmp_path / "out.csv"))["outcome"] == "registered"


def test_claims_with_a_worker_id_of_their_own_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("claim_no,nik,kind,event_date,outcome\nK-1,1,jkm,2026-03-05,death\n", encoding="utf-8")
    target = write(path, "claims", {2: RowAnswer("registered", (), "w")})
    (row,) = read(target, "claims")
    assert row.data == {
        "claim_no": "K-1",
        "nik": "1",
        "kind": "jkm",
        "event_date": "2026-03-05",
        "details": {"outcome": "death"},
    }
