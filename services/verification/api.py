"""Verification over HTTP: the officers' queue, and one worker's standing. No name, no NIK."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException

from services.verification.domain.state import Identity
from shared.runtime.house import House

REVIEWS_MAX = 500


def routes(house: House) -> APIRouter:
    """The endpoints."""
    router = APIRouter(prefix="/v1", tags=["verification"])

    @router.get("/reviews")
    async def reviews(regency: str | None = None) -> dict[str, Any]:
        """Held cases, to be settled by an officer's `identity.decide.v1`."""
        where: dict[str, Any] = {"state.status": "held"}
        if regency is not None:
            where["state.regency"] = regency
        found = await house.reader.find("identities", where, order=("state.checked_on",), limit=REVIEWS_MAX)
        return {"reviews": [_shown(worker_id, one) for worker_id, one in found if isinstance(one, Identity)]}

    @router.get("/identities/{worker_id}")
    async def identity(worker_id: str) -> dict[str, Any]:
        """Where one worker's identity stands."""
        found = (await house.reader.states("identities", [worker_id])).get(worker_id)
        if not isinstance(found, Identity):
            raise HTTPException(404, "no such worker")
        return _shown(worker_id, found)

    return router


def _shown(worker_id: str, one: Identity) -> dict[str, Any]:
    return {
        "worker_id": worker_id,
        "regency": one.asked.regency,
        "village": one.asked.village,
        "status": one.status,
        "reasons": list(one.reasons),
        "score": one.score,
        "evidence": list(one.evidence),
        "since": one.checked_on,
        "registration_version": one.asked.registration_version,
    }
