"""The internal steps of a billing run, on `billing-work`. All are keyed `regency|period`, so that one partition keeps
the steps of a run in order. No other service reads them."""

from __future__ import annotations

from pydantic import Field

from shared.contracts.base import Data, Day, Funding, Period, PremiumLine, Regency, Rupiah, Sector, Sex
from shared.contracts.billing import RunCompleted

# worker_id, district, village, sector, sex, birth_month, income_base, index into `prices`. A tuple, not an object,
# because one record carries a thousand of them.
ReservedWorker = tuple[str, str, str, Sector, Sex, str, int, int]


class RunStep(Data):
    """The fields of every step: the run, and the keys by which its budget and its candidates are found."""

    run_id: str
    regency: Regency
    period: Period
    funding: Funding
    cutoff: Day


class RunRequested(RunStep):
    """A run has its number; it waits until everything verified before it is counted."""

    invoice_id: str
    due_date: Day | None = None


class RunStart(RunStep):
    """Everything verified before the run is counted, and it is the run's turn at its budget. The amounts are what all
    its candidates would cost; without them (older releases) it takes all free money."""

    jkk: Rupiah | None = None
    jkm: Rupiah | None = None


class RunFunded(RunStep):
    """The budget set this much aside for the run."""

    jkk: Rupiah
    jkm: Rupiah


class RunMore(RunStep):
    """The run would miss workers: it asks its budget for what they cost, before it says so."""

    jkk: Rupiah
    jkm: Rupiah


class RunPage(RunStep):
    """Take the next candidates after `cursor` (a place in the priority order; empty at the start)."""

    cursor: str
    number: int


class StepReserved(Data):
    """Money is reserved for these workers; their premiums are inserted from this record alone."""

    run_id: str
    invoice_id: str
    regency: Regency
    period: Period
    funding: Funding
    prices: list[list[PremiumLine]]
    workers: list[ReservedWorker] = Field(max_length=1000)


class PremiumSkipped(Data):
    """Another run billed this worker first; the reserved money goes back to the run that came second."""

    run_id: str
    worker_id: str
    regency: Regency
    period: Period
    lines: list[PremiumLine]


class RunSettle(RunStep):
    """No candidate is left. The steps go round once more, so that every skipped premium is taken before the run
    closes."""


class RunClosing(RunStep):
    """Every skipped premium of the run comes before this step in the partition."""


class RunCounting(RunStep):
    """Every skipped premium is saved: count them, then close the run or go on with the returned money."""


class RunReleased(RunStep):
    """The run's final figures, for its budget."""

    invoice_id: str
    due_date: Day | None = None
    billed_workers: int
    lines: list[PremiumLine]
    already_billed: int
    barred: dict[str, int] = {}
    not_eligible: int
    missed_workers: int
    missed_jkk: Rupiah
    missed_jkm: Rupiah


class InvoiceOpened(RunStep):
    """An invoice with the sum of its run's premiums. `completed` is published when the invoice is open, so that a
    payment after it finds the invoice."""

    invoice_id: str
    due_date: Day | None = None
    workers: int
    lines: list[PremiumLine]
    completed: RunCompleted | None = None


class InvoiceOverdue(Data):
    """The due date of an invoice has passed."""

    invoice_id: str
    regency: Regency
    period: Period


WORK: dict[str, type[Data]] = {
    "run.requested": RunRequested,
    "run.start": RunStart,
    "run.funded": RunFunded,
    "run.more": RunMore,
    "run.step": RunPage,
    "run.step-reserved": StepReserved,
    "premium.skipped": PremiumSkipped,
    "run.settle": RunSettle,
    "run.closing": RunClosing,
    "run.counting": RunCounting,
    "run.released": RunReleased,
    "invoice.opened": InvoiceOpened,
    "invoice.overdue": InvoiceOverdue,
}
