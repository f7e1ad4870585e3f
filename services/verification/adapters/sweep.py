"""After a load: finds the workers who are affected by the new list, and publishes an event for each. Part of the leak
stopper. It also finds the held cases that a newly loaded population or poverty data may settle.

Only verified, held and pending workers get an event, once per pass, with a fixed event id: a sweep that is repeated, by
this process or another, changes nothing. A load is swept twice. A check whose batch read the lists before the switch
may be saved after the first pass, but not after the second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import structlog

from services.verification.domain import rules
from services.verification.domain.state import CheckStatus, Identity
from services.verification.facts import sources
from services.verification.facts.sources import Load
from shared.contracts import envelope, topics
from shared.contracts.reasons import Reason
from shared.contracts.verification_work import SourceChanged
from shared.kernel.calendar import WITA
from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.records import Message
from shared.runtime.service_context import ServiceContext

log = structlog.get_logger()

SWEEPS = "sweeps"
SWEEPING = "sweep"
LOOK_S = 2.0
PAGE = 2_000
PASSES = 2
# Longer than a batch may be retried in place (shared/runtime/app.py): by then it is saved, or its process has ended.
SECOND_PASS_AFTER_S = 150.0
_STANDING = (CheckStatus.VERIFIED, CheckStatus.HELD, CheckStatus.PENDING)


async def run(context: ServiceContext) -> None:
    """Looks for loads that are not swept yet, as long as the service runs. One of its processes does this, under a
    lease.
    """
    while True:
        try:
            if await context.leases.mine(SWEEPING):
                await look(context)
        except Unavailable as error:
            log.warning("the check after a load failed; it is repeated later", error=str(error))
        await asyncio.sleep(LOOK_S)


async def look(context: ServiceContext) -> int:
    """Looks once; returns the number of workers who got an event."""
    told = 0
    for row in await context.reader.find_rows(sources.SNAPSHOTS, {}, order=("_id",), limit=10_000):
        told += await _after_load(context, row["_id"], sources.load_of(row["_id"], row))
    return told


async def _after_load(context: ServiceContext, name: str, load: Load) -> int:
    swept = (await context.reader.rows(SWEEPS, [name])).get(name)
    passes = swept["passes"] if swept is not None and swept["version"] == load.version else 0
    if passes >= PASSES or (passes and not _is_time(load)):
        return 0
    told = await sweep(context, load, passes)
    # Meanwhile a newer version may have been loaded. Then this mark is wrong, which costs only a repeated pass.
    await context.reader.save_rows(SWEEPS, {name: {"version": load.version, "passes": passes + 1}})
    if told:
        log.info("a load concerns verified workers", kind=load.kind, regency=load.regency, workers=told)
    return told


def _is_time(load: Load) -> bool:
    if not load.loaded_at:
        return True
    return (clock.now() - datetime.fromisoformat(load.loaded_at)).total_seconds() >= SECOND_PASS_AFTER_S


async def sweep(context: ServiceContext, load: Load, number: int) -> int:
    """One pass over the rows that can affect a worker, page by page."""
    if load.kind == sources.DINSOS:
        return await _fill(context, load, number)
    told, last = await _fill(context, load, number) if load.kind == sources.POPULATION else 0, load.prefix
    while True:
        where = {"_id": {"$gt": last, "$lt": load.prefix + "~"}, "version": load.version, **_against(load)}
        rows = await context.reader.find_rows(sources.collection_of(load.kind), where, order=("_id",), limit=PAGE)
        if not rows:
            return told
        last = rows[-1]["_id"]
        told += await _tell(context, load, rows, number)


async def _fill(context: ServiceContext, load: Load, number: int) -> int:
    """Publishes the held cases that this load may settle. They are few, so they are read and looked up in the load."""
    told, last = 0, ""
    waiting: dict[str, Any] = {"state.status": CheckStatus.HELD.value, "state.regency": load.regency}
    if load.kind == sources.DINSOS:
        waiting["state.reasons"] = str(Reason.POVERTY_DATA_MISSING)
    while True:
        where = {**waiting, "_id": {"$gt": last}}
        found = await context.reader.find("identities", where, order=("_id",), limit=PAGE)
        if not found:
            return told
        last, _ = found[-1]
        held = {(load.regency, worker): one for worker, one in found if isinstance(one, Identity)}
        listed = await sources.look_up(context.reader, load.kind, held, {(load.regency, load.kind): load})
        changes = [
            SourceChanged(worker_id=worker, regency=load.regency, change=change, version=load.version)
            for (regency, worker), row in listed.items()
            if (change := _settles(held[regency, worker], load, row)) is not None
        ]
        if changes:
            await context.publish([_message(load, change, number) for change in changes])
        told += len(changes)


def _settles(identity: Identity, load: Load, row: Mapping[str, Any]) -> Literal["poverty", "register"] | None:
    """What this row may settle in a held case; rows that speak against the worker are handled by `_change`."""
    if load.kind == sources.DINSOS:
        return "poverty"
    seen = f"snapshot:{load.version}" in identity.evidence
    waits = rules.waits_for_register(identity.status, identity.reasons, identity.evidence)
    return "register" if waits and not seen and row["status"] == "alive" else None


def _against(load: Load) -> dict[str, Any]:
    if load.kind != sources.POPULATION:
        return {}
    inside = f"{load.regency}."
    # Villages before or after this regency's in the order of keys: "/" is the character after ".".
    elsewhere = ({"village": {"$gt": "", "$lt": inside}}, {"village": {"$gte": f"{load.regency}/"}})
    return {"$or": [{"status": {"$ne": "alive"}}, *elsewhere]}


async def _tell(context: ServiceContext, load: Load, rows: Sequence[Mapping[str, Any]], number: int) -> int:
    by_worker = {row["_id"].removeprefix(load.prefix): row for row in rows}
    states = await context.reader.states("identities", list(by_worker))
    changes = [
        change
        for worker, identity in states.items()
        if isinstance(identity, Identity)
        and identity.asked.regency == load.regency
        and (change := _change(worker, identity, load, by_worker[worker])) is not None
    ]
    if changes:
        await context.publish([_message(load, change, number) for change in changes])
    return len(changes)


def _change(worker: str, identity: Identity, load: Load, row: Mapping[str, Any]) -> SourceChanged | None:
    """What this row says of the worker that the standing verdict has not taken into account."""
    if identity.status not in _STANDING:
        return None
    told: dict[str, Any] = {"worker_id": worker, "regency": load.regency, "version": load.version}
    if load.kind != sources.POPULATION:
        if load.kind in identity.listed.rosters:
            return None
        return SourceChanged.model_validate({**told, "change": load.kind, "effective_on": row["started_on"] or None})
    if f"snapshot:{load.version}" in identity.evidence:
        return None
    if row["status"] != "alive":
        return SourceChanged(**told, change=row["status"])
    elsewhere = rules.lives_in(row.get("village", ""), load.regency) is False
    return SourceChanged(**told, change="outside") if elsewhere else None


def _message(load: Load, change: SourceChanged, number: int) -> Message:
    name = f"source:{load.regency}:{change.change}:{load.version}:{number}:{change.worker_id}"
    # The load's own instant, so that a repeated pass makes the same bytes.
    at = datetime.fromisoformat(load.loaded_at).astimezone(WITA)
    value = envelope.internal("verification", name, "source.changed.v1", change, at, cause=name)
    return Message(topics.work("verification"), change.worker_id.encode(), value)
