"""The endpoints of registration: those of its features. The first page is the form for uploaded lists."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from services.registration.compliance.api import web as compliance
from services.registration.imports.api import web as imports
from services.registration.outreach import api as outreach
from services.registration.participants.api import web as participants
from services.registration.stickers.api import web as stickers
from services.registration.suspects.api import web as suspects
from services.registration.workers import api as workers
from shared.runtime.service_context import ServiceContext


def routes(context: ServiceContext) -> APIRouter:
    """The endpoints."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("/v1/imports")

    router.include_router(workers.routes(context, participants.of_worker))
    for feature in (imports, compliance, outreach, stickers, suspects, participants):
        router.include_router(feature.routes(context))
    return router
