"""What a service refuses to run on, beside the checks of the store and of the table of topics. Knows no driver.

* A re-created topic: its offsets begin again at zero. Offsets committed for the old topic would silently skip records
  of the new one.
* A topic whose partitions are increased under a running service: later records of a key go to another partition, and
  their order is lost.
* A URL of the store that asks for less durability than the promise needs.
* A process name that two processes use: each takes the partitions of the other as those of its own dead predecessor,
  and closes the other's journals as those of a dead process.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import structlog

from shared.runtime import clock
from shared.runtime.errors import StartRefused, Unavailable
from shared.runtime.ports import Rows

log = structlog.get_logger()

META = "_meta"
REMEMBERED = "topics"
LOOK_S = 15.0
ACCEPT = "PAYUNG_ACCEPT_TOPIC"
INSTANCE = "PAYUNG_INSTANCE"
NAME_LOOK_S = 5.0
_NAMED_MAX = 3


class TopicAtBroker(NamedTuple):
    """A topic as the broker has it."""

    id: str
    partitions: int


Look = Callable[[], Awaitable[dict[str, TopicAtBroker]]]
# Makes the service's group read these topics from their beginning.
Rewind = Callable[[Sequence[str]], Awaitable[None]]


def check_store_url(environ: Mapping[str, str]) -> None:
    """Refuses a URL that asks for less than majority, journaled. The code asks for exactly that, so one of them is
    wrong."""
    for name, value in parse_qsl(urlsplit(environ.get("PAYUNG_MONGO_URL", "")).query):
        option, wanted = name.lower(), value.lower()
        weak = (option == "w" and wanted != "majority") or (option in ("journal", "j") and wanted == "false")
        if weak:
            raise StartRefused(
                f"PAYUNG_MONGO_URL says {name}={value}; Payung writes with w=majority and a journal: remove it"
            )


class TopicGuard:
    """Remembers the id of each topic that a service reads or writes, in the service's own store. While the process
    lives, it also remembers how many partitions each has (at the start the table of topics says how many)."""

    def __init__(
        self, store: Rows, pattern: str, wanted: Sequence[str], look: Look, rewind: Rewind, accept: str = ""
    ) -> None:
        self._store = store
        self._reads = re.compile(pattern)
        self._wanted = frozenset(wanted)
        self._ask = look
        self._rewind = rewind
        self._accepted = frozenset(name.strip() for name in accept.split(",") if name.strip())
        self._known: dict[str, str] = {}
        self._partitions: dict[str, int] = {}

    async def check(self) -> None:
        """At start: raises StartRefused when a topic was made anew since the last start, unless the operator names
        it."""
        standing = await self._standing()
        found, self._partitions = _ids(standing), _partitions(standing)
        kept: dict[str, Any] = (await self._store.rows(META, [REMEMBERED])).get(REMEMBERED, {})
        anew = _recreated(found, kept)
        refused = [] if "all" in self._accepted else [name for name in anew if name not in self._accepted]
        if refused:
            raise StartRefused(_complaint(refused))
        if anew:
            # Rewind before the new ids are remembered: after a crash in between, the operator is asked again and
            # nothing is skipped.
            log.warning("topics made anew are accepted and read from their beginning", topics=anew)
            await self._rewind([name for name in anew if self._reads.match(name)])
        self._known = {**kept, **found}
        # A topic that is missing now stays remembered: it may come back as another topic.
        if self._known != kept:
            await self._store.save_rows(META, {REMEMBERED: self._known})

    async def run(self) -> None:
        """While the service runs: raises StartRefused as soon as a topic is replaced or its partition count changes.
        Runs until cancelled."""
        await regularly(self._look, LOOK_S, "the topics' ids could not be read")

    async def _look(self) -> None:
        standing = await self._standing()
        found, counts = _ids(standing), _partitions(standing)
        refused = _recreated(found, self._known)
        if refused:
            raise StartRefused(_complaint(refused))
        for name, count in sorted(counts.items()):
            had = self._partitions.setdefault(name, count)
            if had != count:
                raise StartRefused(
                    f"topic {name} has {count} partitions now, and had {had}: its keys have lost their order"
                )
        if found.keys() - self._known.keys():
            self._known.update(found)
            await self._store.save_rows(META, {REMEMBERED: self._known})

    async def _standing(self) -> dict[str, TopicAtBroker]:
        return {
            name: one for name, one in (await self._ask()).items() if name in self._wanted or self._reads.match(name)
        }


class NameGuard:
    """Claims the name of this process in the service's own store.

    The last process to start holds it. An earlier process with that name has ended, or its supervisor took it for dead;
    it must end as soon as it sees the new claim.
    """

    def __init__(self, store: Rows, name: str | None) -> None:
        self._store = store
        self._name = name
        self._row = f"instance/{name}"
        self._mine = clock.new_id()

    async def claim(self) -> None:
        """At start, before anything is done under the name."""
        if self._name:
            await self._store.save_rows(META, {self._row: {"process": self._mine}})

    async def run(self) -> None:
        """While the service runs: raises StartRefused when another process has taken the name; until cancelled."""
        if self._name:
            await regularly(self._look, NAME_LOOK_S, "the name of this process could not be looked up")

    async def _look(self) -> None:
        found = (await self._store.rows(META, [self._row])).get(self._row)
        if found is None:
            # A store that was emptied or restored has no claims.
            await self.claim()
        elif found["process"] != self._mine:
            raise StartRefused(
                f"another process was started with {INSTANCE}={self._name}: "
                "each process needs a name of its own, or none"
            )


async def regularly(look: Callable[[], Awaitable[None]], every_s: float, complaint: str) -> None:
    """Looks at intervals until cancelled; while the server does not answer, logs it and goes on."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await look()
        except Unavailable as error:
            log.warning(complaint, why=str(error))


def _ids(standing: Mapping[str, TopicAtBroker]) -> dict[str, str]:
    return {name: one.id for name, one in standing.items()}


def _partitions(standing: Mapping[str, TopicAtBroker]) -> dict[str, int]:
    return {name: one.partitions for name, one in standing.items()}


def _recreated(found: Mapping[str, str], kept: Mapping[str, str]) -> list[str]:
    return sorted(name for name, number in found.items() if kept.get(name, number) != number)


def _complaint(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED_MAX]) + (f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else "")
    value = ",".join(names) if len(names) <= _NAMED_MAX else "all"
    return (
        f"topic {shown} was made anew since this service last ran: what was committed does not fit it. If that is "
        f"meant, start once with {ACCEPT}={value} (it is then read from its beginning)"
    )
