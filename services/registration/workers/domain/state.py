"""A worker: the present form, what the agencies said, the verdict. Defines shapes only; no rule, no store."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from shared.contracts.base import Sector, Sex
from shared.kernel.values import Personal, value
from shared.reference import precedence
from shared.reference.precedence import Precedence


class WorkerStatus(StrEnum):
    """A worker's status: `checking` waits for verification's verdict; `merged` turned out to be another worker."""

    CHECKING = "checking"
    VERIFIED = "verified"
    HELD = "held"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


@value(frozen=True, slots=True, kw_only=True)
class Heir:
    """The person who receives the death benefit, as named by the worker."""

    name: Annotated[str, Personal]
    relation: Annotated[str | None, Personal] = None
    phone: Annotated[str | None, Personal] = None


@value(frozen=True, slots=True, kw_only=True)
class WorkerForm:
    """One agency's form about one worker, checked: every field has the right type, and the village code is current."""

    nik: Annotated[str, Personal]
    name: Annotated[str, Personal]
    birth_date: Annotated[str, Personal]
    sex: Sex
    village: str
    district: str
    sector: Sector
    occupation: str
    monthly_income: int
    consent_on: str
    birth_place: Annotated[str | None, Personal] = None
    mother_name: Annotated[str | None, Personal] = None
    phone: Annotated[str | None, Personal] = None
    address: Annotated[str | None, Personal] = None
    family_card: Annotated[str | None, Personal] = None
    heir: Heir | None = None


@value(frozen=True, slots=True, kw_only=True)
class LatestSubmission:
    """What one agency said of a worker: its last submission, and the work that it named there.

    `via` names the merged worker whom the submission was about; empty when it was about this worker.
    """

    agency: str
    submission_id: str
    sector: Sector
    occupation: str
    said_on: str
    fingerprint: str
    via: str = ""


@value(frozen=True, slots=True)
class Statement:
    """What one agency says about one field, with its evidence. `corrected`: it was sent to change the present value.
    `refuted`: the civil register has another value. `doubted`: it is close to what the register says, and an officer
    must look.
    """

    agency: str
    field: str
    value: Any
    submission_id: str
    said_on: str
    corrected: bool = False
    refuted: bool = False
    doubted: bool = False


@value(frozen=True, slots=True)
class FormerValue:
    """The value of a field before a change, and the agency that had stated it (empty when no agency did, as for a
    status).
    """

    field: str
    value: Any
    agency: str = ""
    submission_id: str = ""
    said_on: str = ""


@value(frozen=True, slots=True)
class Change:
    """One moment at which the worker changed. Only old values are kept, so a worker who never changed needs no
    space.
    """

    at: datetime
    was: tuple[FormerValue, ...]


@value(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Verification's latest verdict, the registration version it judged, and the day until which it holds."""

    identity: WorkerStatus
    reasons: tuple[str, ...]
    registration_version: int
    given_on: str = ""
    valid_until: str = ""


@value(frozen=True, slots=True)
class Suspicion:
    """This worker and `other` may be one person. `sequence` is the pair's sequence number of its latest message."""

    other: str
    sequence: int
    open: bool


@value(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker in one regency.

    `form` has the present values: for each field the statement with the highest rank. `said` holds all agencies'
    statements on all fields; it is empty while the form alone tells what each agency said (`sources.statements`).
    `waiting` lists the (agency, submission_id) that have not been answered with a final verdict. `asked` is the number
    of submissions (`words`) that the last check request carried. `merged_into` is the worker who this one turned out to
    be. `opened_on` is the day of the present registration; a worker who left and came back gets a new day.
    """

    regency: str
    status: WorkerStatus
    registration_version: int
    form: WorkerForm
    words: tuple[LatestSubmission, ...]
    waiting: tuple[tuple[str, str], ...]
    verdict: Verdict | None = None
    opened_on: str = ""
    said: tuple[Statement, ...] = ()
    history: tuple[Change, ...] = ()
    suspects: tuple[Suspicion, ...] = ()
    merged_into: str = ""
    asked: int = 1

    @property
    def active(self) -> bool:
        """Whether the worker is a participant or may become one."""
        return self.status in (WorkerStatus.CHECKING, WorkerStatus.VERIFIED, WorkerStatus.HELD)

    @property
    def suspected(self) -> tuple[str, ...]:
        """The workers who may be the same person, for pairs that are still open."""
        return tuple(one.other for one in self.suspects if one.open)

    def word_of(self, agency: str) -> LatestSubmission | None:
        """What this agency said last of this worker itself, not of a merged one."""
        return next((one for one in self.words if one.agency == agency and not one.via), None)


# Without slots, so that the service's facts can inherit the facts of several features.
@value(frozen=True, kw_only=True)
class Facts:
    """What decisions on workers know besides their document: which agency outranks which (`precedence`)."""

    precedence: Precedence = field(default_factory=precedence.shipped)
