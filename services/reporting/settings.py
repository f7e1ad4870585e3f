"""The settings of reporting, and the environment names that set them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.runtime.settings import Integer

STREAMS_MAX = 200
STREAMS = Integer(
    "PAYUNG_REPORTING_STREAMS",
    "browsers that may follow the live figures at the same time",
    str(STREAMS_MAX),
    most=100_000,
    default=STREAMS_MAX,
)
SETTINGS = (STREAMS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How often figures are counted and shown; in seconds unless the name says otherwise."""

    # The live stream and the snapshots check for changes this often.
    look_s: float = 2.0
    # Other instances of this service write to the same store, so figures older than this are always counted again.
    stale_s: float = 5.0
    # The share of time that counting may take; at 0.1 a count of 0.4 s is followed by a rest of 3.6 s.
    counting_share: float = 0.1
    heartbeat_s: float = 15.0
    streams_max: int = STREAMS_MAX

    def rest_s(self, took_s: float) -> float:
        """How long figures are kept, even if data change, when counting them took `took_s`."""
        return took_s * (1 / self.counting_share - 1)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Reads `PAYUNG_REPORTING_STREAMS`: how many browsers may follow the live figures at the same time."""
        return cls(streams_max=STREAMS.of(environ))
