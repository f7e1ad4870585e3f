"""What claims makes of each input.

Theory of operation
A claim is saved as waiting for its month first and looked at in a second step (`claim.assess.v1`), and what makes a
month known (a payment, a complete run) is saved first and wakes the waiting claims in a second step: one of them sees
the other, whichever comes first. A claim that waits is also due to be looked at again by itself. A death is granted to
one claim by the insert of its own document (`deaths`), before the claim is approved. An approved claim is due work: the
payment at BPJS, under an id of its own, whose answer closes it.

REGISTERED -> HELD <-> (looked at again) -> RESERVING (deaths) -> APPROVED -> PAID; REJECTED from any of the first four.

Invariants
* Nothing is approved without a paid month, its documents and, above the limit, an officer.
* A worker's death is paid on one claim.
* `claim.held.v1` is said once for each new set of reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.claims.domain import cover, outcomes, parts, rules
from services.claims.domain.parts import Add, Decide, Refused, Submit, Withdraw
from services.claims.domain.rules import Known
from services.claims.domain.state import Claim, Cover, Death, Refusal, Status
from shared.contracts.billing import PremiumBilled, PremiumPaid, RunCompleted
from shared.contracts.claims_work import (
    AssessClaim,
    BenefitTransferred,
    DeathAnswered,
    ReserveDeath,
    WakeClaims,
)
from shared.contracts.reasons import Reason
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision, Due
from shared.kernel.event import Event
from shared.reference.rates import Rates

PAYMENT = "bpjs-payment"
LOOK_AGAIN = "look-again"

route = parts.route
conflicting = parts.conflicting


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the months of the claims looked at (by claim), and who waits for which month."""

    known: Mapping[str, Known]
    waiting: Mapping[str, tuple[str, ...]]
    rates: Rates


def decide(state: Any, event: Event, facts: Facts, now: datetime) -> Decision[Any]:
    """Dispatches on the part."""
    match event.data:
        case PremiumBilled() as part:
            return cover.billed(state if isinstance(state, Cover) else None, part)
        case PremiumPaid() as part:
            return cover.paid(part)
        case RunCompleted() as part:
            return cover.completed(part)
        case WakeClaims() as part:
            return cover.woken(part, facts.waiting.get(f"{part.regency}|{part.period}", ()))
        case ReserveDeath() as part:
            return cover.reserved(state if isinstance(state, Death) else None, part)
        case Refused() as part:
            return Decision(state=Refusal(reasons=part.reasons), outcomes=outcomes.refused(event.id, part))
        case Submit() as part:
            return _submit(state, event, part)
        case AssessClaim() | DeathAnswered() | BenefitTransferred() as part:
            if not isinstance(state, Claim):
                return Decision(state=state, ignored="claim-unknown")
            return _step(state, part, facts, now)
        case Add() | Withdraw() | Decide() as part:
            return _command(state, event, part, now)
        case other:
            raise TypeError(f"no decision for {type(other).__name__}")


def _submit(state: Any, event: Event, part: Submit) -> Decision[Any]:
    """A claim number names one claim; after a rejection it may be submitted anew."""
    if isinstance(state, Claim) and state.status is not Status.REJECTED:
        refused = outcomes.command_refused(event.id, part.sender, event.type, (Reason.DUPLICATE_CLAIM,))
        return Decision(state=state, outcomes=refused, due=_due_of(state, event.at))
    claim = part.claim
    return Decision(state=claim, outcomes=(*outcomes.progress(claim, "registered"), outcomes.assess(claim.id)))


def _step(claim: Claim, part: Any, facts: Facts, now: datetime) -> Decision[Any]:
    match part:
        case AssessClaim():
            if claim.status not in (Status.REGISTERED, Status.HELD):
                return _unchanged(claim, now, "not-waiting")
            return _assess(claim, facts.known.get(claim.id), facts.rates, now)
        case DeathAnswered():
            if claim.status is not Status.RESERVING:
                return _unchanged(claim, now, "not-reserving")
            if not part.granted:
                return _reject(claim, (Reason.DUPLICATE_CLAIM,))
            return _approve(claim, now)
        case _:
            return _transferred(claim, part, now)


def _unchanged(claim: Claim, now: datetime, why: str) -> Decision[Any]:
    """No effect; what is due stays due."""
    return Decision(state=claim, ignored=why, due=_due_of(claim, now))


def _due_of(claim: Claim, now: datetime) -> Due | None:
    """What is due of a claim in its status, under the id it always has."""
    if claim.status is Status.APPROVED:
        return Due(f"pay:{claim.id}:{claim.payments}", PAYMENT, now)
    if claim.status is Status.HELD and claim.waiting is not None:
        pause = min(rules.LOOK_AGAIN_MAX_S, rules.LOOK_AGAIN_S * 2 ** min(claim.looks, 12))
        return Due(f"look:{claim.id}:{claim.looks}", LOOK_AGAIN, now + timedelta(seconds=pause))
    return None


def _assess(claim: Claim, known: Known | None, rates: Rates, now: datetime) -> Decision[Any]:
    months = known.months if known else {}
    refused = []
    if rules.is_expired(claim, rates):
        refused.append(Reason.CLAIM_EXPIRED)
    if not rules.is_eligible(claim):
        refused.append(Reason.NOT_ELIGIBLE)
    covered = rules.is_covered(months, claim.event_date)
    in_month = claim.event_date[:7] in months
    if covered is False and (in_month or (known is not None and known.in_full)):
        refused.append(Reason.NOT_COVERED)
    if refused:
        return _reject(claim, tuple(refused))
    waits = covered is not True
    missing = rules.missing_documents(claim)
    reasons = [Reason.AWAITING_PREMIUM] if waits else []
    if missing:
        reasons.append(Reason.DOCUMENTS_MISSING)
    assessed = replace(claim, waiting=claim.waiting if waits else None, missing=missing, looks=claim.looks + 1)
    if not waits:
        month = months[claim.event_date[:7]]
        sex: Any = month.sex
        lines = rules.benefits(claim, months, rates)
        if not lines:
            return _reject(assessed, (Reason.QUALIFYING_PERIOD,))
        assessed = replace(assessed, benefits=lines, district=month.district, sex=sex)
        if assessed.total > rules.OFFICER_ABOVE and claim.officer is None and not missing:
            reasons.append(Reason.AWAITING_OFFICER)
    if reasons:
        return _hold(claim, assessed, tuple(reasons), now)
    return _grant(assessed, now)


def _hold(before: Claim, claim: Claim, reasons: tuple[str, ...], now: datetime) -> Decision[Any]:
    held = replace(claim, status=Status.HELD, reasons=reasons)
    same = before.status is Status.HELD and before.reasons == reasons and before.missing == held.missing
    said = () if same else outcomes.progress(held, "held")
    return Decision(state=held, outcomes=said, due=_due_of(held, now))


def _grant(claim: Claim, now: datetime) -> Decision[Any]:
    """Everything is there: a death first gets its fence, everything else is approved at once."""
    good = replace(claim, reasons=(), missing=(), waiting=None)
    if good.kind == "scholarship" or good.details.result != "death":
        return _approve(good, now)
    reserving = replace(good, status=Status.RESERVING)
    asked = ReserveDeath(worker_id=claim.worker_id, claim=claim.id)
    return Decision(state=reserving, outcomes=(outcomes.work(claim.worker_id, "death.reserve.v1", asked),))


def _approve(claim: Claim, now: datetime) -> Decision[Any]:
    today = business_day(now).isoformat()
    approved = replace(claim, status=Status.APPROVED, payments=claim.payments + 1, approved_on=today)
    return Decision(state=approved, outcomes=outcomes.progress(approved, "approved"), due=_due_of(approved, now))


def _reject(claim: Claim, reasons: tuple[str, ...]) -> Decision[Any]:
    rejected = replace(claim, status=Status.REJECTED, reasons=reasons, benefits=(), missing=(), waiting=None)
    return Decision(state=rejected, outcomes=outcomes.progress(rejected, "rejected"))


def _transferred(claim: Claim, part: BenefitTransferred, now: datetime) -> Decision[Any]:
    if claim.status is not Status.APPROVED:
        return _unchanged(claim, now, "not-being-paid")
    if part.status == "refused":
        # The account is not the claimant's: an officer must look, and approve it again once that is mended.
        held = replace(claim, status=Status.HELD, reasons=("field-invalid:claimant.account", Reason.AWAITING_OFFICER))
        return Decision(state=held, outcomes=outcomes.progress(held, "held"))
    paid = replace(claim, status=Status.PAID, reference=part.reference, paid_on=part.paid_on)
    said = outcomes.paid(paid)
    if claim.details.result == "death" and claim.kind != "scholarship":
        said = (*said, outcomes.died(paid))
    return Decision(state=paid, outcomes=said)


def _command(state: Any, event: Event, part: Add | Withdraw | Decide, now: datetime) -> Decision[Any]:
    if not isinstance(state, Claim):
        refused = outcomes.command_refused(event.id, part.sender, event.type, (Reason.NOT_REGISTERED,))
        return Decision(state=state or Refusal(reasons=(Reason.NOT_REGISTERED,)), outcomes=refused)
    claim = state
    match part:
        case Add() if claim.status in (Status.REGISTERED, Status.HELD):
            documents = tuple(dict.fromkeys((*claim.documents, *part.documents)))
            added = replace(claim, documents=documents)
            return Decision(state=added, outcomes=(outcomes.assess(claim.id),), due=_due_of(added, now))
        case Withdraw() if claim.status in (Status.REGISTERED, Status.HELD):
            return _reject(claim, (Reason.WITHDRAWN,))
        case Decide() if claim.status is Status.HELD and Reason.AWAITING_OFFICER in claim.reasons:
            if not part.approved:
                return _reject(replace(claim, officer=part.officer), (Reason.NOT_ELIGIBLE,))
            return _grant(replace(claim, officer=part.officer), now)
        case _:
            refused = outcomes.command_refused(event.id, part.sender, event.type, (Reason.NOT_ELIGIBLE,))
            return Decision(state=claim, outcomes=refused, due=_due_of(claim, now))
