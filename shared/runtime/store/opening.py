"""Opens the store of a service from the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.runtime import configuration
from shared.runtime.ports import Codec, Index
from shared.runtime.store import login
from shared.runtime.store.crypto import cipher_from
from shared.runtime.store.driver import connect
from shared.runtime.store.mongo import MongoStore


def database_name(service: str) -> str:
    """Each service owns a database of its own."""
    return f"payung_{service}"


def opened(
    service: str,
    stored: Mapping[str, Codec],
    indexes: Mapping[str, Sequence[Index]],
    environ: Mapping[str, str],
    *,
    instance: str | None = None,
    shelf: str | None = None,
) -> MongoStore:
    """The store of a service with these collections. `instance` and `shelf`: MongoStore."""
    client = connect(login.url(environ), configuration.MONGO_DRIVER.of(environ))
    cipher = cipher_from(environ, service)
    return MongoStore(client, database_name(service), stored, indexes, cipher, instance, shelf)
