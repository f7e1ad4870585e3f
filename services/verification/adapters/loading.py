"""Takes lists of other authorities, and policies, into the service's own store (`payung snapshot`, `payung policy`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from services.verification.domain import policy, rules
from services.verification.domain.policy import Policy
from services.verification.facts import policies
from services.verification.facts.sources import (
    DINSOS,
    POPULATION,
    SNAPSHOTS,
    STATUSES,
    Row,
    collection_of,
    name_of,
    prefix_of,
)
from shared.kernel.calendar import day_of
from shared.kernel.debris import fault
from shared.kernel.identity import is_nik, worker_id
from shared.runtime import clock
from shared.runtime.ports import Cipher, Rows

LOAD_ROWS = 5_000
POVERTY_SOURCES = ("DTSEN", "DTKS", "P3KE", "VERVAL_DAERAH")


class UnfitList(ValueError):
    """A file in which too few rows can be read, with the numbers of readable and unreadable rows."""

    def __init__(self, taken: int, skipped: int) -> None:
        super().__init__(f"{taken} rows can be read, {skipped} cannot")
        self.taken, self.skipped = taken, skipped


async def load(
    store: Rows,
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
    name = name_of(regency, kind)
    standing = (await store.rows(SNAPSHOTS, [name])).get(name)
    slot = "a" if standing is None or standing["slot"] == "b" else "b"
    prefix, collection = prefix_of(regency, kind, slot), collection_of(kind)
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
            await store.save_rows(collection, chunk)
            taken += len(chunk)
            chunk = {}
    await store.save_rows(collection, chunk)
    taken += len(chunk)
    if skipped > taken or taken < least:
        raise UnfitList(taken, skipped)
    row_of_load = {"version": version, "slot": slot, "rows": taken, "loaded_at": clock.now().isoformat()}
    await store.save_rows(SNAPSHOTS, {name: row_of_load})
    return taken, skipped


async def save_policies(store: Rows, given: Sequence[Policy]) -> list[Policy]:
    """Adds the policies that do not already stand, valid from now; returns the added ones."""
    standing = await policies.load(store)
    now = clock.now()
    latest = {(one.regency, one.valid_from): one.version for _, one in standing.loaded}
    added = [one for one in given if latest.get((one.regency, one.valid_from)) != one.version]
    rows = {
        f"{one.version}|{now.isoformat()}": {
            "version": one.version,
            "loaded_at": now.isoformat(),
            "policy": policy.plain(one),
        }
        for one in added
    }
    await store.save_rows(policies.POLICIES, rows)
    return added


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
