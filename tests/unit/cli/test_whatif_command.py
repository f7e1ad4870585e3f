"""`payung budget what-if` against billing's own endpoint over HTTP: tables, files, refusals."""

from __future__ import annotations

import csv
import io
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
import uvicorn
from fastapi import FastAPI
from rich.console import Console

from payung import cli, whatif_cli, whatif_view
from payung.installations import Installation
from payung.terminal import console
from services.billing import api
from shared.reference import rates
from shared.runtime import clock
from shared.runtime.http import problems
from tests.property.billing_world import World
from tests.property.test_billing_laws import budget, verified

ASKED = ("--regency", "64.08", "--year", "2026")
PREMIUMS = 1_000_000
Ran = tuple[int, str, bytes]


def a_world() -> World:
    """Four workers, and money for a million premiums."""
    world = World()
    for number in range(4):
        data = verified(number, 1_000_000, "trade").model_dump() | {"valid_until": "2029-01-01"}
        world.put("verification-events", f"w{number}", "identity.verified.v1", data)
    world.command("budget.set.v1", budget("apbd-regency", 10_000 * PREMIUMS, 6_800 * PREMIUMS))
    world.settle_all()
    return world


@pytest.fixture
def payung(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Ran]]:
    """Runs the command line against a billing of its own: exit code, error output, output."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 10, 5, 2, 0, tzinfo=UTC))
    world, app = a_world(), FastAPI()
    app.add_exception_handler(404, problems.of_http)
    app.add_exception_handler(422, problems.of_http)
    app.add_exception_handler(409, problems.of_http)
    context = SimpleNamespace(
        reader=world.reader, reference=world.reference, name="billing", environ={"PAYUNG_AUTH": "none"}
    )
    app.include_router(api.routes(context))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    monkeypatch.setattr("payung.installations.find", lambda _: Installation(Path("x"), {}, {"billing": url}))

    def run(*words: str) -> Ran:
        said, written = io.StringIO(), io.BytesIO()
        stream = io.TextIOWrapper(written, "utf-8", write_through=True)
        monkeypatch.setattr(sys, "argv", ["payung", "budget", "what-if", *ASKED, *words])
        monkeypatch.setattr(sys, "stderr", said)
        monkeypatch.setattr(sys, "stdout", stream)
        try:
            cli.main()
        except SystemExit as ended:
            return int(ended.code or 0), said.getvalue(), written.getvalue()
        return 0, said.getvalue(), written.getvalue()

    yield run
    server.should_exit = True
    thread.join()


def figures(payung: Callable[..., Ran], *words: str) -> dict[str, Any]:
    """The answer as JSON."""
    code, said, out = payung(*words, "--format", "json")
    assert (code, said) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.parametrize("width", [40, 200])
def test_no_figure_is_cut_in_a_narrow_terminal(payung: Any, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = io.StringIO()
    out = console()
    out.file, out.width = shown, width
    monkeypatch.setattr(whatif_cli, "_out", out)
    assert payung("--workers", "1999999", "--cut", "12,5%")[0] == 0
    text = shown.getvalue()
    assert "…" not in text
    for whole in ("Rp8.750.000.000", "Rp5.950.000.000", "Rp83.999.958.000.000", "1999999", "potong 12,5%"):
        assert whole in text
    for words in ("Sangatta Utara", "pekerja tambahan", "2026-10", "JKK habis", "santunan kematian JKM penuh"):
        assert words in text


def test_scenarios_stand_side_by_side(payung: Any) -> None:
    """Both saved scenarios, now, and the question in one table; nothing is asked when only names are given."""
    figures(payung, "--cut", "10%", "--save", "pangkas 10%")
    figures(payung, "--workers", "+9000", "--save", "tambah")
    found = figures(payung, "--cut", "20%", "--compare", "pangkas 10%", "--compare", "tambah")
    assert [one[0] for one in whatif_view.scenarios(found)] == ["sekarang", "simulasi", "pangkas 10%", "tambah"]
    shown = io.StringIO()
    whatif_view.show(found, Console(file=shown, width=300))
    header = next(line for line in shown.getvalue().splitlines() if "sekarang" in line)
    assert header.split() == ["sekarang", "simulasi", "pangkas", "10%", "tambah"]
    only = figures(payung, "--compare", "tambah")
    assert [one[0] for one in whatif_view.scenarios(only)] == ["sekarang", "tambah"]


def test_files_hold_every_month_district_and_total(payung: Any) -> None:
    code, _, out = payung("--workers", "+2000000", "--format", "csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out.decode("utf-8"))))
    assert tuple(rows[0]) == whatif_view.HEADER
    assert [(one["skenario"], one["bagian"]) for one in rows] == [
        *(("sekarang", part) for part in ("bulan", "bulan", "bulan", "kecamatan", "tahun")),
        *(("simulasi", part) for part in ("bulan", "bulan", "bulan", "kecamatan", "kecamatan", "tahun")),
    ]
    october, november = rows[5:7]
    # A million premiums: all old workers and 999,996 new ones in October, nobody later.
    assert (october["terlindungi"], october["tanpa_perlindungan"], october["sisa_jkm"]) == ("1000000", "1000004", "0")
    assert (november["terlindungi"], november["tanpa_perlindungan"]) == ("0", "2000004")
    total = rows[-1]
    assert (total["mulai"], total["manfaat_hilang"]) == ("2026-10", str(2_000_004 * 42_000_000))
    code, _, out = payung("--workers", "+2000000", "--format", "xlsx")
    sheet: Any = openpyxl.load_workbook(io.BytesIO(out)).worksheets[0]
    assert [cell.value for cell in sheet[1]] == list(whatif_view.HEADER)
    assert sheet.max_row == len(rows) + 1
    assert sheet.cell(sheet.max_row, len(whatif_view.HEADER)).value == 2_000_004 * 42_000_000


def test_a_name_that_a_spreadsheet_would_run_is_guarded(payung: Any) -> None:
    """The service takes no such name; an answer that has one anyway is written as text."""
    found = figures(payung, "--cut", "10%")
    found["scenario"]["name"] = "=1+1"
    assert b",'=1+1," not in whatif_view.as_csv(found)
    assert b"\r\n'=1+1," in whatif_view.as_csv(found)


def test_a_table_of_rates_is_sent_and_not_loaded(payung: Any, tmp_path: Path) -> None:
    file = tmp_path / "tarif.csv"
    file.write_text(rates.texts()[0].replace(",6800,", ",7000,"), "utf-8-sig")
    found = figures(payung, "--rate-file", str(file))
    (october, *_) = found["scenario"]["figures"]["months"]
    assert october["cost"] == {"jkk": 40_000, "jkm": 28_000, "total": 68_000}
    assert found["now"]["months"][0]["cost"]["jkm"] == 27_200
    assert figures(payung)["now"]["months"][0]["cost"]["jkm"] == 27_200


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--cut", "20"), "Potongan ditulis dalam persen, dari 0% sampai 100%, misalnya 20% (field-invalid:cut)"),
        (("--workers", "-5"), "Pekerja yang keluar lebih banyak daripada yang ada (field-invalid:workers)"),
        (("--from", "2027-01"), "Bulan mulai harus bulan dalam 2026, misalnya 2026-07 (field-invalid:from)"),
        (("--funding", "csr"), "Anggaran csr 2026 untuk 64.08 belum dimasukkan (budget-missing)"),
        (("--year", "2025"), "Tahun anggaran harus 2026 atau sesudahnya (field-invalid:year)"),
        (("--regency", "99.99"), "Kabupaten tidak dikenal; pakai kode Kemendagri bertitik, misalnya 64.08 (field-inv"),
        (("--compare", "x"), "Skenario x tidak ada; yang tersimpan: -"),
        (("--save", "=a"), "Nama skenario: huruf, angka dan spasi, paling banyak 60 (field-invalid:save)"),
        (("--format", "pdf"), "--format: table, json, csv, xlsx"),
    ],
)
def test_a_refusal_is_one_line(payung: Any, words: tuple[str, ...], line: str) -> None:
    code, said, out = payung(*words)
    assert (code, out) == (1, b"")
    assert said.startswith(f"payung: {line}")
    assert len(said.strip().splitlines()) == 1
