"""The background of imports: continues unfinished imports, also after a restart, and deletes old ones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from services.registration.imports.background.figures import DEFECT, Figures
from services.registration.imports.background.sending import Sending
from services.registration.imports.documents.records import (
    IMPORTS,
    KEPT_DAYS,
    RECEIVING_HOURS,
    UNFINISHED,
    Import,
    ImportStatus,
    import_of,
    row_of,
)
from services.registration.imports.documents.spool import forget
from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.service_context import ServiceContext
from shared.runtime.store.crypto import FieldCipher, cipher_from

log = structlog.get_logger()

AT_ONCE_MAX = 3
# Includes imports that other processes carry.
WAITING_MAX = 100
LOOK_S = 1.0
TIDY_EVERY_S = 600.0
MEASURE_EVERY_S = 10.0
MEASURED_MAX = 1_000
# LOOK_STUCK_S is longer than one look takes with a slow store; CARRY_STUCK_S is longer than a list may wait for
# answers.
LOOK_STUCK_S = 60.0
CARRY_STUCK_S = 1_200.0
TIDYING = "imports-tidied"


class LeaseLost(Exception):
    """Another process carries this import now."""


class Running:
    """Looks for unfinished imports and carries up to AT_ONCE_MAX of them: those whose lease it gets.

    Leases: shared/runtime/store/leases.py. For a moment, until a process learns that it lost a lease, two may send.
    Every row has one event id, so the second copy changes nothing. One process may begin an import, another continue
    it, and a third answer questions about it.
    """

    def __init__(self, context: ServiceContext, cipher: FieldCipher) -> None:
        self._context = context
        self._cipher = cipher
        self._leases = context.leases
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._tidied_s: float | None = None
        self._measured_s: float | None = None
        self._figures = Figures(context.name, context.registry)
        self._came_round_s = clock.monotonic()
        self._carried: dict[str, Sending] = {}

    def trouble(self) -> str | None:
        """Why lists do not move here, for readiness: the search for lists has stopped, or a carried list makes
        no progress.
        """
        now = clock.monotonic()
        if now - self._came_round_s > LOOK_STUCK_S:
            return f"the importer has not looked for lists for {now - self._came_round_s:.0f} s"
        still = [identifier for identifier, one in self._carried.items() if now - one.moved_s > CARRY_STUCK_S]
        return f"lists do not move: {', '.join(sorted(still))}" if still else None

    async def run(self) -> None:
        """Runs until cancelled."""
        self._came_round_s = clock.monotonic()
        self._context.parts.append(self.trouble)
        try:
            while True:
                self._came_round_s = clock.monotonic()
                try:
                    await self.look()
                    await self._tidy()
                    await self._measure()
                except Unavailable as error:
                    log.warning("imports cannot be looked up now", error=str(error))
                await asyncio.sleep(LOOK_S)
        finally:
            for task in self._tasks.values():
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks.values())

    async def look(self) -> None:
        """Starts waiting imports, the oldest first, as far as there is room."""
        for identifier, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[identifier]
                await self._ended(identifier, task)
        if len(self._tasks) >= AT_ONCE_MAX:
            return
        waiting = await self._context.reader.find_rows(
            IMPORTS, {"status": {"$in": list(UNFINISHED)}}, order=("received_at",), limit=WAITING_MAX
        )
        idle = [row["_id"] for row in waiting if row["_id"] not in self._tasks]
        names = [lease_of(identifier) for identifier in idle]
        taken = set(await self._leases.take(names, AT_ONCE_MAX - len(self._tasks))) if names else set()
        for identifier, name in zip(idle, names, strict=True):
            if name in taken:
                self._tasks[identifier] = asyncio.create_task(self._carry(identifier, name))

    async def _carry(self, identifier: str, lease: str) -> None:
        """Carries an import as long as the lease is held."""
        try:
            # Read after the lease was won: the previous holder may have made progress or finished.
            row = (await self._context.reader.rows(IMPORTS, [identifier])).get(identifier)
            if row is not None and row["status"] in UNFINISHED:
                one = import_of(identifier, row, self._cipher)
                sending = self._carried[identifier] = Sending(self._context, self._cipher, one, self._figures)
                await self._as_long_as_held(lease, sending)
        except LeaseLost:
            log.info("another instance continues this import", import_id=identifier)
        except (Unavailable, asyncio.CancelledError) as error:
            # Not finished, but no defect of this list: the next process that looks continues it.
            await self._leases.release(lease)
            if isinstance(error, asyncio.CancelledError):
                raise
            log.warning("an import waits for a server", import_id=identifier, error=str(error))
        else:
            await self._leases.release(lease, forget=True)
        finally:
            self._carried.pop(identifier, None)

    async def _as_long_as_held(self, lease: str, sending: Sending) -> None:
        carrying = asyncio.create_task(sending.run())
        losing = asyncio.create_task(self._leases.lost(lease))
        try:
            await asyncio.wait({carrying, losing}, return_when=asyncio.FIRST_COMPLETED)
            if not carrying.done():
                raise LeaseLost(lease)
            carrying.result()
        finally:
            carrying.cancel()
            losing.cancel()
            await asyncio.wait({carrying, losing})

    async def _ended(self, identifier: str, task: asyncio.Task[None]) -> None:
        """A defect in our code ends the affected list with a reason and does not block other lists."""
        error = task.exception()
        if error is None:
            return
        log.error("an import failed", import_id=identifier, error=type(error).__name__)
        self._figures.failed(DEFECT)
        row = (await self._context.reader.rows(IMPORTS, [identifier])).get(identifier)
        if row is None:
            return
        text = (
            "Berkas ini tidak dapat diproses karena kesalahan sistem; hubungi operator.",
            "This file could not be processed because of a fault of the system; call the operator.",
        )
        failed = replace(
            import_of(identifier, row, self._cipher), status=ImportStatus.FAILED, error=text, finished_at=clock.now()
        )
        await self._context.reader.save_rows(IMPORTS, {identifier: row_of(failed, self._cipher)})
        await self._leases.release(lease_of(identifier), forget=True)

    async def _measure(self) -> None:
        """Notes how many lists wait, and since when."""
        if self._measured_s is not None and clock.monotonic() - self._measured_s < MEASURE_EVERY_S:
            return
        self._measured_s = clock.monotonic()
        where = {"status": {"$in": list(UNFINISHED)}}
        rows = await self._context.reader.find_rows(IMPORTS, where, order=("received_at",), limit=MEASURED_MAX)
        oldest = import_of(rows[0]["_id"], rows[0], self._cipher).received_at if rows else None
        self._figures.wait(len(rows), oldest, clock.now())

    async def _tidy(self) -> None:
        if self._tidied_s is not None and clock.monotonic() - self._tidied_s < TIDY_EVERY_S:
            return
        self._tidied_s = clock.monotonic()
        if await self._leases.mine(TIDYING):
            await tidy(self._context, self._cipher)


def lease_of(identifier: str) -> str:
    """The name of the lease under which an import is carried."""
    return f"import|{identifier}"


async def tidy(context: ServiceContext, cipher: FieldCipher) -> None:
    """Deletes files after their KEPT_DAYS, and the remains of broken-off uploads."""
    now = clock.now()
    finished = {
        "status": {"$in": [ImportStatus.DONE.value, ImportStatus.FAILED.value]},
        "finished_at": {"$lt": now - timedelta(days=KEPT_DAYS)},
    }
    broken_off = {
        "status": ImportStatus.RECEIVING.value,
        "received_at": {"$lt": now - timedelta(hours=RECEIVING_HOURS)},
    }
    for row in await context.reader.find_rows(IMPORTS, finished, limit=100):
        await _expire(context, import_of(row["_id"], row, cipher), cipher)
    for row in await context.reader.find_rows(IMPORTS, broken_off, limit=100):
        await forget(context.reader, row["_id"])
        await context.reader.delete_rows(IMPORTS, [row["_id"]])


async def _expire(context: ServiceContext, one: Import, cipher: FieldCipher) -> None:
    await forget(context.reader, one.id, one.done_batches)
    # The file's name may name people, so it is emptied; the figures stay.
    expired = replace(one, status=ImportStatus.EXPIRED, name="")
    rows: Mapping[str, Mapping[str, Any]] = {one.id: row_of(expired, cipher)}
    await context.reader.save_rows(IMPORTS, rows)


async def run(context: ServiceContext) -> None:
    """The background task of the service."""
    with contextlib.suppress(asyncio.CancelledError):
        await Running(context, cipher_from(context.environ, context.name)).run()
