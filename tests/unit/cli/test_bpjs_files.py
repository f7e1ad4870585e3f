"""The commands about BPJS's files: what is written and when nothing is; which answers are not sent."""

from __future__ import annotations

import csv
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import orjson
import pytest

from payung.bpjs import answering, filing
from payung.installations import CommandError
from shared.files.separated import line
from shared.lists.reader import open_list

INVOICE = "INV-6408-2026-02-apbd-regency-1"
HEAD = {"invoice_id": INVOICE, "period": "2026-02", "edition": "e", "delimiter": ",", "columns": ["NIK", "NAMA"]}
ROWS = [{"row": ["6408044107850002", "=SITI"]}, {"row": ["6408044107850003", "O'NEIL"]}]
LEFT = {"worker_id": "w" * 26, "number": 3, "reasons": ["worker-withdrawn"], "rupiah": 16_800}
END = {"rows": 2, "left_out": 1, "rupiah": 50_400}


class Services:
    """Billing and registration as the command sees them."""

    def __init__(self, *lines: dict[str, Any], workers: int = 3, total: int = 50_400) -> None:
        self.given = lines
        self.asked: dict[str, str] = {}
        self.invoice = {"workers": workers, "total": total, "period": "2026-02", "regency": "64.08", "funding": "csr"}

    async def get(self, service: str, path: str, **params: Any) -> Any:
        budgets = [{"funding": "self", "decree_no": "SK-1"}, {"funding": "csr", "decree_no": "SK-2"}]
        found = {"budgets": budgets} if path == "/v1/budgets" else self.invoice
        return SimpleNamespace(json=lambda: found)

    async def lines(self, service: str, path: str, **params: str) -> AsyncIterator[str]:
        self.asked = params
        for one in self.given:
            yield orjson.dumps(one).decode()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def write(services: Services, out: Path, **options: Any) -> filing.Filed:
    at: Any = services
    return await filing.write_file(at, INVOICE, out, **options)


async def test_a_csv_file_and_the_workers_left_out_beside_it(tmp_path: Path) -> None:
    services = Services(HEAD, *ROWS, LEFT, END)
    made = await write(services, tmp_path / "bpjs.csv")
    assert (made.rows, made.left_out, made.rupiah, made.by_reason) == (2, 1, 50_400, {"worker-withdrawn": 1})
    assert services.asked == {"decree": "SK-2"}
    first, second = made.paths
    rows = list(csv.reader(first.read_text("utf-8-sig").splitlines()))
    assert rows == [["NIK", "NAMA"], ["6408044107850002", "'=SITI"], ["6408044107850003", "O'NEIL"]]
    assert second.name == "bpjs.tidak-dimuat.csv"
    assert "worker-withdrawn" in second.read_text("utf-8-sig")
    assert names_in(tmp_path) == ["bpjs.csv", "bpjs.tidak-dimuat.csv"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.paths} == {0o600}


async def test_a_workbook_has_both_as_sheets_of_texts(tmp_path: Path) -> None:
    made = await write(Services(HEAD, *ROWS, LEFT, END), tmp_path / "bpjs.xlsx")
    book = openpyxl.load_workbook(made.paths[0])
    assert book.sheetnames == ["Peserta", "Tidak dimuat"]
    cells = [[cell.value for cell in row] for row in book["Peserta"].iter_rows()]
    assert cells == [["NIK", "NAMA"], ["6408044107850002", "=SITI"], ["6408044107850003", "O'NEIL"]]
    assert {cell.data_type for row in book["Peserta"].iter_rows() for cell in row} == {"s"}
    assert [cell.value for cell in book["Tidak dimuat"]["A"]] == ["worker_id", "w" * 26]
    assert stat.S_IMODE(made.paths[0].stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["bpjs.csv", "bpjs.xlsx"])
@pytest.mark.parametrize(
    ("services", "match"),
    [
        (Services(HEAD, *ROWS, LEFT), "not whole"),
        (Services(HEAD, ROWS[0], LEFT, END), "not whole"),
        (Services(HEAD, *ROWS, LEFT, END, workers=4), "nothing is written"),
        (Services(HEAD, *ROWS, LEFT, END, total=50_401), "nothing is written"),
        (Services(), "not whole"),
    ],
)
async def test_a_file_that_does_not_add_up_is_not_written(
    tmp_path: Path, name: str, services: Services, match: str
) -> None:
    with pytest.raises(CommandError, match=match):
        await write(services, tmp_path / name)
    assert names_in(tmp_path) == []


async def test_a_standing_file_is_replaced_only_when_told(tmp_path: Path) -> None:
    out = tmp_path / "bpjs.csv"
    beside = tmp_path / "bpjs.tidak-dimuat.csv"
    beside.write_text("old")
    with pytest.raises(CommandError, match="--overwrite"):
        await write(Services(HEAD, *ROWS, LEFT, END), out)
    assert beside.read_text() == "old"
    assert (await write(Services(HEAD, *ROWS, LEFT, END), out, overwrite=True)).rows == 2
    with pytest.raises(CommandError, match=r"csv or \.xlsx"):
        await write(Services(HEAD, END), tmp_path / "bpjs.pdf")


def refused(path: Path, *rows: tuple[str, ...], header: str = "nik,kpj,keterangan,no_tagihan") -> dict[int, str]:
    """The rows that are not sent, each with its reason; the first row under the header is row 2."""
    path.write_text("".join([header + "\r\n", *(line(row, ",") for row in rows)]), "utf-8")
    found = answering.contradictions(open_list(path, "participants"), INVOICE)
    return {number: " ".join(one.reasons) for number, one in found.items()}


A, B, C = "6408044107850001", "6408044107850002", "6408044107850003"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(A, "24011111111", "", ""), (B, "", "ganda", "")], {}),
        ([(A, "24011111111", "", ""), (A, "24011111111", "", "")], {3: "answer-repeated"}),
        (
            [(A, "24011111111", "", ""), (B, "", "x y", ""), (A, "", "ganda", "")],
            {2: "answer-contradicting", 4: "answer-contradicting"},
        ),
        (
            [(A, "24011111111", "", ""), (B, "24011111111", "", ""), (C, "24022222222", "", "")],
            {2: "answer-contradicting", 3: "answer-contradicting"},
        ),
        ([(A, "24011111111", "", INVOICE), (B, "24022222222", "", "INV-6402-2026-02-csr-1")], {3: "not-on-invoice"}),
        ([(A, "240.111.111-11", "", ""), (A, "'24011111111", "", "")], {3: "answer-repeated"}),
    ],
)
def test_rows_that_contradict_each_other_are_all_refused(
    tmp_path: Path, rows: list[tuple[str, ...]], expected: dict[int, str]
) -> None:
    assert refused(tmp_path / "jawaban.csv", *rows) == expected


@pytest.mark.parametrize(
    ("header", "row", "data"),
    [
        ("NIK;NOMOR KARTU PESERTA (KPJ);KETERANGAN", "'6408 0441 0785 0001;24 0123 456 78;-", {"kpj": "24012345678"}),
        ("NIK;NO. KPJ;STATUS;ALASAN", f'="{A}";="24012345678";BERHASIL;', {"kpj": "24012345678", "status": "BERHASIL"}),
        ("No;NIK;NAMA;Alasan Penolakan", f"1;{A};SITI;NIK tidak valid", {"refused": "NIK tidak valid"}),
        (
            "nik;kpj;tgl_jawaban",
            f"{A};24012345678;9 Februari 2026",
            {"kpj": "24012345678", "answered_at": "2026-02-09"},
        ),
    ],
)
def test_answers_are_read_as_offices_write_them(tmp_path: Path, header: str, row: str, data: dict[str, str]) -> None:
    path = tmp_path / "jawaban.csv"
    path.write_text(f"Laporan pendaftaran\r\n{header}\r\n{row}\r\n", "utf-8-sig")
    (found,) = open_list(path, "participants").rows()
    assert found.data == {"nik": A, **data}


def test_the_same_file_has_the_same_names_and_another_time_has_others(tmp_path: Path) -> None:
    path = tmp_path / "jawaban.csv"
    path.write_text(f"nik,kpj\n{A},24012345678\n{B},24012345679\n", "utf-8")
    rows = list(open_list(path, "participants").rows())

    def names(answered_at: str) -> list[str]:
        handed = answering.Handed(
            path=path, invoice_id=INVOICE, source="officer/rina", answered_at=answered_at, sha256="x"
        )
        return [str(handed.event(row)["id"]) for row in rows]

    first = names("2026-02-09T00:00:00+08:00")
    assert first == names("2026-02-09T00:00:00+08:00")
    assert len({*first, *names("2026-02-10T00:00:00+08:00")}) == 4
