"""A verified fake of consumer groups over MemoryTopics: assignment, positions, commits, eager rebalances.

For tests and simulation only; tests/conformance holds it to what the real broker does. A member that lost a partition
may still work on records that it read before (a zombie): only its commit is refused.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable, Mapping, Sequence

from shared.runtime.records import Message, Record
from tests.fakes.memory import MemoryTopics, Trouble

Partition = tuple[str, int]
# Picks the order in which a member looks at the partitions that have records for it.
Order = Callable[[list[Partition]], None]


def _as_they_stand(places: list[Partition]) -> None:
    """Keeps the order of the assignment."""


class NotOwner(Exception):
    """A commit for a partition that moved to another member."""


async def _no_trouble(_: str) -> None:
    return None


class MemoryGroup:
    """One consumer group. `committed` is where a member starts when it gets a partition."""

    def __init__(self, topics: MemoryTopics, pattern: str, order: Order | None = None) -> None:
        self._topics = topics
        self._pattern = re.compile(pattern)
        self._order = order or _as_they_stand
        self._fits: dict[str, bool] = {}
        self.committed: dict[Partition, int] = {}
        self.members: list[MemoryMember] = []
        # Called for every accepted commit: the partition, its offset before and after.
        self.watch: Callable[[Partition, int, int], None] = lambda place, before, after: None
        topics.listeners.append(self._published)
        self._assigned: dict[MemoryMember, list[Partition]] = {}
        self._partitions = 0

    def _published(self, one: Message) -> None:
        if self.subscribed(one.topic):
            for member in self.members:
                member.wake()

    def subscribed(self, topic: str) -> bool:
        """Whether the group reads a topic."""
        fits = self._fits.get(topic)
        if fits is None:
            fits = self._fits[topic] = self._pattern.match(topic) is not None
        return fits

    def owner(self, place: Partition) -> MemoryMember:
        """The member that reads a partition now."""
        return self.members[(zlib.crc32(place[0].encode()) + place[1]) % len(self.members)]

    def assignment(self, member: MemoryMember) -> list[Partition]:
        """The partitions that a member reads now; computed once until members or topics change."""
        if self._partitions != len(self._topics.logs):
            self._partitions = len(self._topics.logs)
            self._assigned = {one: [] for one in self.members}
            for place in self._topics.logs if self.members else ():
                if self.subscribed(place[0]):
                    self._assigned[self.owner(place)].append(place)
        return self._assigned.get(member, [])

    def join(self, member: MemoryMember) -> None:
        """Adds a member: all members start again from what is committed."""
        if member not in self.members:
            self.members.append(member)
            self.rebalance()

    def leave(self, member: MemoryMember) -> None:
        """Removes a member."""
        if member in self.members:
            self.members.remove(member)
            self.rebalance()

    def rebalance(self) -> None:
        """Every member forgets its positions, as eager assignors do."""
        self._partitions = 0
        for member in self.members:
            member.positions.clear()
            member.on_assigned()
            member.wake()

    def lag(self) -> int:
        """Records that are not committed."""
        return sum(
            len(log) - self.committed.get(place, 0)
            for place, log in self._topics.logs.items()
            if self.subscribed(place[0])
        )


class MemoryMember:
    """One consumer of a group, with the few calls that the shell makes to the real one."""

    def __init__(self, group: MemoryGroup, topics: MemoryTopics, trouble: Trouble = _no_trouble) -> None:
        self._group = group
        self._topics = topics
        self._trouble = trouble
        self._woken: asyncio.Future[None] | None = None
        self.positions: dict[Partition, int] = {}
        # Called at every rebalance, before the first record of the new assignment.
        self.on_assigned: Callable[[], None] = lambda: None

    def assignment(self) -> list[Partition]:
        """The partitions that are this member's now."""
        return self._group.assignment(self)

    def wake(self) -> None:
        """New records may have arrived."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def take(self, records_max: int) -> list[Record]:
        """The next records, in order within each partition; waits until there are some."""
        while True:
            found = self._next(records_max)
            if found:
                return found
            self._woken = asyncio.get_running_loop().create_future()
            await self._woken

    def _next(self, records_max: int) -> list[Record]:
        group, logs = self._group, self._topics.logs
        places = [
            place
            for place in self.assignment()
            if self.positions.get(place, group.committed.get(place, 0)) < len(logs[place])
        ]
        group._order(places)
        found: list[Record] = []
        for place in places:
            start = self.positions.get(place, group.committed.get(place, 0))
            batch = logs[place][start : start + records_max - len(found)]
            self.positions[place] = start + len(batch)
            found.extend(batch)
            if len(found) >= records_max:
                break
        return found

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Commits all of the offsets, or none when one of the partitions belongs to another member."""
        await self._trouble("commit")
        group = self._group
        if self not in group.members or any(group.owner(place) is not self for place in offsets):
            raise NotOwner
        for place, offset in offsets.items():
            before = group.committed.get(place, 0)
            group.committed[place] = offset
            group.watch(place, before, offset)
        await self._trouble("commit done")

    async def ends(self, places: Sequence[Partition]) -> dict[Partition, int]:
        """Where the next record of each partition will stand."""
        await self._trouble("read ends")
        return {place: len(self._topics.logs.get(place, ())) for place in places}

    async def committed(self, place: Partition) -> int | None:
        """Where a start would begin; None when nothing was committed yet."""
        await self._trouble("read committed")
        return self._group.committed.get(place)
