"""Applies the table of users: to the embedded servers at every start, and to an installation at a command.

Every user gets its kept password again each time: a file that was restored, or a rotation that broke off between broker
and file, is mended by it.
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
    """Who makes the users: an environment that comes in at the broker; at MongoDB a URL and its options, or nothing
    where the database asks nobody. `kafka` None: the broker asks nobody, and only the database gets users."""

    kafka: Mapping[str, str] | None
    mongo_url: str | None = None
    mongo_options: Mapping[str, Any] | None = None


async def apply(files: Files, at: Addresses, admin: Administrator, more: Sequence[str] = ()) -> list[User]:
    """Users, rules and files for all topics that stand and will stand by the table, and `more` of them; Unavailable
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
    # In this order: whom the broker lets in, it also knows the rules of.
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
    """A new password for one user: at the servers first, then in the file, whose reader starts again with it. Who is
    connected stays so; whoever connects in between with the old one is refused, and tries again."""
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
