"""How verification reaches Dukcapil."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """The address and the agency's credentials; the credentials never appear in a log or a repr."""

    url: str
    user: str = field(repr=False)
    password: str = field(repr=False)
    address: str = field(repr=False)
    timeout_s: float = 10.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """PAYUNG_DUKCAPIL_URL; USER, PASSWORD and IP as agreed with Dukcapil (the stand-in takes any)."""
        return cls(
            url=environ.get("PAYUNG_DUKCAPIL_URL", "http://127.0.0.1:8106").rstrip("/"),
            user=environ.get("PAYUNG_DUKCAPIL_USER", "payung"),
            password=environ.get("PAYUNG_DUKCAPIL_PASSWORD", "payung"),
            address=environ.get("PAYUNG_DUKCAPIL_IP", "127.0.0.1"),
        )
