"""A registration service in memory with an invoice: its premiums, the end of its run, and BPJS's answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
from fastapi import FastAPI

from services.registration import api
from tests.unit.registration.stickers.sticker_context import StickerContext, _billed

NOW = datetime(2026, 2, 10, 4, 0, tzinfo=UTC)
INVOICE = "INV-6408-2026-02-apbd-regency-1"
CARD = "24012345678"


class ParticipantContext(StickerContext):
    """Registration in memory; `bill` puts workers on the invoice, `answer` hands BPJS's answer in."""

    def __init__(self, **environ: str) -> None:
        super().__init__(NOW, **environ)

    async def bill(self, *workers: str, invoice_id: str = INVOICE, closed: bool = True) -> None:
        """Premiums of these workers in the order of the run, and the run's end."""
        for number, worker in enumerate(workers, start=1):
            await self.premium(worker, invoice_id, number)
        if closed:
            await self.close(len(workers), invoice_id)

    async def premium(self, worker: str, invoice_id: str = INVOICE, number: int = 1) -> list[dict[str, Any]]:
        data = {**_billed(worker, "2026-02"), "invoice_id": invoice_id, "number": number}
        return await self.say("billing-events", "payung/billing", "premium.billed.v1", data)

    async def close(self, workers: int, invoice_id: str = INVOICE) -> None:
        lines = [
            {"programme": "JKK", "amount": 10_000 * workers, "rule": "r"},
            {"programme": "JKM", "amount": 6_800 * workers, "rule": "r"},
        ]
        done: dict[str, Any] = {"run_id": "run-1", "invoice_id": invoice_id, "regency": "64.08", "period": "2026-02"}
        done |= {"funding": "apbd-regency", "billed_workers": workers, "total": 16_800 * workers, "lines": lines}
        done |= {"not_billed": {}, "budget_left": {}}
        await self.say("billing-events", "payung/billing", "billing.run-completed.v1", done)

    async def answer(self, number: int = 1, source: str = "officer/rina", **said: Any) -> list[tuple[Any, ...]]:
        """BPJS's answer about the worker of this number; returns type and reasons of what was published."""
        data = {"invoice_id": INVOICE, "nik": nik(number), "answered_at": "2026-02-09", **said}
        told = await self.say("registration-officers", source, "participant.answer.v1", data)
        return [(one["type"].removesuffix(".v1"), *one["data"].get("reasons", ())) for one in told]

    async def get(self, path: str) -> httpx.Response:
        """GETs an endpoint of the service."""
        app = FastAPI()
        context: Any = self
        app.include_router(api.routes(context))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registration") as client:
            return await client.get(path)

    async def file(self, **query: str) -> list[dict[str, Any]]:
        """The lines of the file for BPJS."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        answer = await self.get(f"/v1/participants/{INVOICE}/file?{asked}")
        assert answer.status_code == 200, answer.text
        return [orjson.loads(line) for line in answer.text.splitlines()]

    def _waiting(self) -> list[Any]:
        found = super()._waiting()
        for place, log in self.topics.logs.items():
            if place[0] == "registration-officers":
                found += log[self.settled.get(place, 0) :]
                self.settled[place] = len(log)
        return found


def nik(number: int) -> str:
    """The NIK of the worker of this number."""
    return f"640804410785{number:04d}"
