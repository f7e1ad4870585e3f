"""Asks BPJS over HTTP to pay one claim. The due work's id is the idempotency key: a repeated call pays once.

The body contains an account, so neither it nor an error that could contain it is ever logged.
"""

from __future__ import annotations

from collections.abc import Awaitable
from functools import lru_cache
from typing import Any

import httpx
from pydantic import TypeAdapter

from services.claims.domain.state import Claim, ClaimStatus, Reference
from shared.contracts.base import BenefitLine
from shared.contracts.claims_work import BenefitRefused, BenefitTransferred
from shared.kernel.calendar import day_of
from shared.kernel.decision import Due
from shared.runtime.errors import Defect, Unavailable
from shared.runtime.spec import Workplace, WorkResult

_LINES = TypeAdapter(list[BenefitLine])

PATH = "/v1/benefits"
TIMEOUT_S = 10.0
CONNECTIONS_MAX = 16
REFERENCE_MAX = 200
# 422: BPJS says definitively that this account cannot be paid; 429 and 5xx only mean "not now".
ACCOUNT_REFUSED, TOO_MANY = 422, 429
# This key was used for another body.
PAID_OTHERWISE = 409


@lru_cache(maxsize=1)
def _client() -> httpx.AsyncClient:
    """One connection pool per process. The environment's proxies are for the web, not for a government network, so they
    are ignored.
    """
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
    return httpx.AsyncClient(timeout=TIMEOUT_S, limits=limits, trust_env=False)


async def pay(key: str, claim: Claim, due: Due, place: Workplace) -> WorkResult:
    """Performs one saved payment. Unavailable leaves it due; a refused account is an answer.

    A restored store may ask for other benefits, or on another day, under a key that BPJS has already paid (409). What
    was paid stands; the claim then looks for a difference.
    """
    if claim.form is None or claim.status is not ClaimStatus.APPROVED:
        raise Defect("a claim that is not approved is due to be paid")
    reference: Reference = place.reference
    headers = {"Idempotency-Key": due.id}
    answer = await _answer(_client().post(reference.bpjs_url + PATH, json=request_of(key, claim), headers=headers))
    if answer.status_code == ACCOUNT_REFUSED:
        return WorkResult("benefit.refused", key, BenefitRefused(claim=key, round=claim.round))
    if answer.status_code == PAID_OTHERWISE:
        return WorkResult("benefit.transferred", key, await _paid_before(reference.bpjs_url, claim, due))
    if answer.status_code >= 500 or answer.status_code == TOO_MANY:
        raise Unavailable(f"BPJS: HTTP {answer.status_code}")
    if answer.status_code >= 300:
        # 400 is our own mistake: no refusal is published, an alert fires, and the work stays due.
        raise Defect(f"BPJS: HTTP {answer.status_code}")
    return WorkResult("benefit.transferred", key, _transferred(claim, answer, list(claim.to_pay)))


def request_of(key: str, claim: Claim) -> dict[str, Any]:
    """The body of the call. It is the same for every repeat, because all of it was saved with the approval."""
    form = claim.form
    if form is None:
        raise Defect("a claim without a form is due to be paid")
    return {
        "claim": key,
        "worker_id": form.worker_id,
        "benefits": [line.model_dump() for line in claim.to_pay],
        "total": sum(line.amount for line in claim.to_pay),
        "account": form.claimant.account,
        "requested_on": claim.approved_on,
    }


async def _answer(call: Awaitable[httpx.Response]) -> httpx.Response:
    try:
        return await call
    except httpx.HTTPError as error:
        # `from None`: the original error holds the request, and with it the account.
        raise Unavailable(f"BPJS: {type(error).__name__}") from None


async def _paid_before(url: str, claim: Claim, due: Due) -> BenefitTransferred:
    """Asks what BPJS paid under a key."""
    answer = await _answer(_client().get(f"{url}{PATH}/{due.id}"))
    if answer.status_code != 200:
        raise Unavailable(f"BPJS: HTTP {answer.status_code} for a key that it has paid")
    try:
        benefits = _LINES.validate_python(answer.json()["benefits"])
    except (ValueError, TypeError, KeyError):
        raise Unavailable("BPJS: the answer is of another shape") from None
    return _transferred(claim, answer, benefits)


def _transferred(claim: Claim, answer: httpx.Response, benefits: list[BenefitLine]) -> BenefitTransferred:
    paid_on, said = _read(answer)
    return BenefitTransferred(claim=claim.key, round=claim.round, paid_on=paid_on, reference=said, benefits=benefits)


def _read(answer: httpx.Response) -> tuple[str, str]:
    try:
        body = answer.json()
    except ValueError:
        raise Unavailable("BPJS: the answer is no JSON") from None
    fields = body if isinstance(body, dict) else {}
    paid_on, said = day_of(fields.get("paid_on")), fields.get("reference")
    if paid_on is None or not isinstance(said, str) or not 0 < len(said) <= REFERENCE_MAX:
        raise Unavailable("BPJS: the answer is of another shape")
    return paid_on.isoformat(), said
