"""Turns an agency's event into a checked part for a worker's document, or into a refusal document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from services.registration.intake.domain.rules import text_of
from services.registration.intake.domain.state import Reference, Sender
from services.registration.intake.domain.submissions import refused, sender_of, unreadable
from services.registration.workers.domain import forms, rules
from services.registration.workers.domain.state import WorkerForm
from shared.contracts import registration as contract
from shared.contracts import tokens
from shared.contracts.base import Sector
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.identity import is_nik, worker_id
from shared.kernel.values import value


@value(frozen=True, slots=True, kw_only=True)
class RegistrationForm:
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


def of_intake(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """The part of an agency's event and the document that it changes."""
    intake = event.data
    nik = text_of(intake.fields.get("nik"))
    sender = sender_of(event, worker_id(reference.id_key, nik) if nik is not None and is_nik(nik) else "")
    if sender.submission_id is not None:
        name = tokens.keyed_name(reference.id_key, "submission", event.source, sender.submission_id)
        sender = replace(sender, submission=name)
    if unread := unreadable(intake, sender):
        return (refused(event, sender, unread),)
    problems, part = _judge(intake, sender, reference, business_day(event.at))
    if problems:
        return (refused(event, sender, problems),)
    return (Routed(Address("workers", sender.worker_id), part),)


def _judge(intake: Intake, sender: Sender, reference: Reference, today: date) -> tuple[tuple[str, ...], Any]:
    fields, areas = intake.fields, reference.areas
    if isinstance(intake, contract.RegisterWorker):
        problems = rules.form_problems(fields, sender.regency, areas, today)
        if problems:
            return problems, None
        form = forms.form_of(fields, areas)
        return (), RegistrationForm(
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
