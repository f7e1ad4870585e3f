"""What claims must know beside a claim's own document: the worker's months, and whether a month is known in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.claims.domain.decide import Facts
from services.claims.domain.parts import Reference
from services.claims.domain.rules import Known, Month
from services.claims.domain.state import Claim
from services.claims.settings import Settings
from shared.contracts.claims_work import AssessClaim, WakeClaims
from shared.kernel.decision import Due
from shared.kernel.event import Event, Routed
from shared.reference import rates
from shared.runtime.ports import Answer, Reader, Workplace

# 35 years of months; more than anybody is a participant.
MONTHS_MAX = 420
RUNS_MAX = 200
WAITING_MAX = 5_000


async def reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """The rates shipped with the product, and the key of worker ids."""
    settings = Settings.from_environment(environ)
    return Reference(rates.load(), settings.id_key, settings)


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> Facts:
    """Reads only for the claims that this batch looks at; the hot path (premiums billed) reads nothing."""
    looked_at = [one.data.claim for one, _ in routed if isinstance(one.data, AssessClaim)]
    wakes = {f"{one.data.regency}|{one.data.period}" for one, _ in routed if isinstance(one.data, WakeClaims)}
    known = {}
    if looked_at:
        for key, claim in (await reader.states("claims", sorted(set(looked_at)))).items():
            if isinstance(claim, Claim):
                known[key] = await known_of(reader, claim)
    waiting = {}
    for place in sorted(wakes):
        found = await reader.find("claims", {"state.waiting": place}, limit=WAITING_MAX)
        waiting[place] = tuple(key for key, _ in found)
    return Facts(known, waiting, reference.rates)


async def known_of(reader: Reader, claim: Claim) -> Known:
    """The worker's months, whoever billed them, and whether the event's month is known in full."""
    covers = [one for _, one in await reader.find("covers", {"state.worker_id": claim.worker_id}, limit=MONTHS_MAX)]
    invoices = await reader.states("invoices", sorted({one.invoice_id for one in covers}))
    months = {
        one.period: Month(
            base=one.base,
            paid_on=invoices[one.invoice_id].paid_on if one.invoice_id in invoices else None,
            district=one.district,
            sex=one.sex,
        )
        for one in covers
    }
    return Known(months=months, in_full=await _in_full(reader, claim.regency, claim.event_date[:7]))


async def _in_full(reader: Reader, regency: str, period: str) -> bool:
    """Whether a run is complete and every complete run's premiums have all been seen (contracts.md 3, Cover)."""
    where: dict[str, Any] = {"state.regency": regency, "state.period": period}
    runs = await reader.find("runs", where, limit=RUNS_MAX)
    if not runs:
        return False
    for run_id, run in runs:
        if run.billed_workers and await reader.count("covers", {"state.run_id": run_id}) < run.billed_workers:
            return False
    return True


async def look_again(claim_id: str, state: Any, due: Due, place: Workplace) -> Answer:
    """A waiting claim's time has come."""
    return Answer("claim.assess.v1", claim_id, AssessClaim(claim=claim_id))
