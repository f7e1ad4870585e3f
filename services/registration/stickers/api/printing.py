"""A village's stickers: finds the verified and paid workers, issues their stickers, and prepares the sheets."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.registration.stickers.api.pages import VillageStickers
from services.registration.stickers.api.printed import Printed
from services.registration.stickers.api.signing import Signer, StickerContent
from services.registration.stickers.domain.rules import paid_until, revoked, sticker_no
from services.registration.stickers.domain.state import BilledMonths, Sticker
from services.registration.workers.domain.state import Worker, WorkerStatus
from shared.contracts import envelope, topics
from shared.contracts.registration_stickers import IssueSticker
from shared.kernel.calendar import business_day
from shared.reference.areas import Village
from shared.runtime import clock
from shared.runtime.records import Message
from shared.runtime.service_context import ServiceContext

WORKERS_MAX = 20_000
ISSUED_WITHIN_S = 10.0
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:payung:sticker")
# `RT 3`, `RT.003`, `RT003/RW 01`: the first number after "RT" counts; any later text is ignored.
_RT = re.compile(r"\bRT\W{0,3}(\d{1,3})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StickerSite:
    """The house of a sticker. Only for the officer who puts it up; never printed on the sheet."""

    rt: str
    sticker_no: str
    name: str
    address: str
    valid_until: date
    worker_id: str
    opened_on: str


def rt_of(address: str | None) -> str:
    """The RT of an address as three digits; empty when it names none."""
    found = _RT.search(address or "")
    return found[1].zfill(3) if found else ""


async def houses(context: ServiceContext, village: Village, rt: str | None) -> list[StickerSite]:
    """The verified workers of a village whose premium is paid, in the order of their sheets."""
    where = {"state.form.village": village.code, "state.status": WorkerStatus.VERIFIED.value}
    workers = dict(await context.reader.find("workers", where, limit=WORKERS_MAX))
    covers = await context.reader.states("covers", list(workers))
    invoices = {invoice for one in covers.values() for _, invoice in one.months}
    paid = set(await context.reader.states("invoices", sorted(invoices)))
    today, key = business_day(clock.now()), context.reference.id_key
    found = []
    for worker_id, worker in workers.items():
        cover = covers.get(worker_id)
        until = paid_until(cover, paid, today) if isinstance(cover, BilledMonths) else None
        if until is None or not isinstance(worker, Worker):
            continue
        number = sticker_no(key, worker.regency, worker_id, worker.opened_on)
        address = worker.form.address or ""
        of_rt = rt_of(address)
        if rt is None or of_rt == rt:
            found.append(StickerSite(of_rt, number, worker.form.name, address, until, worker_id, worker.opened_on))
    return sorted(found, key=lambda one: (one.rt == "", one.rt, one.sticker_no))


async def standing(context: ServiceContext, regencies: Sequence[str] | None) -> list[VillageStickers]:
    """The villages with verified workers, and their stickers whose last day is not over; None means every regency."""
    here = {} if regencies is None else {"$in": list(regencies)}
    workers = {"state.status": WorkerStatus.VERIFIED.value, **({"state.regency": here} if here else {})}
    today = business_day(clock.now()).isoformat()
    stickers = {"state.valid_until": {"$gte": today}, **({"state.regency": here} if here else {})}
    verified = {
        row["village"]: row["count"] for row in await context.reader.tally("workers", workers, ["state.form.village"])
    }
    given = {
        row["village"]: row["count"] for row in await context.reader.tally("stickers", stickers, ["state.village"])
    }
    return [VillageStickers(code, count, given.get(code, 0)) for code, count in sorted(verified.items()) if code]


async def issued(context: ServiceContext, village: Village, rt: str | None) -> list[StickerSite]:
    """The stickers of a village that are issued and valid today, in the order of their sheets."""
    today = business_day(clock.now()).isoformat()
    where = {"state.village": village.code, "state.valid_until": {"$gte": today}}
    stickers = dict(await context.reader.find("stickers", where, limit=WORKERS_MAX))
    workers = await context.reader.states("workers", sorted({one.worker_id for one in stickers.values()}))
    found = []
    for number, sticker in stickers.items():
        worker = workers.get(sticker.worker_id)
        if not isinstance(worker, Worker) or revoked(sticker, worker):
            continue
        address = worker.form.address or ""
        of_rt = rt_of(address)
        if rt is None or of_rt == rt:
            until = date.fromisoformat(sticker.valid_until)
            found.append(
                StickerSite(of_rt, number, worker.form.name, address, until, sticker.worker_id, sticker.opened_on)
            )
    return sorted(found, key=lambda one: (one.rt == "", one.rt, one.sticker_no))


async def wait_until_issued(
    context: ServiceContext, found: Sequence[StickerSite], wait_s: float = ISSUED_WITHIN_S
) -> bool:
    """Waits up to `wait_s` seconds; returns whether the store then holds all of these stickers."""
    until = clock.monotonic() + wait_s
    while True:
        standing = await context.reader.states("stickers", [one.sticker_no for one in found])
        days = {no: one.valid_until for no, one in standing.items() if isinstance(one, Sticker)}
        if all(days.get(one.sticker_no, "") >= one.valid_until.isoformat() for one in found):
            return True
        if clock.monotonic() >= until:
            return False
        await asyncio.sleep(0.2)


def printed(found: Sequence[StickerSite], village: Village, signer: Signer, base_url: str) -> list[Printed]:
    """The stickers of these houses, with their signed links."""
    return [
        Printed(
            one.rt,
            one.sticker_no,
            one.valid_until,
            f"{base_url}/s/{signer.token(StickerContent(one.sticker_no, village.code, one.valid_until))}",
        )
        for one in found
    ]


async def issue(context: ServiceContext, found: Sequence[StickerSite], village: Village) -> None:
    """Publishes the step that issues these stickers on registration's work topic.

    The event's id follows from number and last day, so issuing again repeats the same event.
    """
    now = clock.now()
    messages = []
    for one in found:
        until = one.valid_until.isoformat()
        identifier = str(uuid.uuid5(_NAMESPACE, f"{one.sticker_no}|{until}"))
        data = IssueSticker(
            sticker_no=one.sticker_no,
            worker_id=one.worker_id,
            opened_on=one.opened_on,
            regency=village.regency,
            district=village.district,
            village=village.code,
            valid_until=until,
        )
        value = envelope.internal(context.name, identifier, "sticker.issue.v1", data, now)
        messages.append(Message(topics.work(context.name), one.sticker_no.encode(), value))
    if messages:
        await context.publish(messages)
