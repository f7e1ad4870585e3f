"""Registration's published language: the commands it takes from agencies and the events it publishes."""

from __future__ import annotations

from typing import Annotated, Literal

from shared.contracts.base import Data, Day, Period, Regency, Rupiah, Sector, Sex
from shared.kernel.event import Intake
from shared.kernel.values import Personal

LeavingReason = Literal["moved", "deceased", "employed", "request", "other"]
SuspectVerdict = Literal["merge", "different", "unmerge", "reopen"]


class RegisterWorker(Intake):
    """`worker.register.v1`: an agency submits a worker."""


class UpdateWorker(Intake):
    """`worker.update.v1`: nik and the fields that changed."""


class WithdrawWorker(Intake):
    """`worker.withdraw.v1`: nik, reason, date."""


class AttestWorker(Intake):
    """`worker.attest.v1`: a sector agency attests the occupation."""


class ReportWorkers(Intake):
    """`employer.report-workers.v1`: an employer's roster."""


class RegisterProject(Intake):
    """`project.register.v1`: a construction project."""


class ReportOutreach(Intake):
    """`outreach.report.v1`: an education meeting."""


class InstallSticker(Intake):
    """`sticker.install.v1`: a house sticker was put up."""


class DecideSuspect(Intake):
    """`suspect.decide.v1`: an officer settles whether two workers are one person."""


COMMANDS: dict[str, type[Intake]] = {
    "worker.register.v1": RegisterWorker,
    "worker.update.v1": UpdateWorker,
    "worker.withdraw.v1": WithdrawWorker,
    "worker.attest.v1": AttestWorker,
    "employer.report-workers.v1": ReportWorkers,
    "project.register.v1": RegisterProject,
    "outreach.report.v1": ReportOutreach,
    "sticker.install.v1": InstallSticker,
}
# Events of officers, on a topic of their own.
DECISIONS: dict[str, type[Intake]] = {"suspect.decide.v1": DecideSuspect}


class WorkerRegistered(Data):
    """A worker new to Payung (or back after a withdrawal or a rejection) is registered. `occupation` is a code of the
    shipped list, else `other`. `submission` is the keyed name of the agency's own id; it is empty when no submission
    caused the event."""

    worker_id: str
    regency: Regency
    district: str
    village: str
    sector: Sector
    occupation: str
    sex: Sex
    birth_month: Period
    income_base: Rupiah
    agency: str
    submission: str


class WorkerUpdated(WorkerRegistered):
    """A worker's fields after a change."""


class WorkerWithdrawn(Data):
    """A worker leaves. `merged_into` is set when they turned out to be this other worker."""

    worker_id: str
    regency: Regency
    district: str
    village: str
    sector: Sector
    reason: LeavingReason
    effective_on: Day
    merged_into: str | None = None


class WorkerSuspected(Data):
    """This worker and each of `others` may be one person: no money until an officer has looked."""

    worker_id: str
    regency: Regency
    district: str
    village: str
    sector: Sector
    others: list[str]
    score: int
    reasons: list[str]


class WorkerCleared(Data):
    """No suspicion about this worker is open any more."""

    worker_id: str
    regency: Regency
    district: str
    village: str
    sector: Sector


class SuspectDecided(Data):
    """What an officer decided about a pair. The officer and the explanation stay with registration."""

    first: str
    second: str
    decision: SuspectVerdict
    keep: str | None
    score: int
    reasons: list[str]
    decided_on: Day


class SuspectRefused(Data):
    """`suspect.decide.refused.v1`: the officer's decision could not be taken."""

    first: str | None
    second: str | None
    officer: str | None
    reasons: list[str]


class FieldsDisputed(Data):
    """`worker.disputed.v1`: agencies state other values for these fields than the current ones (empty: they agree
    again)."""

    worker_id: str
    regency: Regency
    district: str
    village: str
    sector: Sector
    fields: list[str]
    agencies: list[str]


class SubmissionAnswered(Data):
    """The answer to one submission, for the agency that sent it."""

    submission_id: str | None
    outcome: Literal["registered", "already-registered", "attested", "updated", "withdrawn", "accepted", "rejected"]
    reasons: list[str]
    warnings: list[str] = []
    worker_id: str | None = None


class SubmissionSettled(Data):
    """The result of the identity check, for every agency that submitted the worker."""

    submission_id: str
    worker_id: str
    identity: Literal["verified", "rejected", "held"]
    reasons: list[str]


class Attestation(Data):
    """One agency's statement about a worker's occupation."""

    agency: str
    sector: Sector
    occupation: str
    attested_on: Day


class IdentityCheckRequested(Data):
    """Registration asks verification for a verdict. Restricted: personal data."""

    worker_id: str
    regency: Regency
    nik: Annotated[str, Personal]
    name: Annotated[str, Personal]
    birth_date: Annotated[Day, Personal]
    sex: Sex
    birth_place: Annotated[str | None, Personal] = None
    district: str
    village: str
    sector: Sector
    income_base: Rupiah
    attestations: list[Attestation] = []
    registration_version: int


class WorkerEmployed(Data):
    """A worker was found on an employer's roster. Restricted: personal data."""

    worker_id: str
    nik: str
    employer: str
    started_on: Day


class WorkerJobEnded(Data):
    """The last contract of this worker in any roster has ended: no employer's insurance covers them any more.
    Restricted, like the job itself; an addition to the contract."""

    worker_id: str
    employer: str
    ended_on: Day


EVENTS: dict[str, type[Data]] = {
    "worker.registered.v1": WorkerRegistered,
    "worker.updated.v1": WorkerUpdated,
    "worker.withdrawn.v1": WorkerWithdrawn,
    "worker.suspected.v1": WorkerSuspected,
    "worker.cleared.v1": WorkerCleared,
    "worker.disputed.v1": FieldsDisputed,
    "suspect.decided.v1": SuspectDecided,
    "suspect.decide.refused.v1": SuspectRefused,
}
FEEDBACK: dict[str, type[Data]] = {
    "submission.answered.v1": SubmissionAnswered,
    "submission.settled.v1": SubmissionSettled,
}
CHECKS: dict[str, type[Data]] = {
    "identity.check-requested.v1": IdentityCheckRequested,
    "worker.employed.v1": WorkerEmployed,
    "worker.job-ended.v1": WorkerJobEnded,
}
OUTCOMES: dict[str, type[Data]] = {**EVENTS, **FEEDBACK, **CHECKS}
