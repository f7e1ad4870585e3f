"""Reads documents and plain rows in bulk, and writes plain rows (ports.Rows), on MongoDB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReplaceOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.runtime.errors import Unavailable
from shared.runtime.ports import Codec, Where
from shared.runtime.store.crypto import FieldCipher
from shared.runtime.store.driver import aggregated, answered, is_passing


class MongoRows:
    """The collections of one database. `stored` gives each collection's codec."""

    def __init__(self, database: Any, stored: Mapping[str, Codec], cipher: FieldCipher) -> None:
        self._database = database
        self._stored = stored
        self._cipher = cipher

    async def states(self, collection: str, ids: Sequence[str]) -> dict[str, Any]:
        codec = self._stored[collection]
        rows = await answered(self._database[collection].find({"_id": {"$in": list(ids)}}, {"state": 1}).to_list(None))
        return {row["_id"]: codec.decode(row["state"], self._cipher) for row in rows}

    async def find(
        self, collection: str, where: Where, *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[tuple[str, Any]]:
        codec = self._stored[collection]
        cursor = self._database[collection].find(dict(where), {"state": 1}).limit(limit)
        if order:
            cursor = cursor.sort(order_of(order))
        return [(row["_id"], codec.decode(row["state"], self._cipher)) for row in await answered(cursor.to_list(None))]

    async def count(self, collection: str, where: Where) -> int:
        return int(await answered(self._database[collection].count_documents(dict(where))))

    async def tally(
        self, collection: str, where: Where, by: Sequence[str], *, sums: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        names = {_last(path): path.replace("[]", "") for path in by}
        group: dict[str, Any] = {
            "_id": {name: f"${path}" for name, path in names.items()},
            "count": {"$sum": 1},
            **{_last(path): {"$sum": f"${path}"} for path in sums},
        }
        arrays = dict.fromkeys(path.partition("[]")[0] for path in (*where, *by) if "[]" in path)
        of_items = {path.replace("[]", ""): wanted for path, wanted in where.items() if "[]" in path}
        pipeline: list[dict[str, Any]] = [
            {"$match": {path: wanted for path, wanted in where.items() if "[]" not in path}},
            *({"$unwind": f"${path}"} for path in arrays),
            {"$match": of_items},
            {"$group": group},
        ]
        rows = await aggregated(self._database[collection], pipeline)
        return [
            {**{name: row["_id"].get(name) for name in names}, **{k: v for k, v in row.items() if k != "_id"}}
            for row in rows
        ]

    async def rows(self, collection: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        found = await answered(self._database[collection].find({"_id": {"$in": list(ids)}}).to_list(None))
        return {row.pop("_id"): row for row in found}

    async def find_rows(
        self, collection: str, where: Where, *, order: Sequence[str] = (), limit: int = 1000
    ) -> list[dict[str, Any]]:
        cursor = self._database[collection].find(dict(where)).limit(limit)
        if order:
            cursor = cursor.sort(order_of(order))
        return list(await answered(cursor.to_list(None)))

    async def save_rows(self, collection: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Replaces rows by id, in unordered bulks."""
        operations = [ReplaceOne({"_id": key}, dict(row), upsert=True) for key, row in rows.items()]
        if not operations:
            return
        try:
            await answered(self._database[collection].bulk_write(operations, ordered=False))
        except BulkWriteError as error:
            if is_passing(error):
                raise Unavailable("MongoDB did not take a write") from error
            raise

    async def delete_rows(self, collection: str, ids: Sequence[str]) -> None:
        await answered(self._database[collection].delete_many({"_id": {"$in": list(ids)}}))

    async def keep_first(self, collection: str, identifier: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Inserts the row, or returns the one that exists."""
        return await self._keep_first(self._database[collection], identifier, row)

    async def _keep_first(self, collection: Any, identifier: str, row: Mapping[str, Any]) -> dict[str, Any]:
        found = await answered(collection.find_one({"_id": identifier}))
        if found is None:
            try:
                await answered(collection.insert_one({"_id": identifier, **row}))
            except DuplicateKeyError:
                found = await answered(collection.find_one({"_id": identifier}))
        return {name: value for name, value in (found or row).items() if name != "_id"}


def order_of(fields: Sequence[str]) -> list[tuple[str, int]]:
    """The driver's form of an order (`-field` is descending)."""
    return [(name[1:], DESCENDING) if name.startswith("-") else (name, ASCENDING) for name in fields]


def _last(path: str) -> str:
    return path.removesuffix("[]").rsplit(".", 1)[-1]
