"""The loaded policies in the store: appended, never changed, so that every past verdict can still name its policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.verification.domain import policy as domain
from services.verification.domain.policy import Policies, Policy
from shared.runtime.ports import Reader

POLICIES = "policies"
# Far more than decrees can produce; a larger number means that some program loads in a loop.
POLICIES_MAX = 10_000
_parsed: dict[str, Policy] = {}


async def load(reader: Reader) -> Policies:
    """All loaded policies; a handful of rows."""
    rows = await reader.find_rows(POLICIES, {}, order=("loaded_at",), limit=POLICIES_MAX)
    return Policies(tuple((datetime.fromisoformat(row["loaded_at"]), _policy(row)) for row in rows))


def _policy(row: Mapping[str, Any]) -> Policy:
    """Parses each version once per process: a version names its content, so it never changes."""
    version = row["version"]
    if version not in _parsed:
        # It keeps the version name of its load, even if a later release added fields.
        _parsed[version] = replace(domain.read(row["policy"]), version=version)
    return _parsed[version]
