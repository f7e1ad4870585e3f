"""Verification over HTTP: the officers' queue with the evidence side by side, and one worker's standing.

Lists and standings carry no name and no NIK. A single case carries names, for officers only: the caller needs the role
`verification-officer` in its regency (PAYUNG_AUTH; with `none` everyone may). The same addresses give JSON to a machine
and a page to a browser.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from services.verification.api import decisions, pages, queue
from services.verification.api.queue import Case
from services.verification.domain.state import Identity
from shared.pages import HEADERS, wants_page
from shared.runtime.http import officers
from shared.runtime.http.auth import VERIFICATION_OFFICER, Caller, Guard
from shared.runtime.service_context import ServiceContext

TAKEN_LOOKS, TAKEN_LOOK_S = 30, 0.1


def routes(context: ServiceContext) -> APIRouter:
    """The endpoints."""
    router = APIRouter(tags=["verification"])
    desk = EndpointContext(context)

    @router.get("/", include_in_schema=False)
    async def home() -> Response:
        return RedirectResponse("/v1/reviews")

    @router.get("/v1/reviews")
    async def reviews(
        request: Request,
        regency: str | None = None,
        reason: str | None = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=queue.CASES_MAX)] = queue.CASES_MAX,
    ) -> Response:
        """Held cases for an officer to settle, the oldest first; `after` is the `next` of the previous answer."""
        caller = await desk.guard.caller(request)
        # The page's form sends an empty field for "all".
        regencies = caller.regencies(regency or None, VERIFICATION_OFFICER)
        shown = min(limit, pages.CASES_SHOWN) if wants_page(request) else limit
        found = await queue.held(context.reader, regencies, reason or None, after, shown)
        if wants_page(request):
            sent = request.query_params.get("sent")
            return HTMLResponse(pages.list_page(found, regency, reason, sent), headers=HEADERS)
        return JSONResponse(queue.list_json(found), headers={"cache-control": "no-store"})

    @router.get("/v1/reviews/{worker_id}")
    async def review(worker_id: str, request: Request) -> Response:
        """One case with its evidence side by side: the form, the register, and the agencies that attest."""
        case = await desk.case(worker_id, await desk.guard.caller(request))
        if wants_page(request):
            return HTMLResponse(pages.case_page(case), headers=HEADERS)
        return JSONResponse(queue.case_json(case), headers={"cache-control": "no-store"})

    @router.post("/v1/reviews/{worker_id}", status_code=202)
    async def decide(
        worker_id: str, request: Request, idempotency_key: Annotated[str | None, Header()] = None
    ) -> Response:
        """Takes an officer's decision (`{"decision": "verified|rejected", "officer", "reason"}`) as an
        `identity.decide.v1`.

        Answers 202 with its id once Kafka has acknowledged it. The result is an event.
        """
        caller = await desk.guard.caller(request)
        await desk.check_role(worker_id, caller)
        given = await officers.read(request, idempotency_key)
        message = decisions.message(request, worker_id, given, caller.signature)
        if not given.from_page:
            await context.publish([message])
            return JSONResponse({"ids": [given.name]}, 202)
        before = await desk.identity(worker_id)
        await context.publish([message])
        await desk.taken(worker_id, before)
        return RedirectResponse(f"/v1/reviews?sent={worker_id}", 303)

    @router.get("/v1/identities/{worker_id}")
    async def identity(worker_id: str, request: Request) -> dict[str, Any]:
        """The standing of one worker's identity."""
        caller = await desk.guard.caller(request)
        found = await desk.identity(worker_id)
        if found is None or not caller.may_read(found.asked.regency):
            raise HTTPException(404, "no such worker")
        return queue.standing_json(worker_id, found)

    return router


class EndpointContext:
    """What the endpoints share: the guard and the store."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self.guard = Guard(context.environ)

    async def identity(self, worker_id: str) -> Identity | None:
        """The identity of a worker for whom a check was requested; None without one."""
        found = (await self._context.reader.states("identities", [worker_id])).get(worker_id)
        return found if isinstance(found, Identity) else None

    async def case(self, worker_id: str, caller: Caller) -> Case:
        """A worker's case, for an officer of the regency; raises 404 for all other callers."""
        found = await self.identity(worker_id)
        if found is None or not caller.has_role(VERIFICATION_OFFICER, found.asked.regency):
            raise HTTPException(404, "no such case")
        return await queue.case_of(self._context.reader, self._context.reference.cipher, worker_id, found)

    async def check_role(self, worker_id: str, caller: Caller) -> None:
        """Raises 403 unless the caller is an officer of the worker's regency.

        For an unknown worker any verification officer may send a decision; its refusal comes as an event.
        """
        found = await self.identity(worker_id)
        if found is not None and not caller.has_role(VERIFICATION_OFFICER, found.asked.regency):
            raise HTTPException(403, f"the token has no role {VERIFICATION_OFFICER} for {found.asked.regency}")
        if found is None and caller.agencies is not None and not caller.regencies(role=VERIFICATION_OFFICER):
            raise HTTPException(403, f"the token has no role {VERIFICATION_OFFICER}")

    async def taken(self, worker_id: str, before: Identity | None) -> None:
        """Waits up to 3 s until the case has changed, so that the list an officer returns to is up to date."""
        for _ in range(TAKEN_LOOKS):
            now = await self.identity(worker_id)
            if now is None or before is None or (now.status, now.proposal) != (before.status, before.proposal):
                return
            await asyncio.sleep(TAKEN_LOOK_S)
