"""People in the register, and the lists of five agencies about them, for the test of the three roads.

A case is one kind of person. Its NIK and villages follow from the regency and the round. So the same people can be sent
several times, by other roads and in another order, and each time they are judged like new people.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from payung import wire
from shared.kernel.calendar import business_day, years_later
from shared.runtime import clock

KUTIM, KUKAR = "64.08", "64.02"
REGENCIES = (KUTIM, KUKAR)
TODAY = business_day(clock.now())
DESA, DINSOS, PERIKANAN, PERKEBUNAN, PERDAGANGAN = AGENCIES = "desa", "dinsos", "perikanan", "perkebunan", "perdagangan"
EMPLOYERS = "distransnaker"
_VILLAGES = {KUTIM: "64.08.04.2001", KUKAR: "64.02.06.1001"}
_BORN = date(1985, 7, 1)
_STARTED = (TODAY - timedelta(days=300)).isoformat()

Words = Mapping[str, Mapping[str, str]]
Verdict = tuple[str, tuple[str, ...]]
VERIFIED: Verdict = ("verified", ())


def _turns(age: int, days: int) -> date:
    """The birth date of a person who reaches `age` in `days` days from today, or reached it before (negative `days`).

    Use at least two days, because a run that begins before midnight is judged after it.
    """
    return years_later(TODAY + timedelta(days=days), -age)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One kind of person: the register's data, the differences in each agency's list, and the expected verdict."""

    what: str
    words: Words
    verdict: Verdict
    name: str = "SITI AMINAH"
    born: date = _BORN
    sex: str = "F"
    status: str | None = "alive"
    employed: bool = False


def _rejected(*reasons: str) -> Verdict:
    return "rejected", reasons


def _held(*reasons: str) -> Verdict:
    return "held", reasons


_OLD, _OF_AGE = _turns(65, -2), _turns(18, -2)
CASES = (
    Case(what="one list", words={DESA: {}}, verdict=VERIFIED),
    Case(what="all lists", words={one: {} for one in AGENCIES}, verdict=VERIFIED),
    Case(what="a title, a typing error", words={DESA: {"name": "Hj. SITI AMINA"}, DINSOS: {}}, verdict=VERIFIED),
    Case(what="accents", words={PERKEBUNAN: {}, DESA: {}}, verdict=VERIFIED, name="RENÉ MA\u2019RUF", sex="M"),
    Case(what="half a name", words={DINSOS: {"name": "AMINAH"}}, verdict=_held("name-mismatch")),
    Case(what="half a name, and the whole", words={DINSOS: {"name": "AMINAH"}, PERIKANAN: {}}, verdict=VERIFIED),
    Case(what="another's name", words={DESA: {"name": "BUDI GUNAWAN"}}, verdict=_rejected("name-mismatch")),
    Case(what="another's name, and the right", words={DESA: {"name": "BUDI GUNAWAN"}, DINSOS: {}}, verdict=VERIFIED),
    Case(what="day and month swapped", words={DESA: {"birth_date": "1985-01-07"}, PERDAGANGAN: {}}, verdict=VERIFIED),
    Case(what="wrong date", words={PERIKANAN: {"birth_date": "1985-07-02"}}, verdict=_rejected("birth-date-mismatch")),
    Case(
        what="two errors, two agencies",
        words={DESA: {"birth_date": "1985-07-02"}, DINSOS: {"sex": "M"}},
        verdict=VERIFIED,
    ),
    Case(
        what="three errors, three agencies",
        words={
            DESA: {"birth_date": "1985-07-02"},
            DINSOS: {"sex": "M"},
            PERIKANAN: {"name": "BUDI GUNAWAN"},
        },
        verdict=VERIFIED,
    ),
    Case(
        what="everything wrong",
        words={DESA: {"birth_date": "1985-07-02", "sex": "M", "name": "BUDI GUNAWAN"}},
        verdict=_rejected("birth-date-mismatch", "sex-mismatch", "name-mismatch"),
    ),
    Case(what="dead", words={DESA: {}, DINSOS: {}}, verdict=_rejected("deceased"), status="deceased"),
    Case(what="double", words={DESA: {}, DINSOS: {}}, verdict=_held("duplicate-identity"), status="double"),
    Case(what="inactive", words={PERIKANAN: {}, DESA: {}}, verdict=_held("inactive-identity"), status="inactive"),
    Case(what="unknown", words={PERKEBUNAN: {}, DESA: {}}, verdict=_rejected("not-found"), status=None),
    Case(what="under age", words={DESA: {}, DINSOS: {}}, verdict=_rejected("too-young"), born=_turns(18, 2)),
    Case(what="just of age", words={DESA: {}}, verdict=VERIFIED, born=_OF_AGE),
    Case(what="too old", words={DESA: {}, PERIKANAN: {}}, verdict=_rejected("too-old"), born=_OLD),
    Case(what="just not too old", words={DESA: {}}, verdict=VERIFIED, born=_turns(65, 2)),
    Case(what="wage earner", words={DESA: {}, DINSOS: {}}, verdict=_rejected("wage-earner"), employed=True),
    Case(what="dead on a payroll", words={DESA: {}}, verdict=_rejected("deceased"), status="deceased", employed=True),
    Case(
        what="double on a payroll",
        words={DESA: {}, DINSOS: {}},
        verdict=_held("duplicate-identity"),
        status="double",
        employed=True,
    ),
    Case(
        what="half a name on a payroll",
        words={DINSOS: {"name": "AMINAH"}},
        verdict=_rejected("wage-earner"),
        employed=True,
    ),
    Case(
        what="two trades",
        words={PERIKANAN: {"sector": "fisheries", "occupation": "nelayan"}, PERDAGANGAN: {"sector": "trade"}},
        verdict=VERIFIED,
    ),
    Case(what="twin", words={DESA: {"family_card": "6408040107200001"}}, verdict=VERIFIED),
    Case(what="other twin", words={DESA: {"family_card": "6408040107200001"}}, verdict=VERIFIED, name="SITI AMINI"),
)

# A NIK after Excel has read it as a number.
ROUNDED = "6.40E+15"
# Rows that fail the form check: the fault and the answer.
BROKEN: tuple[tuple[Mapping[str, str], str], ...] = (
    ({"nik": ROUNDED}, "nik-malformed"),
    ({"nik": "640804410785000"}, "nik-malformed"),
    ({"nik": "6408043113850002"}, "nik-date-impossible"),
    ({"birth_date": "1985-02-30"}, "field-invalid:birth_date"),
    ({"village": "64.08.99.2001"}, "village-unknown"),
    ({"village": "64.09.01.1001"}, "village-outside"),
    ({"sector": "mining", "name": ""}, "name-missing sector-unknown"),
    ({"name": ""}, "name-missing"),
    ({"consent": ""}, "consent-missing"),
    ({"sex": "X"}, "field-invalid:sex"),
    ({"occupation": ""}, "field-missing:occupation"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A case in a regency, for one round."""

    case: Case
    regency: str
    nik: str

    def names(self) -> set[str]:
        """Every name of this person in any list."""
        return {self.case.name, *(said["name"] for said in self.case.words.values() if "name" in said)}

    def row(self, agency: str) -> dict[str, str]:
        """This person's row in an agency's list."""
        known = {
            "nik": self.nik,
            "name": self.case.name,
            "birth_date": self.case.born.isoformat(),
            "sex": self.case.sex,
            "village": _VILLAGES[self.regency],
            "sector": "services",
            "occupation": "tukang kebun",
            "consent": TODAY.isoformat(),
        }
        return {**known, **self.case.words[agency]}


@dataclass(slots=True)
class Round:
    """All people of both regencies with the NIKs of one round, and what is sent about them."""

    number: int
    people: list[Person] = field(default_factory=list)

    def rows(self, regency: str, agency: str, rng: random.Random) -> list[dict[str, str]]:
        """An agency's list in random order: its people, every fourth one twice, and rows that fail the form check."""
        found = [one.row(agency) for one in self.people if one.regency == regency and agency in one.case.words]
        found += found[::4]
        spare = nik(regency, _BORN, "F", 9000 + self.number)
        whole = Person(CASES[1], regency, spare).row(agency)
        found += [{**whole, **wrong} for wrong, _ in BROKEN]
        rng.shuffle(found)
        return [{"submission_id": f"R{self.number}-{number}", **row} for number, row in enumerate(found)]

    def payroll(self, regency: str) -> list[str]:
        """The NIKs that an employer of the regency reports."""
        return [one.nik for one in self.people if one.regency == regency and one.case.employed]


def nik(regency: str, born: date, sex: str, serial: int) -> str:
    """A NIK in the form of the registry office."""
    day = born.day + (40 if sex == "F" else 0)
    return f"{regency.replace('.', '')}04{day:02d}{born:%m%y}{serial:04d}"


def a_round(number: int) -> Round:
    """The same people as in every round, with the NIKs of this round."""
    people = [
        Person(case, regency, nik(regency, case.born, case.sex, 1000 * (number + 1) + 7 * place + 1))
        for regency in REGENCIES
        for place, case in enumerate(CASES)
    ]
    return Round(number, people)


def population(people: Iterable[Person], path: Path) -> None:
    """Writes the civil register of these people."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("nik", "name", "birth_place", "birth_date", "sex", "village", "status"))
        for one in people:
            if one.case.status is not None:
                at = _VILLAGES[one.regency]
                writer.writerow((one.nik, one.case.name, "Sangatta", one.case.born, one.case.sex, at, one.case.status))


_INDONESIAN = {
    "submission_id": "ID Pengajuan",
    "nik": "NIK",
    "name": "Nama Lengkap",
    "birth_date": "Tgl Lahir",
    "sex": "Jenis Kelamin",
    "village": "Desa",
    "sector": "Sektor",
    "occupation": "Pekerjaan",
    "consent": "Persetujuan",
    "family_card": "No KK",
    "employer_id": "NPP",
    "employer_name": "Perusahaan",
    "started_on": "Mulai Bekerja",
}
_DAYS = ("birth_date", "consent", "started_on")


def _day_first(row: Mapping[str, str]) -> dict[str, str]:
    def turned(cell: str) -> str:
        return "/".join(reversed(cell.split("-")))

    return {name: turned(cell) if name in _DAYS else cell for name, cell in row.items()}


def write(folder: Path, agency: str, rows: list[dict[str, str]]) -> Path:
    """Writes a list in this agency's form: separators, encodings, dates and headings differ."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    if agency == PERIKANAN:
        return _workbook(folder / f"{agency}.xlsx", header, rows)
    encoding, separator, local = {
        DESA: ("utf-8", ",", False),
        DINSOS: ("utf-8-sig", ";", True),
        PERKEBUNAN: ("cp1252", ";", True),
    }.get(agency, ("utf-8", ",", True))
    path = folder / f"{agency}.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator="\r\n")
        writer.writerow([_INDONESIAN[name] if local else name for name in header])
        for row in rows:
            cells = _day_first(row) if local else row
            writer.writerow([cells.get(name, "") for name in header])
    return path


def _workbook(path: Path, header: list[str], rows: list[dict[str, str]]) -> Path:
    """Writes a workbook like Excel: a title above the heading, real dates, a blank row."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Daftar Nelayan"])
    sheet.append([_INDONESIAN[name] for name in header])
    for number, row in enumerate(rows):
        sheet.append([_cell(name, row.get(name, "")) for name in header])
        if number == len(rows) // 2:
            sheet.append([])
    book.save(path)
    return path


def _cell(name: str, cell: str) -> Any:
    if name in _DAYS and cell:
        try:
            return date.fromisoformat(cell)
        except ValueError:
            return cell
    return cell or None


def form(row: Mapping[str, str]) -> dict[str, Any]:
    """The same row as the data of a `worker.register.v1`, as a system sends it."""
    data: dict[str, Any] = {name: cell for name, cell in row.items() if cell}
    if "consent" in data:
        data["consent"] = {"given_at": data["consent"]}
    return data


def payroll_rows(one: Round, regency: str) -> list[dict[str, str]]:
    """The roster of an employer of the regency, one line for each person."""
    work = {"employer_id": f"NPP{one.number}", "employer_name": "PT KEBUN", "started_on": _STARTED}
    return [
        {"submission_id": f"R{one.number}-{number}", "nik": found, **work}
        for number, found in enumerate(one.payroll(regency))
    ]


def event(agency: str, row: Mapping[str, str]) -> dict[str, Any]:
    """A row as a system of the agency publishes it."""
    source = f"agency/{agency}"
    if "employer_id" not in row:
        return wire.event(source, "worker.register.v1", form(row))
    line = {"nik": row["nik"], "started_on": row["started_on"]}
    about = {name: row[name] for name in ("submission_id", "employer_id", "employer_name")}
    return wire.event(
        source, "employer.report-workers.v1", {**about, "regency": agency.split("/")[0], "workers": [line]}
    )


def refusal(row: Mapping[str, str]) -> str | None:
    """The answer to a broken row; None when the form is correct."""
    for wrong, reason in BROKEN:
        if all(row.get(name) == cell for name, cell in wrong.items()):
            return reason
    return None
