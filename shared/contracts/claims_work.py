"""The internal steps of claims, on `claims-work`. Steps of a claim are keyed by its document, the fence by the worker.

`round` counts the submissions of one claim number: a step of an earlier round has no effect. No personal data but an
officer's words (`claim.ruled`).
"""

from __future__ import annotations

from typing import Literal

from shared.contracts.base import Data, Day, Period, Regency


class ClaimStep(Data):
    """What every step names: the claim's document (`regency/agency/claim_no`) and its round."""

    claim: str
    round: int


class AssessClaim(ClaimStep):
    """Look at the worker's cover and judge the claim."""

    worker_id: str
    regency: Regency
    event_date: Day


class ReserveEvent(ClaimStep):
    """May this claim be the one that is paid for the worker's death and these school years (`year|child`)?

    `named`: whom the claim names, where another number was asked for it (earlier releases did). `children_max`: how
    many children of a worker get scholarships by the law by which the claim was judged.
    """

    worker_id: str
    death: bool
    school: list[str] = []
    named: str = ""
    children_max: int | None = None


class EventReserved(ClaimStep):
    """Of those that name this worker it is the one."""


class ClaimCleared(ClaimStep):
    """Of those that name the same person by any number, too."""


class EventTaken(ClaimStep):
    """Another claim is, or the children are too many. `held`: it had the event of the worker it names."""

    reason: str
    held: bool = False


class ClaimRuled(Data):
    """An officer's decision, which named an agency without its regency, on its way to the one claim it can mean.
    Restricted: an officer's own words."""

    regency: Regency
    agency: str
    claim_no: str
    approved: bool
    officer: str
    reason: str


class ReleaseEvent(ClaimStep):
    """The claim will not be paid: another may be."""

    worker_id: str


class WakeCover(Data):
    """Something is known about a month's cover: look again at the claims that wait for it, after this one.

    `complete`: every premium of the run is here.
    """

    collection: Literal["invoices", "runs"]
    id: str
    regency: Regency
    period: Period
    after: str = ""
    complete: bool = False


class WakeWorker(Data):
    """A worker was merged or set apart again: look at the open claims of all whom it touches, after this one."""

    worker_id: str
    others: list[str]
    after: str = ""


class BenefitTransferred(ClaimStep):
    """BPJS paid."""

    paid_on: Day
    reference: str


class BenefitRefused(ClaimStep):
    """BPJS will never pay to this account."""


WORK: dict[str, type[Data]] = {
    "claim.assess": AssessClaim,
    "claim.reserve": ReserveEvent,
    "claim.reserved": EventReserved,
    "claim.cleared": ClaimCleared,
    "claim.taken": EventTaken,
    "claim.ruled": ClaimRuled,
    "claim.release": ReleaseEvent,
    "cover.wake": WakeCover,
    "worker.wake": WakeWorker,
    "benefit.transferred": BenefitTransferred,
    "benefit.refused": BenefitRefused,
}
