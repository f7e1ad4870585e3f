"""What a budget, a number of workers or a table of rates would do to the rest of a year. Pure; changes nothing.

Theory of operation
The months are drawn one after the other from the money that is neither billed nor set aside, as if each were billed by
one run: everybody in priority order until one account is too small. Who falls off is decided by the code of a run
(`rolls`, `runs.draw`). If the money of a month carries all, no order matters and counting suffices.

What the figures count stands in `whatif_figures`.

New workers stand behind everybody, because they are verified last. They cost what a worker of the regency costs on
average in that month, rounded up in each account, and have no district.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise

from services.billing.domain import rules
from services.billing.domain.rolls import Roll, Treatment
from services.billing.domain.state import NOTHING, Accounts, Budget
from services.billing.domain.whatif_figures import NEW_WORKERS, DistrictFigures, Figures, MonthFigures, total_of
from shared.kernel.calendar import first_day
from shared.kernel.values import value
from shared.reference.rates import Rates, full_death_benefit


@value(frozen=True, slots=True)
class Headcount:
    """How many workers there would be: so many more (or fewer, below zero), or with `total` exactly so many.

    Workers are those whom the first asked month bills, or who are billed for it already.
    """

    number: int
    total: bool


@value(frozen=True, slots=True, kw_only=True)
class Change:
    """What is different from now: the ceilings, the table of rates, the number of workers (None: as now)."""

    ceilings: Accounts
    rates: Rates
    headcount: Headcount | None = None


def is_below_committed(head: Budget, ceilings: Accounts) -> bool:
    """Whether more is billed or set aside already than these ceilings would allow, as for a revision."""
    return not ceilings.carries(head.committed + head.reserved)


def present(roll: Roll, rates: Rates) -> int:
    """The workers now: those whom the first asked month bills if money suffices, or who are billed for it already."""
    treatment = roll.treatment(roll.months[0], rates)
    return sum(count for kind, count in roll.counts().items() if treatment.is_insurable(kind))


def figures(roll: Roll, head: Budget, change: Change) -> Figures:
    """The rest of the year under a change. The ceilings must carry what is committed and reserved; a headcount must not
    be below zero (`sized` says so)."""
    rates = change.rates
    treatments = {period: roll.treatment(period, rates) for period in roll.months}
    length, more = sized(roll, treatments[roll.months[0]], change.headcount)
    counts = roll.counts(0, length)
    left = change.ceilings - head.committed - head.reserved
    months: list[MonthFigures] = []
    stops: list[int] = []
    for period, treatment in treatments.items():
        month, stop = _month(_Asked(roll, period, rates, treatment, counts, length, more), left)
        left = month.left
        months.append(month)
        stops.append(stop)
    return Figures(
        ceilings=change.ceilings,
        committed=head.committed,
        reserved=head.reserved,
        months=tuple(months),
        districts=_districts(roll, treatments, months, stops, length, more),
        ends=_ends(months, change.ceilings - head.committed - head.reserved),
    )


def sized(roll: Roll, first: Treatment, headcount: Headcount | None) -> tuple[int, int]:
    """How many of the roll stay, from its start, and how many new workers follow. Raises ValueError when fewer than
    none would remain."""
    if headcount is None:
        return len(roll.order), 0
    insurable = [first.is_insurable(kind) for kind in range(len(roll.kinds))]
    now = sum(insurable[kind] for kind in roll.order)
    wanted = headcount.number if headcount.total else now + headcount.number
    if wanted < 0:
        raise ValueError(f"{-headcount.number} of {now} workers cannot leave")
    if wanted >= now:
        return len(roll.order), wanted - now
    return _place_after(roll, insurable, wanted), 0


def _place_after(roll: Roll, insurable: list[bool], wanted: int) -> int:
    """The number of places that hold the first `wanted` insurable workers."""
    for place, kind in enumerate(roll.order):
        if insurable[kind]:
            if wanted == 0:
                return place
            wanted -= 1
    return len(roll.order)


@value(frozen=True, slots=True)
class _Asked:
    """One month with everything that does not depend on the money."""

    roll: Roll
    period: str
    rates: Rates
    treatment: Treatment
    counts: Mapping[int, int]
    length: int
    more: int


def _month(asked: _Asked, left: Accounts) -> tuple[MonthFigures, int]:
    """The month's figures, and the place from which nobody is billed."""
    treatment, counts = asked.treatment, asked.counts
    price = _average(asked)
    needed = _cost(treatment, counts) + _times(price, asked.more)
    stop, missed_price, drawn, new = asked.length + asked.more, NOTHING, needed, asked.more
    due = sum(count for kind, count in counts.items() if kind in treatment.due)
    billed = due + asked.more
    found = None if left.carries(needed) else asked.roll.stop(asked.period, asked.rates, left, asked.length)
    if found is not None:
        stop, missed_price = found
        reached = asked.roll.counts(0, stop)
        drawn = _cost(treatment, reached)
        billed = sum(count for kind, count in reached.items() if kind in treatment.due)
    elif not left.carries(needed):
        new = rules.affords(left - _cost(treatment, counts), price, asked.more)
        stop, missed_price = asked.length + new, price
        drawn = _cost(treatment, counts) + _times(price, new)
        billed = due + new
    missed = due + asked.more - billed
    after = left - drawn
    month = MonthFigures(
        period=asked.period,
        billed=billed,
        already=sum(count for kind, count in counts.items() if kind in treatment.already),
        missed=missed,
        barred=_barred(treatment, counts),
        needed=needed,
        drawn=drawn,
        left=after,
        reached=stop if missed else None,
        missed_from=asked.roll.verified_on(stop) if missed and stop < asked.length else None,
        too_small=_too_small(after, missed_price) if missed else (),
        benefit=full_death_benefit(asked.rates, first_day(asked.period)),
    )
    return month, stop


def _cost(treatment: Treatment, counts: Mapping[int, int]) -> Accounts:
    return total_of(_times(treatment.due[kind], count) for kind, count in counts.items() if kind in treatment.due)


def _average(asked: _Asked) -> Accounts:
    """What one more worker costs: the average of the regency's own, else the lowest premium."""
    count = sum(count for kind, count in asked.counts.items() if kind in asked.treatment.due)
    if count == 0:
        _, lowest = rules.price_of(asked.rates, asked.roll.funding, 0, "other", asked.period)
        return lowest
    cost = _cost(asked.treatment, asked.counts)
    return Accounts(-(-cost.jkk // count), -(-cost.jkm // count))


def _barred(treatment: Treatment, counts: Mapping[int, int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for kind, reason in treatment.barred.items():
        found[str(reason)] += counts.get(kind, 0)
    return {reason: count for reason, count in sorted(found.items()) if count}


def _too_small(left: Accounts, price: Accounts) -> tuple[str, ...]:
    """The accounts that do not carry the price of the first missed worker."""
    return tuple(name for name, has, asks in (("JKK", left.jkk, price.jkk), ("JKM", left.jkm, price.jkm)) if asks > has)


def _ends(months: list[MonthFigures], free: Accounts) -> dict[str, str | None]:
    ends: dict[str, str | None] = {"jkk": None, "jkm": None}
    needed = NOTHING
    for month in months:
        needed = needed + month.needed
        for name, asks, has in (("jkk", needed.jkk, free.jkk), ("jkm", needed.jkm, free.jkm)):
            if ends[name] is None and asks > has:
                ends[name] = month.period
    return ends


@value(frozen=True, slots=True)
class _Segment:
    """Workers between two neighbouring stops: the same months miss all of them. `more` are new workers among them."""

    counts: Mapping[int, int]
    more: int
    missing: tuple[MonthFigures, ...]


def _segments(roll: Roll, months: list[MonthFigures], stops: list[int], length: int, more: int) -> Iterator[_Segment]:
    edges = sorted({0, length, length + more, *stops})
    for first, last in pairwise(edges):
        missing = tuple(month for month, stop in zip(months, stops, strict=True) if stop <= first)
        yield _Segment(
            roll.counts(first, last) if first < length else Counter(), last - first if first >= length else 0, missing
        )


def _districts(
    roll: Roll,
    treatments: Mapping[str, Treatment],
    months: list[MonthFigures],
    stops: list[int],
    length: int,
    more: int,
) -> dict[str, DistrictFigures]:
    tallies: dict[str, _Tally] = {}
    for segment in _segments(roll, months, stops, length, more):
        for kind, count in segment.counts.items():
            lost = tuple(month for month in segment.missing if kind in treatments[month.period].due)
            if lost or any(one.is_insurable(kind) for one in treatments.values()):
                tallies.setdefault(roll.kinds[kind].one.district, _Tally()).add(count, lost)
        if segment.more:
            tallies.setdefault(NEW_WORKERS, _Tally()).add(segment.more, segment.missing)
    return {district: tally.figures() for district, tally in sorted(tallies.items(), key=_new_last)}


def _new_last(one: tuple[str, _Tally]) -> tuple[bool, str]:
    return one[0] == NEW_WORKERS, one[0]


class _Tally:
    """Sums up one district."""

    def __init__(self) -> None:
        self._keep = self._lose = self._exposed = 0
        self._missed: Counter[str] = Counter()

    def add(self, count: int, lost: tuple[MonthFigures, ...]) -> None:
        """Adds workers whom these months, in order, miss."""
        if not lost:
            self._keep += count
            return
        self._lose += count
        self._exposed += count * lost[0].benefit
        for month in lost:
            self._missed[month.period] += count

    def figures(self) -> DistrictFigures:
        return DistrictFigures(
            keep=self._keep, lose=self._lose, missed=dict(sorted(self._missed.items())), exposed=self._exposed
        )


def _times(price: Accounts, count: int) -> Accounts:
    return Accounts(price.jkk * count, price.jkm * count)
