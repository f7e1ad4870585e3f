"""The internal steps of billing, on `billing-work`. No other service reads them.

Each step is keyed for the document that takes it: `regency|period` for runs and premiums, `regency|year|funding` for
budgets, the invoice's id for invoices. So one partition holds everything that a document takes, commands included, and
a store that reads the log again decides in the same order.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from shared.contracts.base import Data, Day, Funding, Period, PremiumLine, Regency, Rupiah, Sector, Sex
from shared.contracts.billing import RunCompleted

# The most workers of one page of a run.
PAGE_MAX = 1_000


class ReservedWorker(NamedTuple):
    """A worker whose money is reserved; `price` is the index into the step's `prices`. A list in the record, not an
    object, because one record carries a thousand of them."""

    worker_id: str
    district: str
    village: str
    sector: Sector
    sex: Sex
    birth_month: str
    income_base: int
    price: int


class BudgetOrdered(Data):
    """A well-formed `budget.set.v1`, passed on to its budget."""

    regency: Regency
    year: int
    funding: Funding
    jkk: Rupiah
    jkm: Rupiah
    decree_no: str
    target_workers: int
    targets: dict[str, int]


class RunOrdered(Data):
    """A well-formed `billing.run.v1`, passed on to its budget."""

    regency: Regency
    period: Period
    funding: Funding
    cutoff: Day
    due_date: Day | None = None


class PaymentOrdered(Data):
    """A well-formed `invoice.pay.v1`, passed on to its invoice. `sender` is the source of the command."""

    invoice_id: str
    amount: Rupiah
    paid_on: Day
    reference: str
    sender: str


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
    """The run would miss workers: it asks its budget for what they cost, before it reports them."""

    jkk: Rupiah
    jkm: Rupiah


class RunPage(RunStep):
    """Take the next candidates after `cursor` (a place in the priority order; empty at the start)."""

    cursor: str
    number: int


class StepReserved(Data):
    """Money is reserved for these workers; their premiums are inserted from this record alone. Older releases publish
    it; this one publishes `run.drawn`.
    """

    run_id: str
    invoice_id: str
    regency: Regency
    period: Period
    funding: Funding
    prices: list[list[PremiumLine]]
    workers: list[ReservedWorker] = Field(max_length=PAGE_MAX)


class DrawnStop(Data):
    """Where the money ended: see `state.Stop`."""

    cursor: str
    jkk: Rupiah
    jkm: Rupiah
    already: int
    barred: dict[str, int]


class RunDrawn(StepReserved):
    """One page of a run: the workers whose money is reserved, and the figures of the run after it. The run takes its
    figures from here, so that run and premiums agree however often the page is drawn."""

    cutoff: Day
    number: int
    last: bool
    edition: str
    cursor: str
    jkk: Rupiah
    jkm: Rupiah
    billed: int
    lines: list[PremiumLine]
    already: int
    barred: dict[str, int]
    missed: int
    missed_jkk: Rupiah
    missed_jkm: Rupiah
    stop: DrawnStop | None


class PremiumSkipped(Data):
    """Another run billed this worker first; the reserved money goes back to the run that came second."""

    run_id: str
    worker_id: str
    regency: Regency
    period: Period
    lines: list[PremiumLine]


class RunSettle(RunStep):
    """No candidate is left. The run sends itself one more step, so that every skipped premium is taken before the run
    closes."""


class RunClosing(RunStep):
    """Every skipped premium of the run comes before this step in the partition."""


class RunCounting(RunStep):
    """Every skipped premium is saved: count them."""


class RunCounted(RunStep):
    """The premiums that others billed first, and the workers ever verified: close the run, or go on with the returned
    money."""

    skipped: int
    lines: list[PremiumLine]
    enrolled: int


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
    "budget.ordered": BudgetOrdered,
    "run.ordered": RunOrdered,
    "payment.ordered": PaymentOrdered,
    "run.requested": RunRequested,
    "run.start": RunStart,
    "run.funded": RunFunded,
    "run.more": RunMore,
    "run.step": RunPage,
    "run.drawn": RunDrawn,
    "run.step-reserved": StepReserved,
    "premium.skipped": PremiumSkipped,
    "run.settle": RunSettle,
    "run.closing": RunClosing,
    "run.counting": RunCounting,
    "run.counted": RunCounted,
    "run.released": RunReleased,
    "invoice.opened": InvoiceOpened,
    "invoice.overdue": InvoiceOverdue,
}
# The result of a page or of a count is published once, because a restored store may find another result.
FIRST_ONLY = frozenset({"run.drawn", "run.counted"})
