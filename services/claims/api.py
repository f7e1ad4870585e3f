"""Claims over HTTP: the state of a claim, the claims that wait for an officer, and the officer's decision.

The answers hold no personal data. Only callers of the claim's regency may read them (PAYUNG_AUTH), because a claim says
that a certain worker died or was hurt.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import JSONResponse

from services.claims.domain import rules
from services.claims.domain.state import Claim, ClaimStatus, Reference, claim_key
from shared.contracts import reasons, topics
from shared.contracts.base import BenefitLine, Regency
from shared.contracts.claims import DECISIONS
from shared.runtime.http import officers
from shared.runtime.http.auth import CLAIMS_OFFICER, Caller, Guard

LIST_MAX = 1000
_REGENCY = re.compile(r"\d{2}\.\d{2}")


def routes(context: Any) -> APIRouter:
    """The endpoints of claims over one service's store."""
    router = APIRouter(prefix="/v1", tags=["claims"])
    guard = Guard(context.environ)

    @router.get("/claims")
    async def all_claims(
        request: Request, regency: Regency | None = None, status: ClaimStatus | None = None
    ) -> dict[str, Any]:
        """Claims by regency and status; `held` shows those that wait for an officer."""
        regencies = (await guard.caller(request)).regencies(regency)
        where: dict[str, Any] = {"state.status": {"$ne": ClaimStatus.UNKNOWN.value}}
        if regencies is not None:
            where["state.regency"] = {"$in": regencies}
        if status is not None:
            where["state.status"] = status.value
        found = await context.reader.find("claims", where, order=("_id",), limit=LIST_MAX)
        return {"claims": [claim_view(claim, context.reference) for _, claim in found]}

    @router.post("/claims/{agency}/{claim_no:path}/decision", status_code=202)
    async def decide(
        agency: str,
        claim_no: str,
        request: Request,
        regency: Regency | None = None,
        idempotency_key: Annotated[str | None, Header()] = None,
    ) -> JSONResponse:
        """Takes an officer's decision (`{"decision": "approved|rejected", "reason"}`, and `officer` without a log-in)
        as a `claim.decide.v1`. Answers 202 with its id once Kafka has acknowledged it; the result is an event.

        The caller needs the role `claims-officer` for the claim's regency. A caller who may send for the claim's own
        agency never decides.
        """
        caller = await guard.caller(request)
        if _REGENCY.fullmatch(agency) and "/" in claim_no:
            regency, (agency, claim_no) = agency, claim_no.split("/", 1)
        claim = await _found(context, caller, regency, agency, claim_no)
        _may_decide(caller, claim)
        given = await officers.read(request, idempotency_key)
        data = {**given.fields, "agency": f"{claim.regency}/{claim.agency}", "claim_no": claim.claim_no}
        message = officers.record(
            request,
            given,
            caller.signature,
            kind="claim.decide.v1",
            subject=claim.key,
            data=data,
            topic=topics.CLAIMS_OFFICERS,
            commands=DECISIONS,
        )
        await context.publish([message])
        return JSONResponse({"ids": [given.name]}, 202)

    # A claim number may contain slashes, and an agency may be named with its regency: 64.08/rumahsakit/KLM-1.
    @router.get("/claims/{agency}/{claim_no:path}")
    async def one_claim(agency: str, claim_no: str, request: Request, regency: Regency | None = None) -> dict[str, Any]:
        """One claim: its stage, what it waits for, or why it was refused."""
        caller = await guard.caller(request)
        if _REGENCY.fullmatch(agency) and "/" in claim_no:
            regency, (agency, claim_no) = agency, claim_no.split("/", 1)
        return claim_view(await _found(context, caller, regency, agency, claim_no), context.reference)

    return router


def _may_decide(caller: Caller, claim: Claim) -> None:
    if not caller.has_role(CLAIMS_OFFICER, claim.regency):
        raise HTTPException(403, f"the token has no role {CLAIMS_OFFICER} for {claim.regency}")
    if caller.agencies is not None and caller.may_act_for(f"{claim.regency}/{claim.agency}"):
        raise HTTPException(403, "the claim is of your own agency: another officer decides it")


async def _found(context: Any, caller: Caller, regency: str | None, agency: str, claim_no: str) -> Claim:
    if regency is not None:
        key = claim_key(regency, agency, claim_no)
        stated: Claim | None = (await context.reader.states("claims", [key])).get(key)
        found = [] if stated is None else [stated]
    else:
        where: dict[str, Any] = {"state.claim_no": claim_no, "state.agency": agency}
        regencies = caller.regencies()
        if regencies is not None:
            where["state.regency"] = {"$in": regencies}
        found = [claim for _, claim in await context.reader.find("claims", where, limit=2)]
    found = [one for one in found if one.status is not ClaimStatus.UNKNOWN and caller.may_read(one.regency)]
    if not found:
        raise HTTPException(404, {"title": "There is no such claim", "status": 404})
    if len(found) > 1:
        raise HTTPException(
            409, {"title": "Several regencies have such a claim: name one, ?regency=64.08", "status": 409}
        )
    return found[0]


def claim_view(claim: Claim, reference: Reference) -> dict[str, Any]:
    """A claim as JSON, without personal data."""
    form = claim.form
    codes = list(claim.reasons)
    return {
        "claim_no": claim.claim_no,
        "agency": claim.agency,
        "regency": claim.regency,
        "worker_id": form.worker_id if form is not None else None,
        "kind": form.kind if form is not None else None,
        "event_date": form.event_date if form is not None else None,
        "submitted_on": claim.submitted_on,
        "status": claim.status.value,
        "stage": claim.stage,
        "reasons": codes,
        "message": reasons.messages(codes, "id"),
        "message_en": reasons.messages(codes, "en"),
        "missing_documents": list(claim.missing),
        "paid_months_in_row": claim.months,
        "benefits": [_line(line, form.event_date if form is not None else None, reference) for line in claim.benefits],
        "total": claim.total,
        "decided_by_officer": None if claim.ruling is None else claim.ruling.approved,
        "approved_on": claim.approved_on,
        "paid_on": claim.paid_on,
        "reference": claim.reference,
    }


def _line(line: BenefitLine, event_date: str | None, reference: Reference) -> dict[str, Any]:
    law = "" if event_date is None else rules.law_of(reference.rates, line.rule, date.fromisoformat(event_date))
    return {**line.model_dump(), "law": law}
