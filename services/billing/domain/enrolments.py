"""Who may be billed: the latest verdict of verification on each worker, and deaths that claims published.

Theory of operation
Verdicts are kept in their own order, by (registration version, sequence). A verdict that arrives late is inserted at
its place, and everything after it is computed again. So any order of arrival gives the same end.

Invariants
* The latest verdict by (registration version, sequence) stands, whatever the order in which verdicts arrive.
* A worker keeps their place in the priority order while verified without a break. After an end they start again at the
  back.
* A death is final. The month of the death is the last billed one, whichever of death and verdict arrives first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.billing.domain import rules
from services.billing.domain.state import Enrolment, Facts, IdentityStatus, Verdict
from shared.contracts.claims import WorkerDied
from shared.contracts.verification import IdentityEnded, IdentityHeld, IdentityRejected, IdentityVerified
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision
from shared.kernel.event import Event

OLDER_VERDICT = "older-verdict"
# The number of verdicts kept per worker. When that many are kept, a verdict older than all of them is ignored.
VERDICTS_MAX = 20
_Judged = IdentityVerified | IdentityHeld | IdentityRejected | IdentityEnded


def verified(state: Enrolment | None, event: Event[IdentityVerified], facts: Facts) -> Decision[Enrolment]:
    """Enrols a worker, or keeps their place and updates the fields."""
    data = event.data
    verdict = Verdict(
        data.registration_version,
        event.sequence or 0,
        IdentityStatus.VERIFIED,
        data.regency,
        business_day(event.at).isoformat(),
        data.valid_until,
        data.income_base,
    )
    return _with_verdict(state, data, verdict)


def held(state: Enrolment | None, event: Event[IdentityHeld], facts: Facts) -> Decision[Enrolment]:
    """Stops billing while the identity waits for an officer; the place is kept."""
    return _unverified(state, event, event.data, IdentityStatus.HELD)


def rejected(state: Enrolment | None, event: Event[IdentityRejected], facts: Facts) -> Decision[Enrolment]:
    """Ends billing after the month in which the rejection takes effect."""
    return _unverified(state, event, event.data, IdentityStatus.REJECTED)


def ended(state: Enrolment | None, event: Event[IdentityEnded], facts: Facts) -> Decision[Enrolment]:
    """Ends billing after the month in which the eligibility ends."""
    return _unverified(state, event, event.data, IdentityStatus.ENDED)


def died(state: Enrolment | None, event: Event[WorkerDied], facts: Facts) -> Decision[Enrolment]:
    """Ends billing permanently after the month of the death; may arrive before any verdict."""
    data = event.data
    known = state or Enrolment(regency=data.regency)
    died_in = rules.last_period(data.died_on)
    first = min(known.died_in or died_in, died_in)
    return Decision(state=replace(known, died_in=first, until=min(known.until, first)))


def _unverified(
    state: Enrolment | None,
    event: Event,
    data: IdentityHeld | IdentityRejected | IdentityEnded,
    standing: IdentityStatus,
) -> Decision[Enrolment]:
    version, sequence = data.registration_version, event.sequence or 0
    return _with_verdict(state, data, Verdict(version, sequence, standing, data.regency, data.effective_on))


def _with_verdict(state: Enrolment | None, data: _Judged, verdict: Verdict) -> Decision[Enrolment]:
    known = state or Enrolment(regency=data.regency)
    at = _where(known.verdicts, verdict)
    if at == 0 and _is_settled(known.verdicts):
        return Decision(state=state, ignored=OLDER_VERDICT)
    verdicts = _reckoned(known.verdicts[:at], (verdict, *known.verdicts[at:]), data.worker_id)
    if at == len(known.verdicts):
        known = replace(
            known,
            regency=data.regency,
            district=data.district,
            village=data.village,
            sector=data.sector,
            sex=data.sex,
            birth_month=data.birth_month,
        )
    last = verdicts[-1]
    good = next((one for one in reversed(verdicts) if one.standing is IdentityStatus.VERIFIED and one.day), None)
    return Decision(
        state=replace(
            known,
            standing=last.standing,
            place=last.place,
            until=min(last.until, known.died_in) if known.died_in else last.until,
            income_base=good.income_base if good else known.income_base,
            valid_until=good.valid_until if good else known.valid_until,
            verdicts=verdicts[-VERDICTS_MAX:],
        )
    )


def _where(verdicts: Sequence[Verdict], verdict: Verdict) -> int:
    # The sequence counts within one aggregate of verification; a newer registration version always outranks it.
    at = len(verdicts)
    while at and verdict[:2] < verdicts[at - 1][:2]:
        at -= 1
    return at


def _is_settled(verdicts: Sequence[Verdict]) -> bool:
    """Whether no verdict can be inserted before these, because earlier ones may be missing."""
    return len(verdicts) >= VERDICTS_MAX or bool(verdicts and not verdicts[0].day)


def _reckoned(before: tuple[Verdict, ...], rest: Sequence[Verdict], worker_id: str) -> tuple[Verdict, ...]:
    found = list(before)
    for one in rest:
        found.append(_after(found[-1] if found else None, one, worker_id))
    return tuple(found)


def _after(last: Verdict | None, one: Verdict, worker_id: str) -> Verdict:
    """The verdict with its place and last period, computed from `last`, the verdict before it."""
    place = last.place if last else ""
    if one.standing is IdentityStatus.VERIFIED:
        unbroken = (
            last is not None
            and last.standing in (IdentityStatus.VERIFIED, IdentityStatus.HELD)
            and last.regency == one.regency
        )
        kept = place if unbroken else ""
        return one._replace(place=kept or rules.place_of(one.day, worker_id), until=rules.NO_END)
    if one.standing is IdentityStatus.HELD or not place:
        return one._replace(place=place, until="")
    until = rules.last_period(one.day)
    if last is not None and last.standing in (IdentityStatus.ENDED, IdentityStatus.REJECTED):
        # A second end never reopens months after the first one.
        until = min(until, last.until)
    return one._replace(place=place, until=until)
