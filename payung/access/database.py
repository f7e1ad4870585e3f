"""Makes the users of MongoDB equal to the table: a service may open its own database, the operator every database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from payung.access.table import User
from shared.runtime.errors import Unavailable

TIMEOUT_MS = 30_000
_NOT_FOUND = 11


async def set_users(url: str, options: Mapping[str, Any], passwords: Mapping[str, tuple[User, str]]) -> None:
    """Makes or changes these users; `options` hold the administrator's log-in for the URL."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        url, serverSelectionTimeoutMS=TIMEOUT_MS, w="majority", journal=True, **options
    )
    try:
        for name, (user, password) in passwords.items():
            await _set(client, name, password, _roles(user))
    except (PyMongoError, OSError) as error:
        raise Unavailable(f"MongoDB: its users could not be made, {type(error).__name__}") from error
    finally:
        await client.close()


def _roles(user: User) -> list[dict[str, str]]:
    if user.super_user:
        return [{"role": "root", "db": "admin"}]
    return [{"role": "readWrite", "db": str(user.database)}]


async def _set(client: AsyncMongoClient[dict[str, Any]], name: str, password: str, roles: list[dict[str, str]]) -> None:
    given: dict[str, Any] = {"pwd": password, "roles": roles, "mechanisms": ["SCRAM-SHA-256"]}
    try:
        await client.admin.command("updateUser", name, **given)
    except OperationFailure as failure:
        if failure.code != _NOT_FOUND:
            raise
        await client.admin.command("createUser", name, **given)
