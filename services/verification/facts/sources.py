"""The lists that a regency loads in bulk, and their lookup: population, Dinsos' poverty data, employers' rosters.

A person is a plain row, keyed by regency, slot and the worker_id of the NIK, and stamped with the version of the load.
Each kind of a regency has two slots. A load fills the unused slot; its last write, the row in `snapshots`, switches to
it. So a half-finished load changes nothing, and at most two loads take space. Names, birth dates and deciles are
sealed; no NIK is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.verification.domain import rules
from services.verification.domain.rules import Poverty, SnapshotPerson
from services.verification.domain.standing import Key
from shared.runtime.ports import Cipher, Reader

POPULATION = "population"
DINSOS = "dinsos"
ROSTERS = (rules.WAGE_EARNER, rules.STATE_EMPLOYEE)
KINDS = (POPULATION, DINSOS, *ROSTERS)
SNAPSHOTS = "snapshots"
LISTINGS = "listings"
STATUSES = ("alive", "deceased", "double", "inactive")
# The columns that a file of each kind must have; further columns are ignored.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    POPULATION: ("nik", "name", "birth_place", "birth_date", "sex", "village", "status"),
    DINSOS: ("nik", "source", "version", "decile"),
    rules.WAGE_EARNER: ("nik", "started_on"),
    rules.STATE_EMPLOYEE: ("nik", "started_on"),
}

Row = dict[str, Any]


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
        return prefix_of(self.regency, self.kind, self.slot)


def collection_of(kind: str) -> str:
    """The collection that holds the rows of a kind."""
    return POPULATION if kind == POPULATION else LISTINGS


def prefix_of(regency: str, kind: str, slot: str) -> str:
    """The beginning of the keys of a load's rows."""
    return f"{regency}|{slot}|" if kind == POPULATION else f"{regency}|{kind}|{slot}|"


def name_of(regency: str, kind: str) -> str:
    """The row of `snapshots` that names the current load of a kind."""
    return regency if kind == POPULATION else f"{regency}|{kind}"


def load_of(name: str, row: Mapping[str, Any]) -> Load:
    """The load described by a row of `snapshots`."""
    regency, _, kind = name.partition("|")
    return Load(regency, kind or POPULATION, row["slot"], row["version"], row.get("loaded_at", ""))


async def loads(reader: Reader, regencies: Iterable[str]) -> dict[Key, Load]:
    """The current loads, by regency and kind."""
    names = [name_of(regency, kind) for regency in regencies for kind in KINDS]
    found = [load_of(name, row) for name, row in (await reader.rows(SNAPSHOTS, names)).items()]
    return {(one.regency, one.kind): one for one in found}


async def look_up(
    reader: Reader, kind: str, asked: Iterable[Key], loaded: Mapping[Key, Load]
) -> dict[Key, Mapping[str, Any]]:
    """The rows of these workers, in one read; empty when no regency of theirs has loaded this kind."""
    prefixes = {one.regency: one.prefix for one in loaded.values() if one.kind == kind}
    keys = {prefixes[regency] + worker: (regency, worker) for regency, worker in asked if regency in prefixes}
    if not keys:
        return {}
    rows = await reader.rows(collection_of(kind), list(keys))
    # The slot may still hold people of an earlier load who are missing in the current one.
    current = {one.regency: one.version for one in loaded.values() if one.kind == kind}
    found = {keys[name]: row for name, row in rows.items()}
    return {(regency, worker): row for (regency, worker), row in found.items() if row["version"] == current[regency]}


def person(row: Mapping[str, Any], cipher: Cipher) -> SnapshotPerson:
    """A row of a population as a SnapshotPerson."""
    return SnapshotPerson(
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
