"""Performs claims' waits: for the premiums of a closed run, for other claims of the same person, and for arrears."""

from __future__ import annotations

from collections.abc import Mapping

from services.claims import facts
from services.claims.domain import covers, entitlements, outcomes
from services.claims.domain.state import Claim, ClaimStatus, CompletedRun, Entitlement, RunsKnown
from shared.contracts.claims_work import ClaimCleared, EventMoved
from shared.kernel.decision import Due
from shared.persons.facts import persons
from shared.runtime.errors import Defect, Unavailable
from shared.runtime.ports import Reader
from shared.runtime.spec import Performer, Workplace, WorkResult

# The limit of one person's claims over a lifetime; no real person has more.
RIVALS_MAX = 1_000


async def watch_run(key: str, claim: Claim, due: Due, place: Workplace) -> WorkResult:
    """Answers when the missing premiums of a closed run are here; until then the claim stays unchanged."""
    step = outcomes.assess_of(claim)
    known = await persons(place.reader, [step.worker_id])
    standing = (await facts.standings(place.reader, {key: step}, known))[key]
    if step.event_date[:7] not in standing.covers and standing.runs is RunsKnown.PARTLY:
        raise Unavailable("premiums of a closed run are still to come")
    return WorkResult("claim.assess", key, step)


async def clear(key: str, claim: Claim, due: Due, place: Workplace) -> WorkResult:
    """Checks the claims of the person's other numbers; the claim waits until they cannot conflict."""
    if claim.form is None:
        raise Defect("a claim without a form is being cleared")
    known = await persons(place.reader, [claim.form.worker_id])
    others = known.group(claim.form.worker_id) - {claim.form.worker_id}
    # The order matters: first the other claims that are clearing, then what was taken. A claim that starts to clear
    # after the first look will see this claim.
    if entitlements.must_wait(claim, await _clearing(place.reader, others)):
        raise Unavailable("a claim of another number of the same person is being cleared")
    held: Mapping[str, Entitlement] = await place.reader.states("deaths", sorted(others)) if others else {}
    if entitlements.must_be_judged_again(claim, {number: one.changes for number, one in held.items()}):
        return WorkResult("claim.moved", key, EventMoved(claim=key, round=claim.round))
    return WorkResult("claim.cleared", key, ClaimCleared(claim=key, round=claim.round))


async def _clearing(reader: Reader, workers: frozenset[str]) -> dict[str, Claim]:
    if not workers:
        return {}
    where = {"state.form.worker_id": {"$in": sorted(workers)}, "state.status": ClaimStatus.ASSESSED.value}
    return dict(await reader.find("claims", where, order=("_id",), limit=RIVALS_MAX))


async def premiums_here(key: str, run: CompletedRun, due: Due, place: Workplace) -> WorkResult:
    """Answers when every premium of a closed run is here."""
    if await place.reader.count("covers", {"state.run_id": key}) < run.billed_workers:
        raise Unavailable("premiums of a closed run are still to come")
    return WorkResult("cover.wake", key, covers.all_here(key, run))


async def arrears_waited_for(key: str, claim: Claim, due: Due, place: Workplace) -> WorkResult:
    """The last day of waiting for unpaid months is over: the claim is judged by the months paid so far."""
    return WorkResult("claim.assess", key, outcomes.assess_of(claim))


PERFORMERS: Mapping[str, Performer] = {
    outcomes.WATCH: watch_run,
    outcomes.CLEAR: clear,
    covers.PREMIUMS: premiums_here,
    outcomes.ARREARS: arrears_waited_for,
}
