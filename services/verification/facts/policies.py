"""The loaded policies in the store: appended, never changed, so that what judged once can be named for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.verification.domain import policy as domain
from services.verification.domain.policy import Policies, Policy
from shared.runtime import clock
from shared.runtime.ports import Reader

POLICIES = "policies"
# Far beyond what decrees can change; more is a loop that loads.
POLICIES_MAX = 10_000
_parsed: dict[str, Policy] = {}


async def load(reader: Reader) -> Policies:
    """All of them; a handful of rows."""
    rows = await reader.find_rows(POLICIES, {}, order=("loaded_at",), limit=POLICIES_MAX)
    return Policies(tuple((datetime.fromisoformat(row["loaded_at"]), _policy(row)) for row in rows))


def _policy(row: Mapping[str, Any]) -> Policy:
    """Parsed once a process: a version names its content."""
    version = row["version"]
    if version not in _parsed:
        # Under the name it had when it was loaded, whatever fields a later release may have added.
        _parsed[version] = replace(domain.read(row["policy"]), version=version)
    return _parsed[version]


async def save(reader: Reader, given: Sequence[Policy]) -> list[Policy]:
    """Adds those that do not stand already, each from now on; returns the added."""
    standing = await load(reader)
    now = clock.now()
    latest = {(one.regency, one.valid_from): one.version for _, one in standing.loaded}
    added = [one for one in given if latest.get((one.regency, one.valid_from)) != one.version]
    rows = {
        f"{one.version}|{now.isoformat()}": {
            "version": one.version,
            "loaded_at": now.isoformat(),
            "policy": domain.plain(one),
        }
        for one in added
    }
    await reader.save_rows(POLICIES, rows)
    return added
