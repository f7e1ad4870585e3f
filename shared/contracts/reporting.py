"""Reporting's published language: area snapshots on the compacted topic."""

from __future__ import annotations

from shared.contracts.base import Data, Period


class CoverageCounted(Data):
    """One area's counts in one period, latest value wins (topic key: area code + period)."""

    area: str
    name: str
    period: Period
    registered: int
    verified: int
    held: int
    rejected: int
    billed: int
    covered: int
    target: int | None


OUTCOMES: dict[str, type[Data]] = {"coverage.counted.v1": CoverageCounted}
