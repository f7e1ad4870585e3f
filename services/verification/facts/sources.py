"""The lists that a regency loads in bulk, and their lookup: population, Dinsos' poverty data, employers' rosters.

A person is a plain row, keyed by regency, slot and the worker_id of the NIK, and stamped with the version of the load.
Each kind of a regency has two slots. A load fills the unused slot; its last write, the row in `snapshots`, switches to
it. So a half-finished load changes nothing, and at most two loads take space. Names, birth dates and deciles are
sealed; no NIK is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.verification.domain import rules
from services.verification.domain.rules import Person, Poverty
from services.verification.domain.standing import Key
from shared.kernel.calendar import day_of
from shared.kernel.debris import fault
from shared.kernel.identity import is_nik, worker_id
from shared.runtime import clock
from shared.runtime.ports import Cipher, Reader

POPULATION = "population"
DINSOS = "dinsos"
ROSTERS = (rules.WAGE_EARNER, rules.STATE_EMPLOYEE)
KINDS = (POPULATION, DINSOS, *ROSTERS)
SNAPSHOTS = "snapshots"
LISTINGS = "listings"
LOAD_ROWS = 5_000
STATUSES = ("alive", "deceased", "double", "inactive")
POVERTY_SOURCES = ("DTSEN", "DTKS", "P3KE", "VERVAL_DAERAH")
# The columns that a file of each kind must have; further columns are ignored.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    POPULATION: ("nik", "name", "birth_place", "birth_date", "sex", "village", "status"),
    DINSOS: ("nik", "source", "version", "decile"),
    rules.WAGE_EARNER: ("nik", "started_on"),
    rules.STATE_EMPLOYEE: ("nik", "started_on"),
}

Row = dict[str, Any]


class UnfitList(ValueError):
    """A file in which too few rows can be read, with the numbers of readable and unreadable rows."""

    def __init__(self, taken: int, skipped: int) -> None:
        super().__init__(f"{taken} rows can be read, {skipped} cannot")
        self.taken, self.skipped = taken, skipped


@dataclass(frozen=True, slots=True)
class Load:
    """The current load of a kind: the slot of its rows, and their version."""

    regency: str
    kind: str
    slot: str
    version: str
    loaded_at: str

    @property
    def prefix(self) -> str:
        """The beginning of the keys of its rows."""
        return _prefix(self.regency, self.kind, self.slot)


def collection_of(kind: str) -> str:
    """The collection that holds the rows of a kind."""
    return POPULATION if kind == POPULATION else LISTINGS


def _prefix(regency: str, kind: str, slot: str) -> str:
    return f"{regency}|{slot}|" if kind == POPULATION else f"{regency}|{kind}|{slot}|"


def _name(regency: str, kind: str) -> str:
    return regency if kind == POPULATION else f"{regency}|{kind}"


def load_of(name: str, row: Mapping[str, Any]) -> Load:
    """The load described by a row of `snapshots`."""
    regency, _, kind = name.partition("|")
    return Load(regency, kind or POPULATION, row["slot"], row["version"], row.get("loaded_at", ""))


async def loads(reader: Reader, regencies: Iterable[str]) -> dict[Key, Load]:
    """The current loads, by regency and kind."""
    names = [_name(regency, kind) for regency in regencies for kind in KINDS]
    found = [load_of(name, row) for name, row in (await reader.rows(SNAPSHOTS, names)).items()]
    return {(one.regency, one.kind): one for one in found}


async def look_up(
    reader: Reader, kind: str, asked: Iterable[Key], loaded: Mapping[Key, Load]
) -> dict[Key, Mapping[str, Any]]:
    """The rows of the asked workers, in one read; none when none of their regencies has loaded this kind."""
    prefixes = {one.regency: one.prefix for one in loaded.values() if one.kind == kind}
    keys = {prefixes[key[0]] + key[1]: key for key in asked if key[0] in prefixes}
    if not keys:
        return {}
    rows = await reader.rows(collection_of(kind), list(keys))
    # The slot may still hold people of the load before last who are missing in the last one.
    return {keys[key]: row for key, row in rows.items() if row["version"] == loaded[keys[key][0], kind].version}


def person(row: Mapping[str, Any], cipher: Cipher) -> Person:
    """A row of a population as a Person."""
    return Person(
        status=row["status"],
        name=cipher.open(row["name"]),
        birth_date=cipher.open(row["birth_date"]),
        sex=row["sex"],
        version=row["version"],
        village=row.get("village", ""),
    )


def poverty(row: Mapping[str, Any], cipher: Cipher) -> Poverty:
    """A row of the poverty data as a Poverty."""
    decile = cipher.open(row["decile"])
    return Poverty(source=row["source"], version=row["data_version"], decile=int(decile) if decile else None)


async def load(
    reader: Reader,
    cipher: Cipher,
    rows: Iterable[Mapping[str, str]],
    regency: str,
    id_key: bytes,
    version: str,
    kind: str = POPULATION,
    least: int = 0,
    leave_out: Callable[[], None] = lambda: None,
) -> tuple[int, int]:
    """Loads a file's rows under a version and makes it the regency's current load; returns the rows taken and left out.

    Unusable rows are left out: their workers count as not listed. `leave_out` is called while such a row is the last
    one taken from `rows`, so that the caller can name it. Raises UnfitList, and changes nothing, when more rows are
    left out than taken, or fewer than `least` are taken: otherwise most people of the file would not be found.
    """
    read = _READERS[kind]
    name = _name(regency, kind)
    standing = (await reader.rows(SNAPSHOTS, [name])).get(name)
    slot = "a" if standing is None or standing["slot"] == "b" else "b"
    prefix, collection = _prefix(regency, kind, slot), collection_of(kind)
    taken = skipped = 0
    chunk: dict[str, Row] = {}
    for given in rows:
        nik = (given.get("nik") or "").strip()
        row = read({column: (value or "").strip() for column, value in given.items() if column}, cipher)
        if row is None or not is_nik(nik):
            skipped += 1
            leave_out()
            continue
        chunk[prefix + worker_id(id_key, nik)] = {"version": version, **row}
        if len(chunk) >= LOAD_ROWS:
            await reader.save_rows(collection, chunk)
            taken += len(chunk)
            chunk = {}
    await reader.save_rows(collection, chunk)
    taken += len(chunk)
    if skipped > taken or taken < least:
        raise UnfitList(taken, skipped)
    row_of_load = {"version": version, "slot": slot, "rows": taken, "loaded_at": clock.now().isoformat()}
    await reader.save_rows(SNAPSHOTS, {name: row_of_load})
    return taken, skipped


def _read_person(given: Mapping[str, str], cipher: Cipher) -> Row | None:
    born = day_of(given.get("birth_date"))
    good = (
        given.get("name")
        and fault(given["name"]) is None
        and given.get("sex") in ("F", "M")
        and given.get("status") in STATUSES
    )
    if not good or born is None:
        return None
    return {
        "name": cipher.seal(given["name"]),
        "birth_date": cipher.seal(born.isoformat()),
        "sex": given["sex"],
        "status": given["status"],
        "village": given.get("village", ""),
    }


def _read_poverty(given: Mapping[str, str], cipher: Cipher) -> Row | None:
    source, decile = given.get("source", "").upper().replace(" ", "_"), given.get("decile", "")
    if source not in POVERTY_SOURCES or not given.get("version"):
        return None
    if decile and not (decile.isascii() and decile.isdigit() and 1 <= int(decile) <= 10):
        return None
    return {"source": source, "data_version": given["version"], "decile": cipher.seal(decile)}


def _read_roster(given: Mapping[str, str], _: Cipher) -> Row | None:
    started_on = given.get("started_on", "")
    day = day_of(started_on)
    if started_on and day is None:
        return None
    return {"started_on": day.isoformat() if day is not None else ""}


_READERS: Mapping[str, Callable[[Mapping[str, str], Cipher], Row | None]] = {
    POPULATION: _read_person,
    DINSOS: _read_poverty,
    rules.WAGE_EARNER: _read_roster,
    rules.STATE_EMPLOYEE: _read_roster,
}
