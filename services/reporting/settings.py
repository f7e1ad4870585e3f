"""The few numbers of reporting, and the environment names that set them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How often figures are counted and shown; seconds unless the name says otherwise."""

    # The live stream and the snapshots look for changes this often.
    look_s: float = 2.0
    # Other instances of this service write to the same store: figures older than this are counted again in any case.
    stale_s: float = 5.0
    # Counting may take this share of the time; at 0.1 a count of 0.4 s is followed by a rest of 3.6 s.
    counting_share: float = 0.1
    heartbeat_s: float = 15.0
    streams_max: int = 200

    def rest_s(self, took_s: float) -> float:
        """How long figures are kept, whatever changes, that took so long to count."""
        return took_s * (1 / self.counting_share - 1)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """`PAYUNG_REPORTING_STREAMS`: how many browsers may follow the live figures at once."""
        return cls(streams_max=int(environ.get("PAYUNG_REPORTING_STREAMS", "200")))
