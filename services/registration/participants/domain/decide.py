"""Says who is on an invoice, and what BPJS answered about each of them. Pure.

Theory of operation
`participants` (worker_id|invoice_id) holds one worker of one invoice: inserted when the premium is billed, changed
only by BPJS's answers. `bills` (invoice_id) holds what billing said when it closed the invoice; the invoice is known
in full when it has as many participants. An answer that arrives before its premium waits as state; it is told as
`not-on-invoice` and counts as soon as the premium arrives.

Invariants
* The answer with the latest `answered_at` counts, whatever the order of arrival; earlier ones are kept as history.
* Nothing that is published names a card, a NIK or BPJS's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from services.registration.intake.domain.outcomes import open_event
from services.registration.intake.domain.state import Reference, Refusal
from services.registration.participants.domain import forms, rules
from services.registration.participants.domain.forms import Answered, RefusedAnswer
from services.registration.participants.domain.state import Bill, BpjsAnswer, Facts, Participant
from shared.contracts.billing import PremiumBilled, RunCompleted
from shared.contracts.reasons import Reason
from shared.contracts.registration_participants import (
    AnswerParticipant,
    ParticipantAnswerRefused,
    ParticipantEnrolled,
    ParticipantRefused,
)
from shared.kernel.calendar import WITA
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event, Routed
from shared.kernel.values import value


@value(frozen=True, slots=True)
class OnInvoice:
    """A worker is on an invoice. The premium itself also changes another feature's document, so this part has its own
    class."""

    premium: PremiumBilled


def of_premium(event: Event[PremiumBilled]) -> Routed:
    """The participant whom a premium makes."""
    premium = event.data
    key = forms.participant_key(premium.worker_id, premium.invoice_id)
    return Routed(Address("participants", key), OnInvoice(premium))


def billed(state: Participant | None, event: Event[OnInvoice], facts: Facts) -> Decision[Participant]:
    """Puts the worker on the invoice; an answer that came before counts from now on."""
    if state is not None and state.number:
        return Decision(state=state, ignored="participant-known")
    premium = event.data.premium
    participant = Participant(
        worker_id=premium.worker_id,
        invoice_id=premium.invoice_id,
        number=max(1, premium.number),
        regency=premium.regency,
        period=premium.period,
        income_base=premium.income_base,
        total=premium.total,
        answers=state.answers if state is not None else (),
    )
    return Decision(state=participant, outcomes=_told(participant) if participant.answers else ())


def answered(state: Participant | None, event: Event[Answered], facts: Facts) -> Decision[Participant]:
    """Takes an answer of BPJS. A later one replaces an earlier one."""
    part = event.data
    new = BpjsAnswer(answered_at=part.answered_at, kpj=part.kpj, reason=part.reason, words=part.words)
    before = state or Participant(worker_id=part.worker_id, invoice_id=part.invoice_id)
    after = replace(before, answers=rules.with_answer(before.answers, new))
    if not after.number:
        known = part.worker_id in facts.registered
        return Decision(
            state=after, outcomes=(_not_taken(part, Reason.NOT_ON_INVOICE if known else Reason.NOT_REGISTERED),)
        )
    standing = after.standing
    if standing is not None and rules.says_the_same(standing, new):
        return Decision(state=after, outcomes=_told(after))
    return Decision(state=after, outcomes=(_not_taken(part, Reason.ANSWER_SUPERSEDED),))


def _told(one: Participant) -> tuple[Outcome, ...]:
    """The answer that counts, without personal data."""
    answer = one.standing
    if answer is None:
        return ()
    named = {
        "worker_id": one.worker_id,
        "regency": one.regency,
        "period": one.period,
        "invoice_id": one.invoice_id,
        "answered_on": answer.answered_at.astimezone(WITA).date().isoformat(),
    }
    if answer.is_enrolled:
        return (open_event(one.worker_id, "participant.enrolled.v1", ParticipantEnrolled(**named)),)
    refused = ParticipantRefused(**named, reasons=[answer.reason])
    return (open_event(one.worker_id, "participant.refused.v1", refused),)


def _not_taken(part: Answered, reason: Reason) -> Outcome:
    return _answer_refused(part.invoice_id, part.worker_id, part.officer, (reason,), part.worker_id)


def _answer_refused(
    invoice_id: str | None, worker_id: str | None, officer: str | None, reasons: tuple[str, ...], key: str
) -> Outcome:
    data = ParticipantAnswerRefused(
        invoice_id=invoice_id, worker_id=worker_id, officer=officer, reasons=[str(one) for one in reasons]
    )
    return open_event(key, "participant.answer.refused.v1", data)


def refuse(state: Refusal | None, event: Event[RefusedAnswer], facts: object) -> Decision[Refusal]:
    """Answers an input that is no valid answer of BPJS."""
    part = event.data
    key = part.worker_id or part.invoice_id or event.id
    said = _answer_refused(part.invoice_id, part.worker_id, part.officer, part.reasons, key)
    return Decision(state=Refusal(submission_id=None, reasons=part.reasons), outcomes=(said,))


def closed(state: Bill | None, event: Event[RunCompleted], facts: object) -> Decision[Bill]:
    """Notes what billing closed: the invoice's workers and their premiums. A run that billed nobody has no invoice."""
    done = event.data
    if done.invoice_id is None:
        return Decision(state=None, ignored="no-invoice")
    bill = Bill(
        invoice_id=done.invoice_id,
        regency=done.regency,
        period=done.period,
        funding=done.funding,
        workers=done.billed_workers,
        total=done.total,
        programmes=tuple(line.programme for line in done.lines),
    )
    return Decision(state=bill)


_participants = Documents[Participant, Facts]("participants", Kind(Participant))
_participants.on(OnInvoice).always(billed)
_participants.on(Answered).always(answered)

_bills = Documents[Bill, Facts]("bills", Kind(Bill))
_bills.on(RunCompleted, lambda done: done.invoice_id or done.run_id).always(closed)

_refusals = Documents[Refusal, Facts]("refusals", Kind(Refusal))
_refusals.on(RefusedAnswer).always(refuse)

TABLE = Table[Facts, Reference](_participants, _bills, _refusals).reads(AnswerParticipant, forms.route)
CONFLICTING: Mapping[type, Callable[[Event[Any]], Routed]] = {AnswerParticipant: forms.conflicting}
