"""The aggregates of registration: a worker, a pair of workers who may be one person, and the refusal of a submission
that has no worker. Owns shapes only; no rule, no store."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.contracts.base import Sector, Sex
from shared.kernel.values import value


class Status(StrEnum):
    """Where a worker stands: `checking` waits for verification's verdict; `merged` turned out to be another worker."""

    CHECKING = "checking"
    VERIFIED = "verified"
    HELD = "held"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


@value(frozen=True, slots=True, kw_only=True)
class Heir:
    """Who receives the death benefit, as the worker named them."""

    name: str
    relation: str | None
    phone: str | None


@value(frozen=True, slots=True, kw_only=True)
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
    family_card: str | None = None
    heir: Heir | None = None


@value(frozen=True, slots=True, kw_only=True)
class Word:
    """What one agency said of a worker: its last submission and what that said of the work.

    `via` names the merged worker of whom the agency said it; empty for a word on this worker.
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
    """One agency's word on one field, with its evidence. `corrected`: it was said to change what stood; `refuted`: the
    civil register says otherwise; `doubted`: it is near what the register says, and an officer must look."""

    agency: str
    field: str
    value: Any
    submission_id: str
    said_on: str
    corrected: bool = False
    refuted: bool = False
    doubted: bool = False


@value(frozen=True, slots=True)
class Was:
    """What a field held before a change, and whose word that was (empty: nobody's, as a status)."""

    field: str
    value: Any
    agency: str = ""
    submission_id: str = ""
    said_on: str = ""


@value(frozen=True, slots=True)
class Change:
    """One moment at which the worker changed. Kept backwards, so that a worker who never changed costs nothing."""

    at: datetime
    was: tuple[Was, ...]


@value(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Verification's last word, on which version of the registration, and until when it is good."""

    identity: Status
    reasons: tuple[str, ...]
    registration_version: int
    given_on: str = ""
    valid_until: str = ""


@value(frozen=True, slots=True)
class Suspicion:
    """That this worker and `other` may be one person; `sequence` is the pair's, of its last word on it."""

    other: str
    sequence: int
    open: bool


@value(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker in one regency.

    `form` is what stands: of each field the word that outranks the others. `said` are all agencies' words on all
    fields; empty while one agency alone has spoken and the form is what it said (`sources.statements`). `waiting` are
    the (agency, submission_id) that have not been told a final verdict. `asked` is how many words the last check
    request carried. `merged_into` is who this worker turned out to be. `opened_on` is the day of the registration that
    stands: after leaving and coming back it is another.
    """

    regency: str
    status: Status
    registration_version: int
    form: WorkerForm
    words: tuple[Word, ...]
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
        return self.status in (Status.CHECKING, Status.VERIFIED, Status.HELD)

    @property
    def suspected(self) -> tuple[str, ...]:
        """The workers who may be the same person, as far as nobody has decided."""
        return tuple(one.other for one in self.suspects if one.open)

    def word_of(self, agency: str) -> Word | None:
        """What this agency said last of this worker itself."""
        return next((one for one in self.words if one.agency == agency and not one.via), None)


class PairStatus(StrEnum):
    """`open` waits for an officer and blocks money; `gone`: their forms were changed and are alike no more."""

    OPEN = "open"
    MERGED = "merged"
    DIFFERENT = "different"
    GONE = "gone"


@value(frozen=True, slots=True, kw_only=True)
class PairDecision:
    """Who decided what about a pair, when and why. `keep` is the worker who stays after a merge."""

    decision: str
    officer: str
    reason: str
    decided_at: datetime
    keep: str = ""


@value(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two workers who may be one person. `score` is 0 to 100; `reasons` say what is alike, never the values."""

    workers: tuple[str, str]
    regencies: tuple[str, ...]
    villages: tuple[str, ...]
    status: PairStatus
    score: int
    reasons: tuple[str, ...]
    found_at: datetime
    kept: str = ""
    decisions: tuple[PairDecision, ...] = ()

    @property
    def dropped(self) -> str:
        """Who was merged into the other; empty unless merged."""
        first, second = self.workers
        return "" if not self.kept else second if self.kept == first else first


@value(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A submission that was refused for its form alone; the document exists to remember the answer."""

    submission_id: str | None
    reasons: tuple[str, ...]
