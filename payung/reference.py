"""Reference data by command: the one road beside Kafka, straight into the service that owns it (contracts.md 4)."""

from __future__ import annotations

import csv
from pathlib import Path

from payung.place import CommandError, Place
from services.verification.facts import sources
from services.verification.stream import SPEC
from shared.reference import areas as area_files
from shared.runtime import clock
from shared.runtime.app import open_store
from shared.runtime.crypto import cipher_from, id_key_from


async def load_snapshot(place: Place, path: Path, regency: str) -> tuple[int, str]:
    """Loads a population file as the regency's snapshot; returns its rows and version."""
    taken, _, version = await load_source(place, path, regency, sources.POPULATION)
    return taken, version


async def load_source(place: Place, path: Path, regency: str, kind: str) -> tuple[int, int, str]:
    """Loads one kind of list as the regency's; returns the rows taken, the rows left out, and the version."""
    if kind not in sources.KINDS:
        raise CommandError(f"--kind is one of {', '.join(sources.KINDS)}; got {kind!r}")
    if not area_files.load().is_regency(regency):
        raise CommandError(f"--regency {regency} is not known; it is a Kemendagri code with a dot, e.g. 64.08")
    version = clock.now().strftime("%Y%m%dT%H%M%SZ")
    store = open_store(SPEC, place.environ)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        wanted = sources.COLUMNS[kind]
        missing = [name for name in wanted if name not in (rows.fieldnames or ())]
        if missing:
            raise CommandError(f"{path} lacks the columns {', '.join(missing)}; needed are {','.join(wanted)}")
        try:
            cipher, key = cipher_from(place.environ), id_key_from(place.environ)
            taken, skipped = await sources.load(store, cipher, rows, regency, key, version, kind)
        finally:
            await store.close()
    return taken, skipped, version
