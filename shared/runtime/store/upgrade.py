"""Changes documents that an older release saved in MongoDB into the form of this release. Each step may be interrupted
and repeated.

Schema 1 to 2: content hashes had no key. They are stored as `h` of names and of inputs, at the end of the ids of
refusals, and in claims as the fingerprint of the content that a claim was first sent with. The keyed hash is computed
from the old one (`runtime.hashes`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import structlog
from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from shared.runtime.store.hashes import UNKEYED, ContentHashes

log = structlog.get_logger()

PAGE = 500
_IS_UNKEYED = {"$regex": f"^{UNKEYED.pattern}$"}
_ENDS_UNKEYED = {"$regex": rf"\|{UNKEYED.pattern}$"}
_DUPLICATE_KEY = 11000


async def hashes_keyed(database: Any, stored: Sequence[str], hashes: ContentHashes) -> None:
    """Schema 1 to 2. Refusals first: they are found by their ids."""
    if "refusals" in stored:
        await _refusals(database, hashes)
    await _field(database["_names"], "h", hashes)
    for name in stored:
        await _inputs(database[name], hashes)
        await _field(database[name], "state.fingerprint", hashes)


async def _refusals(database: Any, hashes: ContentHashes) -> None:
    """Inserts the new ids first, then changes what refers to the old ones, and deletes the old ones last."""
    collection = database["refusals"]
    async for page in _pages(collection, {"_id": _ENDS_UNKEYED}, None):
        log.info("hashes of an older release are keyed", collection="refusals", documents=len(page))
        renamed = {row["_id"]: _renamed(row["_id"], hashes) for row in page}
        try:
            await collection.bulk_write([InsertOne({**row, "_id": renamed[row["_id"]]}) for row in page], ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != _DUPLICATE_KEY for one in (error.details or {}).get("writeErrors", ())):
                raise
        async for journal in database["_journal"].find(
            {"entries": {"$elemMatch": {"$elemMatch": {"$in": [*renamed]}}}}
        ):
            entries = [
                [name, renamed.get(key, key) if name == "refusals" else key, taken]
                for name, key, taken in journal["entries"]
            ]
            await database["_journal"].update_one({"_id": journal["_id"]}, {"$set": {"entries": entries}})
        await collection.delete_many({"_id": {"$in": [*renamed]}})


def _renamed(identifier: str, hashes: ContentHashes) -> str:
    name, _, unkeyed = identifier.rpartition("|")
    return f"{name}|{hashes.current(unkeyed)}"


async def _field(collection: Any, path: str, hashes: ContentHashes) -> None:
    async for page in _pages(collection, {path: _IS_UNKEYED}, {path: 1}):
        log.info("hashes of an older release are keyed", collection=collection.name, documents=len(page))
        saved = {row["_id"]: _value_at(row, path) for row in page}
        await collection.bulk_write(
            [
                UpdateOne({"_id": key, path: value}, {"$set": {path: hashes.current(value)}})
                for key, value in saved.items()
            ],
            ordered=False,
        )


async def _inputs(collection: Any, hashes: ContentHashes) -> None:
    async for page in _pages(collection, {"inputs.h": _IS_UNKEYED}, {"inputs.h": 1}):
        log.info("hashes of an older release are keyed", collection=collection.name, documents=len(page))
        operations = []
        for row in page:
            saved = {f"inputs.{number}.h": one["h"] for number, one in enumerate(row["inputs"])}
            changed = {path: hashes.current(value) for path, value in saved.items()}
            operations.append(UpdateOne({"_id": row["_id"], **saved}, {"$set": changed}))
        await collection.bulk_write(operations, ordered=False)


async def _pages(
    collection: Any, where: Mapping[str, Any], fields: Mapping[str, Any] | None
) -> AsyncIterator[list[dict[str, Any]]]:
    page: list[dict[str, Any]] = []
    async for row in collection.find(where, fields).batch_size(PAGE):
        page.append(row)
        if len(page) >= PAGE:
            yield page
            page = []
    if page:
        yield page


def _value_at(row: Mapping[str, Any], path: str) -> Any:
    value: Any = row
    for step in path.split("."):
        value = value[step]
    return value
