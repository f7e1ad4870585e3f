"""The rules of counting: which event is older, which age band, which share. Pure.

A share is never capped: coverage above 100 % of a target is real, because targets are estimates
(docs/rules.md#who-may-be-insured).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from shared.contracts.envelope import rfc3339
from shared.contracts.topics import AgencyName
from shared.kernel.calendar import months_between
from shared.kernel.decision import Decision
from shared.kernel.event import Event

S = TypeVar("S")
P = TypeVar("P")

OLDER = "older"
ALREADY_COUNTED = "already-counted"
FEEDBACK_PREFIX = "feedback-"

# Informal workers may be insured from 18 to 64 (docs/rules.md#who-may-be-insured); others are still counted.
AGE_BANDS = ((18, 24), (25, 34), (35, 44), (45, 54), (55, 64))
YOUNGER = "under-18"
OLDER_AGES = "65-over"
UNKNOWN = "unknown"
AGES = tuple(f"{low}-{high}" for low, high in AGE_BANDS)
SEXES = ("F", "M")

_FEEDBACK = re.compile(FEEDBACK_PREFIX + r"(\d{2})(\d{2})-([a-z][a-z0-9-]*)")


def answering_agency(topic: str) -> AgencyName | None:
    """The agency of a feedback topic; None for other topics."""
    found = _FEEDBACK.fullmatch(topic)
    return AgencyName(f"{found[1]}.{found[2]}", found[3]) if found else None


def older(state: Any, event: Event) -> bool:
    """Whether a later event of the same aggregate was already counted."""
    return state is not None and event.sequence is not None and bool(event.sequence < state.sequence)


def latest(judge: Callable[[S | None, Event[P], str], S]) -> Callable[[S | None, Event[P], None], Decision[S]]:
    """For documents that hold the latest state of an aggregate: an older event changes nothing."""

    @wraps(judge)
    def decide(state: S | None, event: Event[P], facts: None) -> Decision[S]:
        if older(state, event):
            return Decision(state=None, ignored=OLDER)
        return Decision(state=judge(state, event, rfc3339(event.at)))

    return decide


def once(judge: Callable[[Event[P], str], S]) -> Callable[[None, Event[P], None], Decision[S]]:
    """For documents that are inserted once."""

    @wraps(judge)
    def decide(state: None, event: Event[P], facts: None) -> Decision[S]:
        return Decision(state=judge(event, rfc3339(event.at)))

    return decide


def age_band(birth_month: str | None, period: str) -> str:
    """The band of completed years in a period. The day of birth is not known here, so the whole birth month
    counts as lived.
    """
    if birth_month is None:
        return UNKNOWN
    age = months_between(birth_month, period) // 12
    if age < AGE_BANDS[0][0]:
        return YOUNGER
    return next((f"{low}-{high}" for low, high in AGE_BANDS if age <= high), OLDER_AGES)


def share(part: int, whole: int | None) -> float | None:
    """A part of a whole, uncapped, to four decimals; None when the whole is 0 or None."""
    return round(part / whole, 4) if whole else None


def percent(part: int, whole: int | None) -> float | None:
    """A share in percent to one decimal, uncapped; None when the whole is 0 or None."""
    return round(100 * part / whole, 1) if whole else None
