"""The steps of a batch. A test watches them, and kills a process there (tests/fakes/failpoints.py)."""

from __future__ import annotations

from collections.abc import Callable

# In the order in which a batch passes them. Between two neighbours there is exactly one effect that others can see.
SEAMS = ("decoded", "journaled", "saved", "published", "settled", "committed")


def nothing(seam: str) -> None:
    """The default watcher: does nothing."""


hit: Callable[[str], None] = nothing
