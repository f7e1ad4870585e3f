"""Dated rates of BPJS Ketenagakerjaan: the amount of a premium or benefit, with its rule and its law.

Look-ups over `rates.csv` and `brackets.csv`; every amount names its rule (`key` in those tables). Knows no service, no
budget and no worker. Ratios are fractions, so that no amount is rounded through a float.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from importlib import resources
from itertools import product
from types import MappingProxyType
from typing import get_args

from shared.contracts.base import Funding, Programme
from shared.kernel.calendar import first_day, shift_period

# Joins the keys of a base rate and of the relief on it: `bpu.jkm.flat+pp50.transport`.
RULE_JOIN = "+"

_FUNDINGS: tuple[Funding, ...] = get_args(Funding)
_RATIO_KEY, _FLAT_KEY = "bpu.jkk.rate", "bpu.jkm.flat"


# Rows that no decision reads yet. A table that changes one of them is refused, because the change would silently do
# nothing.
WAITING = frozenset(
    {
        "bpu.jht.rate",
        *("jkk.home_care", "jkk.dentures", "jkk.hearing_aid", "jkk.glasses", "jkk.report_hours"),
        *(f"construction.slice{number}.top" for number in range(1, 5)),
        *(f"construction.slice{number}.{programme}" for number in range(1, 6) for programme in ("jkk", "jkm")),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One dated number of the law; `unit` is its unit, `confidence` says how well it is confirmed."""

    key: str
    programme: str
    funding: str
    sector: str
    value: Fraction
    unit: str
    effective_from: date
    effective_to: date | None
    law: str
    confidence: str

    def holds_on(self, day: date) -> bool:
        """Whether the rate is in force on a day; both ends are inclusive."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    @property
    def amount(self) -> int:
        """The value as whole rupiah, months, years or hours; raises ValueError for a ratio."""
        if self.value.denominator != 1:
            raise ValueError(f"{self.key} is a ratio, not an amount")
        return self.value.numerator


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """One row of PP 44/2015 Lampiran II: an income from `income_from` up to the next row has this base."""

    key: str
    income_from: int
    base: int
    jkk: int
    effective_from: date
    effective_to: date | None
    law: str
    confidence: str


@dataclass(frozen=True, slots=True)
class PremiumRate:
    """One programme's monthly premium in rupiah, with its rule, law and the days the rule is in force."""

    programme: Programme
    amount: int
    rule: str
    law: str
    effective_from: date
    effective_to: date | None


@dataclass(frozen=True, slots=True)
class Base:
    """The monthly income in rupiah from which benefits are computed, with its rule and law."""

    amount: int
    rule: str
    law: str


@dataclass(frozen=True, slots=True)
class Rates:
    """Every dated rate. Build it with `parse`, or take the shipped ones from `load`."""

    _rates: Mapping[str, tuple[Rate, ...]]
    _brackets: tuple[Bracket, ...]

    @property
    def keys(self) -> frozenset[str]:
        """Every rule that has an amount or a ratio."""
        return frozenset((*self._rates, *(one.key for one in self._brackets)))

    @property
    def numbers(self) -> frozenset[str]:
        """The keys of `rates.csv` alone; a new table may name brackets differently."""
        return frozenset(self._rates)

    def says(self, key: str) -> frozenset[tuple[Fraction, date, date | None]]:
        """The contents of a key's rows: value, first and last day."""
        return frozenset((one.value, one.effective_from, one.effective_to) for one in self._rates.get(key, ()))

    def rate(self, key: str, day: date) -> Rate | None:
        """The rate of a key in force on a day (the event's own date for a claim); None when there is none."""
        return next((rate for rate in self._rates.get(key, ()) if rate.holds_on(day)), None)

    def bracket(self, funding: Funding, income: int, day: date) -> Bracket | None:
        """The row of Lampiran II that applies: public money always buys the lowest one (docs/rules.md#premiums)."""
        in_force = [b for b in self._brackets if _in_force(b.effective_from, b.effective_to, day)]
        reached = in_force[:1] if is_public(funding) else [b for b in in_force if b.income_from <= income]
        return reached[-1] if reached else None

    def premium(self, funding: Funding, income: int, sector: str, period: str) -> tuple[PremiumRate, ...]:
        """One month's lines for one worker, JKK then JKM; empty for a month before the first law (July 2015)."""
        day = first_day(period)
        bracket = self.bracket(funding, income, day)
        flat = self.rate(_FLAT_KEY, day)
        if bracket is None or flat is None:
            return ()
        relief = self.relief(funding, sector, day)
        until = bracket.effective_to
        return (
            _line("JKK", bracket.jkk, bracket.key, bracket.law, (bracket.effective_from, until), relief),
            _line("JKM", flat.amount, flat.key, flat.law, (flat.effective_from, flat.effective_to), relief),
        )

    def relief(self, funding: Funding, sector: str, day: date) -> Rate | None:
        """The relief on a premium of that day, as a multiplier.

        PP 50/2025 halves the premium only for workers who pay it themselves (docs/rules.md#premiums).
        """
        covid = self.rate("covid", day)
        if covid is not None or funding != "self":
            return covid
        return self.rate("pp50.transport" if sector == "transport" else "pp50.non_transport", day)

    def benefit_base(self, funding: Funding, income: int, period: str) -> Base | None:
        """The base of benefits for a month's cover; relief lowers the premium, never this base (PP 50/2025)."""
        bracket = self.bracket(funding, income, first_day(period))
        return None if bracket is None else Base(bracket.base, bracket.key, bracket.law)

    def laws(self, rule: str, day: date) -> str:
        """The legal basis of a rule as it appears in a line, including joined rules; empty when unknown."""
        return "; ".join(dict.fromkeys(self._laws(rule, day)))

    def _laws(self, rule: str, day: date) -> Iterator[str]:
        for key in rule.split(RULE_JOIN):
            rate = self.rate(key, day)
            if rate is not None:
                yield rate.law
            yield from (b.law for b in self._brackets if b.key == key)


def number(rates: Rates, key: str, day: date) -> int:
    """A count from the law on a day (months, years, children).

    A table that was loaded before the key existed lacks it; then the shipped row applies. 0 before the first law, which
    had no such benefit.
    """
    found = rates.rate(key, day) or load().rate(key, day)
    return 0 if found is None else found.amount


# The parts of the full death benefit of JKM, with the names they have in a claim (docs/rules.md#claims).
FULL_DEATH_BENEFIT: tuple[tuple[str, str], ...] = (
    ("lump-sum", "jkm.lump"),
    ("periodic", "jkm.periodic"),
    ("funeral", "jkm.funeral"),
)


def full_death_benefit(rates: Rates, day: date) -> int:
    """The rupiah that JKM pays for a death on a day after enough paid months in a row, without scholarships."""
    found = (rates.rate(key, day) for _, key in FULL_DEATH_BENEFIT)
    return sum(one.amount for one in found if one is not None)


SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class Editions:
    """The loaded tables by name, the newest last; without any, the shipped table is in force."""

    loaded: tuple[tuple[str, Rates], ...] = ()

    @property
    def newest(self) -> str:
        """The name of the table in force now."""
        return self.loaded[-1][0] if self.loaded else SHIPPED

    def named(self, name: str) -> Rates:
        """A table that was in force once, or is now."""
        return dict(self.loaded).get(name) or load()


def is_public(funding: Funding) -> bool:
    """Whether the budget of the regency or the province pays."""
    return funding.startswith("apbd-")


def parse(rates: str, brackets: str) -> Rates:
    """Reads the text of `rates.csv` and `brackets.csv`; raises ValueError on a table that contradicts itself."""
    table: dict[str, list[Rate]] = {}
    for row in csv.DictReader(rates.splitlines()):
        rate = Rate(
            key=row["key"],
            programme=row["programme"],
            funding=row["funding"],
            sector=row["sector"],
            value=Fraction(row["value"]),
            unit=row["unit"],
            effective_from=date.fromisoformat(row["effective_from"]),
            effective_to=_day(row["effective_to"]),
            law=row["legal_basis"],
            confidence=row["confidence"],
        )
        for other in table.setdefault(rate.key, []):
            if other.holds_on(rate.effective_from) or rate.holds_on(other.effective_from):
                raise ValueError(f"two rates of {rate.key} hold on the same day")
        table[rate.key].append(rate)
    result = Rates(
        MappingProxyType({key: tuple(rows) for key, rows in table.items()}),
        tuple(_bracket(row) for row in csv.DictReader(brackets.splitlines())),
    )
    _check_brackets(result)
    return result


@cache
def load() -> Rates:
    """The rates that the product ships."""
    return parse(*texts())


def texts() -> tuple[str, str]:
    """`rates.csv` and `brackets.csv` as the product ships them."""
    folder = resources.files("shared.reference")
    rates, brackets = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("rates.csv", "brackets.csv"))
    return rates, brackets


def _bracket(row: Mapping[str, str]) -> Bracket:
    return Bracket(
        key=row["key"],
        income_from=int(row["income_from"]),
        base=int(row["base"]),
        jkk=int(row["jkk"]),
        effective_from=date.fromisoformat(row["effective_from"]),
        effective_to=_day(row["effective_to"]),
        law=row["legal_basis"],
        confidence=row["confidence"],
    )


def _check_brackets(rates: Rates) -> None:
    # The law's table prints the premium beside the base; a typing error there would bill thousands of workers wrongly.
    for bracket in rates._brackets:
        ratio = rates.rate(_RATIO_KEY, bracket.effective_from)
        if ratio is None or bracket.base * ratio.value != bracket.jkk:
            raise ValueError(f"{bracket.key}: the premium is not the ratio of the base")
    for day in _boundaries(rates):
        starts = [one.income_from for one in rates._brackets if _in_force(one.effective_from, one.effective_to, day)]
        if starts != sorted(set(starts)):
            raise ValueError(f"brackets must stand in rising order of income, one a row, on {day}")


def _boundaries(rates: Rates) -> list[date]:
    """The days on which something changes."""
    dated: list[Rate | Bracket] = [*rates._brackets, *(rate for rows in rates._rates.values() for rate in rows)]
    ends = (one.effective_to + timedelta(days=1) for one in dated if one.effective_to is not None)
    return sorted({*(one.effective_from for one in dated), *ends})


def check(rates: Rates) -> None:
    """Checks a table that somebody has edited. Raises ValueError when it would bill nothing, a negative amount or parts
    of a rupiah in any month since the first law."""
    unread = sorted(rates.numbers - load().numbers)
    if unread:
        raise ValueError(f"no decision reads {', '.join(unread)}; take these rows out")
    idle = sorted(key for key in WAITING if rates.says(key) != load().says(key))
    if idle:
        raise ValueError(f"{', '.join(idle)}: not used yet, so a change would do nothing; leave these rows as they are")
    for rows in rates._rates.values():
        for rate in rows:
            if rate.value < 0 or (rate.unit == "multiplier" and not 0 < rate.value <= 1):
                raise ValueError(f"{rate.key} is {rate.value} from {rate.effective_from} on")
    first = min(one.effective_from for one in load()._brackets)
    incomes = sorted({one.income_from for one in rates._brackets})
    asks = list(product(_FUNDINGS, ("transport", "other"), incomes))
    # A rule applies to a month from the first day of that month.
    for month in sorted({day.isoformat()[:7] for day in _boundaries(rates) if day >= first}):
        for later in (month, shift_period(month, 1)):
            for funding, sector, income in asks:
                lines = rates.premium(funding, income, sector, later)
                if [line.programme for line in lines] != ["JKK", "JKM"] or any(line.amount <= 0 for line in lines):
                    raise ValueError(f"no premium of {later} for {funding}, income {income}")


def _line(
    programme: Programme, full: int, rule: str, law: str, days: tuple[date, date | None], relief: Rate | None
) -> PremiumRate:
    if relief is None:
        return PremiumRate(programme, full, rule, law, *days)
    amount = full * relief.value
    if amount.denominator != 1:
        raise ValueError(f"{rule}{RULE_JOIN}{relief.key} is no whole rupiah")
    return PremiumRate(
        programme,
        amount.numerator,
        f"{rule}{RULE_JOIN}{relief.key}",
        f"{law}; {relief.law}",
        relief.effective_from,
        relief.effective_to,
    )


def _in_force(start: date, end: date | None, day: date) -> bool:
    return start <= day and (end is None or day <= end)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
