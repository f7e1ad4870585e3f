"""Compares where reading stands with the records that the broker still has.

A committed offset can become invalid in two ways:
* Retention deletes records before they are read. Reading goes on at the first record that exists, and the skipped
  records are lost to this service.
* The log ends before the offset (it was restored or cut off). Reading begins again at the first record; a record that
  is read twice has no second effect.
aiokafka reports neither. Here each case is reported once per partition: by a log line with the offsets, and by a
counter that an alert watches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiokafka import TopicPartition

from shared.runtime.ops.metrics import Metrics

log = structlog.get_logger()
RUNBOOK = "docs/runbooks/offsets-lost.md"


class Places:
    """Tracks the next record that aiokafka will hand out, for each partition owned now."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._next: dict[TopicPartition, int] = {}
        # Partitions where reading went back: the first record that was handed out then.
        self._back: dict[TopicPartition, int] = {}
        # Skipped offsets (from, to); kept until everything that was handed out before them is settled.
        self._skipped: dict[TopicPartition, tuple[int, int]] = {}
        # Where reading jumped ahead (from, to): over deleted records, or over offsets that never held a record for us.
        self._jumps: dict[TopicPartition, list[tuple[int, int]]] = {}
        self._placeless: set[TopicPartition] = set()
        self._cut_off: set[TopicPartition] = set()

    def partitions_assigned(self) -> None:
        """Partitions were assigned: no position in them is known yet."""
        for one in (self._next, self._back, self._skipped, self._jumps, self._placeless, self._cut_off):
            one.clear()

    def handed_out(self, found: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Notes what aiokafka hands out. Must be called before any other task runs."""
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

    def went_back(self) -> bool:
        """Whether reading went back to a record that is not settled since."""
        return bool(self._back)

    def started(self, partition: TopicPartition, committed: int | None) -> None:
        """Notes where reading starts. A group without a committed offset starts before the first record."""
        if partition not in self._next:
            self._next[partition] = committed or 0
            if committed is None:
                self._placeless.add(partition)

    def jumped(self) -> set[TopicPartition]:
        """Partitions where reading jumped ahead and the reason is not examined yet."""
        return set(self._jumps)

    def look_into(self, partition: TopicPartition, begin: int) -> None:
        """Reports for each jump how many of the records that it passed the log no longer has."""
        for first, last in self._jumps.pop(partition, ()):
            if begin > first:
                self._tell_skipped(partition, first, min(begin, last))

    def begins_again(self, partition: TopicPartition, offset: int) -> bool:
        """Whether reading went back to this record, which is being settled."""
        if self._back.get(partition) != offset:
            return False
        del self._back[partition]
        return True

    def cut_off(self, partition: TopicPartition, place: int, begin: int) -> int:
        """The log ends before the committed place. Returns the next record that is handed out, as far as it is
        known."""
        self._tell_cut_off(partition, place, begin)
        if self._next.get(partition, place) >= place:
            self._next[partition] = begin
        return self._next[partition]

    def is_ahead_of(self, partition: TopicPartition, begin: int, done: int) -> bool:
        """Whether everything that was deleted had been handed out or is reported already."""
        return self._next.get(partition, done) >= begin

    def skipped(self, partition: TopicPartition, begin: int, done: int) -> None:
        """Reading goes on at `begin`, and nothing from there on was handed out yet: the records before it are
        deleted."""
        first = self._next.get(partition, done)
        if first < begin:
            self._next[partition] = begin
            self._skipped[partition] = (first, begin)
            self._tell_skipped(partition, first, begin)

    def passed(self, partition: TopicPartition, done: int) -> int | None:
        """The offset at which reading went on; None until everything that was handed out before the gap is settled."""
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
            + (
                "the group has no committed offset, so it is not known whether they were read"
                if placeless
                else "they are skipped"
            ),
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
            "the log ends before the committed offset: it is read again from its first record",
            topic=partition.topic,
            partition=partition.partition,
            place=place,
            first=begin,
            see=RUNBOOK,
        )
