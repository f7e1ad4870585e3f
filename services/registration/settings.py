"""Registration's secret, its precedence of sources, and how often it looks for suspects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.runtime.settings import File, Number, Text, YesNo
from shared.runtime.store.crypto import id_key_from

# A list arrives in bursts, so the scan waits until nothing has come for this long.
SCAN_QUIET_S = 30.0
PRECEDENCE = File("PAYUNG_PRECEDENCE", "the regency's own precedence of sources", "the shipped one")
SUSPECTS_QUIET_S = Number(
    "PAYUNG_SUSPECTS_QUIET_S",
    "seconds without new workers before the search for doubles begins; 0 means only on request",
    "30",
    most=86_400,
    default=SCAN_QUIET_S,
)
PUBLIC_URL = Text("PAYUNG_PUBLIC_URL", "the address of this service in the codes of stickers, as phones reach it")
STICKER_SAMPLES = YesNo(
    "PAYUNG_STICKER_SAMPLES", "prints samples that lead nowhere where no public address is set", "no"
)
STICKER_KEY = Text(
    "PAYUNG_STICKER_KEY", "the key that signs stickers, BASE64 of 32 bytes", "derived from `PAYUNG_ID_KEY`", secret=True
)
STICKER_OLD_KEYS = Text("PAYUNG_STICKER_OLD_KEYS", "public keys of older stickers that still hang, with commas")
SETTINGS = (PRECEDENCE, SUSPECTS_QUIET_S, PUBLIC_URL, STICKER_SAMPLES, STICKER_KEY, STICKER_OLD_KEYS)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of registration.

    `id_key`: 32 bytes, shared with claims only and secret to all others. `precedence`: the regency's own file, else the
    shipped one. `scan_quiet_s`: seconds of quiet before a scan for suspects; 0 means no scan without a request.
    """

    id_key: bytes
    precedence: str | None = None
    scan_quiet_s: float = SCAN_QUIET_S

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Reads PAYUNG_ID_KEY, PAYUNG_PRECEDENCE, PAYUNG_SUSPECTS_QUIET_S; raises StartRefused when one is
        malformed."""
        return cls(id_key_from(environ), PRECEDENCE.text(environ) or None, SUSPECTS_QUIET_S.of(environ))
