"""The rules of billing as named numbers and predicates, each with its source. Knows no event and no document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from services.billing.domain.state import Accounts
from shared.contracts.base import Funding, PremiumLine
from shared.kernel.calendar import months_between, period_of
from shared.reference.rates import Rates

# contracts.md, Run: a coming month may be billed, 12 ahead at most (rules.md 1c: BPU may pay 3, 6 or 12 months ahead).
MONTHS_AHEAD_MAX = 12
# The last period of who has not ended; sorts after every real one.
NO_END = "9999-12"
# Sorts after every worker_id (base32), so that a place up to `<cutoff>|~` was verified on or before the cutoff.
_AFTER_ALL = "~"

Price = tuple[tuple[PremiumLine, ...], Accounts]


def run_id(regency: str, period: str, funding: str, number: int) -> str:
    """Names a run for ever (design.md 4: from regency, period, funding and run number)."""
    return f"RUN-{regency.replace('.', '')}-{period}-{funding}-{number}"


def invoice_id(regency: str, period: str, funding: str, number: int) -> str:
    """Names the invoice of that run."""
    return f"INV-{regency.replace('.', '')}-{period}-{funding}-{number}"


def budget_key(regency: str, period: str, funding: str) -> str:
    """The budget that a period's run draws from: that of its year."""
    return f"{regency}|{int(period[:4])}|{funding}"


def premium_key(worker_id: str, period: str) -> str:
    """One worker and one month, whoever pays: rules.md T10."""
    return f"{worker_id}|{period}"


def work_key(regency: str, period: str) -> str:
    """The record key of all steps of a run."""
    return f"{regency}|{period}"


def place_of(verified_on: date, worker_id: str) -> str:
    """A worker's place in the default priority order: who was verified first, then by worker_id."""
    return f"{verified_on.isoformat()}|{worker_id}"


def last_place(cutoff: str) -> str:
    """No place of who was verified on or before the cutoff sorts after this."""
    return f"{cutoff}|{_AFTER_ALL}"


def last_period(ended_on: str) -> str:
    """The last period billed to who ends on a day: the month of that day (a death ends billing from the next)."""
    return ended_on[:7]


def is_too_far_ahead(period: str, today: date) -> bool:
    """Whether a period lies more than 12 months after the current one."""
    return months_between(period_of(today), period) > MONTHS_AHEAD_MAX


def has_premium(rates: Rates, funding: Funding, period: str) -> bool:
    """Whether the law knew a premium for this month (not before July 2015)."""
    # Year 0000 is a form of a period but no year of the calendar.
    return period >= "0001" and bool(rates.premium(funding, 0, "other", period))


def price_of(rates: Rates, funding: Funding, income: int, sector: str, period: str) -> Price:
    """One worker's lines for one month with what they draw from each account."""
    lines = tuple(
        PremiumLine(programme=line.programme, amount=line.amount, rule=line.rule)
        for line in rates.premium(funding, income, sector, period)
    )
    return lines, drawn(lines)


def drawn(lines: Iterable[PremiumLine]) -> Accounts:
    """What lines draw from each account."""
    jkk = jkm = 0
    for line in lines:
        if line.programme == "JKK":
            jkk += line.amount
        else:
            jkm += line.amount
    return Accounts(jkk, jkm)


def add_lines(lines: Sequence[PremiumLine], more: Iterable[PremiumLine], times: int = 1) -> tuple[PremiumLine, ...]:
    """Sums lines by programme and rule; what adds up to nothing is left out."""
    sums = {(line.programme, line.rule): line.amount for line in lines}
    for line in more:
        key = (line.programme, line.rule)
        sums[key] = sums.get(key, 0) + line.amount * times
    return tuple(
        PremiumLine(programme=programme, amount=amount, rule=rule)
        for (programme, rule), amount in sorted(sums.items())
        if amount
    )
