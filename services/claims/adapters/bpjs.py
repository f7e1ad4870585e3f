"""Pays a benefit through BPJS over HTTP, under the due work's id as idempotency key. Accounts are never logged."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import httpx

from services.claims.domain.state import Claim
from services.claims.facts import look_again
from services.claims.settings import Settings
from shared.contracts.claims_work import BenefitTransferred
from shared.kernel.decision import Due
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Answer, Performer, Workplace

PATH = "/v1/benefits"
REFUSED = 422


@lru_cache(maxsize=1)
def _client(timeout_s: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=timeout_s, trust_env=False)


async def pay(claim_id: str, state: Any, due: Due, place: Workplace) -> Answer:
    """Performs one saved payment; Unavailable keeps it due, and the key makes a repeat harmless."""
    if not isinstance(state, Claim):
        raise Unavailable("the claim is not there yet")
    settings: Settings = place.reference.settings
    body = {
        "claim": claim_id,
        "worker_id": state.worker_id,
        "benefits": [line.model_dump() for line in state.benefits],
        "total": state.total,
        "account": state.claimant.account,
        "requested_on": state.approved_on,
    }
    try:
        answer = await _client(settings.timeout_s).post(
            settings.bpjs_url + PATH, json=body, headers={"idempotency-key": due.id}
        )
    except httpx.HTTPError as error:
        raise Unavailable(f"BPJS: {type(error).__name__}") from None
    if answer.status_code == REFUSED:
        return _answer(claim_id, BenefitTransferred(claim=claim_id, status="refused"))
    if answer.status_code != 200:
        raise Unavailable(f"BPJS: HTTP {answer.status_code}")
    try:
        said = answer.json()
        paid = BenefitTransferred(
            claim=claim_id, status="paid", reference=str(said["reference"]), paid_on=str(said["paid_on"])
        )
    except (ValueError, KeyError, TypeError):
        raise Unavailable("BPJS: the answer is of another shape") from None
    return _answer(claim_id, paid)


def _answer(claim_id: str, data: BenefitTransferred) -> Answer:
    return Answer("benefit.transferred.v1", claim_id, data)


PERFORMERS: dict[str, Performer] = {"bpjs-payment": pay, "look-again": look_again}
