"""Floods of dead letters: too many records of one topic cannot be read. Pure: no clock, no I/O, no metrics.

Theory of operation
A topic that is written from outside (for example an agency's intake) floods when two things hold within a window: at
least `letters` of its records were put aside, and they are at least the part `share` of the records read from it. This
is a bad export, not a list with a few bad rows. That topic is paused for a while; the others go on. The pause doubles
each time the topic floods again soon after it.

A topic of our own floods at `own_letters` within the window, whatever their share. We can read what we write ourselves,
so this is a defect, and each further record put aside would be one more to replay. The service stops before it puts
them aside. Uncommitted records stay in the topic until a release can read them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts import topics
from shared.runtime import configuration
from shared.runtime.errors import StartRefused

# Counts within one second are merged, so that a window never holds more entries than seconds.
_GRAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as a flood. A count of 0 switches that kind off."""

    letters: int = 1_000
    own_letters: int = 100
    share: float = 0.5
    window_s: float = 60.0
    pause_s: float = 60.0
    pause_max_s: float = 3_600.0


def limits_of(environ: Mapping[str, str]) -> Limits:
    """The limits from the environment, else the defaults; raises StartRefused for an impossible value."""
    limits = Limits(
        letters=configuration.FLOOD_LETTERS.of(environ),
        own_letters=configuration.FLOOD_OWN_LETTERS.of(environ),
        share=configuration.FLOOD_SHARE.of(environ),
        window_s=configuration.FLOOD_WINDOW_S.of(environ),
        pause_s=configuration.FLOOD_PAUSE_S.of(environ),
        pause_max_s=configuration.FLOOD_PAUSE_MAX_S.of(environ),
    )
    if limits.pause_max_s < limits.pause_s:
        longest, first = configuration.FLOOD_PAUSE_MAX_S.name, configuration.FLOOD_PAUSE_S.name
        raise StartRefused(f"{longest} is at least {first}; got {limits.pause_max_s:g} and {limits.pause_s:g}")
    return limits


def is_internal(topic: str) -> bool:
    """Whether only Payung writes to a topic. Agencies, the treasury and officers write to the intakes."""
    return not topics.is_from_outside(topic)


@dataclass(frozen=True, slots=True)
class TopicCounts:
    """The counts of one topic within a window."""

    records: int
    letters: int


@dataclass(slots=True)
class _Sample:
    at_s: float
    records: int
    letters: int


class Windows:
    """Counts records read and records put aside per topic, over the last `window_s` seconds of the caller's clock."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._looks: dict[str, deque[_Sample]] = {}

    def note(self, topic: str, records: int, letters: int, now_s: float) -> None:
        """Counts one batch's share of a topic."""
        looks = self._looks.setdefault(topic, deque())
        if looks and now_s - looks[-1].at_s < _GRAIN_S:
            looks[-1].records += records
            looks[-1].letters += letters
        else:
            looks.append(_Sample(now_s, records, letters))
        self._forget_old(topic, now_s)

    def tally(self, topic: str, now_s: float) -> TopicCounts:
        """The counts within the window now."""
        self._forget_old(topic, now_s)
        looks = self._looks.get(topic, ())
        return TopicCounts(sum(one.records for one in looks), sum(one.letters for one in looks))

    def clear(self, topic: str) -> None:
        """Starts a topic anew: the records that caused its pause must not cause another."""
        self._looks.pop(topic, None)

    def _forget_old(self, topic: str, now_s: float) -> None:
        looks = self._looks.get(topic)
        while looks and now_s - looks[0].at_s > self._limits.window_s:
            looks.popleft()


def from_outside(limits: Limits, tally: TopicCounts) -> bool:
    """Whether a topic that others write to is flooding."""
    return 0 < limits.letters <= tally.letters and tally.letters >= limits.share * tally.records


def from_ours(limits: Limits, tally: TopicCounts) -> bool:
    """Whether a topic of our own is flooding."""
    return 0 < limits.own_letters <= tally.letters


@dataclass(frozen=True, slots=True)
class Pause:
    """How long a topic is not read; `level` counts the floods in a row."""

    until_s: float
    level: int


def pause(limits: Limits, before: Pause | None, now_s: float) -> Pause:
    """The pause of a topic that floods now. It doubles when the last pause ended no longer ago than the longest
    pause."""
    again = before is not None and now_s - before.until_s <= limits.pause_max_s
    level = before.level + 1 if before is not None and again else 0
    # An attacker may drive the level up, so the exponent is bounded.
    length_s = min(limits.pause_max_s, limits.pause_s * 2.0 ** min(level, 32))
    return Pause(now_s + length_s, level)
