"""A registration service in memory with its stickers; tests send it the other services' verdicts and premiums."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from fastapi import FastAPI

from services.registration.stickers.api import web
from shared.runtime.records import Message
from tests.property.registration_world import FORM, KEY
from tests.unit.registration.imports.imports_context import MemoryContext

VILLAGE = "64.08.04.2001"
PUBLIC_URL = "https://payung.kabupaten.go.id"
KEYS = {"PAYUNG_ID_KEY": base64.b64encode(KEY).decode()}


class StickerContext(MemoryContext):
    """Registration in memory with its stickers; `say` publishes an event of another service."""

    def __init__(self, now: datetime, **environ: str) -> None:
        super().__init__(**KEYS, **{"PAYUNG_PUBLIC_URL": PUBLIC_URL, **environ})
        self.topics.now_ms = int(now.timestamp() * 1000)
        self._count = 0

    async def say(self, topic: str, source: str, kind: str, data: Mapping[str, Any]) -> list[dict[str, Any]]:
        mark = len(self.topics.published)
        self._count += 1
        one = {"specversion": "1.0", "id": f"e{self._count}", "source": source, "type": kind, "data": dict(data)}
        await self.publish([Message(topic, b"k", orjson.dumps(one))])
        return [orjson.loads(sent.value or b"") for sent in self.topics.published[mark + 1 :]]

    async def worker(self, number: int = 1, address: str = "Jl. Pelita RT 3") -> str:
        """A verified worker."""
        nik = f"640804410785{number:04d}"
        form = {**FORM, "nik": nik, "submission_id": str(number), "address": address, "name": f"PEKERJA {number}"}
        said = await self.say("registration-intake-6408-dinsos", "agency/64.08/dinsos", "worker.register.v1", form)
        worker_id = str(said[0]["data"]["worker_id"])
        await self.judge(worker_id, "verified")
        return worker_id

    async def judge(self, worker_id: str, identity: str, *reasons: str) -> None:
        """Verification's verdict on a worker."""
        data = {**_verified(worker_id), "reasons": list(reasons), "effective_on": "2026-02-10"}
        await self.say("verification-events", "payung/verification", f"identity.{identity}.v1", data)

    async def billed(self, worker_id: str, *periods: str) -> None:
        for period in periods:
            await self.say("billing-events", "payung/billing", "premium.billed.v1", _billed(worker_id, period))

    async def paid(self, *periods: str) -> None:
        for period in periods:
            await self.say("billing-events", "payung/billing", "premium.paid.v1", _paid(period))

    async def install(self, number: str, **changes: Any) -> list[dict[str, Any]]:
        data = {"submission_id": "P1", "sticker_no": number, "installed_on": "2026-02-09", "by": "Rina", **changes}
        return await self.say(
            "registration-intake-6408-desa", "agency/64.08/desa", "sticker.install.v1", {**data, **changes}
        )

    async def withdraw(self, number: int = 1) -> None:
        nik = f"640804410785{number:04d}"
        data = {"submission_id": f"W{number}", "nik": nik, "reason": "moved", "date": "2026-02-10"}
        await self.say("registration-intake-6408-dinsos", "agency/64.08/dinsos", "worker.withdraw.v1", data)

    def stickers_app(self) -> FastAPI:
        """The service's HTTP endpoints for stickers."""
        app = FastAPI()
        context: Any = self
        app.include_router(web.routes(context))
        return app

    def _waiting(self) -> list[Any]:
        found = super()._waiting()
        for place, log in self.topics.logs.items():
            if place[0] in ("verification-events", "billing-events"):
                found += log[self.settled.get(place, 0) :]
                self.settled[place] = len(log)
        return found


def _verified(worker_id: str) -> dict[str, Any]:
    return {
        "worker_id": worker_id,
        "regency": "64.08",
        "district": "64.08.04",
        "village": VILLAGE,
        "sector": "fisheries",
        "sex": "F",
        "birth_month": "1985-07",
        "income_base": 1_000_000,
        "segment": "BPU",
        "evidence": ["snapshot"],
        "score": 100,
        "valid_until": "2027-02-01",
        "registration_version": 1,
    }


def _billed(worker_id: str, period: str) -> dict[str, Any]:
    lines = [{"programme": "JKK", "amount": 10_000, "rule": "r"}, {"programme": "JKM", "amount": 6_800, "rule": "r"}]
    place = {key: value for key, value in _verified(worker_id).items() if key in _PLACE}
    run = {"run_id": f"run-{period}", "invoice_id": f"inv-{period}", "funding": "apbd-regency"}
    return {**place, **run, "period": period, "lines": lines, "total": 16_800}


_PLACE = ("worker_id", "regency", "district", "village", "sector", "sex", "birth_month", "income_base")


def _paid(period: str) -> dict[str, Any]:
    money = {"total": 16_800, "workers": 1, "reference": "SP2D", "paid_on": "2026-02-01", "funding": "apbd-regency"}
    return {"invoice_id": f"inv-{period}", "regency": "64.08", "period": period, **money}
