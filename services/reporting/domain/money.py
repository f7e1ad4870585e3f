"""Premiums, runs, invoices, budgets and the warnings about them. Pure."""

from __future__ import annotations

from services.reporting.domain import history
from services.reporting.domain.rules import latest, once
from services.reporting.domain.state import Budget, Exhaustion, Invoice, Premium, Risk, Run
from shared.contracts.billing import (
    BudgetExhausted,
    BudgetSetAccepted,
    CoverageAtRisk,
    PremiumBilled,
    PremiumPaid,
    RunCompleted,
)
from shared.contracts.reasons import Reason
from shared.kernel.event import Event


@once
def billed(event: Event[PremiumBilled], at: str) -> Premium:
    """One worker's premium for one month."""
    data = event.data
    amounts = {"JKK": 0, "JKM": 0}
    for line in data.lines:
        amounts[line.programme] += line.amount
    return Premium(
        regency=data.regency,
        district=data.district,
        village=data.village,
        sector=data.sector,
        sex=data.sex,
        birth_month=data.birth_month,
        period=data.period,
        year=int(data.period[:4]),
        funding=data.funding,
        jkk=amounts["JKK"],
        jkm=amounts["JKM"],
        invoice_id=data.invoice_id,
        run_id=data.run_id,
        at=at,
    )


@once
def invoice_paid(event: Event[PremiumPaid], at: str) -> Invoice:
    data = event.data
    return Invoice(
        invoice_id=data.invoice_id,
        regency=data.regency,
        period=data.period,
        funding=data.funding,
        total=data.total,
        workers=data.workers,
        paid_on=data.paid_on,
        at=at,
    )


@once
def run_completed(event: Event[RunCompleted], at: str) -> Run:
    """A completed run."""
    data = event.data
    return Run(
        invoice_id=data.invoice_id,
        regency=data.regency,
        period=data.period,
        funding=data.funding,
        billed_workers=data.billed_workers,
        total=data.total,
        at=at,
        missed=data.not_billed.get(Reason.BUDGET_EXHAUSTED.value, 0),
    )


@latest
def budget_set(state: Budget | None, event: Event[BudgetSetAccepted], at: str) -> Budget:
    """The present ceilings."""
    data = event.data
    return Budget(
        regency=data.regency,
        year=data.year,
        funding=data.funding,
        jkk=data.jkk,
        jkm=data.jkm,
        decree_no=data.decree_no,
        target_workers=data.target_workers,
        targets=tuple(sorted(data.targets.items())),
        sequence=event.sequence or 0,
        at=at,
        past=history.of_budget(state, at),
    )


@latest
def exhausted(state: Exhaustion | None, event: Event[BudgetExhausted], at: str) -> Exhaustion:
    """A run stopped because an account was too small."""
    data = event.data
    return Exhaustion(
        regency=data.regency,
        period=data.period,
        funding=data.funding,
        account=data.account,
        left=data.left,
        shortfall=data.shortfall,
        workers=data.workers,
        sequence=event.sequence or 0,
        at=at,
    )


@latest
def at_risk(state: Risk | None, event: Event[CoverageAtRisk], at: str) -> Risk:
    data = event.data
    return Risk(
        regency=data.regency,
        period=data.period,
        workers=data.workers,
        reason=data.reason,
        sequence=event.sequence or 0,
        at=at,
        invoice_id=event.subject if data.reason == Reason.AWAITING_PREMIUM else None,
    )
