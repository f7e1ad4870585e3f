"""Which process carries an import: a lease with a term, kept alive by beats, taken over when its beats stop.

A term is won by the insert of its name, so never by two. Whether a holder is alive is judged by whoever waits: when its
beats stood still for LEASE_S on the waiting process' own clock. No two machines' clocks are ever compared. Who held a
lease and finds a later term stops. In the instant before it does, both may send: every row has one name, so the second
changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.store import StateStore

LEASES = "import_leases"
LEASE_S = 15.0
BEAT_S = 3.0


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to carry one import. `token` is this taking's own."""

    id: str
    term: int
    token: str


@dataclass(slots=True)
class _Seen:
    """The latest that is known of somebody else's lease, and since when it stands so."""

    term: int
    beat: int
    since_s: float


@dataclass(slots=True)
class Leases:
    """The leases of one process. `owner`: the name that it keeps over restarts, so that its successor need not wait."""

    store: StateStore
    owner: str = ""
    _seen: dict[str, _Seen] = field(default_factory=dict)

    async def take(self, identifier: str) -> Lease | None:
        """The lease, if it is free, was this process' predecessor's, or its holder is silent for too long."""
        row = (await self.store.rows(LEASES, [identifier])).get(identifier)
        seen = self._seen.get(identifier)
        term, beat = (row["term"], row["beat"]) if row is not None else (0, 0)
        if seen is not None and term < seen.term:
            # Won by somebody whose first beat is not here yet, or who died before it.
            term, beat, row = seen.term, seen.beat, {"owner": None}
        free = row is None or row["owner"] == "" or (row["owner"] == self.owner != "")
        if not free and not self._silent(identifier, term, beat):
            return None
        lease = Lease(identifier, term + 1, clock.new_id())
        if await self.store.claim_names({f"import-lease|{identifier}|{lease.term}": lease.token}):
            self._seen[identifier] = _Seen(lease.term, 0, clock.monotonic())
            return None
        self._seen.pop(identifier, None)
        await self._save(lease, 1, self.owner or lease.token)
        return lease

    def _silent(self, identifier: str, term: int, beat: int) -> bool:
        seen = self._seen.get(identifier)
        if seen is None or (seen.term, seen.beat) != (term, beat):
            self._seen[identifier] = _Seen(term, beat, clock.monotonic())
            return False
        return clock.monotonic() - seen.since_s >= LEASE_S

    async def beat(self, lease: Lease) -> bool:
        """Says that its holder is alive; False when somebody else holds it now."""
        row = (await self.store.rows(LEASES, [lease.id])).get(lease.id)
        if row is not None and row["term"] > lease.term:
            return False
        await self._save(lease, (row["beat"] if row is not None else 0) + 1, self.owner or lease.token)
        return True

    async def release(self, lease: Lease, *, done: bool) -> None:
        """Gives it back: at once to whoever looks next, or for good when the import is done."""
        try:
            row = (await self.store.rows(LEASES, [lease.id])).get(lease.id)
            if row is None or row["term"] > lease.term:
                return
            if done:
                await self.store.delete_rows(LEASES, [lease.id])
            else:
                await self._save(lease, row["beat"] + 1, "")
        except Unavailable:
            # It runs out by itself.
            return

    async def _save(self, lease: Lease, beat: int, owner: str) -> None:
        await self.store.save_rows(LEASES, {lease.id: {"term": lease.term, "beat": beat, "owner": owner}})
