"""The rules of billing as named numbers and predicates, each with its source. Knows no event and no document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from services.billing.domain.state import Accounts
from shared.contracts import tokens
from shared.contracts.base import Funding, PremiumLine
from shared.kernel.calendar import months_between, period_of, shift_period
from shared.reference.rates import Rates

# A future month may be billed, at most 12 ahead: BPU may pay 3, 6 or 12 months ahead (docs/rules.md#premiums).
MONTHS_AHEAD_MAX = 12
# A due date lies in the period or within a year after it. A later one is a typing error: no treasury plans like that.
DUE_MONTHS_MAX = 12
# Past payments may be entered: up to a year before the month they pay (docs/rules.md#premiums).
PAID_AHEAD_MONTHS_MAX = 12
# The last period of a worker who has not ended; it sorts after every real one.
NO_END = "9999-12"
# Sorts after every worker_id (base32), so every place up to `<cutoff>|~` was verified on or before the cutoff.
_AFTER_ALL = "~"

# The commands as they come from outside.
SET_BUDGET, RUN_BILLING, PAY_INVOICE = "budget.set.v1", "billing.run.v1", "invoice.pay.v1"

Price = tuple[tuple[PremiumLine, ...], Accounts]


def run_id(regency: str, period: str, funding: str, number: int) -> str:
    """The permanent id of a run: it follows from regency, period, funding and the number of the run."""
    return f"RUN-{regency.replace('.', '')}-{period}-{funding}-{number}"


def invoice_id(regency: str, period: str, funding: str, number: int) -> str:
    """The id of that run's invoice."""
    return f"INV-{regency.replace('.', '')}-{period}-{funding}-{number}"


def budget_key(regency: str, period: str, funding: str) -> str:
    """The key of the budget from which a run of this period draws: that of its year."""
    return year_key(regency, int(period[:4]), funding)


def year_key(regency: str, year: int, funding: str) -> str:
    """The key of a budget, also of the records with the steps that it takes."""
    return f"{regency}|{year}|{funding}"


def invoice_work_key(invoice_id: str) -> str:
    """The record key of the steps that an invoice takes. A payment may name anything as its invoice, and more people
    see keys than records."""
    return tokens.number_or_nothing(invoice_id) or "unknown"


def premium_key(worker_id: str, period: str) -> str:
    """The key of one worker and one month, whoever pays (docs/rules.md#premiums)."""
    return f"{worker_id}|{period}"


def work_key(regency: str, period: str) -> str:
    """The record key of the steps that a run and its premiums take."""
    return f"{regency}|{period}"


def place_of(verified_on: str, worker_id: str) -> str:
    """A worker's place in the default priority order: by the day of verification, then by worker_id."""
    return f"{verified_on}|{worker_id}"


def last_place(cutoff: str) -> str:
    """The greatest place of a worker verified on or before the cutoff."""
    return f"{cutoff}|{_AFTER_ALL}"


def last_period(ended_on: str) -> str:
    """The last billed period of a worker whose eligibility ends on a day: that day's month (a death ends billing from
    the next month).
    """
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
    """Whether this source may send commands for this regency: a treasury for its own, a province's treasury for all of
    its regencies.

    Officers are not bound to one regency. shared/contracts/admission.py says who may send to the topic at all.
    """
    kind, _, place = source.partition("/")
    return kind != "treasury" or not place or f"{regency}.".startswith(f"{place}.")


def has_premium(rates: Rates, funding: Funding, period: str) -> bool:
    """Whether the law has a premium for this month (not before July 2015)."""
    # Year 0000 has the form of a period but is no year of the calendar.
    return period >= "0001" and bool(rates.premium(funding, 0, "other", period))


def price_of(rates: Rates, funding: Funding, income: int, sector: str, period: str) -> Price:
    """One worker's premium lines for one month, and what they draw from each account."""
    lines = tuple(
        PremiumLine(programme=line.programme, amount=line.amount, rule=line.rule)
        for line in rates.premium(funding, income, sector, period)
    )
    return lines, drawn(lines)


def affords(left: Accounts, price: Accounts, count: int) -> int:
    """How many of `count` premiums of one price both accounts carry, one after the other."""
    for account, each in ((left.jkk, price.jkk), (left.jkm, price.jkm)):
        if each > 0:
            count = min(count, account // each)
    return max(0, count)


def drawn(lines: Iterable[PremiumLine]) -> Accounts:
    """The sum that the lines draw from each account."""
    jkk = jkm = 0
    for line in lines:
        if line.programme == "JKK":
            jkk += line.amount
        else:
            jkm += line.amount
    return Accounts(jkk, jkm)


def add_lines(lines: Sequence[PremiumLine], more: Iterable[PremiumLine], times: int = 1) -> tuple[PremiumLine, ...]:
    """Sums lines by programme and rule; zero sums are left out."""
    sums = {(line.programme, line.rule): line.amount for line in lines}
    for line in more:
        key = (line.programme, line.rule)
        sums[key] = sums.get(key, 0) + line.amount * times
    return tuple(
        PremiumLine(programme=programme, amount=amount, rule=rule)
        for (programme, rule), amount in sorted(sums.items())
        if amount
    )
