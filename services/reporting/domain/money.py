"""Premiums, runs, invoices, budgets and the warnings about them. Pure."""

from __future__ import annotations

from services.reporting.domain.rules import ALREADY_COUNTED, OLDER, older
from services.reporting.domain.state import Budget, Exhaustion, Invoice, Premium, Risk, Run
from shared.kernel.decision import Decision
from shared.kernel.event import Event


def billed(state: Premium | None, event: Event, at: str) -> Decision[Premium]:
    """One worker's premium for one month."""
    if state is not None:
        return Decision(state=None, ignored=ALREADY_COUNTED)
    data = event.data
    amounts = {"JKK": 0, "JKM": 0}
    for line in data.lines:
        amounts[line.programme] += line.amount
    return Decision(
        state=Premium(
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
    )


def invoice_paid(state: Invoice | None, event: Event, at: str) -> Decision[Invoice]:
    """A paid invoice."""
    if state is not None:
        return Decision(state=None, ignored=ALREADY_COUNTED)
    data = event.data
    return Decision(
        state=Invoice(
            invoice_id=data.invoice_id,
            regency=data.regency,
            period=data.period,
            funding=data.funding,
            total=data.total,
            workers=data.workers,
            paid_on=data.paid_on,
            at=at,
        )
    )


def run_completed(state: Run | None, event: Event, at: str) -> Decision[Run]:
    """A run known in full."""
    if state is not None:
        return Decision(state=None, ignored=ALREADY_COUNTED)
    data = event.data
    return Decision(
        state=Run(
            invoice_id=data.invoice_id,
            regency=data.regency,
            period=data.period,
            funding=data.funding,
            billed_workers=data.billed_workers,
            total=data.total,
            at=at,
        )
    )


def budget_set(state: Budget | None, event: Event, at: str) -> Decision[Budget]:
    """The ceilings as they stand."""
    if older(state, event):
        return Decision(state=None, ignored=OLDER)
    data = event.data
    return Decision(
        state=Budget(
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
        )
    )


def exhausted(state: Exhaustion | None, event: Event, at: str) -> Decision[Exhaustion]:
    """A run stopped at what an account carries."""
    if older(state, event):
        return Decision(state=None, ignored=OLDER)
    data = event.data
    return Decision(
        state=Exhaustion(
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
    )


def at_risk(state: Risk | None, event: Event, at: str) -> Decision[Risk]:
    """A warning on cover."""
    if older(state, event):
        return Decision(state=None, ignored=OLDER)
    data = event.data
    return Decision(
        state=Risk(
            regency=data.regency,
            period=data.period,
            workers=data.workers,
            reason=data.reason,
            sequence=event.sequence or 0,
            at=at,
        )
    )
