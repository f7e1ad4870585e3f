"""The numbers of billing that an installation may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.runtime.settings import Integer

# One record names all workers of a step (contracts/billing_work.py); more would exceed the topic's record size.
STEP_WORKERS_LIMIT = 1000
STEP_WORKERS = Integer(
    "PAYUNG_BILLING_STEP_WORKERS",
    "candidates in one step of a billing run",
    str(STEP_WORKERS_LIMIT),
    least=1,
    most=STEP_WORKERS_LIMIT,
    default=STEP_WORKERS_LIMIT,
)
SETTINGS = (STEP_WORKERS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`step_workers`: the number of candidates in one step of a run, 1 to 1,000."""

    step_workers: int = STEP_WORKERS_LIMIT


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Reads PAYUNG_BILLING_STEP_WORKERS; raises StartRefused unless it is a number from 1 to 1,000."""
    return Settings(step_workers=STEP_WORKERS.of(environ))
