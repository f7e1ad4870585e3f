"""What registration needs beside the document at hand: facts for its decisions, reference for routing, and its
due work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.registration.compliance.domain import projects
from services.registration.compliance.domain.employments import (
    FIRST_DAY,
    NO_END,
    Contract,
    Employment,
    last_day,
    with_line,
)
from services.registration.settings import Settings
from services.registration.workers.domain.lifecycle import RECHECK
from services.registration.workers.domain.parts import Facts, Reference
from services.registration.workers.domain.state import Status, Worker
from shared.contracts.registration_duties import FirstDayOver, RosterLine
from shared.contracts.registration_work import RecheckDue
from shared.kernel.calendar import business_day
from shared.kernel.decision import Due
from shared.kernel.event import Event, Routed
from shared.reference import areas, precedence, rates
from shared.reference.precedence import PrecedenceError
from shared.runtime.errors import Refused
from shared.runtime.ports import Reader
from shared.runtime.spec import Answer, Performer, Workplace
from shared.runtime.store import editions

# A batch asks for at most as many workers as it has lines, and few workers have more than one employer.
JOBS_MAX = 20_000


async def reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """The areas shipped with the product, the key of worker ids, and the regency's precedence of sources.

    Raises Refused when the file named by PAYUNG_PRECEDENCE is unusable.
    """
    settings = Settings.from_environment(environ)
    try:
        ranks = precedence.load(settings.precedence)
    except (OSError, PrecedenceError) as error:
        raise Refused(f"PAYUNG_PRECEDENCE ({settings.precedence}) cannot be taken: {error}") from error
    return Reference(areas.load(), settings.id_key, ranks)


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> Facts:
    """Looks up what decisions need beyond their own document.

    Projects need their terms from the rates. Rosters need to know which reported workers are insured from the regency's
    budget, and the other employers of workers whose contract is over. All other parts need only the precedence.
    """
    asked = {one.data.worker_id for one, _ in routed if isinstance(one.data, RosterLine | FirstDayOver)}
    if any(isinstance(one.data, projects.Report) for one, _ in routed):
        loaded = await editions.load(reader)
        known = loaded.named(loaded.newest)
    else:
        known = rates.load()
    if not asked:
        return Facts(reference.precedence, rates=known)
    states = await reader.states("workers", sorted(asked))
    verified = (key for key, one in states.items() if isinstance(one, Worker) and one.status is Status.VERIFIED)
    return Facts(reference.precedence, frozenset(verified), await _jobs(reader, routed), known)


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


async def _first_day_over(document_id: str, state: Any, due: Due, place: Workplace) -> Answer:
    """The first day has passed. No outside question is needed; the event itself says so."""
    employment: Employment = state
    day = FirstDayOver(employer_id=employment.employer_id, worker_id=employment.worker_id)
    return Answer("roster.first-day-over.v1", document_id, day)


async def _recheck(document_id: str, state: Any, due: Due, place: Workplace) -> Answer:
    """The day has come. No outside question is needed; the event itself says so."""
    version = due.data["registration_version"]
    data = RecheckDue(worker_id=document_id, registration_version=version)
    return Answer("worker.recheck-due.v1", document_id, data)


PERFORMERS: Mapping[str, Performer] = {RECHECK: _recheck, FIRST_DAY: _first_day_over}
