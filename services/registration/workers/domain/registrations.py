"""The statements of agencies about a worker (register, update, withdraw, attest) and the answer to each.

The first agency opens the registration. What each further agency says is kept, too. For each field the statement with
the highest rank counts (`sources`). A change of identity fields, or of fields that the verdict carries, asks for a new
check under a higher `registration_version`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.registration.intake.domain import answers
from services.registration.intake.domain.state import Refusal, Sender
from services.registration.workers.domain import outcomes, rules, sources
from services.registration.workers.domain.commands import Attest, RegistrationForm, Update, Withdraw
from services.registration.workers.domain.state import Facts, LatestSubmission, Worker, WorkerForm, WorkerStatus
from shared.contracts.reasons import Reason
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision, Outcome
from shared.kernel.event import Event

# An agency may send one worker again and again; the numbers of its last few submissions are enough for the answers.
WAITING_MAX = 32
FINAL = (WorkerStatus.VERIFIED, WorkerStatus.REJECTED)

WorkerDocument = Worker | Refusal | None


def register(state: WorkerDocument, event: Event[RegistrationForm], facts: Facts) -> Decision[Worker | Refusal]:
    """A whole form, for a known or unknown worker."""
    part = event.data
    worker, sender = _worker(state), part.sender
    word = _latest_submission(sender, part.form, event.at, part.fingerprint)
    if worker is not None and worker.status is WorkerStatus.MERGED:
        return _of_merged(worker, event, sender, word, part.warnings)
    if worker is None or not worker.active:
        return _enrol(worker, event, sender, part.form, word, part.warnings, facts)
    if worker.regency != sender.regency:
        return _answer_only(worker, event, sender, Reason.REGISTERED_ELSEWHERE)
    opens = worker.words[0].agency == sender.agency
    heard = _with_form(worker, part.form, word, facts, opens=opens)
    known = worker.word_of(sender.agency)
    answer: answers.SubmissionOutcome
    if opens:
        answer = "already-registered" if _is_unchanged(worker, heard, sender.agency) else "updated"
    elif known is None or not known.fingerprint:
        answer = "attested"
    else:
        answer = "already-registered" if known.fingerprint == word.fingerprint else "updated"
    return _changed(worker, heard, event, sender, answer, part.warnings, said=sources.FIELDS)


def update(state: WorkerDocument, event: Event[Update], facts: Facts) -> Decision[Worker | Refusal]:
    """Changes single fields: a correction of the present values."""
    part = event.data
    sender = part.sender
    worker = _worker(state)
    if worker is None or _is_not_here(worker, sender):
        return _not_registered(worker, event, sender)
    known = worker.word_of(sender.agency)
    form = replace(worker.form, **part.changes)
    warnings = (*rules.form_warnings(form), *part.warnings)
    word = _latest_submission(sender, form, event.at, known.fingerprint if known else "")
    if not worker.active:
        # The identity was rejected: the corrected form opens a new check.
        return _enrol(worker, event, sender, form, word, warnings, facts)
    said, corrected = sources.by_changes(worker, part.changes, word)
    words = _with(worker.words, word) if known else worker.words
    heard = sources.with_statements(replace(worker, words=words), said, facts.precedence, corrected)
    answer: answers.SubmissionOutcome = "already-registered" if form == worker.form else "updated"
    return _changed(worker, heard, event, sender, answer, warnings, said=tuple(part.changes))


def withdraw(state: WorkerDocument, event: Event[Withdraw], facts: Facts) -> Decision[Worker | Refusal]:
    """A worker leaves: moved, died, was employed, or asked to leave."""
    part = event.data
    sender = part.sender
    worker = _worker(state)
    if worker is None or _is_not_here(worker, sender):
        return _not_registered(worker, event, sender)
    changed = replace(
        worker,
        status=WorkerStatus.WITHDRAWN,
        verdict=None,
        waiting=(),
        registration_version=worker.registration_version + 1,
    )
    return Decision(
        state=changed,
        outcomes=(
            outcomes.withdrawn(sender.worker_id, changed, part.reason, part.effective_on),
            answers.answered(event.id, sender, "withdrawn", worker_id=sender.worker_id),
        ),
    )


def attest(state: WorkerDocument, event: Event[Attest], facts: Facts) -> Decision[Worker | Refusal]:
    """A sector agency confirms the occupation."""
    part = event.data
    sender = part.sender
    worker = _worker(state)
    if worker is None or _is_not_here(worker, sender):
        return _not_registered(worker, event, sender)
    known = worker.word_of(sender.agency)
    word = LatestSubmission(
        agency=sender.agency,
        submission_id=sender.submission_id or "",
        sector=part.sector,
        occupation=part.occupation,
        said_on=part.attested_on,
        # An agency that only attested has not sent a form yet, so its first form later counts as its first.
        fingerprint=known.fingerprint if known else "",
    )
    changed = replace(worker, words=_with(worker.words, word))
    said = sources.by_work(worker, word)
    if worker.active:
        changed = sources.with_statements(changed, said, facts.precedence)
    elif worker.said:
        changed = replace(changed, said=said)
    return _changed(worker, changed, event, sender, "attested", (), said=("sector", "occupation"))


def _worker(state: WorkerDocument) -> Worker | None:
    return state if isinstance(state, Worker) else None


def _is_not_here(worker: Worker, sender: Sender) -> bool:
    return worker.regency != sender.regency or worker.status in (WorkerStatus.WITHDRAWN, WorkerStatus.MERGED)


def _not_registered(worker: Worker | None, event: Event, sender: Sender) -> Decision[Worker | Refusal]:
    """A merged worker's submission must use the NIK of the worker who stayed; the reason says so."""
    merged = worker is not None and worker.status is WorkerStatus.MERGED and worker.regency == sender.regency
    return _answer_only(worker, event, sender, Reason.DUPLICATE_IDENTITY if merged else Reason.NOT_REGISTERED)


def _enrol(
    before: Worker | None,
    event: Event,
    sender: Sender,
    form: WorkerForm,
    word: LatestSubmission,
    warnings: tuple[str, ...],
    facts: Facts,
) -> Decision[Worker | Refusal]:
    """Opens a new check on the sender's form: the worker is new, or back after a withdrawal or a rejection.

    After a rejection the other agencies' submissions stay, so those agencies get the new verdict too. A withdrawal
    removes them.
    """
    worker = Worker(
        regency=sender.regency,
        status=WorkerStatus.CHECKING,
        registration_version=1,
        form=form,
        words=(word,),
        waiting=((sender.agency, sender.submission_id),) if sender.submission_id else (),
        opened_on=business_day(event.at).isoformat(),
    )
    if before is not None:
        worker = _again(before, worker, sender, facts)
    worker_id = sender.worker_id
    return Decision(
        state=worker,
        outcomes=(
            outcomes.registered(worker_id, worker, sender),
            outcomes.check_requested(worker_id, worker),
            answers.answered(event.id, sender, "registered", warnings=warnings, worker_id=worker_id),
        ),
    )


def _again(before: Worker, worker: Worker, sender: Sender, facts: Facts) -> Worker:
    """Re-entry: history and suspicions stay with the worker. It opens a new registration, so a sticker of the earlier
    one is no longer valid.
    """
    back = replace(
        worker,
        registration_version=before.registration_version + 1,
        history=before.history,
        suspects=before.suspects,
    )
    if before.status is not WorkerStatus.REJECTED or before.regency != sender.regency:
        return back
    others = [one for one in before.words if one.agency != sender.agency or one.via]
    if not others:
        return back
    back = replace(back, words=(*worker.words, *others), asked=1 + len(others))
    said = [one for one in sources.statements(before) if one.agency != sender.agency]
    fresh = sources.of_form(worker.form, worker.words[0], opens=True)
    return sources.with_statements(back, [*fresh, *said], facts.precedence)


def _with_form(worker: Worker, form: WorkerForm, word: LatestSubmission, facts: Facts, *, opens: bool) -> Worker:
    """The worker after an agency's whole form."""
    changed = replace(worker, words=_with(worker.words, word))
    if opens:
        changed = replace(changed, form=replace(worker.form, consent_on=form.consent_on))
    if not worker.said and rules.same_but_consent(form, worker.form):
        return changed
    said, corrected = sources.by_form(worker, form, word)
    return sources.with_statements(changed, said, facts.precedence, corrected)


def _is_unchanged(before: Worker, after: Worker, agency: str) -> bool:
    if not before.said and not after.said:
        return rules.same_but_consent(before.form, after.form)
    return _values(before, agency) == _values(after, agency)


def _values(worker: Worker, agency: str) -> dict[str, Any]:
    return {one.field: one.value for one in sources.statements(worker) if one.agency == agency}


def _changed(
    before: Worker,
    after: Worker,
    event: Event,
    sender: Sender,
    answer: answers.SubmissionOutcome,
    warnings: tuple[str, ...],
    *,
    said: tuple[str, ...],
) -> Decision[Worker | Refusal]:
    """The decision after an agency's submission changed the worker. A change of what verification judged asks for a new
    check; a verdict that still applies is answered at once.
    """
    again = before.active and (rules.needs_new_check(before.form, after.form) or _fills_the_gap(before, after))
    if again:
        version = after.registration_version + 1
        after = replace(
            after, status=WorkerStatus.CHECKING, verdict=None, registration_version=version, asked=len(after.words)
        )
    after = replace(after, waiting=_waiting(after, sender))
    told: list[Outcome] = []
    if rules.is_published_change(before.form, after.form) or (answer == "updated" and before.form != after.form):
        told.append(outcomes.updated(sender.worker_id, after, sender))
    if again:
        told.append(outcomes.check_requested(sender.worker_id, after))
    if after.said or before.said:
        told += outcomes.disputed(sender.worker_id, before, after)
        overruled = sources.overruled(after, sender.agency, said)
        warnings = (*warnings, *(f"{Reason.FIELD_OVERRULED}:{name}" for name in overruled))
    told.append(answers.answered(event.id, sender, answer, warnings=warnings, worker_id=sender.worker_id))
    return Decision(state=after, outcomes=(*told, *_settled_now(after, sender)))


def _fills_the_gap(before: Worker, after: Worker) -> bool:
    """Whether the verdict lacked an attestation, and one more agency has now sent the worker."""
    verdict = before.verdict
    missed = verdict is not None and Reason.ATTESTATION_MISSING in verdict.reasons
    return missed and len(after.words) > len(before.words)


def _of_merged(
    worker: Worker, event: Event, sender: Sender, word: LatestSubmission, warnings: tuple[str, ...]
) -> Decision[Worker | Refusal]:
    """A form of a worker who was merged into another: it is noted, and the answer names the worker who stays."""
    if worker.regency != sender.regency:
        return _answer_only(worker, event, sender, Reason.REGISTERED_ELSEWHERE)
    answer: answers.SubmissionOutcome = "already-registered" if worker.word_of(sender.agency) else "attested"
    warned = (*warnings, str(Reason.DUPLICATE_IDENTITY))
    said = answers.answered(event.id, sender, answer, warnings=warned, worker_id=worker.merged_into)
    return Decision(state=replace(worker, words=_with(worker.words, word), said=()), outcomes=(said,))


def _settled_now(worker: Worker, sender: Sender) -> tuple[Outcome, ...]:
    if worker.verdict is None or sender.submission_id is None:
        return ()
    return (outcomes.settled(worker.regency, sender.agency, sender.submission_id, sender.worker_id, worker.verdict),)


def _waiting(worker: Worker, sender: Sender) -> tuple[tuple[str, str], ...]:
    """The submissions that still wait for a final verdict. This one is added, unless a final verdict already stands."""
    if sender.submission_id is None or (worker.verdict is not None and worker.verdict.identity in FINAL):
        return worker.waiting
    one = (sender.agency, sender.submission_id)
    return (*(other for other in worker.waiting if other != one), one)[-WAITING_MAX:]


def _latest_submission(sender: Sender, form: WorkerForm, now: datetime, fingerprint: str) -> LatestSubmission:
    return LatestSubmission(
        agency=sender.agency,
        submission_id=sender.submission_id or "",
        sector=form.sector,
        occupation=form.occupation,
        said_on=business_day(now).isoformat(),
        fingerprint=fingerprint,
    )


def _with(words: tuple[LatestSubmission, ...], word: LatestSubmission) -> tuple[LatestSubmission, ...]:
    """The submissions, with this one in the place of its agency's last one. The first submission stays that of the
    agency that opened the registration.
    """
    if all(one.agency != word.agency or one.via for one in words):
        return (*words, word)
    return tuple(word if one.agency == word.agency and not one.via else one for one in words)


def _answer_only(worker: Worker | None, event: Event, sender: Sender, reason: Reason) -> Decision[Worker | Refusal]:
    answer = answers.answered(event.id, sender, "rejected", reasons=(reason,))
    state: Worker | Refusal = worker or Refusal(submission_id=sender.submission_id, reasons=(reason,))
    return Decision(state=state, outcomes=(answer,))
