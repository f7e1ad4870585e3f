"""The people in the Dukcapil stand-in: a population file (contracts: `nik,...,status`), compact in memory.

Owns reading and finding; it must not know the form of an answer.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from shared.kernel.identity import is_nik

COLUMNS = ("nik", "name", "birth_place", "birth_date", "sex", "village", "status")
STATUSES = frozenset(("alive", "deceased", "double", "inactive"))
_SEXES = {"M": "M", "F": "F", "L": "M", "P": "F"}


class Person(NamedTuple):
    """One entry; `birth_date` is ISO, `sex` is M or F, `village` a Kemendagri code with dots."""

    name: str
    birth_place: str
    birth_date: str
    sex: str
    village: str
    status: str


class PopulationError(ValueError):
    """An unreadable population; its text names columns and line numbers, never people."""


@dataclass(frozen=True, slots=True)
class Register:
    """All persons by NIK. A person is one string: 160,000 of them take about 45 MB, a fifth of the size of objects."""

    people: Mapping[int, str]
    skipped: int = 0
    first_skipped: int | None = None

    def find(self, nik: str) -> Person | None:
        """The person of a well-formed NIK."""
        line = self.people.get(int(nik))
        return None if line is None else Person(*line.split("\t"))


def from_rows(rows: Iterable[Mapping[str, Any]]) -> Register:
    """A register from objects with the columns of a population file."""
    return _register(tuple(str(row.get(column) or "") for column in COLUMNS) for row in rows)


def from_file(path: Path) -> Register:
    """A register from a CSV with columns in any order, `,` or `;`. Unreadable rows are skipped and counted."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _from_lines(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PopulationError(f"{path.name}: {type(error).__name__}") from None


def _from_lines(lines: Iterable[str]) -> Register:
    source = iter(lines)
    head = next(source, "")
    delimiter = ";" if ";" in head else ","
    names = [name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter), [])]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise PopulationError(f"columns missing: {', '.join(missing)}")
    places = [names.index(column) for column in COLUMNS]
    width = max(places) + 1
    rows = csv.reader(source, delimiter=delimiter)
    return _register(tuple(row[place] for place in places) if len(row) >= width else () for row in rows if row)


def _register(rows: Iterable[tuple[str, ...]]) -> Register:
    people: dict[int, str] = {}
    skipped, first = 0, None
    for number, row in enumerate(rows, start=1):
        entry = _entry(row)
        if entry is None:
            skipped += 1
            first = first or number
        else:
            people[entry[0]] = entry[1]
    return Register(people, skipped, first)


def _entry(row: tuple[str, ...]) -> tuple[int, str] | None:
    if len(row) != len(COLUMNS):
        return None
    nik, name, birth_place, birth_date, sex, village, status = (field.strip().replace("\t", " ") for field in row)
    kept_sex, kept_status = _SEXES.get(sex.upper()), status.lower() or "alive"
    if not is_nik(nik) or kept_sex is None or kept_status not in STATUSES:
        return None
    return int(nik), "\t".join((name, birth_place, birth_date, kept_sex, village, kept_status))
