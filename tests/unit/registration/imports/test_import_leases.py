"""Several instances of registration and one list: one sends it, and another continues when the first falls silent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.registration.imports.background import sending
from services.registration.imports.background.running import Running
from services.registration.imports.documents.records import Import
from shared.runtime import clock
from shared.runtime.store import leases
from shared.runtime.store.leases import Leases
from tests.toy import CIPHER
from tests.unit.lists import hostile
from tests.unit.lists.hostile import CELLS, HEADER, book, sheet
from tests.unit.registration.imports.imports_context import MemoryContext, row, table

URL = "/v1/imports?agency=64.08/dinsos&filename=daftar.csv"


def _instance(context: MemoryContext, name: str) -> Running:
    seen: Any = context
    running = Running(seen, CIPHER)
    running._leases = Leases(context.reader, name)
    return running


async def test_two_instances_send_each_row_once() -> None:
    context = MemoryContext()
    async with context.client() as client:
        identifier = (await client.post(URL, content=table(*(row(number) for number in range(1, 8))))).json()["id"]
        instances = [_instance(context, "registration-1"), _instance(context, "registration-2")]
        for one in instances:
            await one.look()
        await asyncio.gather(*(task for one in instances for task in one._tasks.values()))
        shown = (await client.get(f"/v1/imports/{identifier}")).json()
    assert (shown["status"], shown["outcomes"], context.sent) == ("done", {"registered": 7}, 7)
    assert not context.reader.leases, "a list that is done leaves no lease behind"


async def test_another_instance_continues_where_the_first_went_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BATCH_ROWS", 2)
    monkeypatch.setattr(leases, "LEASE_S", 0.2)
    monkeypatch.setattr(leases, "TRUST_S", 60.0)
    context = MemoryContext()
    stuck = asyncio.Event()
    publish = context.publish

    async def hangs_at_the_third_batch(messages: Any) -> None:
        if context.sent >= 4 and not stuck.is_set():
            stuck.set()
            await asyncio.Event().wait()
        await publish(messages)

    monkeypatch.setattr(context, "publish", hangs_at_the_third_batch)
    async with context.client() as client:
        identifier = (await client.post(URL, content=table(*(row(number) for number in range(1, 8))))).json()["id"]
        first, second = _instance(context, "registration-1"), _instance(context, "registration-2")
        # It will hang with a lease that it does not renew, like a killed process.
        await first.look()
        await stuck.wait()
        (carried,) = first._tasks.values()
        async with asyncio.timeout(10):
            while not second._tasks:
                await second.look()
                await asyncio.sleep(0.01)
        await asyncio.gather(*second._tasks.values())
        shown = (await client.get(f"/v1/imports/{identifier}")).json()
        carried.cancel()
        await asyncio.wait({carried})
    assert (shown["status"], shown["outcomes"]) == ("done", {"registered": 7})
    assert [one["version"] for one in context.reader.collections["workers"].values()] == [1] * 7


async def test_readiness_reports_a_stopped_search_and_a_list_without_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    context = MemoryContext()
    running = _instance(context, "registration-1")
    assert running.trouble() is None
    now[0] += 61.0
    assert running.trouble() == "the importer has not looked for lists for 61 s"
    carried = running._carried["one"] = sending.Sending(
        running._context, CIPHER, await _waiting(context), running._figures
    )
    now[0] += 1_300.0
    running._came_round_s = now[0]
    assert running.trouble() == "lists do not move: one"
    carried.moved_s = now[0]
    assert running.trouble() is None


async def _waiting(context: MemoryContext) -> Import:
    async with context.client() as client:
        identifier = (await client.post(URL, content=table(row(1)))).json()["id"]
    return await context.imported(identifier)


async def test_a_list_that_kills_its_reader_is_answered_and_the_next_goes_on(tmp_path: Path) -> None:
    context = MemoryContext()
    killer = book(tmp_path / "d.xlsx", {"S": sheet(hostile.row(1, HEADER), hostile.row(10**12, CELLS))}).read_bytes()
    async with context.client() as client:
        sent = [
            (await client.post(URL, content=body)).json()["id"] for body in (killer, killer + b"\x00", table(row(1)))
        ]
        await context.carry_on()
        shown = [(await client.get(f"/v1/imports/{identifier}")).json() for identifier in sent]
    assert [one["status"] for one in shown] == ["failed", "failed", "done"]
    assert "batas Excel" in shown[0]["error"]["message"]
