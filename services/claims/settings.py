"""Claims' secret, and how it reaches BPJS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.runtime.crypto import id_key_from


@dataclass(frozen=True, slots=True)
class Settings:
    """`id_key`: 32 bytes, the same in registration and claims."""

    id_key: bytes = field(repr=False)
    bpjs_url: str
    timeout_s: float = 10.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Reads PAYUNG_ID_KEY and PAYUNG_BPJS_URL."""
        url = environ.get("PAYUNG_BPJS_URL", "http://127.0.0.1:8107").rstrip("/")
        return cls(id_key_from(environ), url)
