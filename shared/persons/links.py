"""Workers who turned out to be one person: the link from each to the worker they were merged into, and the resulting
person."""

from __future__ import annotations

from collections.abc import Mapping

from shared.kernel.values import value


@value(frozen=True, slots=True)
class Link:
    """The worker that another was merged into, "" when separated again; `sequence` is that of registration's latest
    event about it."""

    into: str
    sequence: int


@value(frozen=True, slots=True)
class Persons:
    """`into`: for each linked worker, the worker they were merged into."""

    into: Mapping[str, str]

    def who(self, worker_id: str) -> str:
        """The worker who remains of this one and all they were merged with; for a circle of links, the same one for
        each member."""
        passed = [worker_id]
        while (following := self.into.get(passed[-1])) is not None:
            if following in passed:
                return min(passed[passed.index(following) :])
            passed.append(following)
        return passed[-1]

    @property
    def linked(self) -> frozenset[str]:
        """Everybody who was merged with somebody."""
        return frozenset((*self.into, *self.into.values()))

    def group(self, worker_id: str) -> frozenset[str]:
        """All workers who are the same person as this one."""
        if not self.into:
            return frozenset({worker_id})
        who = self.who(worker_id)
        return frozenset({worker_id, who, *(one for one in self.into if self.who(one) == who)})
