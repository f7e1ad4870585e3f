"""Leases in one collection of MongoDB, by the server's own clock (`$$NOW`): the clocks of two hosts are never
compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from shared.runtime.errors import Unavailable
from shared.runtime.ports import Holder

DUPLICATE_KEY = 11000


async def take(collection: Any, names: Sequence[str], holder: Holder, for_s: float, at_most: int) -> set[str]:
    """Reads first, so that a waiting process writes nothing; then one write, which only one of several processes
    wins."""
    own: list[dict[str, str]] = [{"token": holder.token}]
    if holder.owner:
        own.append({"owner": holder.owner})
    held = {"_id": {"$in": list(names)}, "$expr": {"$gt": ["$until", "$$NOW"]}, "$nor": own}
    others = {row["_id"] for row in await collection.find(held, {"_id": 1}).to_list(None)}
    wanted = [name for name in dict.fromkeys(names) if name not in others][:at_most]
    if not wanted:
        return set()
    step = _taking(own, holder, for_s)
    try:
        await collection.bulk_write([UpdateOne({"_id": name}, [step], upsert=True) for name in wanted], ordered=False)
    except BulkWriteError as error:
        # Two processes inserted the same row at once. One of them succeeded; `_held_names` finds out which.
        details = error.details or {}
        if details.get("writeConcernErrors") or any(one["code"] != DUPLICATE_KEY for one in details["writeErrors"]):
            raise Unavailable("MongoDB did not take a lease") from error
    return await _held_names(collection, wanted, holder)


def _taking(own: Sequence[dict[str, str]], holder: Holder, for_s: float) -> dict[str, Any]:
    """Checks again within the write itself whether the lease is free: a process that took it in between keeps it."""
    same: list[Any] = [{"$eq": [f"${field}", {"$literal": value}]} for one in own for field, value in one.items()]
    free = {"$or": [{"$lte": [{"$ifNull": ["$until", "$$NOW"]}, "$$NOW"]}, *same]}
    taken = {"owner": {"$literal": holder.owner}, "token": {"$literal": holder.token}, "until": _from_now(for_s)}
    return {"$set": {field: {"$cond": [free, value, f"${field}"]} for field, value in taken.items()}}


async def renew(collection: Any, names: Sequence[str], holder: Holder, for_s: float) -> set[str]:
    await collection.update_many(_where_held(names, holder), [{"$set": {"until": _from_now(for_s)}}])
    return await _held_names(collection, names, holder)


async def release(collection: Any, names: Sequence[str], holder: Holder, rest_s: float, *, forget: bool) -> None:
    if forget:
        await collection.delete_many(_where_held(names, holder))
        return
    freed = {"owner": "", "token": "", "until": _from_now(rest_s)}
    await collection.update_many(_where_held(names, holder), [{"$set": freed}])


async def _held_names(collection: Any, names: Sequence[str], holder: Holder) -> set[str]:
    return {row["_id"] for row in await collection.find(_where_held(names, holder), {"_id": 1}).to_list(None)}


def _where_held(names: Sequence[str], holder: Holder) -> dict[str, Any]:
    return {"_id": {"$in": list(names)}, "token": holder.token}


def _from_now(seconds: float) -> dict[str, Any]:
    return {"$add": ["$$NOW", round(seconds * 1000)]}
