"""A pair of workers who may be one person. Defines shapes only; no rule, no store."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from shared.kernel.values import Personal, value


class PairStatus(StrEnum):
    """`open` waits for an officer and blocks money. `gone`: their forms changed and are no longer alike."""

    OPEN = "open"
    MERGED = "merged"
    DIFFERENT = "different"
    GONE = "gone"


@value(frozen=True, slots=True, kw_only=True)
class PairDecision:
    """An officer's decision on a pair, with day and reason. `keep` is the worker who stays after a merge."""

    decision: str
    officer: Annotated[str, Personal]
    reason: Annotated[str, Personal]
    decided_at: datetime
    keep: str = ""


@value(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two workers who may be one person. `score` is 0 to 100; `reasons` name the fields that are alike, never
    the values.
    """

    workers: tuple[str, str]
    regencies: tuple[str, ...]
    villages: tuple[str, ...]
    status: PairStatus
    score: int
    reasons: tuple[str, ...]
    found_at: datetime
    kept: str = ""
    decisions: tuple[PairDecision, ...] = ()

    @property
    def dropped(self) -> str:
        """The worker who was merged into the other; empty unless the pair is merged."""
        first, second = self.workers
        return "" if not self.kept else second if self.kept == first else first
