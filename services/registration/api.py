"""Registration over HTTP: one worker, with the NIK masked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException

from services.registration.domain.state import Worker
from services.registration.duties import web as duties
from services.registration.imports import web as imports
from services.registration.stickers import web as stickers
from shared.runtime.house import House


def masked(nik: str) -> str:
    """A NIK as it may be shown: the area and the last two digits."""
    return f"{nik[:4]}{'*' * 10}{nik[-2:]}"


def routes(house: House) -> APIRouter:
    """The endpoints."""
    router = APIRouter(prefix="/v1", tags=["registration"])

    @router.get("/workers/{worker_id}")
    async def worker(worker_id: str) -> dict[str, Any]:
        """Where a worker stands and who submitted them; no name, NIK masked."""
        found = (await house.reader.states("workers", [worker_id])).get(worker_id)
        if not isinstance(found, Worker):
            raise HTTPException(404, "no such worker")
        verdict = found.verdict
        return {
            "worker_id": worker_id,
            "nik": masked(found.form.nik),
            "regency": found.regency,
            "district": found.form.district,
            "village": found.form.village,
            "sector": found.form.sector,
            "occupation": found.form.occupation,
            "status": found.status,
            "registration_version": found.registration_version,
            "reasons": list(verdict.reasons) if verdict else [],
            "submissions": [
                {"agency": word.agency, "submission_id": word.submission_id, "said_on": word.said_on}
                for word in found.words
            ],
        }

    outer = APIRouter()
    outer.include_router(router)
    outer.include_router(imports.routes(house))
    outer.include_router(duties.routes(house))
    outer.include_router(stickers.routes(house))
    return outer
