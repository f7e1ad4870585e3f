"""Where reading stands against what the broker still has.

Two things can go wrong with a place that a group committed. Retention deletes records that nobody has read: reading
goes on at the first record that exists, and what was skipped is lost to this service. Or the log ends before the place
(it was restored or cut off): reading begins again at the first record, and what is read twice has no second effect.
aiokafka does both without a word. Here each is told once a partition: a log line with the offsets, and a counter that
an alert watches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiokafka import TopicPartition

from shared.runtime.metrics import Metrics

log = structlog.get_logger()
RUNBOOK = "docs/runbooks/offsets-lost.md"


class Places:
    """The next record that aiokafka will hand out, of each partition owned now."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._next: dict[TopicPartition, int] = {}
        # Where reading went back: the first record that was handed out then.
        self._back: dict[TopicPartition, int] = {}
        # What was skipped, from and to, until all that was handed out before is settled.
        self._skipped: dict[TopicPartition, tuple[int, int]] = {}
        # Where reading jumped ahead, from and to: over deleted records, or over offsets that never held one for us.
        self._jumps: dict[TopicPartition, list[tuple[int, int]]] = {}
        self._placeless: set[TopicPartition] = set()
        self._cut_off: set[TopicPartition] = set()

    def own_anew(self) -> None:
        """Partitions came: nothing is known of them yet."""
        for one in (self._next, self._back, self._skipped, self._jumps, self._placeless, self._cut_off):
            one.clear()

    def handed_out(self, found: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Notes what aiokafka hands out, in the same turn of the loop."""
        for partition, records in found.items():
            if not records:
                continue
            first = records[0].offset
            expected = self._next.get(partition, first)
            if first < expected:
                self._back[partition] = first
                self._tell_cut_off(partition, expected, first)
            elif first > expected:
                self._jumps.setdefault(partition, []).append((expected, first))
            self._next[partition] = records[-1].offset + 1

    def started(self, partition: TopicPartition, committed: int | None) -> None:
        """Notes where reading starts; a group without a place stands before the first record."""
        if partition not in self._next:
            self._next[partition] = committed or 0
            if committed is None:
                self._placeless.add(partition)

    def jumped(self) -> set[TopicPartition]:
        """The partitions of which reading jumped ahead, nobody has looked yet why."""
        return set(self._jumps)

    def look_into(self, partition: TopicPartition, begin: int) -> None:
        """Tells of each jump how many records it passed that the log no longer has."""
        for first, last in self._jumps.pop(partition, ()):
            if begin > first:
                self._tell_skipped(partition, first, min(begin, last))

    def begins_again(self, partition: TopicPartition, offset: int) -> bool:
        """Whether this record, which is being settled, is the one at which reading went back."""
        if self._back.get(partition) != offset:
            return False
        del self._back[partition]
        return True

    def cut_off(self, partition: TopicPartition, place: int, begin: int) -> int:
        """The log ends before the place that was committed; the next record that is handed out, as far as is known."""
        self._tell_cut_off(partition, place, begin)
        if self._next.get(partition, place) >= place:
            self._next[partition] = begin
        return self._next[partition]

    def is_ahead_of(self, partition: TopicPartition, begin: int, done: int) -> bool:
        """Whether all that is gone had been handed out, or is told already."""
        return self._next.get(partition, done) >= begin

    def skipped(self, partition: TopicPartition, begin: int, done: int) -> None:
        """Reading goes on at `begin`, and nothing was handed out yet: what stood before it is gone."""
        first = self._next.get(partition, done)
        if first < begin:
            self._next[partition] = begin
            self._skipped[partition] = (first, begin)
            self._tell_skipped(partition, first, begin)

    def passed(self, partition: TopicPartition, done: int) -> int | None:
        """The offset from which reading went on, once all that was handed out before the gap is settled."""
        first, begin = self._skipped.get(partition, (0, 0))
        if not begin or done < first:
            return None
        del self._skipped[partition]
        return begin

    def _tell_skipped(self, partition: TopicPartition, first: int, begin: int) -> None:
        placeless = partition in self._placeless
        self._placeless.discard(partition)
        self._metrics.skipped(partition.topic, begin - first)
        log.error(
            "records were deleted before they were read: "
            + ("the group has no place, so nobody knows whether they were read" if placeless else "they are skipped"),
            topic=partition.topic,
            partition=partition.partition,
            first=first,
            last=begin - 1,
            records=begin - first,
            see=RUNBOOK,
        )

    def _tell_cut_off(self, partition: TopicPartition, place: int, begin: int) -> None:
        if partition in self._cut_off:
            return
        self._cut_off.add(partition)
        self._metrics.place_lost(partition.topic)
        log.error(
            "the log ends before the place that was read: it is read again from its first record",
            topic=partition.topic,
            partition=partition.partition,
            place=place,
            first=begin,
            see=RUNBOOK,
        )
