"""What registration's decisions need beside their own document (whose word stands), its routing, and its due work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.registration.domain.duties.employments import FIRST_DAY, Employment
from services.registration.domain.lifecycle import RECHECK
from services.registration.domain.parts import Facts, Reference
from services.registration.domain.state import Status, Worker
from services.registration.settings import Settings
from shared.contracts.registration_duties import FirstDayOver, RosterLine
from shared.contracts.registration_work import RecheckDue
from shared.kernel.decision import Due
from shared.kernel.event import Event, Routed
from shared.reference import areas, precedence
from shared.reference.precedence import PrecedenceError
from shared.runtime.errors import Refused
from shared.runtime.ports import Answer, Performer, Reader, Workplace


async def reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """The areas shipped with the product, the key of worker ids, and the regency's precedence of sources."""
    settings = Settings.from_environment(environ)
    try:
        ranks = precedence.load(settings.precedence)
    except (OSError, PrecedenceError) as error:
        raise Refused(f"PAYUNG_PRECEDENCE ({settings.precedence}) cannot be taken: {error}") from error
    return Reference(areas.load(), settings.id_key, ranks)


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> Facts:
    """Only rosters look beyond their document: who of the reported is insured from the regency's budget."""
    asked = {one.data.worker_id for one, _ in routed if isinstance(one.data, RosterLine | FirstDayOver)}
    if not asked:
        return Facts(reference.precedence)
    states = await reader.states("workers", sorted(asked))
    verified = (key for key, one in states.items() if isinstance(one, Worker) and one.status is Status.VERIFIED)
    return Facts(reference.precedence, frozenset(verified))


async def _first_day_over(document_id: str, state: Any, due: Due, place: Workplace) -> Answer:
    """Nothing is to be asked of anybody here either."""
    employment: Employment = state
    day = FirstDayOver(employer_id=employment.employer_id, worker_id=employment.worker_id)
    return Answer("roster.first-day-over.v1", document_id, day)


async def _recheck(document_id: str, state: Any, due: Due, place: Workplace) -> Answer:
    """The day has come: nothing is to be asked of anybody, the event itself says so."""
    version = due.data["registration_version"]
    data = RecheckDue(worker_id=document_id, registration_version=version)
    return Answer("worker.recheck-due.v1", document_id, data)


PERFORMERS: Mapping[str, Performer] = {RECHECK: _recheck, FIRST_DAY: _first_day_over}
