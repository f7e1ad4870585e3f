"""What decisions on duties need beside their document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence

from services.registration.compliance.domain import projects
from services.registration.compliance.domain.employments import with_line
from services.registration.compliance.domain.state import NO_END, Contract, Facts, last_day
from shared.contracts.registration_duties import FirstDayOver, RosterLine
from shared.kernel.calendar import business_day
from shared.kernel.event import Event, Routed
from shared.reference import rates
from shared.runtime.ports import Reader
from shared.runtime.store import editions

# A batch asks for at most as many workers as it has lines, and few workers have more than one employer.
JOBS_MAX = 20_000
# Which of these workers are verified. The workers are another feature, so the service passes its answer in.
Verified = Callable[[Reader, Collection[str]], Awaitable[frozenset[str]]]


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], verified: Verified) -> Facts:
    """Looks up what decisions on duties need.

    Projects need their terms from the rates. Rosters need to know which reported workers are insured from the regency's
    budget, and the other employers of workers whose contract is over.
    """
    asked = {one.data.worker_id for one, _ in routed if isinstance(one.data, RosterLine | FirstDayOver)}
    if any(isinstance(one.data, projects.ProjectReport) for one, _ in routed):
        loaded = await editions.load(reader)
        known = loaded.named(loaded.newest)
    else:
        known = rates.load()
    if not asked:
        return Facts(rates=known)
    return Facts(subsidised=await verified(reader, asked), jobs=await _jobs(reader, routed), rates=known)


async def _jobs(reader: Reader, routed: Sequence[tuple[Routed, Event]]) -> dict[str, dict[str, str]]:
    """For workers whose contract is over: the last day of work with each employer, from the store and from this
    batch.
    """
    lines = [one.data for one, _ in routed if isinstance(one.data, RosterLine)]
    ended = {
        one.data.worker_id
        for one, event in routed
        if isinstance(one.data, FirstDayOver)
        or (isinstance(one.data, RosterLine) and (one.data.contract_ends_on or NO_END) < _day(event))
    }
    if not ended:
        return {}
    standing = await reader.find("employments", {"state.worker_id": {"$in": sorted(ended)}}, limit=JOBS_MAX)
    contracts: dict[tuple[str, str], tuple[Contract, ...]] = {
        (one.worker_id, one.employer_id): one.contracts for _, one in standing
    }
    for line in lines:
        if line.worker_id in ended:
            key = (line.worker_id, line.employer_id)
            contracts[key] = with_line(contracts.get(key, ()), line)
    jobs: dict[str, dict[str, str]] = {}
    for (worker, employer), known in contracts.items():
        jobs.setdefault(worker, {})[employer] = last_day(known)
    return jobs


def _day(event: Event) -> str:
    return business_day(event.at).isoformat()
