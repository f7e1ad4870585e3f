"""Claims over HTTP: where one claim stands; no name, no account."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException

from services.claims.domain.state import STAGES, Claim
from shared.runtime.house import House

FOUND_MAX = 20


def routes(house: House) -> APIRouter:
    """The endpoints."""
    router = APIRouter(prefix="/v1", tags=["claims"])

    @router.get("/claims/{regency}/{agency}/{claim_no:path}")
    async def of_regency(regency: str, agency: str, claim_no: str) -> dict[str, Any]:
        """One claim by regency, agency and number."""
        found = (await house.reader.states("claims", [f"{regency}/{agency}/{claim_no}"])).values()
        return _shown(next(iter(found), None))

    @router.get("/claims/{agency}/{claim_no}")
    async def of_agency(agency: str, claim_no: str, regency: str | None = None) -> dict[str, Any]:
        """One claim by agency and number; `?regency=` when agencies of several regencies share a name."""
        where: dict[str, Any] = {"state.agency": agency, "state.claim_no": claim_no}
        if regency is not None:
            where["state.regency"] = regency
        found = await house.reader.find("claims", where, limit=FOUND_MAX)
        if len(found) > 1:
            raise HTTPException(409, "several regencies have this claim; name one with ?regency=")
        return _shown(found[0][1] if found else None)

    return router


def _shown(claim: Any) -> dict[str, Any]:
    if not isinstance(claim, Claim):
        raise HTTPException(404, "no such claim")
    return {
        "claim_no": claim.claim_no,
        "agency": claim.agency,
        "regency": claim.regency,
        "worker_id": claim.worker_id,
        "kind": claim.kind,
        "event_date": claim.event_date,
        "status": claim.status,
        "stage": STAGES[claim.status],
        "reasons": list(claim.reasons),
        "missing_documents": list(claim.missing),
        "benefits": [line.model_dump() for line in claim.benefits],
        "total": claim.total,
        "paid_on": claim.paid_on,
        "reference": claim.reference,
    }
