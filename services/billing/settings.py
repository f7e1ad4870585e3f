"""The numbers of billing that an installation may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# One record names all workers of a step (contracts/billing_work.py); more would exceed the topic's record size.
STEP_WORKERS_LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`step_workers`: the number of candidates in one step of a run, 1 to 1,000."""

    step_workers: int = STEP_WORKERS_LIMIT


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Reads PAYUNG_BILLING_STEP_WORKERS; raises ValueError unless it is a number from 1 to 1,000."""
    step_workers = int(environ.get("PAYUNG_BILLING_STEP_WORKERS", STEP_WORKERS_LIMIT))
    if not 1 <= step_workers <= STEP_WORKERS_LIMIT:
        raise ValueError(f"PAYUNG_BILLING_STEP_WORKERS is {step_workers}; 1 to {STEP_WORKERS_LIMIT} are possible")
    return Settings(step_workers=step_workers)
