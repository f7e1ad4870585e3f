"""What registration makes of each input.

Theory of operation
A worker's document is keyed by the keyed hash of the NIK, so a person is one document whoever sends the form. The first
agency's form stands; each other agency's word is kept beside it. What changes identity or what its verdict carries asks
for a new check under a higher `registration_version`; verdicts on an older version are ignored. A verdict is told to
every agency that submitted the worker. A form that fails its checks never reaches a worker's document: its refusal is a
document of its own, so that the answer can be given again.

Invariants
* Exactly one `submission.answered.v1` per submission, with every reason that holds.
* A worker is active in one regency at a time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.registration.domain import outcomes, parts, rules
from services.registration.domain.parts import Attest, Reference, Refused, Register, Sender, Update, Withdraw
from services.registration.domain.state import Refusal, Status, Verdict, Word, Worker, WorkerForm
from shared.contracts.reasons import Reason
from shared.contracts.verification import (
    IdentityEnded,
    IdentityHeld,
    IdentityRejected,
    IdentityUnverified,
    IdentityVerified,
)
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event, Intake, Routed

# An agency may send one worker again and again; the numbers of the last few submissions are enough to answer it.
WAITING_MAX = 32
_FINAL = (Status.VERIFIED, Status.REJECTED)

conflicting = parts.conflicting


def route(event: Event, reference: Reference) -> tuple[Routed, ...]:
    """Every input changes one document: the worker's, or its own refusal."""
    if isinstance(event.data, Intake):
        return (parts.of_intake(event, reference),)
    return (Routed(Address("workers", event.data.worker_id), event.data),)


def decide(state: Worker | Refusal | None, event: Event, facts: Any, now: datetime) -> Decision[Any]:
    """Dispatches on the part."""
    part = event.data
    if isinstance(part, Refused):
        return _refuse(event, part)
    worker = state if isinstance(state, Worker) else None
    match part:
        case Register():
            return _register(worker, event, part, now)
        case IdentityVerified():
            return _verdict(worker, part.worker_id, Status.VERIFIED, (), part.registration_version)
        case IdentityHeld():
            return _verdict(worker, part.worker_id, Status.HELD, tuple(part.reasons), part.registration_version)
        case IdentityRejected() | IdentityEnded():
            return _ended(worker, part)
        case _:
            return _about_known(worker, event, part, now)


def _refuse(event: Event, part: Refused) -> Decision[Any]:
    refusal = Refusal(submission_id=part.sender.submission_id, reasons=part.reasons)
    if not part.sender.agency:
        return Decision(state=refusal, ignored="no-agency")
    return Decision(
        state=refusal, outcomes=(outcomes.answered(event.id, part.sender, "rejected", reasons=part.reasons),)
    )


def _register(worker: Worker | None, event: Event, part: Register, now: datetime) -> Decision[Any]:
    sender = part.sender
    known = worker.word_of(sender.agency) if worker and worker.regency == sender.regency else None
    word = _word(sender, part.form, now, part.fingerprint)
    if worker is None or not worker.active:
        return _enrol(worker, event, sender, part.form, word, part.warnings)
    if worker.regency != sender.regency:
        return _answer_only(worker, event, sender, Reason.REGISTERED_ELSEWHERE)
    changed = replace(worker, words=_with(worker.words, word))
    if worker.words[0].agency == sender.agency:
        if rules.same_but_consent(part.form, worker.form):
            return _tell(changed, event, sender, "already-registered", part.warnings)
        return _changed(changed, event, sender, part.form, part.warnings)
    # Another agency than the first: its word is kept beside the form that stands, which is the first agency's.
    if known is None or not known.fingerprint:
        return _tell(changed, event, sender, "attested", part.warnings)
    answer: outcomes.Answer = "already-registered" if known.fingerprint == word.fingerprint else "updated"
    return _tell(changed, event, sender, answer, part.warnings)


def _enrol(
    before: Worker | None, event: Event, sender: Sender, form: WorkerForm, word: Word, warnings: tuple[str, ...]
) -> Decision[Any]:
    """New to Payung, or back after a withdrawal or a rejection: a new check is opened, on the sender's form.

    After a rejection the other agencies still stand by the worker, so they hear of the new verdict too; a withdrawal
    ends what they said.
    """
    stays = before is not None and before.regency == sender.regency and before.status is Status.REJECTED
    others = [one for one in before.words if one.agency != sender.agency] if before and stays else []
    worker = Worker(
        regency=sender.regency,
        status=Status.CHECKING,
        registration_version=before.registration_version + 1 if before else 1,
        form=form,
        words=(word, *others),
        waiting=((sender.agency, sender.submission_id),) if sender.submission_id else (),
    )
    worker_id = sender.worker_id
    return Decision(
        state=worker,
        outcomes=(
            outcomes.registered(worker_id, worker, sender),
            outcomes.check_requested(worker_id, worker),
            outcomes.answered(event.id, sender, "registered", warnings=warnings, worker_id=worker_id),
        ),
    )


def _changed(
    worker: Worker, event: Event, sender: Sender, form: WorkerForm, warnings: tuple[str, ...]
) -> Decision[Any]:
    """The standing form changes; what verification judged by asks for a new check."""
    again = rules.needs_new_check(worker.form, form)
    changed = replace(worker, form=form)
    if again:
        version = worker.registration_version + 1
        changed = replace(changed, status=Status.CHECKING, verdict=None, registration_version=version)
    changed = replace(changed, waiting=_waiting(changed, sender))
    said: list[Outcome] = [outcomes.updated(sender.worker_id, changed, sender)]
    if again:
        said.append(outcomes.check_requested(sender.worker_id, changed))
    said.append(outcomes.answered(event.id, sender, "updated", warnings=warnings, worker_id=sender.worker_id))
    return Decision(state=changed, outcomes=(*said, *_settled_now(changed, sender)))


def _tell(
    worker: Worker, event: Event, sender: Sender, answer: outcomes.Answer, warnings: tuple[str, ...] = ()
) -> Decision[Any]:
    """Nothing changes but who said what; a verdict that stands is told at once."""
    changed = replace(worker, waiting=_waiting(worker, sender))
    said = outcomes.answered(event.id, sender, answer, warnings=warnings, worker_id=sender.worker_id)
    return Decision(state=changed, outcomes=(said, *_settled_now(changed, sender)))


def _settled_now(worker: Worker, sender: Sender) -> tuple[Outcome, ...]:
    if worker.verdict is None or sender.submission_id is None:
        return ()
    return (outcomes.settled(worker.regency, sender.agency, sender.submission_id, sender.worker_id, worker.verdict),)


def _waiting(worker: Worker, sender: Sender) -> tuple[tuple[str, str], ...]:
    """Who is still to be told a final verdict; the sender of this submission too, unless one stands."""
    if sender.submission_id is None or (worker.verdict is not None and worker.verdict.identity in _FINAL):
        return worker.waiting
    one = (sender.agency, sender.submission_id)
    return (*(other for other in worker.waiting if other != one), one)[-WAITING_MAX:]


def _word(sender: Sender, form: WorkerForm, now: datetime, fingerprint: str) -> Word:
    return Word(
        agency=sender.agency,
        submission_id=sender.submission_id or "",
        sector=form.sector,
        occupation=form.occupation,
        said_on=business_day(now).isoformat(),
        fingerprint=fingerprint,
    )


def _with(words: tuple[Word, ...], word: Word) -> tuple[Word, ...]:
    """The words with this one in the place of its agency's last; the first place stays who holds the standing form."""
    if all(one.agency != word.agency for one in words):
        return (*words, word)
    return tuple(word if one.agency == word.agency else one for one in words)


def _answer_only(worker: Worker | None, event: Event, sender: Sender, reason: Reason) -> Decision[Any]:
    answer = outcomes.answered(event.id, sender, "rejected", reasons=(reason,))
    state: Worker | Refusal = worker or Refusal(submission_id=sender.submission_id, reasons=(reason,))
    return Decision(state=state, outcomes=(answer,))


def _about_known(worker: Worker | None, event: Event, part: Any, now: datetime) -> Decision[Any]:
    """Updates, withdrawals and attestations speak of a worker of this regency who has not left."""
    sender: Sender = part.sender
    if worker is None or worker.regency != sender.regency or worker.status is Status.WITHDRAWN:
        return _answer_only(worker, event, sender, Reason.NOT_REGISTERED)
    match part:
        case Update():
            return _update(worker, event, part, now)
        case Withdraw():
            return _withdraw(worker, event, part)
        case Attest():
            return _attest(worker, event, part)
        case _:
            raise TypeError(f"no decision for {type(part).__name__}")


def _update(worker: Worker, event: Event, part: Update, now: datetime) -> Decision[Any]:
    sender = part.sender
    form = replace(worker.form, **part.changes)
    warnings = rules.form_warnings(form)
    known = worker.word_of(sender.agency)
    word = _word(sender, form, now, known.fingerprint if known else "")
    if not worker.active:
        # The identity was rejected: the corrected form is a valid submission like any other (contracts.md 3).
        return _enrol(worker, event, sender, form, word, warnings)
    if form == worker.form:
        return _tell(worker, event, sender, "already-registered", warnings)
    changed = replace(worker, words=_with(worker.words, word)) if known else worker
    return _changed(changed, event, sender, form, warnings)


def _withdraw(worker: Worker, event: Event, part: Withdraw) -> Decision[Any]:
    sender = part.sender
    changed = replace(
        worker,
        status=Status.WITHDRAWN,
        verdict=None,
        waiting=(),
        registration_version=worker.registration_version + 1,
    )
    return Decision(
        state=changed,
        outcomes=(
            outcomes.withdrawn(sender.worker_id, changed, part.reason, part.effective_on),
            outcomes.answered(event.id, sender, "withdrawn", worker_id=sender.worker_id),
        ),
    )


def _attest(worker: Worker, event: Event, part: Attest) -> Decision[Any]:
    sender = part.sender
    known = worker.word_of(sender.agency)
    word = Word(
        agency=sender.agency,
        submission_id=sender.submission_id or "",
        sector=part.sector,
        occupation=part.occupation,
        said_on=part.attested_on,
        # An agency that only attested has sent no form yet: its first form is told as its first.
        fingerprint=known.fingerprint if known else "",
    )
    return _tell(replace(worker, words=_with(worker.words, word)), event, sender, "attested")


def _ended(worker: Worker | None, part: IdentityUnverified) -> Decision[Any]:
    """A rejection, or the end of a verified worker's eligibility."""
    return _verdict(worker, part.worker_id, Status.REJECTED, tuple(part.reasons), part.registration_version)


def _verdict(
    worker: Worker | None, worker_id: str, identity: Status, reasons: tuple[str, ...], version: int
) -> Decision[Any]:
    if worker is None:
        # Verification only speaks of what registration asked; without the worker there is nobody to tell.
        return Decision(state=None, ignored="worker-unknown")
    if version != worker.registration_version or worker.status is Status.WITHDRAWN:
        return Decision(state=worker, ignored="older-registration-version")
    verdict = Verdict(identity=identity, reasons=reasons, registration_version=version)
    if worker.verdict == verdict:
        return Decision(state=worker, ignored="same-verdict")
    told = dict.fromkeys((*worker.waiting, *((word.agency, word.submission_id) for word in worker.words)))
    waiting = () if identity in _FINAL else worker.waiting
    changed = replace(worker, status=identity, verdict=verdict, waiting=waiting)
    return Decision(
        state=changed,
        outcomes=tuple(
            outcomes.settled(worker.regency, agency, submission, worker_id, verdict)
            for agency, submission in told
            if submission
        ),
    )
