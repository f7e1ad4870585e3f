"""The rules of billing as named numbers and predicates, each with its source. Knows no event and no document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from services.billing.domain.state import Accounts
from shared.contracts.base import Funding, PremiumLine
from shared.kernel.calendar import months_between, period_of, shift_period
from shared.reference.rates import Rates

# contracts.md, Run: a coming month may be billed, 12 ahead at most (rules.md 1c: BPU may pay 3, 6 or 12 months ahead).
MONTHS_AHEAD_MAX = 12
# A due date lies in the period or within a year after it. Later ones are slips of the keyboard: no treasury plans so.
DUE_MONTHS_MAX = 12
# History may be entered: a payment may be a year older than the month it pays (3, 6 or 12 months ahead: rules.md 1c).
PAID_AHEAD_MONTHS_MAX = 12
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


def may_be_due(period: str, due_date: str) -> bool:
    """Whether an invoice of this period may fall due on this day: from its first day to a year after its month."""
    return period <= due_date[:7] <= shift_period(period, DUE_MONTHS_MAX)


def is_paid_too_early(period: str, paid_on: str) -> bool:
    """Whether a payment is more than a year older than the period that it pays."""
    return paid_on[:7] < shift_period(period, -PAID_AHEAD_MONTHS_MAX)


def speaks_for(source: str, regency: str) -> bool:
    """Whether this source may command for this regency: a treasury for its own, a province's for all of its regencies.
    Officers are not bound to one; who may speak on the topic at all is shared/contracts/admission.py."""
    kind, _, place = source.partition("/")
    return kind != "treasury" or not place or f"{regency}.".startswith(f"{place}.")


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
