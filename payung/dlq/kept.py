"""Keeps what operators did: which letters were replayed, and an append-only line for each command.

The store of the letters' service holds it. There it outlives the operator's machine, is the same for all operators, and
remains when the letters are gone.
"""

from __future__ import annotations

import getpass
import importlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from payung.installations import Installation
from shared.contracts import envelope
from shared.runtime import clock
from shared.runtime.app import open_store
from shared.runtime.ops.floodgate import PAUSED
from shared.runtime.store.mongo import MongoStore

REPLAYED = "_replayed_letters"
AUDIT = "_dead_letter_audit"


@asynccontextmanager
async def store_of(installation: Installation, service: str) -> AsyncIterator[MongoStore]:
    """The store of a service."""
    store = open_store(importlib.import_module(f"services.{service}.stream").SPEC, installation.environ)
    try:
        yield store
    finally:
        await store.close()


def who() -> str:
    """The operator, as the system knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


async def replayed(store: MongoStore, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The replayed ones of these letters: run, by, at."""
    return await store.rows(REPLAYED, ids)


async def note_replayed(store: MongoStore, run: str, by: str, ids: Sequence[str]) -> None:
    """Notes that the broker has acknowledged the originals of these letters."""
    now = clock.now()
    await store.save_rows(REPLAYED, {one: {"run": run, "by": by, "at": now} for one in ids})


async def note(store: MongoStore, run: str, step: str, by: str, action: str, what: Mapping[str, Any]) -> None:
    """Appends one line. No line is ever changed or deleted."""
    line = {"run": run, "step": step, "at": clock.now(), "by": by, "action": action, "what": dict(what)}
    await store.save_rows(AUDIT, {f"{run}/{step}": line})


async def lines(store: MongoStore, limit: int) -> list[dict[str, Any]]:
    """The newest lines, oldest first."""
    rows = await store.find_rows(AUDIT, {}, order=("-at",), limit=limit)
    return [{**row, "at": _instant(row["at"])} for row in reversed(rows) if row.pop("_id")]


async def paused(store: MongoStore) -> list[dict[str, Any]]:
    """The topics that a flood of dead letters pauses now."""
    rows = await store.find_rows(PAUSED, {"until": {"$gt": clock.now()}}, order=("until",), limit=10_000)
    return [{"topic": row.pop("_id"), **row} for row in rows]


async def resume(store: MongoStore, rows: Sequence[Mapping[str, Any]]) -> None:
    """Ends these pauses; the service notices at its next look. A new flood pauses as long as a first one."""
    now = clock.now()
    ended = {row["topic"]: {**row, "until": now, "level": 0} for row in rows}
    for row in ended.values():
        del row["topic"]
    await store.save_rows(PAUSED, ended)


def _instant(at: datetime) -> str:
    return envelope.rfc3339(at)


def shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows for a machine: instants as text."""
    return [{name: _instant(one) if isinstance(one, datetime) else one for name, one in row.items()} for row in rows]
