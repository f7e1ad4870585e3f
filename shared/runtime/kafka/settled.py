"""Records in the store itself up to which offset each partition is settled, so that store and log can be compared.

A group's committed offsets are in Kafka. A database that is restored from an older copy does not know what was settled
since, and the group would silently skip it. So each batch notes its offsets in the store before they are committed. A
process that gets partitions goes back to the store's offset when the group is ahead of it.

Invariants
* Committed offsets were noted before, by a majority: in normal operation a group is never ahead of its store.
* A noted offset never falls. It belongs to a topic by its id: a topic made anew begins with none.
* A store that goes back under a running process ends that process, and the next one goes back in the log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

import structlog

from shared.runtime.errors import StartRefused, Unavailable
from shared.runtime.ports import Noted, StateStore

log = structlog.get_logger()

ACCEPT = "PAYUNG_ACCEPT_AHEAD"
Partition = tuple[str, int]


class Bounds(NamedTuple):
    """The first and the next offset of a log."""

    begin: int
    end: int


# The ids of topics by name, as the broker gives them.
Ids = Callable[[], Awaitable[Mapping[str, str]]]
_NAMED_MAX = 3


class OffsetsLost(Unavailable):
    """The store lost offsets under a running process: the process ends, and the next one goes back in the log."""


class SettledOffsets:
    """Notes offsets for one process, and finds where it must go back to. `accept`: the operator intends the group to be
    ahead."""

    def __init__(self, store: StateStore, ids: Ids, *, accept: bool = False) -> None:
        self._store = store
        self._ask = ids
        self._accept = accept
        self._ids: Mapping[str, str] = {}
        self._noted: dict[Noted, int] = {}

    async def note(self, offsets: Mapping[Partition, int]) -> None:
        """Notes offsets that are about to be committed. Raises OffsetsLost when the store knows less than before,
        Unavailable when it does not answer."""
        await self._know(name for name, _ in offsets)
        marks = {(self._ids[name], number): offset for (name, number), offset in offsets.items() if name in self._ids}
        if not marks:
            return
        before = await self._store.note_settled(marks)
        if before is None or any(before.get(mark, 0) < offset for mark, offset in self._noted.items()):
            raise OffsetsLost("the store was emptied or set back under this process")
        self._noted.update({mark: max(offset, self._noted.get(mark, 0)) for mark, offset in marks.items()})

    async def go_back(
        self, committed: Mapping[Partition, int], bounds: Mapping[Partition, Bounds]
    ) -> dict[Partition, int]:
        """For partitions that were just assigned: where the group is ahead of the store, the offset to read from.

        Raises StartRefused when a log does not reach back so
        far.
        """
        await self._know(name for name, _ in committed)
        kept = await self._store.settled()
        marks = {(name, number): (self._ids[name], number) for name, number in committed if name in self._ids}
        back: dict[Partition, int] = {}
        anew: dict[Noted, int] = {}
        for place, mark in marks.items():
            stands = kept.at.get(mark, 0)
            if mark not in kept.at and not kept.whole:
                # A store of an older release: it starts to count at what its group has committed.
                anew[mark] = committed[place]
            elif stands > bounds[place].end:
                # The log is older than the store: new records get offsets that earlier records had.
                anew[mark] = committed[place]
            elif committed[place] > stands:
                back[place] = stands
        lost = {place: offset for place, offset in back.items() if bounds[place].begin > offset}
        if back and self._accept:
            log.warning("the group stays ahead of the store, as the operator asked", partitions=len(back))
            anew.update({marks[place]: committed[place] for place in back})
            back = {}
        elif lost:
            raise StartRefused(_complaint(lost, bounds))
        if anew:
            await self._store.set_settled(anew)
        self._noted = {mark: anew.get(mark, kept.at.get(mark, 0)) for mark in marks.values()}
        return back

    async def _know(self, names: Iterable[str]) -> None:
        if any(name not in self._ids for name in set(names)):
            self._ids = await self._ask()


def _complaint(lost: Mapping[Partition, int], bounds: Mapping[Partition, Bounds]) -> str:
    named = [
        f"{name}/{number} from {lost[name, number]} to {bounds[name, number].begin}" for name, number in sorted(lost)
    ]
    shown = ", ".join(named[:_NAMED_MAX]) + (f" and {len(named) - _NAMED_MAX} more" if len(named) > _NAMED_MAX else "")
    return (
        f"the store is older than the log, and the log no longer holds what lies between: {shown}. Restore a newer "
        f"copy of the store (docs/runbooks/restore.md); to go on without those records start once with {ACCEPT}=all"
    )
