"""Lists as registers and offices send them: separators, headings, dates; and a file that would empty a register."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from payung import reference
from payung.installations import CommandError, Installation
from services.verification.adapters import loading
from services.verification.documents import STORED
from services.verification.facts import sources
from shared.kernel.identity import worker_id
from shared.lists.errors import ListError
from shared.runtime.store import key_checks
from tests.fakes.memory import MemoryStore
from tests.toy import CIPHER

KEY = bytes(range(32))
# In the form of the environment.
KEYS = {"PAYUNG_ID_KEY": "QUFB" * 10 + "QUE=", "PAYUNG_FIELD_KEYS": "k1:" + "QkJC" * 10 + "QkI="}
NIK = "6408044107850002"
WHOLE = {
    "nik": NIK,
    "name": "SITI AMINAH",
    "birth_place": "Sangatta",
    "birth_date": "1985-07-01",
    "sex": "F",
    "village": "64.08.04.2001",
    "status": "alive",
}
POPULATION = sources.COLUMNS[sources.POPULATION]


@pytest.mark.parametrize(
    "text",
    [
        "nik,name,birth_place,birth_date,sex,village,status\n"
        f"{NIK},SITI AMINAH,Sangatta,1985-07-01,F,64.08.04.2001,alive\n",
        # As Excel writes it in Indonesia, with an office's headings and an unneeded column.
        "\ufeffNo;NIK;Nama;Tempat Lahir;Tanggal Lahir;Jenis Kelamin;Desa;Status\r\n"
        f"1;'{NIK};SITI AMINAH;Sangatta;01/07/1985;P;64.08.04.2001 Swarga Bara;Hidup\r\n\r\n",
    ],
)
def test_a_population_is_read_however_it_was_saved(tmp_path: Path, text: str) -> None:
    path = tmp_path / "penduduk.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert list(reference.rows_of(path, POPULATION)) == [WHOLE]


def test_debris_is_cleaned_and_a_month_first_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "penduduk.csv"
    header = "nik,name,birth_place,birth_date,sex,village,status\n"
    row = "\u202a{nik}\u202c,SITI\u00a0AMINAH,Sangatta,{day},F,64.08.04.2001,alive\n"
    path.write_text(header + row.format(nik=NIK, day="1985-06-30T16:00:00Z"), encoding="utf-8")
    assert list(reference.rows_of(path, POPULATION)) == [WHOLE]
    path.write_text(
        header + row.format(nik=NIK, day="7/1/1985") + row.format(nik=NIK, day="2/25/1988"), encoding="utf-8"
    )
    with pytest.raises(ListError, match="month first"):
        list(reference.rows_of(path, POPULATION))


def test_a_workbook_is_read_too(tmp_path: Path) -> None:
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["nik", "mulai_bekerja"])
    sheet.append([NIK, "02/01/2026"])
    path = tmp_path / "asn.xlsx"
    book.save(path)
    (row,) = reference.rows_of(path, sources.COLUMNS["state-employee"])
    assert row == {"nik": NIK, "started_on": "2026-01-02"}


def test_a_broken_row_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "penduduk.csv"
    good = f"{NIK},SITI AMINAH,Sangatta,1985-07-01,F,64.08.04.2001,alive\n"
    path.write_bytes(
        f"{','.join(POPULATION)}\n{good}6408,short\n".encode() + b"\xff\xfe,x,x,x,x,x,x\n" + "é,x,x,x,x,x,x\n".encode()
    )
    assert list(reference.rows_of(path, POPULATION))[:3] == [WHOLE, {}, {}]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "penduduk.csv"
    path.write_text("nik;nama\n1;A\n", encoding="utf-8")
    with pytest.raises(CommandError, match="lacks the columns birth_place, birth_date, sex, village, status"):
        list(reference.rows_of(path, POPULATION))


def load(store: MemoryStore, version: str, *rows: dict[str, str], kind: str = sources.POPULATION) -> tuple[int, int]:
    return asyncio.run(loading.load(store, CIPHER, rows, "64.08", KEY, version, kind, kind == sources.POPULATION))


@pytest.mark.parametrize("rows", [(), ({**WHOLE, "birth_date": "1 Juli"},), (WHOLE, {}, {})])
def test_a_mostly_unreadable_file_does_not_empty_the_register(rows: tuple[dict[str, str], ...]) -> None:
    store = MemoryStore(STORED, CIPHER)
    assert load(store, "v1", WHOLE) == (1, 0)
    with pytest.raises(loading.UnfitList):
        load(store, "v2", *rows)
    asked = {("64.08", worker_id(KEY, NIK))}
    loads = asyncio.run(sources.loads(store, ["64.08"]))
    assert [one.version for one in loads.values()] == ["v1"]
    assert len(asyncio.run(sources.look_up(store, sources.POPULATION, asked, loads))) == 1


def test_an_empty_roster_is_accepted() -> None:
    assert load(MemoryStore(STORED, CIPHER), "r1", kind="state-employee") == (0, 0)


def test_every_row_that_is_not_loaded_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore(STORED, CIPHER)
    monkeypatch.setattr(reference, "open_store", lambda spec, environ: store)
    path = tmp_path / "upah.csv"
    path.write_text(
        f"nik;mulai_bekerja\n{NIK};2026-01-05\n123;2026-01-05\n{NIK};kemarin\n{int(NIK) + 1};\n{int(NIK) + 2};\n",
        "utf-8",
    )
    told: list[str] = []
    place = Installation(tmp_path, KEYS, {})
    load = reference.load_source(place, path, "64.08", "wage-earner", lambda text, english: told.append(english))
    taken, _ = asyncio.run(load)
    assert taken == 3
    assert told == ["Rows 3, 4 are not loaded: no NIK of 16 digits, or a value that cannot be read."]


def test_with_another_key_than_registrations_nothing_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore(STORED, CIPHER)
    asyncio.run(key_checks.check(store, CIPHER, b"o" * 32))
    monkeypatch.setattr(reference, "open_store", lambda spec, environ: store)
    path = tmp_path / "upah.csv"
    path.write_text(f"nik;mulai_bekerja\n{NIK};2026-01-05\n", "utf-8")
    with pytest.raises(CommandError, match="PAYUNG_ID_KEY is not the key that registration makes worker ids with"):
        asyncio.run(reference.load_source(Installation(tmp_path, KEYS, {}), path, "64.08", "wage-earner"))
    assert asyncio.run(sources.loads(store, ["64.08"])) == {}


def test_the_first_rows_that_are_not_loaded_are_named() -> None:
    left_out = reference._SkippedRows()
    for _ in left_out.watched((f"Lembar 2:{number}", {}) for number in range(2, 62)):
        left_out.note()
    text, english = left_out.notice()
    assert text.startswith("Baris Lembar 2:2, Lembar 2:3, ")
    assert english.count("Lembar") == 50
    assert " and 10 others " in english
