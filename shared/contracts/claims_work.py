"""The internal steps of claims, on `claims-work`. Steps of a claim are keyed by its document, the fence by the worker.

`round` counts the submissions of one claim number: a step of an earlier round has no effect. The only personal data are
an officer's name and reason (`claim.ruled`).
"""

from __future__ import annotations

from typing import Literal

from shared.contracts.base import BenefitLine, Data, Day, Period, Regency, Rupiah
from shared.contracts.claims import ClaimKind


class ClaimStep(Data):
    """The fields of every step: the claim's document (`regency/agency/claim_no`) and its round."""

    claim: str
    round: int


class AssessClaim(ClaimStep):
    """Look at the worker's cover and judge the claim."""

    worker_id: str
    regency: Regency
    event_date: Day


class ReserveEvent(ClaimStep):
    """Takes from the worker's entitlement what the claim is owed: the death, school years, amounts.

    `school` are slots (`year|child`), `levels` the level of each. `seen` is the number of changes of the entitlement
    when the claim was judged: if it has changed since, nothing is taken and the claim is judged again. `lasting` is the
    full worth of the lasting harm that the claim proves, whatever other claims were paid for it.
    `named` is the worker whom the claim names, when the entitlement of another number was asked (earlier releases did
    this).
    """

    worker_id: str
    death: bool
    school: list[str] = []
    levels: list[str] = []
    named: str = ""
    event_date: Day | None = None
    days_off_work: int = 0
    lines: list[BenefitLine] = []
    lasting: Rupiah = 0
    seen: int | None = None


class EventReserved(ClaimStep):
    """Among the claims that name this worker, this claim has the event."""


class ClaimCleared(ClaimStep):
    """Among the claims that name the same person by any other number, it has the event too."""


class EventTaken(ClaimStep):
    """Another claim has the event, or there are too many children. `held`: this claim had the event of the worker it
    names."""

    reason: str
    held: bool = False


class ClaimRuled(Data):
    """An officer's decision that named an agency without its regency, sent on to the only claim it can mean.
    Restricted: it carries an officer's name and reason."""

    regency: Regency
    agency: str
    claim_no: str
    approved: bool
    officer: str
    reason: str


class EventMoved(ClaimStep):
    """The worker's entitlement changed after the claim was judged: judge it again."""


class AwaitEvent(ClaimStep):
    """The claim follows a death or total disability that is not paid yet: judge it again when it is paid."""

    worker_id: str
    look: AssessClaim


class SettleEvent(ClaimStep):
    """A death or total disability is paid: scholarships may follow it."""

    worker_id: str
    kind: ClaimKind
    outcome: str
    event_date: Day


class ReleaseEvent(ClaimStep):
    """The claim will not be paid: another claim may have the event."""

    worker_id: str


class WakeCover(Data):
    """An event changed what is known about a month's cover: look again at the claims that wait for it, those behind
    `after`.

    `complete`: every premium of the run is here.
    """

    collection: Literal["invoices", "runs"]
    id: str
    regency: Regency
    period: Period
    after: str = ""
    complete: bool = False


class WakeWorker(Data):
    """A worker was merged or separated again: look at the open claims of all workers concerned, those behind
    `after`."""

    worker_id: str
    others: list[str]
    after: str = ""


class BenefitTransferred(ClaimStep):
    """BPJS paid these benefits under the key of the due work. Events of earlier releases do not name them."""

    paid_on: Day
    reference: str
    benefits: list[BenefitLine] | None = None


class BenefitRefused(ClaimStep):
    """BPJS will never pay to this account."""


WORK: dict[str, type[Data]] = {
    "claim.assess": AssessClaim,
    "claim.reserve": ReserveEvent,
    "claim.reserved": EventReserved,
    "claim.cleared": ClaimCleared,
    "claim.taken": EventTaken,
    "claim.ruled": ClaimRuled,
    "claim.moved": EventMoved,
    "claim.awaits": AwaitEvent,
    "claim.settled": SettleEvent,
    "claim.release": ReleaseEvent,
    "cover.wake": WakeCover,
    "worker.wake": WakeWorker,
    "benefit.transferred": BenefitTransferred,
    "benefit.refused": BenefitRefused,
}
