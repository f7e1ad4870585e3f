"""Backs up and restores the services' databases. A backup runs beside the services, and holds each database as of one
moment.

A backup is a folder: for each service one file of BSON documents for each collection, and `manifest.json`, written
last. Each service's database may be of another moment: each store knows up to where it has settled the log
(`shared.runtime.kafka.settled`), so its service reads the rest again. A backup holds check values of the keys, not the
keys.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from bson import CodecOptions, decode
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from payung.embedded.private import write_private
from payung.installations import CommandError
from shared.contracts import topics
from shared.runtime import clock
from shared.runtime.errors import StartRefused
from shared.runtime.ops.secrets import NAME_WORKERS
from shared.runtime.store import login, sealed
from shared.runtime.store.crypto import cipher_from, id_check_value, id_key_from
from shared.runtime.store.key_checks import FIELD, WORKER_ID
from shared.runtime.store.mongo import META, RESTORING
from shared.runtime.store.opening import database_name

FORMAT = 1
MANIFEST = "manifest.json"
DOCUMENTS_AT_ONCE = 1_000
# How long a snapshot can be read. MongoDB's default of five minutes is too short for a large store.
SNAPSHOT_S = 6 * 3600
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
Database = Any
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CollectionFile:
    """One collection of a backup."""

    name: str
    documents: int
    sha256: str


def make(environ: Mapping[str, str], folder: Path, said: Say, keys_file: Path | None = None) -> None:
    """Writes a backup into a folder that does not exist yet, with `keys_file` when the caller gives one."""
    if folder.exists():
        raise CommandError(f"{folder} exists already; name a new folder")
    folder.mkdir(mode=0o700, parents=True)
    services: dict[str, Any] = {}
    with _client(environ) as client:
        before = _snapshot_window(client, SNAPSHOT_S)
        try:
            for service in topics.SERVICES:
                services[service] = _dump(client, service, folder / service)
                documents = sum(one["documents"] for one in services[service]["collections"])
                said(f"{service}: {documents} documents")
        finally:
            if before is not None:
                _snapshot_window(client, before)
    if keys_file is not None:
        shutil.copyfile(keys_file, folder / "keys.json")
        (folder / "keys.json").chmod(0o600)
    write_private(folder / MANIFEST, {"format": FORMAT, "made_at": clock.now().isoformat(), "services": services})


def put_back(environ: Mapping[str, str], folder: Path, said: Say, options: Mapping[str, Any] | None = None) -> None:
    """Replaces every service's database by that of a backup. After an interrupted restore no service starts until the
    restore is repeated. Raises CommandError before any change when the backup is incomplete or the keys differ."""
    manifest = _manifest(folder)
    for service, kept in manifest["services"].items():
        for one in _collections(kept):
            _check_whole(folder / service, one)
        _check_keys(environ, service, kept["keys"], folder / service, _collections(kept))
    with _client(environ, options) as client:
        # Mark all of them first: no service may run while another is not restored yet.
        for service in manifest["services"]:
            client[database_name(service)][META].update_one(
                {"_id": RESTORING}, {"$set": {"at": clock.now().isoformat()}}, upsert=True
            )
        for service, kept in manifest["services"].items():
            said(f"{service}: {_load(client[database_name(service)], folder / service, _collections(kept))} documents")
        for service in manifest["services"]:
            client[database_name(service)][META].delete_one({"_id": RESTORING})


def _dump(client: MongoClient[Any], service: str, folder: Path) -> dict[str, Any]:
    """One database at one moment."""
    folder.mkdir(mode=0o700)
    database = client.get_database(database_name(service), codec_options=_RAW)
    collections = []
    with client.start_session(snapshot=True) as session:
        for name in sorted(database.list_collection_names()):
            if not name.startswith("system."):
                one = _dump_collection(database[name], session, folder)
                collections.append({"name": one.name, "documents": one.documents, "sha256": one.sha256})
        found = client[database_name(service)][META].find({"_id": {"$gte": "key/", "$lt": "key0"}}, session=session)
        keys = {row["_id"]: row["check"] for row in found}
    return {"collections": collections, "keys": keys}


def _dump_collection(collection: Any, session: Any, folder: Path) -> CollectionFile:
    digest, documents = hashlib.sha256(), 0
    path = _file(folder, collection.name)
    with path.open("xb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=3, mtime=0) as out:
        path.chmod(0o600)
        for one in collection.find({}, session=session, batch_size=DOCUMENTS_AT_ONCE):
            out.write(one.raw)
            digest.update(one.raw)
            documents += 1
    return CollectionFile(collection.name, documents, digest.hexdigest())


def _load(database: Database, folder: Path, collections: list[CollectionFile]) -> int:
    """Replaces all collections by those of a backup; the mark of a restore stays."""
    for name in database.list_collection_names():
        if name == META:
            database[META].delete_many({"_id": {"$ne": RESTORING}})
        elif not name.startswith("system."):
            database[name].drop()
    for kept in collections:
        target = database.get_collection(kept.name, codec_options=_RAW)
        page: list[RawBSONDocument] = []
        for raw in _documents(folder, kept.name):
            page.append(RawBSONDocument(raw, _RAW))
            if len(page) >= DOCUMENTS_AT_ONCE:
                target.insert_many(page, ordered=False)
                page = []
        if page:
            target.insert_many(page, ordered=False)
    return sum(one.documents for one in collections)


def _documents(folder: Path, name: str) -> Iterator[bytes]:
    with gzip.open(_file(folder, name), "rb") as file:
        yield from _split(file)  # type: ignore[arg-type]  # a GzipFile reads as any binary file


def _split(file: BinaryIO) -> Iterator[bytes]:
    """A document of BSON begins with its own length."""
    while head := file.read(4):
        (size,) = struct.unpack("<i", head)
        yield head + file.read(size - 4)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{folder} holds no whole backup: its {MANIFEST} cannot be read") from error
    if manifest.get("format") != FORMAT:
        raise CommandError(f"{folder} is a backup of format {manifest.get('format')}; this program reads {FORMAT}")
    return manifest


def _collections(kept: Mapping[str, Any]) -> list[CollectionFile]:
    return [CollectionFile(one["name"], one["documents"], one["sha256"]) for one in kept["collections"]]


def _check_whole(folder: Path, kept: CollectionFile) -> None:
    digest, documents = hashlib.sha256(), 0
    try:
        for raw in _documents(folder, kept.name):
            digest.update(raw)
            documents += 1
    except (OSError, EOFError, struct.error) as error:
        raise CommandError(f"the backup is damaged: {_file(folder, kept.name)} cannot be read") from error
    if (documents, digest.hexdigest()) != (kept.documents, kept.sha256):
        raise CommandError(f"the backup is damaged: {_file(folder, kept.name)} is not what was written")


def _check_keys(
    environ: Mapping[str, str], service: str, keys: Mapping[str, str], folder: Path, collections: list[CollectionFile]
) -> None:
    """Raises CommandError when a key that the backup needs is not configured: nobody could read the restored data. A
    field key that was retired before the backup seals nothing in it, and may be gone."""
    try:
        ours = {f"{FIELD}{name}": value for name, value in cipher_from(environ, service).check_values().items()}
        if service in NAME_WORKERS:
            ours[WORKER_ID] = id_check_value(id_key_from(environ))
    except StartRefused as error:
        raise CommandError(str(error)) from error
    other = {name for name, value in keys.items() if ours.get(name) != value}
    gone = {name.removeprefix(FIELD) for name in other if name.startswith(FIELD) and name not in ours}
    other -= {f"{FIELD}{name}" for name in gone - _sealing(folder, collections, gone)}
    if other:
        named = ", ".join(sorted(name.removeprefix("key/") for name in other))
        raise CommandError(
            f"{service} of this backup was written with keys that are not configured: {named}. Put them back first, "
            f"behind the present ones (docs/runbooks/keys.md)"
        )


def _sealing(folder: Path, collections: list[CollectionFile], names: Iterable[str]) -> set[str]:
    """Which of these keys seal something in a service's part of the backup."""
    marks = {name: sealed.mark_of(name) for name in names}
    found: set[str] = set()
    for kept in collections if marks else ():
        for raw in _documents(folder, kept.name):
            if any(mark in raw for name, mark in marks.items() if name not in found):
                found |= sealed.keys_in(decode(raw)) & marks.keys()
    return found


def _client(environ: Mapping[str, str], options: Mapping[str, Any] | None = None) -> closing[MongoClient[Any]]:
    """`options`: a log-in that is not in the URL."""
    try:
        found: MongoClient[Any] = MongoClient(
            login.url(environ), w="majority", journal=True, tz_aware=True, **(options or {})
        )
    except (PyMongoError, ValueError) as error:
        raise CommandError(f"PAYUNG_MONGO_URL cannot be used ({type(error).__name__})") from None
    return closing(found)


def _snapshot_window(client: MongoClient[Any], seconds: int) -> int | None:
    """Tells MongoDB how long to keep a snapshot. Returns the value from before; None when we may not set it."""
    try:
        found = client.admin.command("setParameter", 1, minSnapshotHistoryWindowInSeconds=seconds)
    except PyMongoError:
        return None
    return int(found["was"])


def _file(folder: Path, collection: str) -> Path:
    return folder / f"{collection}.bson.gz"
