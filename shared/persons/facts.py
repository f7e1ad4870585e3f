"""Reads links in bulk."""

from __future__ import annotations

from collections.abc import Iterable

from shared.persons.documents import COLLECTION
from shared.persons.links import Persons
from shared.runtime.ports import Reader

LINKS_MAX = 10_000
# More merges than a country can have.
ALL_LINKS_MAX = 1_000_000


async def persons(reader: Reader, workers: Iterable[str]) -> Persons:
    """The links of these workers and of everyone connected with them, in both directions of a merge."""
    into: dict[str, str] = {}
    seen: set[str] = set()
    asked = set(workers)
    while asked:
        seen |= asked
        ids = sorted(asked)
        for worker, link in (await reader.states(COLLECTION, ids)).items():
            if link.into:
                into[worker] = link.into
        for worker, link in await reader.find(COLLECTION, {"state.into": {"$in": ids}}, limit=LINKS_MAX):
            into[worker] = link.into
        asked = {one for pair in into.items() for one in pair} - seen
    return Persons(into)


async def everybody(reader: Reader) -> Persons:
    """All links at once: for a reading of all workers, of whom few were ever merged."""
    found = await reader.find(COLLECTION, {"state.into": {"$gt": ""}}, limit=ALL_LINKS_MAX)
    return Persons({worker: link.into for worker, link in found})
