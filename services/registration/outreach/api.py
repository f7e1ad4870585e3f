"""Meetings over HTTP. They hold no personal data; only callers of the regency may read them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from shared.runtime.http.auth import Guard
from shared.runtime.service_context import ServiceContext

_Regency = Annotated[str, Query(pattern=r"^\d{2}\.\d{2}$")]
_Limit = Annotated[int, Query(ge=1, le=1_000)]


def routes(context: ServiceContext) -> APIRouter:
    """The endpoints."""
    router = APIRouter(prefix="/v1", tags=["registration"])
    guard = Guard(context.environ)

    @router.get("/outreach")
    async def outreach(request: Request, regency: _Regency, limit: _Limit = 200) -> dict[str, Any]:
        """Meetings of a regency, planned and held, the latest first."""
        await guard.reader(request, regency)
        order = ("state.regency", "-state.held_on")
        found = await context.reader.find("meetings", {"state.regency": regency}, order=order, limit=limit)
        return {
            "rows": [
                {
                    "meeting_id": one.meeting_id,
                    "village": one.village,
                    "sector": one.sector,
                    "held_on": one.held_on,
                    "agency": one.agency,
                    "state": "planned" if one.attendees is None else "held",
                    "attendees": one.attendees,
                }
                for _, one in found
            ]
        }

    return router
