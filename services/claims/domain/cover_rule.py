"""Whether a day is covered and how many months qualify (docs/contracts.md#when-a-day-is-covered).

Two clocks: the day, and what is known.

A month's row is the unbroken run of billed months that ends with that month. A day is covered when three conditions
hold: its month is paid; the first payment of the row is of that day or earlier; on that day fewer months of the row
were unpaid than the number that ends a cover. Arrears that are paid later count. A first payment after the day never
covers it.
"""

from __future__ import annotations

from datetime import date

from services.claims.domain.state import Cover, CoverHistory
from shared.kernel.calendar import months_later, shift_period
from shared.kernel.values import value
from shared.reference.rates import Rates, number


@value(frozen=True, slots=True)
class Months:
    """The paid months of a worker up to an event: all of them, and those in the row of the event's month.

    `unpaid` are the billed months of the row that are not paid yet.
    """

    paid: int
    in_row: int
    unpaid: int


def is_paid(standing: CoverHistory, cover: Cover) -> bool:
    """Whether the treasury paid this month's premium, on any day."""
    return cover.invoice_id in standing.paid_on


def months_of(rates: Rates, standing: CoverHistory, event_date: str, submitted_on: str) -> Months:
    """Counts the months of a worker up to an event.

    A claim waits a limited time for arrears and is then decided by the paid months; a payment after that changes
    nothing.
    """
    period = event_date[:7]
    last_day = waits_until(rates, event_date, submitted_on)
    billed = {month: cover for month, cover in standing.covers.items() if month <= period}
    paid = {month for month, cover in billed.items() if standing.paid_on.get(cover.invoice_id, "9999") <= last_day}
    row = _row(standing, period)
    return Months(
        paid=len(paid),
        in_row=sum(month in paid for month in row),
        unpaid=sum(not is_paid(standing, billed[month]) for month in row),
    )


def covers_day(rates: Rates, standing: CoverHistory, event_date: str) -> bool:
    """Whether this day is covered, given that its month is billed and paid."""
    paid_on = [standing.paid_on.get(standing.covers[month].invoice_id) for month in _row(standing, event_date[:7])]
    began = any(day is not None and day <= event_date for day in paid_on)
    unpaid = sum(day is None or day > event_date for day in paid_on)
    return began and unpaid < number(rates, "arrears.nonaktif_months", date.fromisoformat(event_date))


def waits_until(rates: Rates, event_date: str, submitted_on: str) -> str:
    """The last day on which a claim waits for unpaid months before its event (YYYY-MM-DD)."""
    wait = number(rates, "claim.arrears_wait_months", date.fromisoformat(event_date))
    return months_later(date.fromisoformat(submitted_on), wait).isoformat()


def _row(standing: CoverHistory, period: str) -> list[str]:
    """The billed months without a gap that end with this one, the latest first."""
    row = []
    while period in standing.covers:
        row.append(period)
        period = shift_period(period, -1)
    return row
