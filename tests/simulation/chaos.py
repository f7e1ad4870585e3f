"""Decides which faults happen, and when, from one seeded generator. Knows no Kafka and no service.

Each seed switches kinds of faults on and off, because some faults do harm only when others are rare.
"""

from __future__ import annotations

import random
from collections import Counter
from enum import StrEnum


class Kind(StrEnum):
    """One kind of fault; it strikes at one await of one process."""

    UNAVAILABLE = "unavailable"  # no effect, or an effect whose answer is lost
    CRASH = "crash"  # the process dies at this await
    OUTAGE = "outage"  # the store or the broker does not answer this service for a while
    NAP = "nap"  # paused past its session; another owner takes over; then it continues
    SECOND = "second"  # one process more, or one less
    REBALANCE = "rebalance"  # positions go back to what is committed
    REWIND = "rewind"  # committed offsets are lost; the partition is read again from an earlier offset
    RESTORE = "restore"  # the store goes back to an older copy; all processes of the service restart
    DUPLICATE = "duplicate"  # a sender sends a record again
    EXPIRE = "expire"  # a crash; afterwards saved but uncommitted records are gone from the topic


class Chaos:
    """Draws faults within a budget, so that every run comes to rest."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.rate = rng.choice((0.0, 0.005, 0.02, 0.05, 0.2))
        self.left = rng.choice((1, 3, 6, 12)) if self.rate else 0
        self.switching = rng.choice((0.05, 0.2, 0.7))
        kinds = list(Kind)
        self.kinds = rng.sample(kinds, rng.randint(2, len(kinds)))
        if rng.random() < 0.15:
            # One process starts while another is about to die. Among all kinds of faults this would be too rare.
            self.kinds = [Kind.SECOND, Kind.EXPIRE]
        self.records_max = rng.choice((1, 3, 20, 500))
        # At the end everything is read again from the first record, into the existing stores.
        self.replays = rng.random() < 0.05
        self.struck: Counter[str] = Counter()

    def draw(self) -> Kind | None:
        """The fault at this await, or None."""
        if self.left <= 0 or self.rng.random() >= self.rate:
            return None
        self.left -= 1
        kind = self.rng.choice(self.kinds)
        self.struck[kind] += 1
        return kind

    def switches(self) -> bool:
        """Whether another task may run before this await returns."""
        return self.rng.random() < self.switching
