"""What the pipeline asks of a document store. One suite (tests/conformance) runs over every implementation."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.kernel.decision import Address, Due
from shared.runtime.fold import Folded, SavedOutcome, Stored
from shared.runtime.ports import Reader


@dataclass(frozen=True, slots=True)
class DueWork:
    """One document's due work as the sweep of the due runner finds it."""

    address: Address
    state: Any
    due: Due


@dataclass(frozen=True, slots=True)
class Owed:
    """An open journal entry and the outcomes that it names.

    `complete`: every input it names is saved, or this process' predecessor under the same name wrote the entry and is
    dead. When not, either nobody will save them, or the entry belongs to a process that is just about to: its entry
    must stand until those outcomes are published.
    """

    journal: str
    outcomes: list[SavedOutcome]
    complete: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """Who takes a lease. `token` is this process' own; `owner`, unless empty, is the name that its predecessors and its
    successors bear too, of which one lives at a time: what a predecessor held it takes at once."""

    owner: str
    token: str


# A partition as the store knows it: the id of its topic, and its number.
Noted = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Settled:
    """The next offset of each partition that a store has settled. `whole`: it was kept from the store's first day on,
    so that a partition that is not there was never settled."""

    at: Mapping[Noted, int]
    whole: bool


class StateStore(Reader, Protocol):
    """Documents with a version, the inputs they took and the outcomes they owe; Unavailable when it cannot tell."""

    def content_hash(self, content: bytes) -> str:
        """The keyed hash by which this store tells whether two inputs say the same."""
        ...

    def claim_names(self, names: Mapping[str, str]) -> Awaitable[dict[str, str]]:
        """Fences external input names (name -> content hash) for ever; gives those that stand with another hash. May
        begin before it is awaited."""
        ...

    async def load(self, addresses: Sequence[Address]) -> dict[Address, Stored]:
        """The current documents, in one bulk read per collection, without the bytes of their outcomes."""
        ...

    async def outcomes(self, wanted: Mapping[Address, Sequence[str]]) -> dict[Address, dict[str, list[SavedOutcome]]]:
        """The saved outcomes of these inputs, by document and input name; surely published ones may be gone."""
        ...

    def measure(self, folded: Folded) -> int:
        """Bytes that this write adds to its document."""
        ...

    async def save(self, writes: Sequence[Folded]) -> set[Address]:
        """One unordered bulk write, compare-and-set on version; returns every address that is not surely saved."""
        ...

    async def open_journal(self, journal: str, writes: Sequence[Folded]) -> None:
        """Notes which documents are about to hold unpublished outcomes, before they are written."""
        ...

    async def close_journal(self, journal: str) -> None:
        """All outcomes of the batch are surely published."""
        ...

    async def unpublished(self) -> list[Owed]:
        """Open journals with the outcomes that they may owe, for the sweep at start."""
        ...

    async def note_settled(self, offsets: Mapping[Noted, int]) -> dict[Noted, int] | None:
        """Raises the next offsets of these partitions, never lowers them; gives all that stood before. None: the store
        keeps no count, since it was emptied."""
        ...

    async def set_settled(self, offsets: Mapping[Noted, int]) -> None:
        """Sets the next offsets of these partitions, whatever stood: the log is another one than it was."""
        ...

    async def settled(self) -> Settled:
        """Up to where each partition is settled in this very store."""
        ...

    async def due(self, until: datetime, limit: int) -> list[DueWork]:
        """Documents with due work that may start, oldest first."""
        ...

    async def count_due(self, until: datetime, limit: int) -> int:
        """How many documents have due work that may start; counted up to `limit`."""
        ...

    async def take_leases(self, names: Sequence[str], holder: Holder, for_s: float, at_most: int) -> set[str]:
        """Of these leases the first ones that are free, run out or the holder's own, at most so many: they are its own
        now, for so long on the store's own clock. Of several who ask at once one gets a lease."""
        ...

    async def renew_leases(self, names: Sequence[str], holder: Holder, for_s: float) -> set[str]:
        """Those of these that this very process still holds; they run for so long from now on."""
        ...

    async def release_leases(self, names: Sequence[str], holder: Holder, rest_s: float, *, forget: bool) -> None:
        """Those of these that this very process holds are free after `rest_s`; or their rows are gone, at once."""
        ...

    async def check(self) -> None:
        """Raises Refused when the server cannot keep our promises (standalone, too old); makes the indexes."""
        ...

    async def keep_first(self, collection: str, identifier: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Inserts a plain row, once; gives the one that stands, which may be another's."""
        ...

    async def sealed_with(self, names: Sequence[str]) -> dict[str, int]:
        """In how many documents, rows and saved outcomes' documents each of these field keys still seals something."""
        ...

    async def check_opens(self) -> None:
        """Raises Defect when the configured keys do not open what stands: one value of each collection is tried."""
        ...
