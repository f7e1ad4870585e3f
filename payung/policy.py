"""`payung policy load|show`: the verification policy as a file that a regency edits (TOML, or JSON, same names)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from payung.installations import CommandError, Installation
from services.verification.adapters import loading
from services.verification.domain import policy as domain
from services.verification.domain.policy import Policy, PolicyError
from services.verification.facts import policies
from services.verification.stream import SPEC
from shared.reference import areas as area_files
from shared.runtime import clock
from shared.runtime.app import open_store


def read(path: Path) -> list[Policy]:
    """The policies of a file; CommandError says which entry is wrong, and where."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        given = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except UnicodeDecodeError:
        raise CommandError(f"{path} is no text in UTF-8; `payung policy show` prints a policy file") from None
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    entries = given.get("policy") if isinstance(given, Mapping) else given
    if not isinstance(entries, list) or not entries or not all(isinstance(one, Mapping) for one in entries):
        raise CommandError(f"{path}: [[policy]] entries are needed; `payung policy show --format toml` prints one")
    found = [_read_one(path, number, one) for number, one in enumerate(entries, start=1)]
    places = [(one.regency, one.valid_from) for one in found]
    if len(set(places)) != len(places):
        raise CommandError(f"{path}: two entries are for the same regency and date")
    return found


def _read_one(path: Path, number: int, given: Mapping[str, Any]) -> Policy:
    try:
        policy = domain.read(given)
    except PolicyError as error:
        raise CommandError(f"{path}, policy {number}: {error}") from error
    if policy.regency != domain.EVERYWHERE and not area_files.load().is_regency(policy.regency):
        raise CommandError(f"{path}, policy {number}: regency: {policy.regency} is no regency that is known")
    return policy


async def load(installation: Installation, path: Path) -> list[Policy]:
    """Loads a file and returns its new policies. They judge what comes in from now on."""
    given = read(path)
    store = open_store(SPEC, installation.environ)
    try:
        return await loading.save_policies(store, given)
    finally:
        await store.close()


async def in_force(installation: Installation, regency: str | None, on: date | None) -> list[Policy]:
    """The policy that judges a regency today (or at the end of a day); without a regency, all that can judge now."""
    store = open_store(SPEC, installation.environ)
    try:
        known = await policies.load(store)
    finally:
        await store.close()
    now = clock.now() if on is None else domain.end_of(on)
    if regency is not None:
        return [known.at(regency, now)]
    places = [domain.EVERYWHERE, *sorted({one.regency for _, one in known.loaded} - {domain.EVERYWHERE})]
    return [known.at(one, now) for one in places]


def as_toml(found: Sequence[Policy]) -> str:
    """As a file that `load` takes back."""
    return "\n".join(_entry(one) for one in found)


def _entry(policy: Policy) -> str:
    fields = domain.plain(policy)
    attesting = fields.pop("attesting")
    lines = [f"# {policy.version}", "[[policy]]"]
    for name, value in fields.items():
        # TOML writes a date without quotes; strings, numbers, lists and booleans as JSON does.
        lines.append(f"{name} = {value if name == 'valid_from' else json.dumps(value, ensure_ascii=False)}")
    lines.append("[policy.attesting]")
    lines.extend(f"{name} = {json.dumps(value)}" for name, value in attesting.items())
    return "\n".join(lines) + "\n"


def as_json(found: Sequence[Policy]) -> list[dict[str, Any]]:
    """As plain data with the versions."""
    return [{"version": one.version, **domain.plain(one)} for one in found]
