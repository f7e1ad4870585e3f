"""What `route` makes of each input: a part for a claim's document, for a month's cover, or a refusal of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.claims.domain import forms
from services.claims.domain.state import Claim
from shared.contracts import claims as contract
from shared.contracts import topics
from shared.contracts.billing import PremiumBilled, PremiumPaid, RunCompleted
from shared.contracts.claims_work import AssessClaim, BenefitTransferred, DeathAnswered, ReserveDeath, WakeClaims
from shared.contracts.reasons import Reason
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address
from shared.kernel.event import Event, Intake, Routed
from shared.reference.rates import Rates


@dataclass(frozen=True, slots=True)
class Reference:
    """The dated rates, the key that turns a NIK into a worker_id, and the settings for the road to BPJS."""

    rates: Rates
    id_key: bytes
    settings: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sent a command, and the claim it names."""

    regency: str
    agency: str
    claim_no: str | None

    @property
    def claim(self) -> str:
        """The claim's key."""
        return f"{self.regency}/{self.agency}/{self.claim_no}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A command that cannot be read as one. `command` is its type."""

    sender: Sender
    command: str
    reasons: tuple[str, ...]
    worker_id: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """A well-formed claim."""

    sender: Sender
    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """More documents for a claim."""

    sender: Sender
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """The claim is withdrawn."""

    sender: Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """An officer's decision."""

    sender: Sender
    approved: bool
    officer: str


def sender_of(event: Event) -> Sender:
    """The agency of an intake event; the shell has checked that it is the topic's."""
    found = topics.agency_of_source(event.source)
    regency, agency = found if found is not None else ("", "")
    claim_no = forms.text_of(event.data.fields.get("claim_no")) if isinstance(event.data, Intake) else None
    return Sender(regency=regency, agency=agency, claim_no=claim_no)


def conflicting(event: Event) -> Routed:
    """The refusal of an event whose name was used before with other content."""
    refused = Refused(sender=sender_of(event), command=event.type, reasons=(Reason.CONFLICTING_DUPLICATE,))
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), refused)


def route(event: Event, reference: Reference) -> tuple[Routed, ...]:
    """Every input changes one document."""
    part = event.data
    match part:
        case PremiumBilled():
            return (Routed(Address("covers", f"{part.worker_id}|{part.period}"), part),)
        case PremiumPaid():
            return (Routed(Address("invoices", part.invoice_id), part),)
        case RunCompleted():
            return (Routed(Address("runs", part.run_id), part),)
        case WakeClaims():
            return (Routed(Address("wakes", event.name), part),)
        case ReserveDeath():
            return (Routed(Address("deaths", part.worker_id), part),)
        case AssessClaim() | DeathAnswered() | BenefitTransferred():
            return (Routed(Address("claims", part.claim), part),)
        case _:
            return (_of_intake(event, reference),)


def _of_intake(event: Event, reference: Reference) -> Routed:
    intake: Intake = event.data
    sender = sender_of(event)
    if intake.problem is not None:
        return _refused(event, sender, (forms.invalid("data"),))
    part: Any
    if isinstance(intake, contract.SubmitClaim):
        today = business_day(event.at)
        found = forms.read(intake.fields, sender.regency, sender.agency, reference.id_key, today)
        if found.claim is None:
            refused = Refused(
                sender=sender, command=event.type, reasons=found.reasons, worker_id=found.worker_id, kind=found.kind
            )
            return Routed(Address("refusals", event.name), refused)
        part = Submit(sender=sender, claim=found.claim)
    elif isinstance(intake, contract.AddDocuments):
        documents, reasons = forms.read_added(intake.fields)
        if reasons:
            return _refused(event, sender, reasons)
        part = Add(sender=sender, documents=documents)
    elif isinstance(intake, contract.DecideClaim):
        approved, officer, reasons = forms.read_decision(intake.fields)
        if reasons:
            return _refused(event, sender, reasons)
        part = Decide(sender=sender, approved=approved, officer=officer)
    else:
        if sender.claim_no is None:
            return _refused(event, sender, (forms.missing("claim_no"),))
        part = Withdraw(sender=sender)
    return Routed(Address("claims", sender.claim), part)


def _refused(event: Event, sender: Sender, reasons: tuple[str, ...]) -> Routed:
    return Routed(Address("refusals", event.name), Refused(sender=sender, command=event.type, reasons=reasons))
