"""Reference data by command: the one road beside Kafka, straight into the service that owns it (contracts.md 4)."""

from __future__ import annotations

import csv
from pathlib import Path

from payung.place import CommandError, Place
from services.verification import facts
from services.verification.stream import SPEC
from shared.reference import areas as area_files
from shared.runtime import clock
from shared.runtime.app import open_store
from shared.runtime.crypto import cipher_from, id_key_from

COLUMNS = ("nik", "name", "birth_place", "birth_date", "sex", "village", "status")


async def load_snapshot(place: Place, path: Path, regency: str) -> tuple[int, str]:
    """Loads a population file as the regency's snapshot; returns its rows and version."""
    if not area_files.load().is_regency(regency):
        raise CommandError(f"--regency {regency} is not known; it is a Kemendagri code with a dot, e.g. 64.08")
    version = clock.now().strftime("%Y%m%dT%H%M%SZ")
    store = open_store(SPEC, place.environ)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise CommandError(f"{path} lacks the columns {', '.join(missing)}; needed are {','.join(COLUMNS)}")
        try:
            loaded = await facts.load_snapshot(
                store, cipher_from(place.environ), rows, regency, id_key_from(place.environ), version
            )
        finally:
            await store.close()
    return loaded, version
