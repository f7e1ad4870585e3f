"""The settings of claims: its secret, the address of BPJS, and the amount above which an officer decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.runtime.settings import Integer, Url
from shared.runtime.store.crypto import id_key_from

# Above this amount an officer must decide (docs/contracts.md#claims).
OFFICER_ABOVE = 50_000_000
BPJS_URL = Url("PAYUNG_BPJS_URL", "the address of BPJS' payment service", "http://127.0.0.1:8107")
DECIDES_ABOVE = Integer(
    "PAYUNG_CLAIMS_OFFICER_ABOVE",
    "an officer must decide a claim above this amount, in rupiah",
    str(OFFICER_ABOVE),
    most=10**12,
    default=OFFICER_ABOVE,
)
SETTINGS = (BPJS_URL, DECIDES_ABOVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`id_key`: 32 bytes, the same in registration and claims. `officer_above` is in rupiah."""

    id_key: bytes = field(repr=False)
    bpjs_url: str
    officer_above: int = OFFICER_ABOVE

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Reads PAYUNG_ID_KEY, PAYUNG_BPJS_URL, PAYUNG_CLAIMS_OFFICER_ABOVE; raises StartRefused when one is
        malformed.
        """
        return cls(
            id_key=id_key_from(environ),
            bpjs_url=BPJS_URL.of(environ),
            officer_above=DECIDES_ABOVE.of(environ),
        )
