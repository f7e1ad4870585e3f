"""Two workers who turned out to be one person: the link of each to whom they were merged into, and who that makes."""

from __future__ import annotations

from collections.abc import Mapping

from shared.kernel.values import value


@value(frozen=True, slots=True)
class Link:
    """Into whom a worker was merged, "" when set apart again; `sequence` of registration's latest word on it."""

    into: str
    sequence: int


@value(frozen=True, slots=True)
class Persons:
    """`into`: each linked worker's next one."""

    into: Mapping[str, str]

    def who(self, worker_id: str) -> str:
        """Who stayed of this worker and all they were merged with; of a circle the same one for each."""
        passed = [worker_id]
        while (following := self.into.get(passed[-1])) is not None:
            if following in passed:
                return min(passed[passed.index(following) :])
            passed.append(following)
        return passed[-1]

    def group(self, worker_id: str) -> frozenset[str]:
        """All who are one person with this worker."""
        if not self.into:
            return frozenset({worker_id})
        who = self.who(worker_id)
        return frozenset({worker_id, who, *(one for one in self.into if self.who(one) == who)})
