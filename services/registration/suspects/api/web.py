"""The officers' queue: pairs of workers who may be one person, ranked, side by side, decided with a reason.

A list shows no personal data. One pair shows both forms, to officers only: the caller needs the role
`registration-officer` in one of the pair's regencies (PAYUNG_AUTH; with `none` everyone may). The NIK stays masked; the
page only says which of its digits differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from services.registration.suspects.api import pages
from services.registration.suspects.background.running import LAST, SCANS, ask
from services.registration.suspects.domain.pairs import pair_id
from services.registration.suspects.domain.state import Pair, PairStatus
from services.registration.workers.domain.state import Worker
from shared.contracts import envelope, topics
from shared.contracts.registration import DECISIONS
from shared.kernel.identity import masked
from shared.pages import HEADERS, wants_page
from shared.runtime import clock
from shared.runtime.http import officers
from shared.runtime.http.auth import REGISTRATION_OFFICER, Caller, Guard
from shared.runtime.http.officers import SentDecision
from shared.runtime.records import Message
from shared.runtime.service_context import ServiceContext

LIST_MAX = 500
DECIDE = "suspect.decide.v1"
_SIDE = (
    "name",
    "birth_date",
    "birth_place",
    "sex",
    "mother_name",
    "phone",
    "address",
    "village",
    "sector",
    "occupation",
)


def routes(context: ServiceContext) -> APIRouter:
    """The endpoints."""
    router = APIRouter(prefix="/v1/suspects", tags=["suspects"])
    guard = Guard(context.environ)

    @router.get("")
    async def queue(
        request: Request,
        regency: str | None = None,
        status: PairStatus = PairStatus.OPEN,
        limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = 100,
    ) -> Response:
        """Pairs, the likeliest first; `status` is open (to be decided), merged, different or gone."""
        where: dict[str, Any] = {"state.status": status.value}
        regencies = (await guard.caller(request)).regencies(regency, REGISTRATION_OFFICER)
        if regencies is not None:
            where["state.regencies"] = {"$in": regencies}
        found = await context.reader.find("suspects", where, order=("-state.score", "_id"), limit=limit)
        count = await context.reader.count("suspects", where)
        scanned = (await context.reader.rows(SCANS, [LAST])).get(LAST)
        pairs = [_listed(one) for _, one in found if isinstance(one, Pair)]
        listed = {"count": count, "scanned": scanned, "suspects": pairs}
        if wants_page(request):
            sent = "sent" in request.query_params
            return HTMLResponse(pages.queue_page(listed, status, sent=sent), headers=HEADERS)
        return JSONResponse(listed, headers={"cache-control": "no-store"})

    @router.post("/scan", status_code=202)
    async def scan(request: Request) -> dict[str, Any]:
        """Asks for a scan now, outside the schedule; `GET /v1/suspects` says when the last one was."""
        if (await guard.caller(request)).regencies(role=REGISTRATION_OFFICER) == []:
            raise HTTPException(403, f"the token has no role {REGISTRATION_OFFICER}")
        return {"wanted_at": await ask(context)}

    @router.get("/{first}/{second}")
    async def pair(first: str, second: str, request: Request) -> Response:
        """One pair with both forms side by side, and every decision so far."""
        found = await _known(context, first, second, await guard.caller(request))
        if found is None:
            raise HTTPException(404, "no such pair")
        workers = await context.reader.states("workers", list(found.workers))
        shown = {**_listed(found), **_side_by_side(found, workers)}
        if wants_page(request):
            return HTMLResponse(pages.pair_page(shown, clock.new_id()), headers=HEADERS)
        return JSONResponse(shown, headers={"cache-control": "no-store"})

    @router.post("/{first}/{second}", status_code=202)
    async def decide(
        first: str, second: str, request: Request, idempotency_key: Annotated[str | None, Header()] = None
    ) -> Response:
        """Takes an officer's decision (`{"decision": "merge|different|unmerge|reopen", "officer", "reason", "keep"}`;
        `keep` is the worker_id that stays after a merge). Answers 202 with its id once Kafka has acknowledged it. The
        result is an event: `suspect.decided.v1` or `suspect.decide.refused.v1`.
        """
        caller = await guard.caller(request)
        # Without a log-in (PAYUNG_AUTH=none) the refusal of an unknown pair is an event. With one, an unknown pair and
        # another regency's pair give the same 404, so that callers learn nothing about other regencies.
        if await _known(context, first, second, caller) is None and caller.agencies is not None:
            raise HTTPException(404, "no such pair")
        given = await officers.read(request, idempotency_key)
        await context.publish([_decision(request, first, second, given, caller.signature)])
        if given.from_page:
            return RedirectResponse("/v1/suspects?sent=1", 303)
        return JSONResponse({"ids": [given.name]}, 202)

    return router


async def _known(context: ServiceContext, first: str, second: str, caller: Caller) -> Pair | None:
    """The pair, if it exists and this caller may decide it."""
    key = pair_id(first, second)
    found = (await context.reader.states("suspects", [key])).get(key)
    if not isinstance(found, Pair) or not any(caller.has_role(REGISTRATION_OFFICER, one) for one in found.regencies):
        return None
    return found


def _listed(pair: Pair) -> dict[str, Any]:
    first, second = pair.workers
    return {
        "first": first,
        "second": second,
        "status": pair.status,
        "score": pair.score,
        "reasons": list(pair.reasons),
        "regencies": list(pair.regencies),
        "villages": list(pair.villages),
        "found_at": envelope.rfc3339(pair.found_at),
        "kept": pair.kept or None,
    }


def _side_by_side(pair: Pair, workers: Mapping[str, Any]) -> dict[str, Any]:
    one, other = (workers.get(key) for key in pair.workers)
    forms = [worker.form if isinstance(worker, Worker) else None for worker in (one, other)]
    niks = [form.nik if form else "" for form in forms]
    differ = [place + 1 for place, (left, right) in enumerate(zip(niks[0], niks[1], strict=False)) if left != right]
    shown = {side: masked(nik) if nik else "" for side, nik in zip(("first", "second"), niks, strict=True)}
    fields: dict[str, Any] = {
        "nik": {**shown, "differing_digits": differ},
    }
    for name in _SIDE:
        left, right = (getattr(form, name) if form else None for form in forms)
        fields[name] = {"first": left, "second": right, "same": left == right}
    return {
        "fields": fields,
        "workers": [
            {
                "worker_id": key,
                "status": worker.status,
                "regency": worker.regency,
                "submissions": [
                    {"agency": word.agency, "submission_id": word.submission_id, "said_on": word.said_on}
                    for word in worker.words
                ],
            }
            for key, worker in zip(pair.workers, (one, other), strict=True)
            if isinstance(worker, Worker)
        ],
        "decisions": [
            {
                "decision": made.decision,
                "officer": made.officer,
                "reason": made.reason,
                "decided_at": envelope.rfc3339(made.decided_at),
                "keep": made.keep or None,
            }
            for made in pair.decisions
        ],
    }


def _decision(request: Request, first: str, second: str, given: SentDecision, signed_by: str | None) -> Message:
    data = dict(given.fields)
    if given.from_page:
        # The value of a page's button holds the decision and the side that stays.
        data["decision"], _, side = given.fields.get("decision", "").partition(":")
        if side:
            data["keep"] = first if side == "first" else second
    if signed_by is not None:
        data["officer"] = given.officer or signed_by
    return officers.record(
        request,
        given,
        signed_by,
        kind=DECIDE,
        subject=pair_id(first, second),
        data={**data, "first": first, "second": second},
        topic=topics.REGISTRATION_OFFICERS,
        commands=DECISIONS,
    )
