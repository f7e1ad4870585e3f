"""What the loaded population snapshots say of a batch, in one bulk read; and how a snapshot is loaded.

A person is a plain row of `population`, keyed by the worker_id of the NIK and stamped with the version of the load; a
regency's row in `snapshots` names the version that counts, so that a load half done changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.verification.domain import rules
from services.verification.domain.decide import Facts
from services.verification.domain.rules import Finding
from services.verification.settings import Settings
from shared.contracts.registration import IdentityCheckRequested
from shared.kernel.event import Event, Routed
from shared.kernel.identity import is_nik, worker_id
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
    asked = {one.data.worker_id: one.data for one, _ in routed if isinstance(one.data, IdentityCheckRequested)}
    if not asked:
        return Facts({})
    versions = await reader.rows(SNAPSHOTS, sorted({one.regency for one in asked.values()}))
    wanted = [worker for worker, one in asked.items() if one.regency in versions]
    if not wanted:
        return Facts({})
    keys = {f"{asked[worker].regency}|{worker}": worker for worker in wanted}
    rows = await reader.rows(POPULATION, list(keys))
    known = {}
    for key, row in rows.items():
        one = asked[keys[key]]
        if row["version"] == versions[one.regency]["version"]:
            known[one.worker_id] = _finding(row, one, reference.cipher)
    return Facts(known)


def _finding(row: Mapping[str, Any], asked: IdentityCheckRequested, cipher: Cipher) -> Finding:
    return rules.compare(
        row["status"],
        cipher.open(row["name"]),
        cipher.open(row["birth_date"]),
        row["sex"],
        asked_name=asked.name,
        asked_born=asked.birth_date,
        asked_sex=asked.sex,
    )


async def load_snapshot(
    reader: Reader, cipher: Cipher, rows: Iterable[Mapping[str, str]], regency: str, id_key: bytes, version: str
) -> int:
    """Loads a population under a version and makes it the regency's; returns how many people. Rows of another shape
    (no NIK, unknown status) are left out: whoever they are is asked of Dukcapil."""
    loaded = 0
    chunk: dict[str, dict[str, Any]] = {}
    for row in rows:
        nik = (row.get("nik") or "").strip()
        status = (row.get("status") or "").strip()
        if not is_nik(nik) or status not in STATUSES:
            continue
        chunk[f"{regency}|{worker_id(id_key, nik)}"] = {
            "version": version,
            "name": cipher.seal((row.get("name") or "").strip()),
            "birth_date": cipher.seal((row.get("birth_date") or "").strip()),
            "sex": (row.get("sex") or "").strip(),
            "status": status,
        }
        if len(chunk) >= LOAD_ROWS:
            await reader.save_rows(POPULATION, chunk)
            loaded += len(chunk)
            chunk = {}
    await reader.save_rows(POPULATION, chunk)
    loaded += len(chunk)
    await reader.save_rows(SNAPSHOTS, {regency: {"version": version, "rows": loaded}})
    return loaded
