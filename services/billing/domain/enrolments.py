"""Who may be billed: the latest verdict of verification on each worker, and deaths told by claims.

Invariants
* The latest verdict by (registration version, sequence) stands, whatever the order in which verdicts arrive.
* A worker keeps their place in the priority order while verified without a break. After an end they start again at the
  back.
* A death is final. The month of the death is the last billed one, whichever of death and verdict arrives first.
"""

from __future__ import annotations

from dataclasses import replace

from services.billing.domain import rules
from services.billing.domain.state import Enrolment, Facts, Standing
from shared.contracts.claims import WorkerDied
from shared.contracts.verification import IdentityEnded, IdentityHeld, IdentityRejected, IdentityVerified
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision
from shared.kernel.event import Event

OLDER_VERDICT = "older-verdict"


def verified(state: Enrolment | None, event: Event, facts: Facts) -> Decision[Enrolment]:
    """Enrols a worker, or keeps their place and updates the fields."""
    data: IdentityVerified = event.data
    if state is not None and _is_older(state, event, data.registration_version):
        return Decision(state=state, ignored=OLDER_VERDICT)
    unbroken = (
        state is not None
        and state.place
        and state.standing in (Standing.VERIFIED, Standing.HELD)
        and state.regency == data.regency
    )
    died_in = state.died_in if state else ""
    return Decision(
        state=Enrolment(
            regency=data.regency,
            district=data.district,
            village=data.village,
            sector=data.sector,
            sex=data.sex,
            birth_month=data.birth_month,
            income_base=data.income_base,
            standing=Standing.VERIFIED,
            place=state.place if state and unbroken else rules.place_of(business_day(event.at), data.worker_id),
            until=died_in or rules.NO_END,
            died_in=died_in,
            registration_version=data.registration_version,
            sequence=event.sequence or 0,
        )
    )


def held(state: Enrolment | None, event: Event, facts: Facts) -> Decision[Enrolment]:
    """Stops billing while the identity waits for an officer; the place is kept."""
    return _unverified(state, event, event.data, Standing.HELD)


def rejected(state: Enrolment | None, event: Event, facts: Facts) -> Decision[Enrolment]:
    """Ends billing after the month in which the rejection takes effect."""
    return _unverified(state, event, event.data, Standing.REJECTED)


def ended(state: Enrolment | None, event: Event, facts: Facts) -> Decision[Enrolment]:
    """Ends billing after the month in which the eligibility ends."""
    return _unverified(state, event, event.data, Standing.ENDED)


def died(state: Enrolment | None, event: Event, facts: Facts) -> Decision[Enrolment]:
    """Ends billing permanently after the month of the death; may arrive before any verdict."""
    data: WorkerDied = event.data
    known = state or Enrolment(regency=data.regency)
    died_in = rules.last_period(data.died_on)
    first = min(known.died_in or died_in, died_in)
    return Decision(state=replace(known, died_in=first, until=min(known.until, first)))


def _unverified(
    state: Enrolment | None,
    event: Event,
    data: IdentityHeld | IdentityRejected | IdentityEnded,
    standing: Standing,
) -> Decision[Enrolment]:
    if state is not None and _is_older(state, event, data.registration_version):
        return Decision(state=state, ignored=OLDER_VERDICT)
    known = state or Enrolment(regency=data.regency)
    if standing is Standing.HELD or not known.place:
        until = ""
    else:
        until = rules.last_period(data.effective_on)
        until = min(until, known.died_in) if known.died_in else until
        if known.standing in (Standing.ENDED, Standing.REJECTED):
            # A second end never reopens months after the first one.
            until = min(until, known.until)
    return Decision(
        state=replace(
            known,
            regency=data.regency,
            district=data.district,
            village=data.village,
            sector=data.sector,
            sex=data.sex,
            birth_month=data.birth_month,
            standing=standing,
            until=until,
            registration_version=data.registration_version,
            sequence=event.sequence or 0,
        )
    )


def _is_older(state: Enrolment, event: Event, registration_version: int) -> bool:
    # The sequence counts within one aggregate of verification; a newer registration version always outranks it.
    return (registration_version, event.sequence or 0) < (state.registration_version, state.sequence)
