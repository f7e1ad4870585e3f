"""Participants over HTTP: the state of an invoice's participants, and their file for BPJS as a stream of lines.

The stream holds personal data: it is for callers with the role `registration-officer` or `operator` in the invoice's
regency, and every call leaves an audit line. An invoice of another regency gives the same 404 as one that does not
exist.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from services.registration.participants.api.streaming import ParticipantStream
from services.registration.participants.domain.rows import Sheet
from services.registration.participants.domain.state import Bill, Participant
from shared.contracts.envelope import rfc3339
from shared.kernel.calendar import business_day
from shared.kernel.identity import without_niks
from shared.reference import bpjs_files
from shared.runtime import clock
from shared.runtime.http import audit
from shared.runtime.http.auth import OPERATOR, REGISTRATION_OFFICER, Caller, Guard
from shared.runtime.ports import Reader
from shared.runtime.service_context import ServiceContext

# The invoices of a worker that the worker's page shows.
SHOWN_MAX = 100


def routes(context: ServiceContext) -> APIRouter:
    """The endpoints."""
    router = APIRouter(prefix="/v1/participants", tags=["participants"])
    guard = Guard(context.environ)

    async def known(invoice_id: str, request: Request) -> tuple[Bill, Caller]:
        caller = await guard.caller(request)
        found = (await context.reader.states("bills", [invoice_id])).get(invoice_id)
        if not isinstance(found, Bill) or not caller.may_read(found.regency):
            raise HTTPException(404, "no such invoice, or registration has not heard of it yet")
        return found, caller

    @router.get("/{invoice_id}")
    async def summary(invoice_id: str, request: Request) -> dict[str, Any]:
        """How many workers the invoice has, how many registration knows, and what BPJS answered. No personal data."""
        bill, _ = await known(invoice_id, request)
        return await _summary(context.reader, bill)

    @router.get("/{invoice_id}/file")
    async def file(
        invoice_id: str,
        request: Request,
        decree: Annotated[str, Query(max_length=100, description="the number of the decree, for NO_SK")] = "",
        edition: Annotated[str, Query(max_length=40, description="default: the newest one")] = "",
    ) -> StreamingResponse:
        """Every participant as a line of JSON, in the columns of an edition of BPJS's file, in priority order.

        409 until every worker of the invoice is known here. `payung invoice participants` makes the file of it.
        """
        bill, caller = await known(invoice_id, request)
        if not any(caller.has_role(role, bill.regency) for role in (REGISTRATION_OFFICER, OPERATOR)):
            raise HTTPException(403, f"the token has no role {REGISTRATION_OFFICER} or {OPERATOR} for {bill.regency}")
        files = bpjs_files.shipped()
        form = files.named(edition) if edition else files.on(business_day(clock.now()))
        if form is None:
            names = ", ".join(one.name for one in files.editions)
            raise HTTPException(422, {"errors": [{"pointer": "/edition", "detail": f"edition is one of {names}"}]})
        seen, total = await _billed(context.reader, bill)
        if (seen, total) != (bill.workers, bill.total):
            raise HTTPException(
                409,
                f"registration knows {seen} of {bill.workers} workers of this invoice, {total} of {bill.total} rupiah: "
                "ask again when it has caught up; invoices of earlier releases have no file",
            )
        sheet = Sheet(edition=form, bill=bill, decree=without_niks(decree), areas=context.reference.areas)
        audit.handed_out(request, "participants", bill.workers)
        return StreamingResponse(
            ParticipantStream(context.reader, sheet).lines(),
            media_type="application/x-ndjson",
            headers={"cache-control": "no-store"},
        )

    return router


async def _billed(reader: Reader, bill: Bill) -> tuple[int, int]:
    """How many workers of the invoice are known here, and their premiums in rupiah."""
    where = {"state.invoice_id": bill.invoice_id, "state.number": {"$gt": 0}}
    groups = await reader.tally("participants", where, ["state.invoice_id"], sums=["state.total"])
    return (groups[0]["count"], groups[0]["total"]) if groups else (0, 0)


async def _summary(reader: Reader, bill: Bill) -> dict[str, Any]:
    seen, total = await _billed(reader, bill)
    where = {"state.invoice_id": bill.invoice_id, "state.number": {"$gt": 0}}
    answered: dict[str, int] = {}
    for group in await reader.tally("participants", where, ["state.outcome"]):
        answered[str(group["outcome"] or "")] = group["count"]
    unanswered = answered.pop("", 0)
    enrolled = answered.pop("enrolled", 0)
    return {
        "invoice_id": bill.invoice_id,
        "regency": bill.regency,
        "period": bill.period,
        "funding": bill.funding,
        "workers": bill.workers,
        "total": bill.total,
        "known_workers": seen,
        "known_total": total,
        "enrolled": enrolled,
        "refused": sum(answered.values()),
        "refused_by_reason": dict(sorted(answered.items())),
        "unanswered": unanswered,
    }


async def of_worker(reader: Reader, worker_id: str, *, revealed: bool) -> list[dict[str, Any]]:
    """A worker's invoices and what BPJS answered, the latest period first. `revealed`: with the card numbers and
    BPJS's own words, which are personal; else only what came of each answer."""
    where = {"_id": {"$gt": f"{worker_id}|", "$lt": f"{worker_id}}}"}}
    found = await reader.find("participants", where, order=("-_id",), limit=SHOWN_MAX)
    shown = [_shown(one, revealed=revealed) for _, one in found if isinstance(one, Participant) and one.number]
    return sorted(shown, key=lambda one: (one["period"], one["invoice_id"]), reverse=True)


def _shown(one: Participant, *, revealed: bool) -> dict[str, Any]:
    return {
        "invoice_id": one.invoice_id,
        "period": one.period,
        "total": one.total,
        "outcome": one.outcome or None,
        "answers": [
            {
                "answered_at": rfc3339(answer.answered_at),
                "outcome": "enrolled" if answer.is_enrolled else answer.reason,
                **({"kpj": answer.kpj or None, "words": answer.words or None} if revealed else {}),
            }
            for answer in reversed(one.answers)
        ],
    }
