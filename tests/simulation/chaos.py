"""What goes wrong, and when: every decision of a run comes from one seeded generator. Knows no Kafka and no service.

Each seed switches kinds of trouble on and off (a swarm): some hurt only when others are rare.
"""

from __future__ import annotations

import random
from collections import Counter
from enum import StrEnum


class Kind(StrEnum):
    """One kind of trouble, struck at one await of one process."""

    UNAVAILABLE = "unavailable"  # no effect, or an effect whose answer is lost
    CRASH = "crash"  # the process is gone, at this very await
    OUTAGE = "outage"  # the store or the broker does not answer this service for a while
    NAP = "nap"  # paused past its session; another owner takes over; then it goes on
    SECOND = "second"  # a process more, or one less
    REBALANCE = "rebalance"  # positions go back to what is committed
    REWIND = "rewind"  # committed offsets are lost, the partition is read again from an earlier place
    RESTORE = "restore"  # the store goes back to an older copy, all processes of the service are started anew
    DUPLICATE = "duplicate"  # a sender sends a record once more
    EXPIRE = "expire"  # a crash, after which what was saved but not committed is gone from the topic


class Chaos:
    """Draws trouble within a budget, so that every run comes to rest."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.rate = rng.choice((0.0, 0.005, 0.02, 0.05, 0.2))
        self.left = rng.choice((1, 3, 6, 12)) if self.rate else 0
        self.switching = rng.choice((0.05, 0.2, 0.7))
        kinds = list(Kind)
        self.kinds = rng.sample(kinds, rng.randint(2, len(kinds)))
        if rng.random() < 0.15:
            # One process starts while another is about to die: among all kinds of trouble that is too rare to be seen.
            self.kinds = [Kind.SECOND, Kind.EXPIRE]
        self.records_max = rng.choice((1, 3, 20, 500))
        # At the end everything is read again from the first record, into what stands.
        self.replays = rng.random() < 0.05
        self.struck: Counter[str] = Counter()

    def draw(self) -> Kind | None:
        """Trouble at this await, or none."""
        if self.left <= 0 or self.rng.random() >= self.rate:
            return None
        self.left -= 1
        kind = self.rng.choice(self.kinds)
        self.struck[kind] += 1
        return kind

    def switches(self) -> bool:
        """Whether another task may run before this await returns."""
        return self.rng.random() < self.switching
