"""Turns an agency's event into a checked part for a worker's document, or into a refusal document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.registration.intake.domain import submissions
from services.registration.intake.domain.fields import NIK
from services.registration.intake.domain.state import Reference, Sender
from services.registration.intake.domain.submissions import Submission
from services.registration.workers.domain import forms, rules
from services.registration.workers.domain.forms import Leave, Work
from services.registration.workers.domain.state import WorkerForm
from shared.contracts import tokens
from shared.contracts.base import Sector
from shared.kernel.decision import Address
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.identity import worker_id
from shared.kernel.values import value


@value(frozen=True, slots=True, kw_only=True)
class RegistrationForm:
    """A valid form; `fingerprint` shows whether the agency sent the same before."""

    sender: Sender
    form: WorkerForm
    warnings: tuple[str, ...]
    fingerprint: str


@value(frozen=True, slots=True, kw_only=True)
class Update:
    """Valid changes to a worker's fields, as fields of WorkerForm."""

    sender: Sender
    changes: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


@value(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """The request to withdraw a worker."""

    sender: Sender
    reason: str
    effective_on: str


@value(frozen=True, slots=True, kw_only=True)
class Attest:
    """An agency vouches for the occupation."""

    sender: Sender
    sector: Sector
    occupation: str
    attested_on: str


def register(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """Reads `worker.register.v1`."""
    return submissions.read(event, reference, forms.REGISTRATION, _register)


def update(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """Reads `worker.update.v1`."""
    return submissions.read(event, reference, forms.UPDATE, _update)


def withdraw(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """Reads `worker.withdraw.v1`."""
    return submissions.read(event, reference, forms.WITHDRAWAL, _withdraw)


def attest(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """Reads `worker.attest.v1`."""
    return submissions.read(event, reference, forms.ATTESTATION, _attest)


def _register(submission: Submission[WorkerForm]) -> Routed:
    form = submission.form
    return _routed(
        RegistrationForm(
            sender=_sender(submission),
            form=form,
            warnings=(*rules.form_warnings(form), *submission.warnings),
            fingerprint=forms.fingerprint(form, submission.values.given.reference.id_key),
        )
    )


def _update(submission: Submission[Mapping[str, Any]]) -> Routed:
    return _routed(Update(sender=_sender(submission), changes=submission.form, warnings=submission.warnings))


def _withdraw(submission: Submission[Leave]) -> Routed:
    return _routed(Withdraw(sender=_sender(submission), reason=submission.form.reason, effective_on=submission.form.on))


def _attest(submission: Submission[Work]) -> Routed:
    work = submission.form
    return _routed(
        Attest(sender=_sender(submission), sector=work.sector, occupation=work.occupation, attested_on=work.on)
    )


def _sender(submission: Submission[Any]) -> Sender:
    """The sender, with the worker that its form is about and the keyed name of its number."""
    sender, key = submission.sender, submission.values.given.reference.id_key
    number = sender.submission_id
    return Sender(
        regency=sender.regency,
        agency=sender.agency,
        submission_id=number,
        worker_id=worker_id(key, submission.values[NIK]),
        submission=tokens.keyed_name(key, "submission", submission.event.source, number) if number is not None else "",
    )


def _routed(part: RegistrationForm | Update | Withdraw | Attest) -> Routed:
    return Routed(Address("workers", part.sender.worker_id), part)
