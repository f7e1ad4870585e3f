"""MongoDB's driver: motor, or PyMongo's own async client. Connects, and tells passing trouble from defects."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

from shared.runtime.errors import StartRefused, Unavailable

OPERATION_TIMEOUT_MS = 20_000
SERVER_SELECTION_TIMEOUT_MS = 10_000
DUPLICATE_KEY = 11000
# The server cannot answer now (closed list): not primary, interrupted, write concern trouble, exceeded time, a
# collection replaced during a read.
_TRANSIENT_CODES = frozenset(
    {6, 7, 50, 64, 89, 91, 100, 112, 175, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436}
)
# Out of disk space, or a login that is revoked or not created yet. An operator can mend this while we wait and retry.
_OPERATORS_CODES = frozenset({14031, 13, 18})

T = TypeVar("T")


def connect(url: str, driver: str) -> Any:
    """A client with explicit durability: majority, journaled, finite waits. `driver` is motor or pymongo."""
    options: dict[str, Any] = {
        "w": "majority",
        "journal": True,
        "wTimeoutMS": OPERATION_TIMEOUT_MS,
        "readConcernLevel": "majority",
        "readPreference": "primary",
        "retryWrites": True,
        "retryReads": True,
        "serverSelectionTimeoutMS": SERVER_SELECTION_TIMEOUT_MS,
        "connectTimeoutMS": SERVER_SELECTION_TIMEOUT_MS,
        "socketTimeoutMS": 2 * OPERATION_TIMEOUT_MS,
        "maxPoolSize": 10,
        "waitQueueTimeoutMS": OPERATION_TIMEOUT_MS,
        "tz_aware": True,
        "appname": "payung",
    }
    try:
        if driver == "pymongo":
            from pymongo import AsyncMongoClient

            return AsyncMongoClient(url, **options)
        if driver != "motor":
            raise StartRefused(f"PAYUNG_MONGO_DRIVER is {driver}; motor and pymongo are known")
        from motor.motor_asyncio import AsyncIOMotorClient

        return AsyncIOMotorClient(url, **options)
    except (ConfigurationError, ValueError) as error:
        # The error's text may repeat the password.
        raise StartRefused(
            f"PAYUNG_MONGO_URL is no URL of MongoDB ({type(error).__name__}): mongodb://USER:PASSWORD@HOST:PORT/?replicaSet=NAME"
        ) from None


def keeps_majorities(hello: Mapping[str, Any]) -> bool:
    """Whether the server can confirm writes by a majority: a member of a replica set, or a router (mongos)."""
    return "setName" in hello or hello.get("msg") == "isdbgrid"


async def aggregated(collection: Any, pipeline: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an aggregation, by either client."""
    cursor = collection.aggregate(list(pipeline))
    if isinstance(cursor, Awaitable):
        # PyMongo's own client answers with a coroutine here, motor with the cursor itself.
        cursor = await answered(cursor)
    return list(await answered(cursor.to_list(None)))


async def answered(awaitable: Awaitable[T]) -> T:
    """Awaits the driver. Transient errors (a closed list) become Unavailable; all others are raised unchanged."""
    try:
        return await awaitable
    except (ConnectionFailure, NetworkTimeout, ServerSelectionTimeoutError, WTimeoutError) as error:
        raise Unavailable(f"MongoDB: {type(error).__name__}") from error
    except BulkWriteError:
        raise
    except DocumentTooLarge:
        raise
    except OperationFailure as error:
        if (
            error.code in _TRANSIENT_CODES
            or error.code in _OPERATORS_CODES
            or error.has_error_label("RetryableWriteError")
        ):
            named = (error.details or {}).get("codeName", "")
            raise Unavailable(f"MongoDB: {error.code} {named}".rstrip()) from error
        raise
    except PyMongoError as error:
        if error.has_error_label("RetryableWriteError"):
            raise Unavailable(f"MongoDB: {type(error).__name__}") from error
        raise


def duplicates(error: BulkWriteError, of: Sequence[Any]) -> list[Any] | None:
    """Which operations met an existing `_id`; None when anything else went wrong, because then no result is certain."""
    details = error.details or {}
    if details.get("writeConcernErrors"):
        return None
    standing = []
    for one in details.get("writeErrors", ()):
        if one["code"] != DUPLICATE_KEY or one.get("keyPattern", {"_id": 1}) != {"_id": 1}:
            return None
        standing.append(of[one["index"]])
    return standing


def is_passing(error: BulkWriteError) -> bool:
    """Whether every error is on the closed lists: no majority, no space on the disk."""
    details = error.details or {}
    codes = {one["code"] for one in details.get("writeErrors", ())}
    return codes <= _TRANSIENT_CODES | _OPERATORS_CODES
