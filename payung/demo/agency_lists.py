"""The lists of six agencies about one synthetic population, each in the agency's own format, with typical faults.

Decides which agency lists whom and how its file looks, and counts the faults made on purpose. No real persons.
"""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

import openpyxl

from payung.demo.mess import KINDS, Entry, FaultContext, FaultKind, entry_of
from payung.demo.names import words
from payung.demo.population import DEMO_DAY, Inhabitant
from shared.contracts.base import Sector
from shared.kernel.calendar import age_on
from shared.lists.values import SECTORS_ID
from shared.reference.areas import Areas

_HOME: dict[Sector, str] = {
    "agriculture": "desa",
    "livestock": "desa",
    "plantation": "perkebunan",
    "fisheries": "perikanan",
    "trade": "perdagangan",
    "transport": "distransnaker",
    "construction": "distransnaker",
    "crafts": "distransnaker",
    "services": "dinsos",
    "other": "dinsos",
}
_SECOND_AGENCIES = ("dinsos", "desa", "distransnaker")
_SECOND_SHARE = 0.08
_DOUBLE_SHARE = 0.01
_SECTOR_NAMES = {english: indonesian for indonesian, english in SECTORS_ID.items()}
_ENGLISH = words(
    "submission_id nik name birth_place birth_date sex mother_name phone address village sector occupation "
    "monthly_income heir consent"
)
_INDONESIAN = words(
    "id_pengajuan nik nama tempat_lahir tanggal_lahir jenis_kelamin nama_ibu telepon alamat desa sektor pekerjaan "
    "penghasilan ahli_waris persetujuan"
)

ListLine = tuple[str, Entry]


@dataclass(frozen=True, slots=True)
class AgencyList:
    """One agency's file and how many rows it has below its header."""

    agency: str
    path: Path
    rows: int


@dataclass(frozen=True, slots=True)
class AgencyLists:
    """The files and their faults: `injected` counts rows by kind of fault, `expected` by reason code.

    `expected` is approximate. A spoiled row is refused even when another agency lists the worker correctly; the worker
    is then covered. For a spoiled row of a dead person the answer names the fault, not the death.
    """

    files: tuple[AgencyList, ...]
    rows: int
    persons_listed: int
    injected: Mapping[str, int]
    expected: Mapping[str, int]


def agency_lists(
    folder: Path, persons: Sequence[Inhabitant], regency: str, areas: Areas, seed: int = 1, today: date = DEMO_DAY
) -> AgencyLists:
    """Writes the six lists into a folder and returns them with the counts of their faults."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"lists/{seed}/{regency}")
    world = _world(rng, persons, regency, areas)
    injected: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    entries: dict[str, list[Entry]] = {agency: [] for agency in _WRITERS}
    for person in persons:
        for agency in _agencies(person, rng):
            consent = today - timedelta(days=rng.randrange(1, 60))
            entry, kind = _spoiled(entry_of(person, consent), world)
            entries[agency].append(entry)
            _count(injected, expected, person, kind, today)
            if rng.random() < _DOUBLE_SHARE:
                entries[agency].append(entry)
                injected["double-in-list"] += 1
        # Counted separately: one worker on several lists is no fault; the answer is `attested`.
    injected["in-several-lists"] = sum(map(len, entries.values())) - injected["double-in-list"] - len(persons)
    files = []
    for agency, rows in entries.items():
        rng.shuffle(rows)
        lines = [(f"{agency[:3].upper()}-{number:06d}", entry) for number, entry in enumerate(rows, start=1)]
        files.append(AgencyList(agency, _WRITERS[agency](folder / agency, lines), len(lines)))
    total = sum(file.rows for file in files)
    return AgencyLists(tuple(files), total, len(persons), dict(injected), dict(expected))


def _world(rng: random.Random, persons: Iterable[Inhabitant], regency: str, areas: Areas) -> FaultContext:
    others = [code for code in areas.regencies() if code != regency]
    outside = tuple(v.code for code in others for district in areas.districts(code) for v in areas.villages(district))
    old = tuple(code for code in areas.moved() if areas.regency_of(code) == regency)
    return FaultContext(rng, frozenset(person.nik for person in persons), areas, regency, outside, old)


def _agencies(person: Inhabitant, rng: random.Random) -> tuple[str, ...]:
    home = _HOME[person.sector]
    if rng.random() >= _SECOND_SHARE:
        return (home,)
    return (home, rng.choice([agency for agency in _SECOND_AGENCIES if agency != home]))


_REACH = list(accumulate(kind.share for kind in KINDS))


def _spoiled(entry: Entry, world: FaultContext) -> tuple[Entry, FaultKind | None]:
    draw = world.rng.random()
    kind = next((kind for kind, below in zip(KINDS, _REACH, strict=True) if draw < below), None)
    spoiled = kind.spoil(entry, world) if kind else None
    return (spoiled, kind) if spoiled else (entry, None)


def _count(
    injected: Counter[str], expected: Counter[str], person: Inhabitant, kind: FaultKind | None, today: date
) -> None:
    if kind is not None:
        injected[kind.name] += 1
        if kind.reason:
            expected[kind.reason] += 1
        return
    age = age_on(person.birth_date, today)
    natural = {"deceased": "deceased", "double": "duplicate-identity", "inactive": "inactive-identity"}.get(
        person.status
    )
    if natural:
        injected[f"person-{person.status}"] += 1
        expected[natural] += 1
    elif age < 18 or age >= 65:
        reason = "too-young" if age < 18 else "too-old"
        injected[reason] += 1
        expected[reason] += 1


def _day_first(iso: str) -> str:
    return f"{iso[8:10]}/{iso[5:7]}/{iso[:4]}" if iso else ""


def _english(line: ListLine) -> list[str]:
    number, entry = line
    person = entry.person
    return [
        number,
        entry.nik,
        entry.name,
        person.birth_place,
        entry.birth_date,
        entry.sex,
        person.mother,
        person.phone,
        "RT 003",
        entry.village,
        person.sector,
        person.occupation,
        str(person.income),
        person.heir,
        entry.consent,
    ]


def _indonesian(line: ListLine) -> list[str]:
    cells = _english(line)
    cells[4], cells[14] = _day_first(cells[4]), _day_first(cells[14])
    cells[5] = "L" if cells[5] == "M" else "P"
    cells[7] = cells[7].replace("+62", "0", 1)
    cells[10] = _SECTOR_NAMES[cells[10]]
    cells[12] = f"{int(cells[12]):,}".replace(",", ".")
    return cells


def _csv(path: Path, header: Sequence[str], rows: Iterable[list[str]], delimiter: str, encoding: str) -> Path:
    target = path.with_suffix(".csv")
    with target.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return target


def _plain_english(path: Path, lines: list[ListLine]) -> Path:
    return _csv(path, _ENGLISH, map(_english, lines), ",", "utf-8")


def _excel_of_the_office(path: Path, lines: list[ListLine]) -> Path:
    return _csv(path, _INDONESIAN, map(_indonesian, lines), ";", "utf-8-sig")


def _without_numbers(path: Path, lines: list[ListLine]) -> Path:
    return _csv(path, _INDONESIAN[1:], (_indonesian(line)[1:] for line in lines), ";", "utf-8")


def _nicely_titled(path: Path, lines: list[ListLine]) -> Path:
    header = [name.replace("_", " ").title() for name in _INDONESIAN]
    rows = (
        [*cells[:5], "Laki-laki" if cells[5] == "L" else "Perempuan", *cells[6:]] for cells in map(_indonesian, lines)
    )
    return _csv(path, header, rows, ",", "utf-8-sig")


def _workbook(path: Path, lines: list[ListLine]) -> Path:
    target = path.with_suffix(".xlsx")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Pedagang")
    sheet.append(_INDONESIAN)
    for line in lines:
        cells: list[object] = list(_indonesian(line))
        # Offices type dates as dates; Excel keeps impossible dates as text, and so do we.
        for at, iso in ((4, line[1].birth_date), (14, line[1].consent)):
            try:
                cells[at] = date.fromisoformat(iso)
            except ValueError:
                continue
        sheet.append(cells)
    book.save(target)
    return target


def _json_lines(path: Path, lines: list[ListLine]) -> Path:
    target = path.with_suffix(".jsonl")
    with target.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(_data(line), ensure_ascii=False) + "\n")
    return target


def _data(line: ListLine) -> dict[str, object]:
    data: dict[str, object] = dict(zip(_ENGLISH, _english(line), strict=True))
    person, consent = line[1].person, data.pop("consent")
    data["monthly_income"] = person.income
    data["heir"] = {"name": person.heir, "relation": person.heir_relation}
    if consent:
        data["consent"] = {"given_at": consent, "method": "form"}
    return {name: value for name, value in data.items() if value != ""}


_WRITERS: dict[str, Callable[[Path, list[ListLine]], Path]] = {
    "distransnaker": _plain_english,
    "dinsos": _excel_of_the_office,
    "perikanan": _without_numbers,
    "perkebunan": _nicely_titled,
    "perdagangan": _workbook,
    "desa": _json_lines,
}
