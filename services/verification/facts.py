"""What the loaded population snapshots say of a batch, in one bulk read; and how a snapshot is loaded.

A person is a plain row of `population`, keyed by regency, slot and the worker_id of the NIK, and stamped with the
version of the load. A regency has two slots: a load fills the one not in use, and its last write, the regency's row in
`snapshots`, switches over. A load half done changes nothing, and at most two loads take room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.verification.domain.decide import Facts
from services.verification.domain.rules import Person
from services.verification.settings import Settings
from shared.contracts.registration import IdentityCheckRequested
from shared.kernel.calendar import parse_date
from shared.kernel.event import Event, Routed
from shared.kernel.identity import is_nik, worker_id
from shared.runtime import clock
from shared.runtime.crypto import cipher_from
from shared.runtime.ports import Cipher, Reader

POPULATION = "population"
SNAPSHOTS = "snapshots"
LOAD_ROWS = 5_000
STATUSES = ("alive", "deceased", "double", "inactive")


@dataclass(frozen=True, slots=True)
class Reference:
    """The cipher of the snapshot's personal fields, and the way to Dukcapil."""

    cipher: Cipher
    settings: Settings


async def reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """From the environment."""
    return Reference(cipher_from(environ), Settings.from_environment(environ))


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> Facts:
    """Looks up everyone whose regency has a snapshot."""
    asked = {
        (one.data.regency, one.data.worker_id) for one, _ in routed if isinstance(one.data, IdentityCheckRequested)
    }
    if not asked:
        return Facts({})
    loaded = await reader.rows(SNAPSHOTS, sorted({regency for regency, _ in asked}))
    keys = {
        _key(regency, loaded[regency]["slot"], worker): (regency, worker)
        for regency, worker in asked
        if regency in loaded
    }
    if not keys:
        return Facts({})
    rows = await reader.rows(POPULATION, list(keys))
    people = {}
    for key, row in rows.items():
        regency, worker = keys[key]
        # The slot may still hold people of the load before last, whom the last one no longer names.
        if row["version"] == loaded[regency]["version"]:
            people[regency, worker] = _person(row, reference.cipher)
    return Facts(people)


def _key(regency: str, slot: str, worker: str) -> str:
    return f"{regency}|{slot}|{worker}"


def _person(row: Mapping[str, Any], cipher: Cipher) -> Person:
    return Person(
        status=row["status"],
        name=cipher.open(row["name"]),
        birth_date=cipher.open(row["birth_date"]),
        sex=row["sex"],
        version=row["version"],
    )


async def load_snapshot(
    reader: Reader, cipher: Cipher, rows: Iterable[Mapping[str, str]], regency: str, id_key: bytes, version: str
) -> int:
    """Loads a population under a version and makes it the regency's; returns how many people.

    Rows that cannot be judged by (no NIK, name, date, sex or known status) are left out: Dukcapil is asked instead.
    """
    standing = (await reader.rows(SNAPSHOTS, [regency])).get(regency)
    slot = "a" if standing is None or standing["slot"] == "b" else "b"
    loaded = 0
    chunk: dict[str, dict[str, Any]] = {}
    for row in rows:
        read = _read(row)
        if read is None:
            continue
        nik, person = read
        chunk[_key(regency, slot, worker_id(id_key, nik))] = {
            "version": version,
            "name": cipher.seal(person["name"]),
            "birth_date": cipher.seal(person["birth_date"]),
            "sex": person["sex"],
            "status": person["status"],
        }
        if len(chunk) >= LOAD_ROWS:
            await reader.save_rows(POPULATION, chunk)
            loaded += len(chunk)
            chunk = {}
    await reader.save_rows(POPULATION, chunk)
    loaded += len(chunk)
    row_of_load = {"version": version, "slot": slot, "rows": loaded, "loaded_at": clock.now().isoformat()}
    await reader.save_rows(SNAPSHOTS, {regency: row_of_load})
    return loaded


def _read(row: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
    """A row's NIK and the rest of it; None when nobody could be judged by it."""
    nik = (row.get("nik") or "").strip()
    person = {name: (row.get(name) or "").strip() for name in ("name", "birth_date", "sex", "status")}
    good = (
        is_nik(nik)
        and person["name"]
        and parse_date(person["birth_date"]) is not None
        and person["sex"] in ("F", "M")
        and person["status"] in STATUSES
    )
    return (nik, person) if good else None
