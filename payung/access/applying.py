"""Applies the table of users: to the embedded servers at every start, and to an installation by command.

Each time every user gets its kept password again. This repairs a restored file, and a rotation that was interrupted
between broker and file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from payung.access import database
from payung.access.broker import BrokerAccess
from payung.access.files import Addresses, Files, fresh
from payung.access.table import User, consumed, users


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """The log-ins that make users. `kafka` is an environment for the broker; None when the broker has no log-ins, and
    only the database gets users. MongoDB has a URL and options, or nothing when the database has no log-ins."""

    kafka: Mapping[str, str] | None
    mongo_url: str | None = None
    mongo_options: Mapping[str, Any] | None = None


async def apply(files: Files, at: Addresses, admin: Administrator, more: Sequence[str] = ()) -> list[User]:
    """Makes users, rules and files for all existing topics, all topics of the table, and `more`. Raises Unavailable
    when a server does not answer."""
    found = await asyncio.to_thread(lambda: _at_broker(files, at, admin, more))
    await _at_database(files, at, admin, found)
    return found


def _at_broker(files: Files, at: Addresses, admin: Administrator, more: Sequence[str]) -> list[User]:
    reads = consumed()
    if admin.kafka is None:
        return users(more, reads)
    broker = BrokerAccess(admin.kafka)
    found = users([*broker.topics(), *more], reads)
    passwords = {one.name: files.kept(one, at) for one in found}
    # Rules first: a user whom the broker accepts must already have its rules.
    broker.set_rules(found)
    broker.set_passwords(passwords)
    broker.wait_for(*list(passwords.items())[-1])
    return found


async def _at_database(files: Files, at: Addresses, admin: Administrator, found: Iterable[User]) -> None:
    if admin.mongo_url is None:
        return
    chosen = {one.name: (one, files.kept(one, at)) for one in found if one.database or one.super_user}
    await database.set_users(admin.mongo_url, admin.mongo_options or {}, chosen)


async def rotate(files: Files, at: Addresses, admin: Administrator, user: User) -> None:
    """Sets a new password for one user: first at the servers, then in the file, whose reader restarts with it.
    Connections stay open. A client that connects in between with the old password is refused and tries again."""
    password = fresh()
    if admin.kafka is not None:
        await asyncio.to_thread(_rotate_at_broker, admin.kafka, user.name, password)
    if admin.mongo_url is not None and (user.database or user.super_user):
        await database.set_users(admin.mongo_url, admin.mongo_options or {}, {user.name: (user, password)})
    files.write(user, at, password)


def _rotate_at_broker(environ: Mapping[str, str], name: str, password: str) -> None:
    broker = BrokerAccess(environ)
    broker.set_passwords({name: password})
    broker.wait_for(name, password)
