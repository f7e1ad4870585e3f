"""Asks BPJS over HTTP to pay one claim. The due work's id is the idempotency key: a repeated call pays once.

The body contains an account, so neither it nor an error that could contain it is ever logged.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import httpx

from services.claims.domain.state import Claim, ClaimStatus, Reference
from shared.contracts.claims_work import BenefitRefused, BenefitTransferred
from shared.kernel.calendar import day_of
from shared.kernel.decision import Due
from shared.runtime.errors import Defect, Unavailable
from shared.runtime.spec import Workplace, WorkResult

PATH = "/v1/benefits"
TIMEOUT_S = 10.0
CONNECTIONS_MAX = 16
REFERENCE_MAX = 200
# 422: BPJS says definitively that this account cannot be paid; 429 and 5xx only mean "not now".
ACCOUNT_REFUSED, TOO_MANY = 422, 429


@lru_cache(maxsize=1)
def _client() -> httpx.AsyncClient:
    """One connection pool per process. The environment's proxies are for the web, not for a government network, so they
    are ignored.
    """
    limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
    return httpx.AsyncClient(timeout=TIMEOUT_S, limits=limits, trust_env=False)


async def pay(key: str, claim: Claim, due: Due, place: Workplace) -> WorkResult:
    """Performs one saved payment. Unavailable leaves it due; a refused account is an answer."""
    if claim.form is None or claim.status is not ClaimStatus.APPROVED:
        raise Defect("a claim that is not approved is due to be paid")
    reference: Reference = place.reference
    try:
        answer = await _client().post(
            reference.bpjs_url + PATH, json=request_of(key, claim), headers={"Idempotency-Key": due.id}
        )
    except httpx.HTTPError as error:
        # `from None`: the original error holds the request, and with it the account.
        raise Unavailable(f"BPJS: {type(error).__name__}") from None
    if answer.status_code == ACCOUNT_REFUSED:
        return WorkResult("benefit.refused", key, BenefitRefused(claim=key, round=claim.round))
    if answer.status_code >= 500 or answer.status_code == TOO_MANY:
        raise Unavailable(f"BPJS: HTTP {answer.status_code}")
    if answer.status_code >= 300:
        # 400 and 409 are our own mistakes: no claimant is told "refused", an alert fires, and the work stays due.
        raise Defect(f"BPJS: HTTP {answer.status_code}")
    paid_on, said = _read(answer)
    return WorkResult(
        "benefit.transferred", key, BenefitTransferred(claim=key, round=claim.round, paid_on=paid_on, reference=said)
    )


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
