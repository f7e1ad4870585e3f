"""The work of `payung keys`: shows the keys of every store, rotates field keys beside the services, and removes old
keys.

With `payung up` a rotation writes a new key in front of each service's file of keys. Elsewhere an operator has put the
new key into the environment and restarted the services. The rotation then seals every document of an older key again,
page by page, beside the services. It may be interrupted at any moment and called again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from payung.embedded.data import DataFolder, Keys, keys_of, random_key
from payung.installations import CommandError, Installation
from services.billing.stream import SPEC as BILLING
from services.claims.stream import SPEC as CLAIMS
from services.registration.stream import SPEC as REGISTRATION
from services.reporting.stream import SPEC as REPORTING
from services.verification.stream import SPEC as VERIFICATION
from shared.runtime import app
from shared.runtime.ops import secrets
from shared.runtime.spec import ServiceSpec
from shared.runtime.store import key_checks
from shared.runtime.store.crypto import FieldCipher, cipher_from, field_keys, id_check_value, id_key_from

SPECS = (REGISTRATION, VERIFICATION, BILLING, CLAIMS, REPORTING)
# Services read their files every `KEYS_LOOK_S`; after this time all of them seal with the new key.
TAKEN_UP_S = 2.5 * app.KEYS_LOOK_S
PASSES_MAX = 100
_FIRST_NAME = "k1"


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """One service's keys: the sealing key, how many documents each other key still seals, and what is wrong."""

    service: str
    sealing: str
    left: Mapping[str, int]
    worker_ids: str | None
    trouble: str

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "service": self.service,
            "sealing": self.sealing,
            "left": dict(self.left),
            "worker_ids": self.worker_ids,
            "trouble": self.trouble,
        }


async def look(installation: Installation) -> list[KeyStatus]:
    """The keys of all five services. When two stores name workers by different keys, both report it."""
    found = [await _one(installation, spec) for spec in SPECS]
    named = {one.worker_ids for one in found if one.worker_ids}
    if len(named) < 2:
        return found
    why = "registration and claims were written with different keys of worker ids"
    return [
        KeyStatus(one.service, one.sealing, one.left, one.worker_ids, one.trouble or (why if one.worker_ids else ""))
        for one in found
    ]


async def rotate(installation: Installation, said: Callable[[str], None]) -> None:
    """Makes new keys where `payung up` keeps them, then seals again until no document needs an older key."""
    if _kept_in_files(installation):
        _make_new(installation, said)
        # Until then a service may still seal with the previous first key.
        await asyncio.sleep(TAKEN_UP_S)
    elif all(len(_cipher(installation, spec).names) < 2 for spec in SPECS):
        raise CommandError(
            "the environment names one field key a service. Put a new one behind it (k1:...,k2:...) and start all "
            "services; put it in front (k2:...,k1:...) and start them again; then call this once more "
            "(docs/runbooks/keys.md)"
        )
    for spec in SPECS:
        await _reseal(installation, spec, said)


def retire(installation: Installation, left: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Removes the older keys from the files. Returns the removed keys as `service/key`. Raises CommandError while a
    document needs one."""
    needed = [
        f"{service}: {count} documents under {name}"
        for service, of in left.items()
        for name, count in of.items()
        if count
    ]
    if needed:
        raise CommandError(f"still needed, so nothing was taken away: {'; '.join(needed)}. Run payung keys rotate")
    if not _kept_in_files(installation):
        raise CommandError("the keys are in the environment: remove the older ones there, then restart the services")
    folder, keys = _files(installation)
    gone: list[str] = []
    kept: dict[str, str] = {}
    for service, text in keys.field_keys.items():
        first, *older = text.split(",")
        kept[service] = first
        gone += [f"{service}/{one.partition(':')[0]}" for one in older]
    folder.keep(Keys(id_key=keys.id_key, field_keys=kept))
    return gone


async def _one(installation: Installation, spec: ServiceSpec) -> KeyStatus:
    cipher, store = _cipher(installation, spec), app.open_store(spec, installation.environ)
    try:
        standing = await key_checks.recorded(store)
        left = await key_checks.left_over(store, cipher)
    finally:
        await store.close()
    ours = {f"{key_checks.FIELD}{name}": value for name, value in cipher.check_values().items()}
    if spec.names_workers:
        ours[key_checks.WORKER_ID] = id_check_value(id_key_from(installation.environ))
    differ = sorted(name for name, value in ours.items() if standing.get(name, value) != value)
    lacking = sorted(name for name, count in left.items() if count and name not in cipher.names)
    trouble = [f"{name.removeprefix('key/')} is not the key that the store was written with" for name in differ]
    trouble += [f"{name} is needed and not there" for name in lacking]
    return KeyStatus(spec.name, cipher.names[0], left, standing.get(key_checks.WORKER_ID), "; ".join(trouble))


async def _reseal(installation: Installation, spec: ServiceSpec, said: Callable[[str], None]) -> None:
    cipher, store = _cipher(installation, spec), app.open_store(spec, installation.environ)
    done = 0
    try:
        await key_checks.check(store, cipher, id_key_from(installation.environ) if spec.names_workers else None)
        for _ in range(PASSES_MAX):
            sealed, missed = await store.reseal()
            done += sealed
            if not sealed and not missed:
                said(f"{spec.name}: {done} documents sealed again with {cipher.names[0]}")
                return
    finally:
        await store.close()
    raise CommandError(f"{spec.name} goes on sealing with an older key: have all its processes been restarted?")


def _make_new(installation: Installation, said: Callable[[str], None]) -> None:
    """Puts a new key in front of each service's only key. An interrupted rotation has made its new key already."""
    folder, keys = _files(installation)
    changed = dict(keys.field_keys)
    for service, text in keys.field_keys.items():
        names = list(field_keys(text, f"field keys of {service}"))
        if len(names) == 1:
            changed[service] = f"{_next_name(names[0])}:{random_key()},{text}"
            said(f"{service}: a new key {_next_name(names[0])} seals from now on")
    folder.keep(Keys(id_key=keys.id_key, field_keys=changed))


def _next_name(name: str) -> str:
    number = name.removeprefix("k")
    return f"k{int(number) + 1}" if number.isdigit() else _FIRST_NAME


def _kept_in_files(installation: Installation) -> bool:
    """Whether every service reads its keys from the data folder."""
    folder = DataFolder(installation.data_dir)
    return all(
        installation.environ.get(f"{secrets.field_keys_of(spec.name)}_FILE") == str(folder.field_keys_file(spec.name))
        for spec in SPECS
    )


def _files(installation: Installation) -> tuple[DataFolder, Keys]:
    folder = DataFolder(installation.data_dir)
    return folder, keys_of(json.loads(folder.keys_file.read_text("utf-8")))


def _cipher(installation: Installation, spec: ServiceSpec) -> FieldCipher:
    cipher = cipher_from(installation.environ, spec.name)
    cipher.refresh()
    return cipher
