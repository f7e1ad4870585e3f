"""Registration's secret, its precedence of sources, and how often it looks for suspects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.runtime.errors import Refused
from shared.runtime.store.crypto import id_key_from

# A list arrives in bursts, so the scan waits until nothing has come for this long.
SCAN_QUIET_S = 30.0


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
        """Reads PAYUNG_ID_KEY, PAYUNG_PRECEDENCE, PAYUNG_SUSPECTS_QUIET_S; raises Refused when one is malformed."""
        quiet = environ.get("PAYUNG_SUSPECTS_QUIET_S", str(SCAN_QUIET_S))
        try:
            quiet_s = float(quiet)
        except ValueError as error:
            raise Refused(f"PAYUNG_SUSPECTS_QUIET_S is {quiet!r}; a number of seconds is needed") from error
        return cls(id_key_from(environ), environ.get("PAYUNG_PRECEDENCE") or None, quiet_s)
