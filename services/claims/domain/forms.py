"""The form check of claims' commands: each becomes a part to judge, or a refused part with every reason that holds.

Pure and total: any content of `data` gives a part. Knows no document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from services.claims.domain.fields import (
    CAUSE,
    CLAIM_DOCUMENTS,
    CLAIM_NO,
    CLAIMANT,
    DETAILS,
    EVENT_DATE,
    KIND,
    PUBLIC_NUMBER,
    STATED_WORKER,
    WORKER,
    Given,
)
from services.claims.domain.state import ClaimForm, Reference, Ruling
from shared.contracts import readers, tokens, topics
from shared.contracts.claims import ClaimKind, DecideClaim, SubmitClaim
from shared.contracts.forms import INVALID, Field, Form, Values, Wrong, is_blank, never
from shared.contracts.reasons import Reason, row_fault
from shared.kernel.calendar import business_day
from shared.kernel.event import Event, Intake
from shared.kernel.values import value

REASON_MAX = 1000

_AGENCY_NAME = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
_REGENCY_CODE = re.compile(r"\d{2}\.\d{2}", re.ASCII)


@value(frozen=True, slots=True)
class Sender:
    """The agency of a claim: the agency of the event's topic, or the one that an officer's decision names.

    An officer may leave out the regency; then it is empty until the claim is found. Both are empty when the decision
    names no agency.
    """

    regency: str
    agency: str


@value(frozen=True, slots=True)
class ClaimSubmission:
    """A well-formed `claim.submit.v1`."""

    sender: Sender
    claim_no: str
    form: ClaimForm


@value(frozen=True, slots=True)
class Rejected:
    """A `claim.submit.v1` with a wrong form, with those fields that can be read."""

    sender: Sender
    claim_no: str
    worker_id: str | None
    kind: ClaimKind | None
    reasons: tuple[str, ...]


@value(frozen=True, slots=True)
class Unnamed(Rejected):
    """One whose claim_no cannot be read (it is empty): no claim can be found for it."""


@value(frozen=True, slots=True)
class Added:
    """A well-formed `claim.add-documents.v1`."""

    sender: Sender
    claim_no: str
    documents: tuple[str, ...]


@value(frozen=True, slots=True)
class Withdrawn:
    """A well-formed `claim.withdraw.v1`."""

    sender: Sender
    claim_no: str


@value(frozen=True, slots=True)
class Decided:
    """A well-formed `claim.decide.v1`."""

    sender: Sender
    claim_no: str
    ruling: Ruling


@value(frozen=True, slots=True)
class Unplaced(Decided):
    """One that names an agency without its regency: its claim must be looked up first."""


@value(frozen=True, slots=True)
class RefusedInput:
    """A command that cannot be accepted for any claim."""

    sender: Sender
    command: str
    claim_no: str | None
    reasons: tuple[str, ...]


def submission(event: Event[SubmitClaim], reference: Reference) -> ClaimSubmission | Rejected:
    """Reads `claim.submit.v1`."""
    return _submission(event.data, _agency_of(event), Given(business_day(event.at), reference))


def problems(fields: Mapping[str, Any], reference: Reference, today: date) -> tuple[str, ...]:
    """Every reason for which the form alone would be rejected. Works with a key that is not the real one."""
    # Only the holder of the real key knows whether a NIK and a worker_id agree, so this is not checked.
    stated = {
        name: value for name, value in fields.items() if name != STATED_WORKER.name or not fields.get(WORKER.name)
    }
    part = _submission(SubmitClaim(stated), Sender("", ""), Given(today, reference))
    return part.reasons if isinstance(part, Rejected) else ()


def _submission(data: Intake, sender: Sender, given: Given) -> ClaimSubmission | Rejected:
    if unread := row_fault(data.fields):
        # A row of a list that could not be read: it has a reason and nothing else.
        return Unnamed(sender, "", None, None, unread)
    read = _CLAIM.of(data, given)
    claim_no, values = read.values.get(PUBLIC_NUMBER) or "", read.values
    if read.value is None:
        rejected = Rejected if claim_no else Unnamed
        return rejected(sender, claim_no, values.get(WORKER), values.get(KIND), read.reasons)
    return ClaimSubmission(sender, claim_no, read.value)


def added(event: Event[Intake]) -> Added | RefusedInput:
    """Reads `claim.add-documents.v1`."""
    read = _ADDITION.of(event.data, event.source)
    if read.value is None:
        return _refused(event, read.values, read.reasons)
    return Added(_agency_of(event), *read.value)


def withdrawn(event: Event[Intake]) -> Withdrawn | RefusedInput:
    """Reads `claim.withdraw.v1`."""
    read = _WITHDRAWAL.of(event.data, event.source)
    if read.value is None:
        return _refused(event, read.values, read.reasons)
    return Withdrawn(_agency_of(event), read.value)


def decided(event: Event[Intake]) -> Decided | RefusedInput:
    """Reads `claim.decide.v1`. The event's source is the officer who decides; a reason is required."""
    read = _DECISION.of(event.data, event.source)
    return _refused(event, read.values, read.reasons) if read.value is None else read.value


def conflicting(event: Event[Intake]) -> RefusedInput:
    """The refusal of an input whose name was used before with other content."""
    form: Form[Any, str] = _DECISION if isinstance(event.data, DecideClaim) else _WITHDRAWAL
    return _refused(event, form.of(event.data, event.source).values, (Reason.CONFLICTING_DUPLICATE,))


def unknown_number(claim_no: str) -> str | None:
    """The number of an unknown claim for public answers: it was never validated, so it is hidden if it contains
    a NIK.
    """
    return None if not claim_no or tokens.hidden_niks(claim_no) else claim_no


def _agency_of(event: Event) -> Sender:
    """The agency of an event.

    Raises ValueError when the source is not an agency; the shell does not admit such an event.
    """
    found = topics.agency_of_source(event.source)
    if found is None:
        raise ValueError("the source is no agency")
    return Sender(*found)


def _refused(event: Event[Intake], values: Values[Any], reasons: tuple[str, ...]) -> RefusedInput:
    """The refusal of a command, with its agency and claim_no if they can be read."""
    is_decision = isinstance(event.data, DecideClaim)
    sender = values.get(_AGENCY) or Sender("", "") if is_decision else _agency_of(event)
    return RefusedInput(sender, event.type, unknown_number(values.get(CLAIM_NO) or ""), reasons)


def _regency(raw: Any, _: object) -> str | None:
    return raw.strip() if isinstance(raw, str) else None


def _agency(raw: Any, values: Values[str]) -> Sender | Wrong:
    """The agency that a decision names: `64.08/rumahsakit`, or `rumahsakit` with or without a `regency` field."""
    if not isinstance(raw, str):
        return INVALID
    place, _, name = raw.strip().removeprefix("agency/").rpartition("/")
    place = place or values.get(_REGENCY) or ""
    fits = _AGENCY_NAME.fullmatch(name) and (not place or _REGENCY_CODE.fullmatch(place))
    return Sender(place, name) if fits else INVALID


def _officer(raw: Any, values: Values[str]) -> str | Wrong:
    return readers.officer(raw, values.given)


# It only completes the agency, so it is never wrong by itself.
_REGENCY = Field("regency", _regency, optional=True, empty=is_blank)
_AGENCY = Field("agency", _agency)
_VERDICT = Field("decision", readers.word({"approved": True, "rejected": False}))
_OFFICER = Field("officer", _officer, empty=never)
_REASON = Field("reason", readers.short_text(REASON_MAX))


def _claim(values: Values[Given]) -> ClaimForm:
    details = values[DETAILS]
    return ClaimForm(
        worker_id=values[WORKER],
        kind=values[KIND],
        event_date=values[EVENT_DATE].isoformat(),
        cause=values[CAUSE],
        documents=values[CLAIM_DOCUMENTS],
        claimant=values[CLAIMANT],
        outcome=details.outcome,
        days_off_work=details.days_off_work,
        loss_percent=details.loss_percent,
        transport=details.transport,
        treatment_cost=details.treatment_cost,
        children=details.children,
    )


def _decision(values: Values[str]) -> Decided:
    agency = values[_AGENCY]
    made = Decided if agency.regency else Unplaced
    return made(agency, values[CLAIM_NO], Ruling(values[_VERDICT], values[_OFFICER], values[_REASON]))


_CLAIM = Form(
    _claim,
    CLAIM_NO,
    STATED_WORKER,
    WORKER,
    PUBLIC_NUMBER,
    KIND,
    EVENT_DATE,
    CAUSE,
    DETAILS,
    CLAIM_DOCUMENTS,
    CLAIMANT,
)
# What the readers of the other commands know besides the form is the event's source, which names the officer.
_ADDITION: Form[tuple[str, tuple[str, ...]], str] = Form(
    lambda values: (values[CLAIM_NO], values[CLAIM_DOCUMENTS]), CLAIM_NO, CLAIM_DOCUMENTS
)
_WITHDRAWAL: Form[str, str] = Form(lambda values: values[CLAIM_NO], CLAIM_NO)
_DECISION: Form[Decided, str] = Form(_decision, _REGENCY, _AGENCY, CLAIM_NO, _VERDICT, _OFFICER, _REASON)
