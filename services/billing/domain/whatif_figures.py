"""The figures of a what-if: the rest of a year, its months and its districts. Defines shapes and their sums.

What the figures count
* A worker keeps cover when every month that they may be billed for is billed, now or before, by any funder. They lose
  it when money is missing for one of these months. A month that is not billed is not covered, and the row of months
  breaks there. It is assumed that billed months are paid in time.
* `exposed` is the full death benefit of JKM by the rates of that month (lump sum, periodic, funeral; no scholarships)
  for every family without cover. Of a month: each family that is not covered in it. Of a year or district: each family
  once, at the rate of its first month without cover, because a benefit is paid once. It is what families would lose if
  each of these workers died, no forecast. Those with fewer paid months than the law asks for count in full too.
* `restore` is what each account lacks until everybody who may be billed is billed in every month to December.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from services.billing.domain.state import NOTHING, Accounts
from shared.kernel.values import value

# The district of workers who do not exist yet.
NEW_WORKERS = ""


@value(frozen=True, slots=True, kw_only=True)
class MonthFigures:
    """One month. `needed` is the price of everybody who may still be billed, `drawn` and `short` its parts that are
    billed and missed, `left` the money after it. `reached` is the number of workers before the first missed one in the
    whole order, and `missed_from` that worker's day of verification (both None when nobody is missed; no day for a new
    worker). `benefit` is one family's full death benefit."""

    period: str
    billed: int
    already: int
    missed: int
    barred: Mapping[str, int]
    needed: Accounts
    drawn: Accounts
    left: Accounts
    reached: int | None
    missed_from: str | None
    too_small: tuple[str, ...]
    benefit: int

    @property
    def workers(self) -> int:
        """Everybody who may be billed for the month, or was."""
        return self.billed + self.already + self.missed

    @property
    def short(self) -> Accounts:
        """What the missed workers would have cost."""
        return self.needed - self.drawn

    @property
    def exposed(self) -> int:
        """The death benefits of the families without cover in this month."""
        return self.missed * self.benefit


@value(frozen=True, slots=True, kw_only=True)
class DistrictFigures:
    """One district: workers with cover in every month or not, the missed workers of each month, and the benefits that
    their families lose."""

    keep: int = 0
    lose: int = 0
    missed: Mapping[str, int] = field(default_factory=dict)
    exposed: int = 0

    @property
    def months_lost(self) -> int:
        """Months without cover, summed over the workers."""
        return sum(self.missed.values())

    @property
    def lost_from(self) -> str | None:
        """The first month in which somebody has no cover."""
        return min(self.missed, default=None)


@value(frozen=True, slots=True, kw_only=True)
class Figures:
    """The rest of a year. `free` is the money at its start; `ends` names for each account the first month that it alone
    cannot pay in full for everybody (None: it lasts)."""

    ceilings: Accounts
    committed: Accounts
    reserved: Accounts
    months: tuple[MonthFigures, ...]
    districts: Mapping[str, DistrictFigures]
    ends: Mapping[str, str | None]

    @property
    def free(self) -> Accounts:
        return self.ceilings - self.committed - self.reserved

    @property
    def left(self) -> Accounts:
        """The money that remains after the last month."""
        return self.months[-1].left

    @property
    def restore(self) -> Accounts:
        """What each account lacks to bill everybody in every month."""
        needed = total_of(one.needed for one in self.months)
        return Accounts(max(0, needed.jkk - self.free.jkk), max(0, needed.jkm - self.free.jkm))

    @property
    def first_missed(self) -> MonthFigures | None:
        """The first month that misses anybody."""
        return next((one for one in self.months if one.missed), None)

    @property
    def keep(self) -> int:
        return sum(one.keep for one in self.districts.values())

    @property
    def lose(self) -> int:
        return sum(one.lose for one in self.districts.values())

    @property
    def months_lost(self) -> int:
        return sum(one.months_lost for one in self.districts.values())

    @property
    def exposed(self) -> int:
        return sum(one.exposed for one in self.districts.values())


def total_of(parts: Iterable[Accounts]) -> Accounts:
    """Both accounts, each summed."""
    total = NOTHING
    for one in parts:
        total = total + one
    return total
