"""Bulk reads of the workers for other features."""

from __future__ import annotations

from collections.abc import Collection

from services.registration.workers.domain.state import Worker, WorkerStatus
from shared.runtime.ports import Reader


async def verified(reader: Reader, worker_ids: Collection[str]) -> frozenset[str]:
    """Those of the workers who are verified."""
    states = await reader.states("workers", sorted(worker_ids))
    return frozenset(
        key for key, one in states.items() if isinstance(one, Worker) and one.status is WorkerStatus.VERIFIED
    )


async def registered(reader: Reader, worker_ids: Collection[str]) -> frozenset[str]:
    """Those of the workers who registration knows, whatever their status."""
    where = {"_id": {"$in": sorted(worker_ids)}, "state.form": {"$exists": True}}
    return frozenset(str(row["_id"]) for row in await reader.tally("workers", where, ["_id"]))
