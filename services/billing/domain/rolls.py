"""The workers of a regency in priority order, made small, so that a year is drawn many times from one reading.

Theory of operation
A what-if asks up to twelve months about 150,000 workers, with and without a change. Workers whom no asked month treats
differently are of one kind: the same district, prices, months already billed, last month, and reasons not to be billed.
There are a few hundred kinds. A roll keeps one worker of each kind, and for every worker the number of their kind, in
priority order. What a month does with a kind is decided by the code of a run (`runs.draw`), never here.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from services.billing.domain import eligibility, rules, runs
from services.billing.domain.state import Accounts, Enrolment, Page, Run
from shared.contracts.base import Funding
from shared.kernel.values import value
from shared.reference.rates import Rates

# More than every price together: a run with this money misses nobody.
LIMITLESS = Accounts(10**18, 10**18)
PAGE_WORKERS = 1_000

Prices = tuple[tuple[Accounts, ...], ...]
Reasons = tuple[str | None, ...]


@value(frozen=True, slots=True)
class Kind:
    """Workers who are alike: one of them, and the months in which they cannot be billed any more."""

    one: Enrolment
    taken: frozenset[str]


@value(frozen=True, slots=True)
class Treatment:
    """What a month does with each kind as far as money allows: the price of those it bills, the reason of those it may
    not bill, and those billed before. A kind that is in none of them is no candidate."""

    due: Mapping[int, Accounts]
    barred: Mapping[int, str]
    already: frozenset[int]

    def is_candidate(self, kind: int) -> bool:
        """Whether a run of the month looks at this kind."""
        return kind in self.due or kind in self.already or kind in self.barred

    def is_insurable(self, kind: int) -> bool:
        """Whether the month is billed, or was, if money suffices."""
        return kind in self.due or kind in self.already


class Roll:
    """The workers of one regency and the months that are asked. `tables` are all tables of rates that will be asked
    about."""

    def __init__(self, funding: Funding, months: Sequence[str], tables: Sequence[Rates]) -> None:
        self.funding = funding
        self.months = tuple(months)
        self.kinds: list[Kind] = []
        self.order = array("I")
        # The day of verification changes rarely along the order: where each begins.
        self._days: list[str] = []
        self._starts: list[int] = []
        self._tables = tables
        self._bounds = tuple(eligibility.month(one) for one in months)
        self._numbers: dict[tuple[str, str, int, int, frozenset[str]], int] = {}
        # Equal prices and equal reasons have one number: it is compared for every worker, the tuples would be slow.
        self._alike: dict[Prices | Reasons, int] = {}
        self._prices: dict[tuple[int, str], int] = {}
        self._reasons: dict[tuple[str, str, str], int] = {}

    def add(self, one: Enrolment, taken: frozenset[str]) -> None:
        """Adds the next worker in priority order; `taken` are the asked months that are billed already, by anyone."""
        until = min(one.until, self.months[-1])
        key = (one.district, until, self._prices_of(one), self._reasons_of(one), taken)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.kinds)
            self.kinds.append(Kind(replace(one, verdicts=()), taken))
        day = one.place[:10]
        if not self._days or self._days[-1] != day:
            self._days.append(day)
            self._starts.append(len(self.order))
        self.order.append(number)

    def verified_on(self, place: int) -> str:
        """The day on which the worker at this place was verified."""
        return self._days[bisect_right(self._starts, place) - 1]

    def counts(self, first: int = 0, last: int | None = None) -> Counter[int]:
        """The workers of each kind between two places."""
        return Counter(self.order[first:last])

    def treatment(self, period: str, rates: Rates) -> Treatment:
        """What a run of the month would do with each kind if money were no limit."""
        page = self._page(range(len(self.kinds)), period)
        made = runs.draw(self._run(period, LIMITLESS), page, rates)
        due = {int(one.worker_id): rules.drawn(made.prices[one.price]) for one in made.workers}
        barred = {int(one.worker_id): one.reason for one in made.left_out}
        return Treatment(due, barred, frozenset(int(name) for name in page.billed))

    def stop(self, period: str, rates: Rates, left: Accounts, length: int) -> tuple[int, Accounts] | None:
        """Where the money of a run ends among the first `length` workers: the place of the first one who is not
        reached, with their price. None when it reaches everybody."""
        run = self._run(period, left)
        kinds = iter(self.order[:length])
        while chunk := list(islice(kinds, PAGE_WORKERS)):
            run = runs.draw(run, self._page(chunk, period), rates).run
            if run.stop is not None:
                before = run.billed + run.stop.already + sum(run.stop.barred.values())
                return next(islice(self._candidates(period), before, None)), run.stop.price
        return None

    def _candidates(self, period: str) -> Iterator[int]:
        """The places of the candidates of a month."""
        within = [one.one.until >= period for one in self.kinds]
        return (place for place, kind in enumerate(self.order) if within[kind])

    def _page(self, kinds: Sequence[int], period: str) -> Page:
        """These workers as a page of a run; the number of a kind serves as their id."""
        known = self.kinds
        candidates = tuple((str(kind), known[kind].one) for kind in kinds if known[kind].one.until >= period)
        billed = frozenset(name for name, _ in candidates if period in known[int(name)].taken)
        return Page(candidates, billed, last=False)

    def _run(self, period: str, left: Accounts) -> Run:
        regency = self.kinds[0].one.regency if self.kinds else ""
        return Run(run_id="", invoice_id="", regency=regency, period=period, funding=self.funding, cutoff="", left=left)

    def _prices_of(self, one: Enrolment) -> int:
        key = (one.income_base, one.sector)
        found = self._prices.get(key)
        if found is None:
            prices = tuple(
                tuple(rules.price_of(table, self.funding, *key, period)[1] for period in self.months)
                for table in self._tables
            )
            found = self._prices[key] = self._number_of(prices)
        return found

    def _reasons_of(self, one: Enrolment) -> int:
        # Their age is of no importance when it is between the bounds in every month.
        first, last = self._bounds[0], self._bounds[-1]
        of_age = last.old_before <= one.birth_month < first.young_from
        key = ("", "", one.valid_until) if of_age else (one.birth_month, one.place[:7], one.valid_until)
        found = self._reasons.get(key)
        if found is None:
            reasons = tuple(eligibility.barred(one, month) for month in self._bounds)
            found = self._reasons[key] = self._number_of(reasons)
        return found

    def _number_of(self, alike: Prices | Reasons) -> int:
        return self._alike.setdefault(alike, len(self._alike))
