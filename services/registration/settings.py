"""Registration's secret: the key that turns a NIK into a worker_id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.runtime.crypto import id_key_from


@dataclass(frozen=True, slots=True)
class Settings:
    """`id_key`: 32 bytes, the same in registration and claims, kept from all others."""

    id_key: bytes

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Reads PAYUNG_ID_KEY; raises Refused when it is missing or malformed."""
        return cls(id_key_from(environ))
