"""Turns an agency's event into a checked part for a worker's document, or into a refusal document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import date
from typing import Any

from services.registration.workers.domain import forms, rules
from services.registration.workers.domain.state import WorkerForm
from shared.contracts import registration as contract
from shared.contracts import tokens, topics
from shared.contracts.base import Sector
from shared.contracts.reasons import Reason, row_fault
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.identity import is_nik, worker_id
from shared.kernel.values import value
from shared.reference import precedence, rates
from shared.reference.areas import Areas
from shared.reference.precedence import Precedence
from shared.reference.rates import Rates


@value(frozen=True, slots=True)
class Reference:
    """What routing needs: the areas and the key that names workers. Decisions also use `precedence`: whose word
    stands.
    """

    areas: Areas
    id_key: bytes
    precedence: Precedence = field(default_factory=precedence.shipped)


@value(frozen=True, slots=True)
class Facts:
    """What decisions know besides their document.

    `subsidised` names the verified workers among those reported. `jobs` gives, for workers whose contract is over, the
    last day of work with each employer ("9999-12-31": no end).
    """

    precedence: Precedence = field(default_factory=precedence.shipped)
    subsidised: frozenset[str] = frozenset()
    jobs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    rates: Rates = field(default_factory=rates.load)


@value(frozen=True, slots=True, kw_only=True)
class Sender:
    """The sender of a submission, its number there, and the worker it concerns (empty when the form names none).

    `submission` is the keyed name of the number, for readers outside the agency. An empty agency means that there is
    nobody to answer.
    """

    regency: str
    agency: str
    submission_id: str | None
    worker_id: str = ""
    submission: str = ""


@value(frozen=True, slots=True, kw_only=True)
class Refused:
    """A submission whose form cannot be accepted; `warnings` may say what was probably meant."""

    sender: Sender
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@value(frozen=True, slots=True, kw_only=True)
class Register:
    """A valid form; `fingerprint` shows whether the agency said the same before."""

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


def sender_of(event: Event, worker: str = "") -> Sender:
    """The agency of an intake event that concerns this worker. The shell has checked that the topic is this
    agency's own.
    """
    found = topics.agency_of_source(event.source)
    # Another source is possible only on a topic whose name fits the pattern but belongs to no agency.
    regency, agency = found if found is not None else ("", "")
    fields = event.data.fields if isinstance(event.data, Intake) else {}
    submission = fields.get("submission_id")
    return Sender(
        regency=regency,
        agency=agency,
        submission_id=submission if isinstance(submission, str) and submission.strip() else None,
        worker_id=worker,
    )


def unreadable(intake: Intake, sender: Sender) -> tuple[str, ...]:
    """Why an intake event cannot be judged at all; empty when it can.

    The source is no agency, the data is no object, or the event stands for a row of a list that could not be read.
    """
    if not sender.agency:
        return (rules.invalid("source"),)
    if intake.problem is not None:
        return (rules.invalid("data"),)
    return row_fault(intake.fields)


def conflicting(event: Event) -> Routed:
    """Refuses an event whose name was used before with other content."""
    refused = Refused(sender=sender_of(event), reasons=(Reason.CONFLICTING_DUPLICATE,))
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), refused)


def of_intake(event: Event, reference: Reference) -> Routed:
    """The part of an agency's event and the document that it changes."""
    intake: Intake = event.data
    nik = rules.text_of(intake.fields.get("nik"))
    sender = sender_of(event, worker_id(reference.id_key, nik) if nik is not None and is_nik(nik) else "")
    if sender.submission_id is not None:
        name = tokens.keyed_name(reference.id_key, "submission", event.source, sender.submission_id)
        sender = replace(sender, submission=name)
    if unread := unreadable(intake, sender):
        return _refused(event, sender, unread)
    problems, part = _judge(intake, sender, reference, business_day(event.at))
    if problems:
        return _refused(event, sender, problems)
    return Routed(Address("workers", sender.worker_id), part)


def _judge(intake: Intake, sender: Sender, reference: Reference, today: date) -> tuple[tuple[str, ...], Any]:
    fields, areas = intake.fields, reference.areas
    if isinstance(intake, contract.RegisterWorker):
        problems = rules.form_problems(fields, sender.regency, areas, today)
        if problems:
            return problems, None
        form = forms.form_of(fields, areas)
        return (), Register(
            sender=sender,
            form=form,
            warnings=rules.form_warnings(form),
            fingerprint=forms.fingerprint(form, reference.id_key),
        )
    if isinstance(intake, contract.UpdateWorker):
        problems = rules.update_problems(fields, sender.regency, areas, today)
        return problems, None if problems else Update(sender=sender, changes=forms.changes_of(fields, areas))
    if isinstance(intake, contract.WithdrawWorker):
        problems = rules.withdrawal_problems(fields, today)
        if problems:
            return problems, None
        return (), Withdraw(sender=sender, reason=fields["reason"], effective_on=fields["date"])
    problems = rules.attestation_problems(fields, today)
    if problems:
        return problems, None
    occupation = fields["occupation"].strip()
    return (), Attest(sender=sender, sector=fields["sector"], occupation=occupation, attested_on=fields["attested_on"])


def _refused(event: Event, sender: Sender, reasons: tuple[str, ...]) -> Routed:
    return Routed(Address("refusals", event.name), Refused(sender=sender, reasons=reasons))
