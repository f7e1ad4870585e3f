"""One claim's life: submitted, assessed, held, approved, paid or rejected.

The order matters
* A claim is saved as waiting for its month before anything looks at the month (`look` is published with the save). So a
  payment that arrives meanwhile is either seen by the look, or it finds the waiting claim.
* A claim is approved only after the worker's entitlement has answered, and paid only from saved due work.
* Due work follows from the claim alone (`outcomes.due_of`), so no input can make it forgotten.
"""

from __future__ import annotations

from dataclasses import replace

from services.claims.domain import assessments, entitlements, outcomes
from services.claims.domain.assessments import Assessment, AssessmentInput
from services.claims.domain.forms import Added, ClaimSubmission, Decided, Rejected, Sender, Withdrawn, unknown_number
from services.claims.domain.state import Claim, ClaimStatus, Facts
from shared.contracts.claims_work import (
    AssessClaim,
    AwaitEvent,
    BenefitRefused,
    BenefitTransferred,
    ClaimCleared,
    EventMoved,
    EventReserved,
    EventTaken,
    ReleaseEvent,
    ReserveEvent,
    SettleEvent,
)
from shared.contracts.reasons import Reason
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision, Outcome
from shared.kernel.event import Event

STALE = "stale-step"
ACCOUNT_REFUSED = f"{Reason.FIELD_INVALID}:claimant.account"
_OPEN = (ClaimStatus.REGISTERED, ClaimStatus.HELD)


def submitted(state: Claim | None, event: Event[ClaimSubmission], facts: Facts) -> Decision[Claim]:
    """Registers a claim. A rejected claim, or one whose account BPJS refused, may be registered again."""
    part = event.data
    claim = state or _unknown(part.sender, part.claim_no)
    registered = Claim(
        claim_no=claim.claim_no,
        agency=claim.agency,
        regency=claim.regency,
        status=ClaimStatus.REGISTERED,
        stage="agenda",
        form=part.form,
        fingerprint=event.content_hash,
        correlation=event.correlation_id or event.id,
        submitted_on=business_day(event.at).isoformat(),
        first_on=claim.first_on or claim.submitted_on,
        round=claim.round + 1,
        waiting=f"{claim.regency}|{part.form.period}",
        reserved=claim.reserved and bool(claim.paid_before),
        paid_before=claim.paid_before,
    )
    return _decided(registered, event, (*_release(claim), *outcomes.progress(registered), *outcomes.look(registered)))


def submitted_while_held(state: Claim, event: Event[ClaimSubmission], facts: Facts) -> Decision[Claim]:
    """A held claim may be submitted anew only when BPJS refused its account."""
    return submitted(state, event, facts) if state.account_refused else submitted_again(state, event, facts)


def submitted_again(state: Claim, event: Event[ClaimSubmission], facts: Facts) -> Decision[Claim]:
    """Answers a repeated claim_no: the same content gets the claim's state, other content is refused as a duplicate."""
    if state.fingerprint == event.content_hash:
        return _decided(state, event, outcomes.progress(state)[1:])
    part = event.data
    return _decided(state, event, _refusal(part.sender, event, part.claim_no, (Reason.DUPLICATE_CLAIM,)))


def rejected_form(state: Claim | None, event: Event[Rejected], facts: Facts) -> Decision[Claim]:
    """Rejects a submission with a wrong form."""
    part = event.data
    claim = state or _unknown(part.sender, part.claim_no)
    rejected = replace(
        _unknown(part.sender, part.claim_no),
        status=ClaimStatus.REJECTED,
        stage="selesai",
        round=claim.round + 1,
        reasons=part.reasons,
        submitted_on=business_day(event.at).isoformat(),
        first_on=claim.first_on or claim.submitted_on,
    )
    return _decided(rejected, event, outcomes.form_rejected(part, event.id))


def rejected_form_of_open(state: Claim, event: Event[Rejected], facts: Facts) -> Decision[Claim]:
    """Refuses the submission; the registered claim stays unchanged."""
    part = event.data
    return _decided(state, event, _refusal(part.sender, event, part.claim_no, part.reasons))


def assessed(state: Claim, event: Event[AssessClaim], facts: Facts) -> Decision[Claim]:
    """Judges an open claim by what is known of its month now."""
    step = event.data
    standing = facts.standings.get(event.id)
    if state.form is None or state.round != step.round or not _may_be_looked_at(state):
        return _stale()
    if standing is None or state.account_refused:
        return _stale()
    held = facts.entitlements.get(event.id, {})
    case = AssessmentInput(
        rates=facts.editions.named(facts.editions.newest),
        form=state.form,
        regency=state.regency,
        submitted_on=state.submitted_on,
        first_on=state.first_on or state.submitted_on,
        today=business_day(event.at).isoformat(),
        standing=standing,
        others=entitlements.taken_by_others(held, state.key),
        by_officer=state.ruling is not None and state.ruling.approved,
    )
    verdict = assessments.judge(case)
    looked = replace(
        state,
        looks=state.looks + 1,
        months=verdict.months,
        cover=verdict.cover,
        waiting=verdict.waiting,
        watching=False,
        waits_until=None,
        missing=verdict.missing,
        benefits=verdict.benefits,
        days_off_work=verdict.days_off_work,
        lasting=verdict.lasting,
        school=verdict.school,
        levels=verdict.levels,
        seen={number: one.changes for number, one in held.items()},
        person=_person(state.form.worker_id, facts.persons.get(event.id)),
    )
    if state.status not in _OPEN:
        return _reconsidered(state, looked, event, verdict, facts)
    if verdict.rejections:
        return _rejected(looked, event, verdict.rejections)
    return _judged(state, looked, event, verdict, facts)


def _judged(before: Claim, looked: Claim, event: Event, verdict: Assessment, facts: Facts) -> Decision[Claim]:
    """Continues with a claim that is not rejected: it waits for something, or it can be paid."""
    if verdict.holds:
        return _held(before, looked, event, verdict)
    return _payable(before, looked, event, verdict, facts)


def _may_be_looked_at(claim: Claim) -> bool:
    """An open claim may be assessed; also a decided one that events about the worker's months may change, if no payment
    is in progress.
    """
    return claim.status in _OPEN or (claim.follows_cover and claim.status in (ClaimStatus.REJECTED, ClaimStatus.PAID))


def _reconsidered(before: Claim, looked: Claim, event: Event, verdict: Assessment, facts: Facts) -> Decision[Claim]:
    """Judges a decided claim again after late events about its months, and reopens it when it is entitled to more than
    it got.

    Paid money is never taken back. A paid claim is reopened only by more months, not by a change of rates.
    """
    if verdict.rejections:
        return _stale()
    if before.status is ClaimStatus.PAID:
        if verdict.holds or verdict.months <= before.months or looked.total <= before.total:
            return _stale()
        looked = replace(looked, paid_before=before.benefits)
    told = outcomes.reopened(before, looked)
    opened = replace(before, status=ClaimStatus.REGISTERED, reasons=())
    judged = _judged(opened, looked, event, verdict, facts)
    return replace(judged, outcomes=(*told, *judged.outcomes))


def _held(before: Claim, looked: Claim, event: Event, verdict: Assessment) -> Decision[Claim]:
    held = replace(
        looked,
        status=ClaimStatus.HELD,
        stage="penetapan",
        reasons=verdict.holds,
        watching=verdict.watching,
        waits_until=verdict.waits_until,
        benefits=(),
        school=(),
    )
    # If it now waits for another month, events about that month may have arrived before this save, so look again.
    again = outcomes.look(held) if held.waiting not in (None, before.waiting) else ()
    return _decided(held, event, (*_published_hold(before, held), *_awaits(before, held), *again))


def _awaits(before: Claim, held: Claim) -> tuple[Outcome, ...]:
    """Registers a claim that waits for a paid death or disability with the worker's entitlement, once."""
    if Reason.AWAITING_EVENT not in held.reasons or Reason.AWAITING_EVENT in before.reasons:
        return ()
    look = outcomes.assess_of(held)
    return tuple(
        outcomes.step("claim.awaits", number, AwaitEvent(claim=held.key, round=held.round, worker_id=number, look=look))
        for number in _numbers(held)
    )


def _payable(before: Claim, looked: Claim, event: Event, verdict: Assessment, facts: Facts) -> Decision[Claim]:
    """Papers and cover are in order: next an officer (above the limit), then the worker's entitlement, then the
    payment.
    """
    form = looked.form
    assert form is not None
    if verdict.of_event > facts.reference.officer_above and looked.ruling is None:
        held = replace(
            looked, status=ClaimStatus.HELD, stage="persetujuan", reasons=(Reason.AWAITING_OFFICER.value,), missing=()
        )
        return _decided(held, event, _published_hold(before, held))
    waiting = replace(looked, status=ClaimStatus.ASSESSED, stage="persetujuan", reasons=(), reserved=True)
    ask = ReserveEvent(
        claim=waiting.key,
        round=waiting.round,
        worker_id=form.worker_id,
        death=form.is_death,
        school=list(waiting.school),
        levels=list(waiting.levels),
        event_date=form.event_date,
        days_off_work=waiting.days_off_work,
        lines=list(waiting.benefits),
        lasting=waiting.lasting,
        seen=waiting.seen.get(form.worker_id, 0),
    )
    return _decided(waiting, event, (outcomes.step("claim.reserve", form.worker_id, ask),))


def reserved(state: Claim, event: Event[EventReserved], facts: Facts) -> Decision[Claim]:
    """The entitlement gave the claim its part. It must still clear claims that name the person by another number."""
    step = event.data
    if state.form is None or state.round != step.round:
        return _stale()
    if not state.form.is_death and not state.school and len(state.seen) <= 1:
        return _approved(state, event)
    return _decided(replace(state, clearing=True), event, ())


def moved(state: Claim, event: Event[EventMoved], facts: Facts) -> Decision[Claim]:
    """Another claim took something after this one was judged, so this one is judged again."""
    step = event.data
    if state.round != step.round:
        return _stale()
    again = replace(state, status=ClaimStatus.REGISTERED, clearing=False)
    return _decided(again, event, outcomes.look(again))


def cleared(state: Claim, event: Event[ClaimCleared], facts: Facts) -> Decision[Claim]:
    """No other claim is paid for this event, so this one is approved."""
    step = event.data
    if state.round != step.round or not state.clearing or not _is_awaited(state, event):
        return _stale()
    return _approved(state, event)


def _is_awaited(state: Claim, event: Event) -> bool:
    """Whether this answers the work that is due now.

    A restored store may read the answer to a later look first. If it took that answer now, the later look would never
    get one, because the document takes each name once.
    """
    due = outcomes.due_of(state, event.at)
    return due is not None and due.id == event.id


def event_taken(state: Claim, event: Event[EventTaken], facts: Facts) -> Decision[Claim]:
    """Another claim holds the event, so this one is rejected. Only steps of earlier releases come here."""
    step = event.data
    if state.round != step.round:
        return _stale()
    return _rejected(replace(state, reserved=step.held), event, (step.reason,))


def _approved(claim: Claim, event: Event) -> Decision[Claim]:
    approved = replace(
        claim,
        status=ClaimStatus.APPROVED,
        clearing=False,
        stage="pembayaran",
        reasons=(),
        missing=(),
        approved_on=business_day(event.at).isoformat(),
    )
    return _decided(approved, event, outcomes.progress(approved, "persetujuan"))


def transferred(state: Claim, event: Event[BenefitTransferred], facts: Facts) -> Decision[Claim]:
    """BPJS has paid; a death is published to everyone."""
    step = event.data
    if state.round != step.round or not _is_awaited(state, event):
        return _stale()
    paid = replace(state, status=ClaimStatus.PAID, stage="selesai", paid_on=step.paid_on, reference=step.reference)
    if step.benefits is not None and tuple(step.benefits) != state.to_pay:
        # BPJS paid this before the store was restored, for the months that were known then. With `months=0` the next
        # look reopens the claim if it is entitled to more.
        paid = replace(paid, benefits=(*state.paid_before, *step.benefits), months=0)
    # Events that came during the payment found nothing to change, so look once more.
    return _decided(
        paid, event, (*outcomes.progress(paid), *outcomes.died(paid), *_settles(paid), *outcomes.look(paid))
    )


def _settles(paid: Claim) -> tuple[Outcome, ...]:
    """Sends a paid death or total disability to the worker's entitlement; scholarships may follow it."""
    form = paid.form
    if form is None or form.kind == "scholarship" or form.outcome not in ("death", "total") or paid.paid_before:
        return ()
    return tuple(
        outcomes.step(
            "claim.settled",
            number,
            SettleEvent(
                claim=paid.key,
                round=paid.round,
                worker_id=number,
                kind=form.kind,
                outcome=form.outcome,
                event_date=form.event_date,
            ),
        )
        for number in _numbers(paid)
    )


def account_refused(state: Claim, event: Event[BenefitRefused], facts: Facts) -> Decision[Claim]:
    """BPJS refuses the account: the claim is held until it is submitted with another account, or withdrawn."""
    step = event.data
    if state.round != step.round:
        return _stale()
    held = replace(state, status=ClaimStatus.HELD, stage="pembayaran", reasons=(ACCOUNT_REFUSED,), account_refused=True)
    return _decided(held, event, outcomes.progress(held))


def documents_added(state: Claim | None, event: Event[Added], facts: Facts) -> Decision[Claim]:
    """Adds documents to an open claim and looks at it again."""
    part = event.data
    claim = state or _unknown(part.sender, part.claim_no)
    why = _why_closed(claim)
    if why is None and (claim.status is ClaimStatus.ASSESSED or claim.account_refused):
        # Its documents are complete, so more of them change nothing.
        return _decided(claim, event, outcomes.progress(claim)[1:])
    if why is not None or claim.form is None:
        return _decided(claim, event, _refusal(part.sender, event, part.claim_no, (why or Reason.NOT_REGISTERED,)))
    documents = tuple(sorted({*claim.form.documents, *part.documents}))
    # Without its reasons the claim is published again after any look, so the command always gets an answer.
    more = replace(claim, form=replace(claim.form, documents=documents), reasons=(), missing=())
    return _decided(more, event, outcomes.look(more))


def withdrawn(state: Claim | None, event: Event[Withdrawn], facts: Facts) -> Decision[Claim]:
    """Withdraws a claim whose payment has not started."""
    part = event.data
    claim = state or _unknown(part.sender, part.claim_no)
    why = _why_closed(claim)
    if why is not None:
        return _decided(claim, event, _refusal(part.sender, event, part.claim_no, (why,)))
    return _rejected(claim, event, (Reason.CLAIM_WITHDRAWN,))


def officer_decided(state: Claim | None, event: Event[Decided], facts: Facts) -> Decision[Claim]:
    """Takes an officer's decision. A decision that comes too early is kept until the claim waits for it."""
    part = event.data
    claim = state or _unknown(part.sender, part.claim_no)
    why = _why_closed(claim)
    if why is None and (claim.status is ClaimStatus.ASSESSED or claim.account_refused):
        why = Reason.NOT_ELIGIBLE
    if why is not None:
        # A decision that arrived through our own step is answered like the officer's command, too.
        shown = unknown_number(part.claim_no) if why is Reason.NOT_REGISTERED else part.claim_no
        return _decided(claim, event, outcomes.refusal(part.sender, "claim.decide.v1", shown, (why,), event.id))
    ruled_claim = replace(claim, ruling=part.ruling, reasons=(), missing=())
    if not part.ruling.approved:
        return _rejected(ruled_claim, event, (Reason.OFFICER_REJECTED,))
    return _decided(ruled_claim, event, outcomes.look(ruled_claim))


def _rejected(claim: Claim, event: Event, reasons: tuple[str, ...]) -> Decision[Claim]:
    if claim.paid_before:
        return _difference_refused(claim, event, reasons)
    rejected = replace(
        claim,
        status=ClaimStatus.REJECTED,
        stage="selesai",
        reasons=tuple(str(reason) for reason in reasons),
        missing=(),
        waiting=None,
        watching=False,
        waits_until=None,
        benefits=(),
        school=(),
        reserved=False,
        clearing=False,
        account_refused=False,
    )
    return _decided(rejected, event, (*_release(claim), *outcomes.progress(rejected)))


def _difference_refused(claim: Claim, event: Event, reasons: tuple[str, ...]) -> Decision[Claim]:
    """A reopened claim gets nothing more: it returns to its paid state."""
    told = replace(claim, status=ClaimStatus.REJECTED, stage="selesai", reasons=tuple(map(str, reasons)), benefits=())
    paid = replace(
        claim,
        status=ClaimStatus.PAID,
        stage="selesai",
        reasons=(),
        missing=(),
        waiting=None,
        watching=False,
        waits_until=None,
        benefits=claim.paid_before,
        paid_before=(),
        clearing=False,
        account_refused=False,
    )
    return _decided(paid, event, outcomes.progress(told))


def _release(claim: Claim) -> tuple[Outcome, ...]:
    """Gives back what the claim reserved, for other claims; a claim that was partly paid keeps its reservation."""
    if not claim.reserved or claim.form is None or claim.paid_before:
        return ()
    return tuple(
        outcomes.step("claim.release", number, ReleaseEvent(claim=claim.key, round=claim.round, worker_id=number))
        for number in _numbers(claim)
    )


def _numbers(claim: Claim) -> tuple[str, ...]:
    """The worker number that the claim names and, after a merge, the number of the worker who stayed."""
    named = claim.form.worker_id if claim.form is not None else ""
    return tuple(dict.fromkeys((named, claim.person or named)))


def _person(named: str, who: str | None) -> str:
    return who if who not in (None, named) else ""


def _published_hold(before: Claim, after: Claim) -> tuple[Outcome, ...]:
    """Publishes a hold once for each new set of reasons, not at every look."""
    told = before.status is after.status and (before.reasons, before.missing) == (after.reasons, after.missing)
    return () if told else outcomes.progress(after)


def _why_closed(claim: Claim) -> Reason | None:
    """Why no command may change a claim any more; None while commands may."""
    if claim.status is ClaimStatus.UNKNOWN:
        return Reason.NOT_REGISTERED
    if claim.status in (ClaimStatus.APPROVED, ClaimStatus.PAID):
        return Reason.ALREADY_PAID
    if claim.status is ClaimStatus.REJECTED:
        return Reason.NOT_ELIGIBLE
    return None


def _refusal(sender: Sender, event: Event, claim_no: str, reasons: tuple[str, ...]) -> tuple[Outcome, ...]:
    shown = unknown_number(claim_no) if Reason.NOT_REGISTERED in reasons else claim_no
    return outcomes.refusal(sender, event.type, shown, reasons, event.id)


def _unknown(sender: Sender, claim_no: str) -> Claim:
    return Claim(claim_no=claim_no, agency=sender.agency, regency=sender.regency)


def _decided(claim: Claim, event: Event, told: tuple[Outcome, ...]) -> Decision[Claim]:
    return Decision(state=claim, outcomes=told, due=outcomes.due_of(claim, event.at))


def _stale() -> Decision[Claim]:
    """Leaves the document and its due work unchanged."""
    return Decision(state=None, ignored=STALE)
