"""The five services of the simulation: their real SPEC, and the reference that each loads once."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from functools import cache
from typing import Any

from services.billing.stream import SPEC as BILLING
from services.claims.stream import SPEC as CLAIMS
from services.registration.stream import SPEC as REGISTRATION
from services.reporting.stream import SPEC as REPORTING
from services.verification.adapters import loading
from services.verification.stream import SPEC as VERIFICATION
from shared.runtime.store.crypto import cipher_from
from shared.runtime.store.hashes import PURPOSE, ContentHashes
from tests.fakes.memory import MemoryStore
from tests.simulation.stories import ID_KEY, Person

SPECS = (REGISTRATION, VERIFICATION, BILLING, CLAIMS, REPORTING)
ENVIRON = {
    "PAYUNG_ID_KEY": base64.b64encode(ID_KEY).decode(),
    "PAYUNG_FIELD_KEYS": "k1:" + base64.b64encode(b"0" * 32).decode(),
    # Two workers for each page, so a run of three workers takes two steps.
    "PAYUNG_BILLING_STEP_WORKERS": "2",
}
CIPHER = cipher_from(ENVIRON, "verification")
HASHES = ContentHashes(CIPHER.derived(PURPOSE))


@cache
def reference_of(spec_number: int) -> Any:
    """The reference of a service, loaded once."""
    spec = SPECS[spec_number]
    return asyncio.run(spec.reference(MemoryStore(spec.stored, CIPHER), ENVIRON))  # type: ignore[arg-type]


async def loaded_snapshot(people: Sequence[Person]) -> dict[str, dict[str, dict[str, Any]]]:
    """The rows of a population snapshot of 64.08 with the people who are not in Dukcapil's own register."""
    store = MemoryStore(VERIFICATION.stored, CIPHER)
    rows = [
        {"nik": one.nik, "name": one.name, "birth_date": one.born, "sex": one.sex, "status": "alive"}
        for one in people
        if one.register is None
    ]
    await loading.load(store, CIPHER, rows, "64.08", ID_KEY, "v1")
    return store.plain
