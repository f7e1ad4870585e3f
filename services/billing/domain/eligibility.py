"""Whether a verified worker may be billed for a month: of age on its first day, and inside the verdict's validity.

Billing knows the month of birth, not the day. On the first day of the month of the 18th birthday a worker is still 17,
so that month is not billed. On the first day of the month of the 65th birthday a worker is still 64, so that month is
billed. The ages are those of the shipped policy. A regency may accept workers at 17 with their identity card
(docs/rules.md#who-may-be-insured), and only verification knows whether it does. Therefore a worker who was verified at
17 is billed from 17 on. No worker is billed from 65 on.
"""

from __future__ import annotations

from services.billing.domain.state import Enrolment
from shared.contracts.reasons import Reason
from shared.kernel.calendar import first_day, months_between, shift_period
from shared.kernel.values import value
from shared.reference import policies

MONTHS_A_YEAR = 12
# 17 with an identity card is local practice; a lower age is nowhere accepted (docs/rules.md#who-may-be-insured).
LEAST_ANYWHERE = 17


@value(frozen=True, slots=True)
class Month:
    """A period with its first day.

    A worker born in `young_from` or later may be too young in it; a worker born before `old_before` is too old. These
    two comparisons avoid the computation of the age for nearly all workers.
    """

    period: str
    first_day: str
    young_from: str
    old_before: str


def month(period: str) -> Month:
    """The bounds of a period."""
    ages = policies.ages()
    return Month(
        period,
        first_day(period).isoformat(),
        shift_period(period, -ages.least * MONTHS_A_YEAR),
        shift_period(period, -ages.most_exclusive * MONTHS_A_YEAR),
    )


def barred(one: Enrolment, of: Month) -> Reason | None:
    """Why a verified worker is not billed for a month; None when they may be."""
    if one.birth_month >= of.young_from and _is_too_young(one, of.period):
        return Reason.TOO_YOUNG
    if one.birth_month < of.old_before:
        return Reason.TOO_OLD
    # `valid_until` is the day by which the identity must be verified again.
    if one.valid_until and one.valid_until <= of.first_day:
        return Reason.VERIFICATION_EXPIRED
    return None


def _is_too_young(one: Enrolment, period: str) -> bool:
    verified_at = months_between(one.birth_month, one.place[:7]) // MONTHS_A_YEAR
    least = min(policies.ages().least, max(verified_at, LEAST_ANYWHERE))
    return months_between(one.birth_month, period) <= least * MONTHS_A_YEAR
