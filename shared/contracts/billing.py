"""Billing's published language."""

from __future__ import annotations

import operator

from pydantic import Field

from shared.contracts.base import Data, Day, Funding, Period, PremiumLine, Programme, Regency, Rupiah, Sector, Sex
from shared.kernel.event import Intake


class SetBudget(Intake):
    """`budget.set.v1`: the ceilings of a regency, year and funding; a later one replaces them."""


class RunBilling(Intake):
    """`billing.run.v1`: bill one period of a regency."""


class PayInvoice(Intake):
    """`invoice.pay.v1`: the treasury paid an invoice; the exact amount only."""


COMMANDS: dict[str, type[Intake]] = {
    "budget.set.v1": SetBudget,
    "billing.run.v1": RunBilling,
    "invoice.pay.v1": PayInvoice,
}


class PremiumBilled(Data):
    """One worker's premium for one period is billed. `number` rises in the order in which the run reached its workers,
    with gaps; 0 from releases that did not give it."""

    worker_id: str
    regency: Regency
    district: str
    village: str
    sector: Sector
    sex: Sex
    birth_month: Period
    income_base: Rupiah
    period: Period
    funding: Funding
    lines: list[PremiumLine]
    total: Rupiah
    run_id: str
    invoice_id: str
    number: int = Field(default=0, exclude_if=operator.not_)


class RunCompleted(Data):
    """The final result of a run. `invoice_id` is null when no worker was billed."""

    run_id: str
    invoice_id: str | None
    regency: Regency
    period: Period
    funding: Funding
    billed_workers: int
    total: Rupiah
    lines: list[PremiumLine]
    not_billed: dict[str, int]
    budget_left: dict[str, int]


class PremiumPaid(Data):
    """Every premium of the invoice is paid."""

    invoice_id: str
    regency: Regency
    period: Period
    funding: Funding
    total: Rupiah
    workers: int
    reference: str
    paid_on: Day


class BudgetSetAccepted(Data):
    """The ceilings as they now stand."""

    regency: Regency
    year: int
    funding: Funding
    jkk: Rupiah
    jkm: Rupiah
    committed_jkk: Rupiah
    committed_jkm: Rupiah
    decree_no: str
    target_workers: int
    targets: dict[str, int] = {}


class BudgetExhausted(Data):
    """A run stopped because the rest of the budget is not enough."""

    regency: Regency
    period: Period
    funding: Funding
    account: Programme
    left: Rupiah
    shortfall: Rupiah
    workers: int


class CoverageAtRisk(Data):
    """A late payment or an empty budget will cost families their full death benefit: JKM pays it only after three paid
    months in a row.
    """

    regency: Regency
    period: Period
    workers: int
    reason: str


class CommandRefused(Data):
    """A command could not be taken: `<command>.refused.v1`, with the command's own ids."""

    regency: str | None = None
    year: int | None = None
    period: str | None = None
    funding: str | None = None
    invoice_id: str | None = None
    reference: str | None = None
    reasons: list[str]


OUTCOMES: dict[str, type[Data]] = {
    "premium.billed.v1": PremiumBilled,
    "billing.run-completed.v1": RunCompleted,
    "premium.paid.v1": PremiumPaid,
    "budget.set-accepted.v1": BudgetSetAccepted,
    "budget.exhausted.v1": BudgetExhausted,
    "coverage.at-risk.v1": CoverageAtRisk,
    "budget.set.refused.v1": CommandRefused,
    "billing.run.refused.v1": CommandRefused,
    "invoice.pay.refused.v1": CommandRefused,
}
