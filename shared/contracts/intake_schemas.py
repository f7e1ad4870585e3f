"""The shape of commands, for documents and examples only. Services judge raw data field by field and leniently; these
models are never used for judging."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.base import Day, Funding, Period, Regency, Rupiah, Sector, Sex
from shared.contracts.claims import ClaimKind
from shared.contracts.registration import LeavingReason, SuspectVerdict

Nik = Annotated[str, Field(pattern=r"^\d{16}$", description="16 digits, text; never a number")]
Submission = Annotated[str, Field(min_length=1, description="the agency's own number, any text")]
Village = Annotated[
    str,
    Field(
        pattern=r"^\d{2}\.\d{2}\.\d{2}\.\d{4}$",
        description="Kemendagri code, e.g. 64.08.04.2001; a name is taken too where one village has it",
    ),
]
District = Annotated[str, Field(description="name or code of the kecamatan, where the village is a name")]


class Command(BaseModel):
    """The `data` of an event from outside."""

    model_config = ConfigDict(extra="ignore")


class Heir(Command):
    """Who receives the death benefit."""

    name: str
    relation: str | None = None
    phone: str | None = None


class Consent(Command):
    """The worker's consent."""

    given_at: Day
    method: str | None = None
    given: bool | str | None = Field(None, description="only a known yes is a yes; a no is consent-missing")


class RegisterWorker(Command):
    """worker.register.v1"""

    submission_id: Submission
    nik: Nik
    name: str
    birth_place: str | None = None
    birth_date: Day
    sex: Sex
    mother_name: str | None = None
    phone: str | None = None
    address: str | None = None
    family_card: str | None = None
    village: Village
    district: District | None = None
    sector: Sector
    occupation: str
    monthly_income: Rupiah = 1_000_000
    heir: Heir | None = None
    consent: Consent


class UpdateWorker(Command):
    """worker.update.v1: nik and the fields that changed."""

    submission_id: Submission
    nik: Nik
    name: str | None = None
    birth_place: str | None = None
    birth_date: Day | None = None
    sex: Sex | None = None
    mother_name: str | None = None
    phone: str | None = None
    address: str | None = None
    family_card: str | None = None
    village: Village | None = None
    district: District | None = None
    sector: Sector | None = None
    occupation: str | None = None
    monthly_income: Rupiah | None = None
    heir: Heir | None = None


class WithdrawWorker(Command):
    """worker.withdraw.v1"""

    submission_id: Submission
    nik: Nik
    reason: LeavingReason
    date: Day


class AttestWorker(Command):
    """worker.attest.v1"""

    submission_id: Submission
    nik: Nik
    sector: Sector
    occupation: str
    attested_on: Day


class RosterLine(Command):
    """One worker of an employer."""

    nik: Nik
    started_on: Day
    contract_ends_on: Day | None = None
    contract_no: str | None = None
    registered_with_bpjs_on: Day | None = None


class ReportWorkers(Command):
    """employer.report-workers.v1"""

    submission_id: Submission
    employer_id: str
    employer_name: str
    regency: Regency
    workers: list[RosterLine]


class RegisterProject(Command):
    """project.register.v1"""

    submission_id: Submission
    project_no: str
    contractor: str
    contract_value: Rupiah
    starts_on: Day
    ends_on: Day
    village: Village
    district: District | None = None
    contract_date: Day | None = None
    changed_on: Day | None = None


class ReportOutreach(Command):
    """outreach.report.v1"""

    submission_id: Submission
    meeting_id: str
    held_on: Day
    village: Village
    district: District | None = None
    sector: Sector
    attendees: int
    agency: str


class ExplainFinding(Command):
    """finding.explain.v1: `agency` (64.08/distransnaker) gets the answer too. The officer is the event's source."""

    finding_id: str
    explanation: str
    agency: str | None = None
    submission_id: str | None = None
    officer: str | None = None


class AnswerParticipant(Command):
    """participant.answer.v1: BPJS took the participant in (`kpj`, the card's number) or refused it (`refused`, in
    BPJS's words). The officer who hands the answer in is the event's source. A later `answered_at` replaces an earlier
    one."""

    invoice_id: Annotated[str, Field(description="INV-6408-2026-11-apbd-regency-1")]
    nik: Nik
    kpj: str | None = None
    status: Annotated[str | None, Field(description="BPJS's own word for yes or no")] = None
    refused: str | None = None
    answered_at: Annotated[str, Field(description="a day, or an instant with offset; not after today")]
    officer: str | None = None


class InstallSticker(Command):
    """sticker.install.v1"""

    submission_id: Submission
    sticker_no: str
    installed_on: Day
    by: str


class DecideIdentity(Command):
    """identity.decide.v1"""

    worker_id: str
    decision: Literal["verified", "rejected"]
    officer: str
    reason: str


class DecideSuspect(Command):
    """suspect.decide.v1: `first` and `second` are the pair, in any order; `keep` is the worker who stays after a
    merge."""

    first: str
    second: str
    decision: SuspectVerdict
    officer: str
    reason: str
    keep: str | None = None


class SetBudget(Command):
    """budget.set.v1"""

    regency: Regency
    year: int
    funding: Funding
    jkk: Rupiah
    jkm: Rupiah
    decree_no: str
    target_workers: int
    targets: dict[str, int] | None = None


class RunBilling(Command):
    """billing.run.v1"""

    regency: Regency
    period: Period
    funding: Funding
    cutoff: Day | None = None
    due_date: Day | None = None


class PayInvoice(Command):
    """invoice.pay.v1"""

    invoice_id: str
    amount: Rupiah
    paid_on: Day
    reference: str


class Child(Command):
    """A child for whom a scholarship is claimed."""

    name: str
    birth_date: Day
    level: str
    school_year: str | None = None


class Transport(Command):
    """Costs by mode, rupiah."""

    land: Rupiah | None = None
    sea: Rupiah | None = None
    air: Rupiah | None = None


class ClaimDetails(Command):
    """What happened."""

    outcome: Literal["treatment", "temporary", "partial", "total", "death"]
    days_off_work: int | None = None
    loss_percent: float | None = None
    transport: Transport | None = None
    treatment_cost: Rupiah | None = None
    children: list[Child] | None = None


class Claimant(Command):
    """Who claims, and where the money goes."""

    name: str
    relation: str
    account: str


class SubmitClaim(Command):
    """claim.submit.v1: nik or worker_id names the worker."""

    claim_no: str
    nik: Nik | None = None
    worker_id: str | None = None
    kind: ClaimKind
    event_date: Day
    cause: Literal["accident", "illness", "natural"]
    details: ClaimDetails
    documents: list[str]
    claimant: Claimant


class AddDocuments(Command):
    """claim.add-documents.v1"""

    claim_no: str
    documents: list[str]


class WithdrawClaim(Command):
    """claim.withdraw.v1"""

    claim_no: str


class DecideClaim(Command):
    """claim.decide.v1: `agency` as `64.08/rumahsakit`. The officer is the event's source; `officer` may repeat it."""

    agency: str
    claim_no: str
    decision: Literal["approved", "rejected"]
    reason: str
    officer: str | None = None


SCHEMAS: dict[str, type[Command]] = {
    "worker.register.v1": RegisterWorker,
    "worker.update.v1": UpdateWorker,
    "worker.withdraw.v1": WithdrawWorker,
    "worker.attest.v1": AttestWorker,
    "employer.report-workers.v1": ReportWorkers,
    "project.register.v1": RegisterProject,
    "outreach.report.v1": ReportOutreach,
    "finding.explain.v1": ExplainFinding,
    "participant.answer.v1": AnswerParticipant,
    "sticker.install.v1": InstallSticker,
    "suspect.decide.v1": DecideSuspect,
    "identity.decide.v1": DecideIdentity,
    "budget.set.v1": SetBudget,
    "billing.run.v1": RunBilling,
    "invoice.pay.v1": PayInvoice,
    "claim.submit.v1": SubmitClaim,
    "claim.add-documents.v1": AddDocuments,
    "claim.withdraw.v1": WithdrawClaim,
    "claim.decide.v1": DecideClaim,
}
