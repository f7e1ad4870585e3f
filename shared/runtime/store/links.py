"""Links between merged workers in a service's own store (collection `links`): their codec, and reading them in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.kernel.links import Link, Persons
from shared.runtime.ports import Cipher, Index, Reader

COLLECTION = "links"
INDEXES = (Index(fields=("state.into",)),)
LINKS_MAX = 10_000


class LinkCodec:
    """Codec of a link: the worker that another was merged into."""

    def encode(self, state: Link, cipher: Cipher) -> dict[str, Any]:
        """As plain fields."""
        return {"into": state.into, "sequence": state.sequence}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Link:
        """From plain fields."""
        return Link(body["into"], body["sequence"])


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
