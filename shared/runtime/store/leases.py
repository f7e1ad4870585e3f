"""Leases: rights that only one process of a service holds, for as long as it is alive.

Theory of operation
A lease is a row of the service's own store: its holder, and until when it holds. Only the store's clock decides whether
it has run out, so the clocks of two hosts are never compared. A process renews all of its leases together, in one write
every RENEW_S. A process that dies (kill -9) renews no more, and LEASE_S later any other process can take its leases. A
successor with the same permanent name (`owner`) can take them at once. A process that cannot reach the store relies on
a lease for TRUST_S after its last request, on its own monotonic clock. Between TRUST_S and LEASE_S no process acts:
this covers clock differences between the members of a replica set when the primary changes. Work that began under a
lease may still run when the lease is lost, and may meet the work of the next holder. Therefore all work under a lease
has a name by which doing it twice has one effect.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Holder, StateStore

log = structlog.get_logger()

LEASE_S = 15.0
TRUST_S = 10.0
RENEW_S = 3.0


class Leases:
    """The leases of one process. `owner`: the name that it keeps over restarts; empty when it has none."""

    def __init__(self, store: StateStore, owner: str = "") -> None:
        self._store = store
        self._holder = Holder(owner, clock.new_id())
        # By name, until when the lease may be relied on, on this process's monotonic clock.
        self._trusted: dict[str, float] = {}
        self._lost: dict[str, asyncio.Event] = {}

    def holds(self, name: str) -> bool:
        """Whether this process may act under this lease now."""
        return self._trusted.get(name, 0.0) > clock.monotonic()

    async def mine(self, name: str) -> bool:
        """Whether this process holds the lease; takes it when it is free; raises Unavailable."""
        return self.holds(name) or bool(await self.take([name]))

    async def take(self, names: Sequence[str], at_most: int = 1) -> list[str]:
        """Takes the first of these leases, in order, that no other process holds, at most `at_most`; returns those
        taken."""
        asked_s = clock.monotonic()
        taken = await self._store.take_leases(names, self._holder, LEASE_S, at_most)
        for name in taken:
            self._trusted[name] = asked_s + TRUST_S
            self._lost.setdefault(name, asyncio.Event())
        return [name for name in names if name in taken]

    async def run(self) -> None:
        """Renews what is held, until cancelled."""
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await self.renew()
            except Unavailable as error:
                log.warning("leases cannot be renewed now", held=len(self._trusted), error=str(error))

    async def renew(self) -> None:
        """One write for all leases; a lease that another process holds by now is lost."""
        names, asked_s = list(self._trusted), clock.monotonic()
        if not names:
            return
        held = await self._store.renew_leases(names, self._holder, LEASE_S)
        for name in names:
            # The lease may have been released meanwhile.
            if name in held and name in self._trusted:
                self._trusted[name] = asked_s + TRUST_S
            else:
                self._drop(name)

    async def lost(self, name: str) -> None:
        """Returns as soon as this process may no longer rely on the lease."""
        event = self._lost.get(name)
        while event is not None and self.holds(name):
            left_s = self._trusted[name] - clock.monotonic()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), left_s)
                return

    async def release(self, name: str, *, rest_s: float = 0.0, forget: bool = False) -> None:
        """Releases the lease: it is free after `rest_s` seconds. `forget` deletes its row, for a lease that will never
        be requested again."""
        if name not in self._trusted:
            return
        self._drop(name)
        try:
            await self._store.release_leases([name], self._holder, rest_s, forget=forget)
        except Unavailable:
            # The lease runs out by itself.
            return

    async def release_all(self) -> None:
        """Releases everything at the end of the process."""
        for name in list(self._trusted):
            await self.release(name)

    def _drop(self, name: str) -> None:
        self._trusted.pop(name, None)
        event = self._lost.pop(name, None)
        if event is not None:
            event.set()
