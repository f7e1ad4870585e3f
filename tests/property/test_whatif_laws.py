"""The laws of a what-if: without a change it says what runs will do, and it agrees with a count worker by worker."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.domain import eligibility, rules, whatif, whatif_inputs
from services.billing.domain.rolls import Roll
from services.billing.domain.state import NOTHING, Accounts, Budget, Enrolment
from services.billing.domain.whatif import Change, Headcount
from services.billing.domain.whatif_figures import Figures
from services.billing.plans import whatif as plans
from shared.contracts.base import Funding
from shared.reference import rates
from shared.runtime.ports import Reader
from tests.property.billing_world import START, World, run_now
from tests.property.test_billing_laws import _ended, budget, verified

MONTHS = ("2026-10", "2026-11", "2026-12")
RATES = rates.load()
# Of an age that changes nothing, 65 in October, 17 and 18 in November (by the day of verification in this world).
BORN = ("1985-07", "1961-10", "2008-11", "2009-11")
EXPIRES = ("2029-01-01", "2026-11-01", "2026-11-02")
DISTRICTS = ("64.08.04", "64.08.05")

persons = st.lists(
    st.tuples(
        st.sampled_from([1_000_000, 2_000_000, 30_000_000]),
        st.sampled_from(["trade", "transport"]),
        st.sampled_from(DISTRICTS),
        st.sampled_from(BORN),
        st.sampled_from(EXPIRES),
    ),
    max_size=8,
)
fundings = st.sampled_from(("apbd-regency", "self"))
money = st.integers(0, 300_000)
ceilings_of = st.tuples(money, money)


# Each example is a whole story of several runs; a few dozen a session are worth their time.
@settings(max_examples=40, deadline=None)
@given(
    persons,
    st.lists(st.sampled_from(["2026-10-31", "2026-09-30", "2026-12-01"]), max_size=3),
    st.lists(st.tuples(st.sampled_from(("2026-09", *MONTHS)), fundings), max_size=3),
    ceilings_of,
    fundings,
    st.integers(1, 4),
)
def test_without_a_change_it_says_what_the_runs_bill_and_miss(
    people: list[tuple[Any, ...]],
    ends: list[str],
    before: list[tuple[str, str]],
    ceilings: tuple[int, int],
    funding: Funding,
    step_workers: int,
) -> None:
    world = World(step_workers)
    for number, (income, sector, district, born, expires) in enumerate(people):
        data = verified(number, income, sector).model_dump()
        data |= {"district": district, "birth_month": born, "valid_until": expires}
        world.put("verification-events", f"w{number}", "identity.verified.v1", data)
    for number, day in enumerate(ends[: len(people)]):
        world.put("verification-events", f"w{number}", "identity.ended.v1", _ended(number, day), sequence=2)
    for one in ("apbd-regency", "self"):
        world.command("budget.set.v1", budget(one, *ceilings))
    world.settle_all()
    for period, one in before:
        world.command("billing.run.v1", {"regency": "64.08", "period": period, "funding": one})
        world.settle_all()
    roll = run_now(plans.read(cast(Reader, world.reader), "64.08", funding, MONTHS, [RATES], START.date().isoformat()))
    head: Budget = world.state("budgets", f"64.08|2026|{funding}")
    said = whatif.figures(roll, head, Change(ceilings=head.ceilings or NOTHING, rates=RATES))
    for month in said.months:
        world.command("billing.run.v1", {"regency": "64.08", "period": month.period, "funding": funding})
        world.settle_all()
        done = world.of_type("billing.run-completed.v1")[-1]
        counted = Counter(done["not_billed"])
        assert done["billed_workers"] == month.billed
        assert done["total"] == month.drawn.total
        assert done["budget_left"] == {"jkk": month.left.jkk, "jkm": month.left.jkm}
        assert (counted.pop("budget-exhausted", 0), counted.pop("already-billed", 0)) == (month.missed, month.already)
        counted.pop("not-eligible", None)
        assert dict(counted) == dict(month.barred)
    assert world.state("budgets", f"64.08|2026|{funding}").free == said.left


def _enrolments(people: list[tuple[Any, ...]]) -> list[Enrolment]:
    return [
        Enrolment(
            regency="64.08",
            district=district,
            sector=sector,
            birth_month=born,
            income_base=income,
            place=rules.place_of(f"2026-01-{1 + number:02d}", f"w{number}"),
            until="2026-11" if number % 5 == 4 else rules.NO_END,
            valid_until=expires,
        )
        for number, (income, sector, district, born, expires) in enumerate(people)
    ]


def _roll(workers: list[Enrolment], taken: list[bool], funding: Funding) -> Roll:
    roll = Roll(funding, MONTHS, (RATES,))
    for one, is_taken in zip(workers, taken, strict=True):
        roll.add(one, frozenset(MONTHS[1:2]) if is_taken else frozenset())
    return roll


def _head(ceilings: tuple[int, int], funding: Funding) -> Budget:
    return Budget(regency="64.08", year=2026, funding=funding, ceilings=Accounts(*ceilings))


def _asked(roll: Roll, ceilings: tuple[int, int], headcount: Headcount | None = None) -> Figures:
    change = Change(ceilings=Accounts(*ceilings), rates=RATES, headcount=headcount)
    return whatif.figures(roll, _head(ceilings, roll.funding), change)


# The slow reference: every worker and month by itself, as the rules have it.
def _by_hand(
    workers: list[Enrolment], taken: list[bool], funding: Funding, left: Accounts
) -> tuple[Counter[tuple[str, str]], int, int]:
    """The missed workers by district and month, how many workers have no cover in some month, and how many in none."""
    missed: Counter[tuple[str, str]] = Counter()
    losing: set[int] = set()
    insurable: set[int] = set()
    for period in MONTHS:
        stopped = False
        for number, one in enumerate(workers):
            if one.until < period:
                continue
            if taken[number] and period == MONTHS[1]:
                insurable.add(number)
                continue
            if eligibility.barred(one, eligibility.month(period)) is not None:
                continue
            insurable.add(number)
            _, price = rules.price_of(RATES, funding, one.income_base, one.sector, period)
            stopped = stopped or not left.carries(price)
            if stopped:
                missed[one.district, period] += 1
                losing.add(number)
            else:
                left = left - price
    return missed, len(losing), len(insurable - losing)


@settings(max_examples=150, deadline=None)
@given(persons, st.data(), ceilings_of, fundings)
def test_it_agrees_with_a_count_worker_by_worker(
    people: list[tuple[Any, ...]], data: st.DataObject, ceilings: tuple[int, int], funding: Funding
) -> None:
    workers = _enrolments(people)
    taken = data.draw(st.lists(st.booleans(), min_size=len(workers), max_size=len(workers)))
    found = _asked(_roll(workers, taken, funding), ceilings)
    missed, lose, keep = _by_hand(workers, taken, funding, Accounts(*ceilings))
    said = {(code, period): n for code, one in found.districts.items() for period, n in one.missed.items()}
    assert said == dict(missed)
    assert (found.lose, found.keep) == (lose, keep)
    assert sum(one.missed for one in found.months) == found.months_lost


@settings(max_examples=150, deadline=None)
@given(persons, ceilings_of, ceilings_of, st.integers(0, 5))
def test_more_public_money_never_bills_fewer_in_any_month(
    people: list[tuple[Any, ...]], ceilings: tuple[int, int], more: tuple[int, int], new: int
) -> None:
    """All workers of public money cost the same. Where prices differ, money that pays an expensive worker in one month
    may be missing for several cheap ones later."""
    roll = _roll(_enrolments(people), [False] * len(people), "apbd-regency")
    headcount = Headcount(new, total=False)
    less = _asked(roll, ceilings, headcount)
    raised = (ceilings[0] + more[0], ceilings[1] + more[1])
    for before, after in zip(less.months, _asked(roll, raised, headcount).months, strict=True):
        assert after.billed >= before.billed


@settings(max_examples=150, deadline=None)
@given(persons, ceilings_of, fundings, st.integers(-3, 4))
def test_what_is_missing_restores_everybody_and_a_rupiah_less_does_not(
    people: list[tuple[Any, ...]], ceilings: tuple[int, int], funding: Funding, new: int
) -> None:
    roll = _roll(_enrolments(people), [False] * len(people), funding)
    headcount = Headcount(max(new, -whatif.present(roll, RATES)), total=False)
    restore = _asked(roll, ceilings, headcount).restore
    whole = (ceilings[0] + restore.jkk, ceilings[1] + restore.jkm)
    assert _asked(roll, whole, headcount).months_lost == 0
    for one in (Accounts(1, 0), Accounts(0, 1)):
        if restore.carries(one):
            assert _asked(roll, (whole[0] - one.jkk, whole[1] - one.jkm), headcount).months_lost > 0


@given(persons, ceilings_of, fundings)
def test_a_cut_of_nothing_and_no_new_workers_change_nothing(
    people: list[tuple[Any, ...]], ceilings: tuple[int, int], funding: Funding
) -> None:
    roll = _roll(_enrolments(people), [False] * len(people), funding)
    cut = whatif_inputs.percent("0%")
    assert cut is not None
    same = whatif_inputs.after_cut(Accounts(*ceilings), cut)
    assert same == Accounts(*ceilings)
    now = _asked(roll, ceilings)
    assert _asked(roll, (same.jkk, same.jkm), Headcount(0, total=False)) == now
    assert _asked(roll, ceilings, Headcount(whatif.present(roll, RATES), total=True)).months == now.months
