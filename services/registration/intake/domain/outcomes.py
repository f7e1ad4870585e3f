"""Builds the two kinds of events that all features publish: open news, and steps for registration itself."""

from __future__ import annotations

from typing import Any

from shared.contracts import topics
from shared.kernel.decision import Outcome


def open_event(key: str, kind: str, data: Any) -> Outcome:
    """An event for everybody, on `registration-events`; it holds no personal data."""
    return Outcome(topics.events("registration"), key, kind, data)


def work_event(key: str, kind: str, data: Any, *, personal: bool = False) -> Outcome:
    """An event for registration itself, on its work topic."""
    return Outcome(topics.work("registration"), key, kind, data, personal=personal)
