"""Claims' published language."""

from __future__ import annotations

from typing import Literal

from shared.contracts.base import BenefitLine, Data, Day, Regency, Rupiah, Sex
from shared.kernel.event import Intake


class SubmitClaim(Intake):
    """`claim.submit.v1`."""


class AddDocuments(Intake):
    """`claim.add-documents.v1`."""


class WithdrawClaim(Intake):
    """`claim.withdraw.v1`."""


class DecideClaim(Intake):
    """`claim.decide.v1`: an officer's decision."""


COMMANDS: dict[str, type[Intake]] = {
    "claim.submit.v1": SubmitClaim,
    "claim.add-documents.v1": AddDocuments,
    "claim.withdraw.v1": WithdrawClaim,
}
# Events of officers, on a topic of their own.
DECISIONS: dict[str, type[Intake]] = {"claim.decide.v1": DecideClaim}

ClaimKind = Literal["jkk", "jkm", "scholarship"]
Stage = Literal["agenda", "penetapan", "persetujuan", "pembayaran", "selesai"]


class ClaimProgress(Data):
    """Where a claim stands. `claim_no` is null only when a submission had none."""

    claim_no: str | None
    agency: str
    worker_id: str | None
    regency: Regency
    kind: ClaimKind | None
    stage: Stage
    reasons: list[str] = []
    missing_documents: list[str] = []
    benefits: list[BenefitLine] = []
    total: Rupiah = 0


class ClaimRegistered(ClaimProgress):
    """The claim is on the agenda."""


class ClaimHeld(ClaimProgress):
    """The claim waits: for documents, for a premium to be paid, for an officer."""


class ClaimRejected(ClaimProgress):
    """The claim is refused, with every reason that holds."""


class ClaimApproved(ClaimProgress):
    """The claim is assessed and will be paid."""


class ClaimReopened(ClaimProgress):
    """Late information changed the facts on the day of the event: the claim is judged again, and a difference is
    paid."""


class ClaimPaid(Data):
    """BPJS paid the claim; for a reopened claim, the difference."""

    claim_no: str
    agency: str
    worker_id: str
    regency: Regency
    district: str | None
    sex: Sex | None
    kind: ClaimKind
    benefits: list[BenefitLine]
    total: Rupiah
    paid_on: Day
    reference: str


class WorkerDied(Data):
    """A paid or verified death: billing ends from the next month. Carries no personal data."""

    worker_id: str
    regency: Regency
    died_on: Day


class CommandRefused(Data):
    """A command on a claim could not be taken: `<command>.refused.v1`."""

    claim_no: str | None
    agency: str | None
    reasons: list[str]


# Published to everyone, and the same to the claim's agency.
FEEDBACK: dict[str, type[Data]] = {
    "claim.registered.v1": ClaimRegistered,
    "claim.held.v1": ClaimHeld,
    "claim.rejected.v1": ClaimRejected,
    "claim.approved.v1": ClaimApproved,
    "claim.reopened.v1": ClaimReopened,
    "claim.paid.v1": ClaimPaid,
    "claim.submit.refused.v1": CommandRefused,
    "claim.add-documents.refused.v1": CommandRefused,
    "claim.withdraw.refused.v1": CommandRefused,
    "claim.decide.refused.v1": CommandRefused,
}
OUTCOMES: dict[str, type[Data]] = {**FEEDBACK, "worker.died.v1": WorkerDied}
