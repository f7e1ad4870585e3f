"""The aggregates of registration: a worker, and the refusal of a submission that has no worker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.contracts.base import Sector, Sex


class Status(StrEnum):
    """Where a worker stands: `checking` waits for verification's verdict."""

    CHECKING = "checking"
    VERIFIED = "verified"
    HELD = "held"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heir:
    """Who receives the death benefit, as the worker named them."""

    name: str
    relation: str | None
    phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerForm:
    """One agency's form on one worker, checked: every field is of its kind, the village is a current one."""

    nik: str
    name: str
    birth_date: str
    sex: Sex
    village: str
    district: str
    sector: Sector
    occupation: str
    monthly_income: int
    consent_on: str
    birth_place: str | None = None
    mother_name: str | None = None
    phone: str | None = None
    address: str | None = None
    heir: Heir | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one agency said of a worker: its last submission and what that said of the work."""

    agency: str
    submission_id: str
    sector: Sector
    occupation: str
    said_on: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Verification's last word, on which version of the registration."""

    identity: Status
    reasons: tuple[str, ...]
    registration_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker in one regency. The first agency's form stands; the others' words are kept beside it.

    `waiting` are the (agency, submission_id) that have not been told a final verdict.
    """

    regency: str
    status: Status
    registration_version: int
    form: WorkerForm
    words: tuple[Word, ...]
    waiting: tuple[tuple[str, str], ...]
    verdict: Verdict | None = None

    @property
    def active(self) -> bool:
        """Whether the worker is a participant or may become one."""
        return self.status not in (Status.WITHDRAWN, Status.REJECTED)

    def word_of(self, agency: str) -> Word | None:
        """What this agency said last."""
        return next((one for one in self.words if one.agency == agency), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A submission that was refused for its form alone; the document exists to remember the answer."""

    submission_id: str | None
    reasons: tuple[str, ...]
