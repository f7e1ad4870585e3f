"""What a cut, more workers or other rates would do to a year: figures that can be computed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.billing.domain import eligibility, rules, whatif, whatif_inputs
from services.billing.domain.rolls import Roll
from services.billing.domain.state import NOTHING, Accounts, Budget, Enrolment
from services.billing.domain.whatif import Change, Headcount
from services.billing.domain.whatif_figures import NEW_WORKERS, Figures
from shared.reference import edited_rates, rates

YEAR = tuple(f"2026-{month:02d}" for month in range(1, 13))
LAST_QUARTER = YEAR[9:]
RATES = rates.load()
PRICE = Accounts(10_000, 6_800)
FULL_BENEFIT = 42_000_000


def worker(number: int, district: str = "64.08.04", **changed: str) -> Enrolment:
    """A worker of working age, verified on the day of their number."""
    day = f"2025-{1 + number // 28 % 12:02d}-{1 + number % 28:02d}"
    plain = Enrolment(
        regency="64.08",
        district=district,
        sector="trade",
        birth_month="1985-07",
        income_base=1_000_000,
        place=rules.place_of(day, f"w{number:025d}"),
        until=rules.NO_END,
        valid_until="2029-01-01",
    )
    return replace(plain, **changed)  # type: ignore[arg-type]  # mypy checks ** of replace against every field


def a_roll(workers: Sequence[Enrolment], months: Sequence[str] = YEAR, *tables: rates.Rates) -> Roll:
    roll = Roll("apbd-regency", months, tables or (RATES,))
    for one in sorted(workers, key=lambda one: one.place):
        roll.add(one, frozenset())
    return roll


def head(ceilings: Accounts, committed: Accounts = NOTHING, reserved: Accounts = NOTHING) -> Budget:
    return Budget(
        regency="64.08",
        year=2026,
        funding="apbd-regency",
        ceilings=ceilings,
        committed=committed,
        reserved=reserved,
    )


def of(premiums: int) -> Accounts:
    """The money for so many premiums."""
    return Accounts(PRICE.jkk * premiums, PRICE.jkm * premiums)


def asked(roll: Roll, ceilings: Accounts, headcount: Headcount | None = None, **more: Accounts) -> Figures:
    return whatif.figures(roll, head(ceilings, **more), Change(ceilings=ceilings, rates=RATES, headcount=headcount))


@pytest.mark.parametrize(
    ("workers", "months", "total"),
    [
        (5_000, 12, 1_008_000_000),  # PPU 2025
        (15_000, 12, 3_024_000_000),  # PPU
        (48_729, 12, 9_823_766_400),  # Kukar 2025
        (98_000, 12, 19_756_800_000),  # Kutim 2025
        (35_440, 3, 1_786_176_000),  # Kukar, October to December 2021
    ],
)
def test_a_year_costs_what_the_regencies_paid(workers: int, months: int, total: int) -> None:
    roll = a_roll([worker(0)], YEAR[12 - months :])
    found = asked(roll, Accounts(10**11, 10**11), Headcount(workers, total=True))
    assert sum(one.drawn.total for one in found.months) == total
    assert (found.keep, found.lose, found.exposed, found.restore.total) == (workers, 0, 0, 0)
    nothing = asked(roll, Accounts(), Headcount(workers, total=True))
    assert nothing.restore.total == total
    assert (nothing.lose, nothing.months_lost, nothing.exposed) == (workers, workers * months, workers * FULL_BENEFIT)


def test_a_cut_misses_the_last_in_order_and_says_what_brings_them_back() -> None:
    """Ten workers and money for 3 x 10 premiums, less 20 %: October and November bill 10, December 4."""
    workers = [worker(number, "64.08.04" if number % 2 else "64.08.05") for number in range(10)]
    cut = whatif_inputs.percent("20%")
    assert cut is not None
    found = asked(a_roll(workers, LAST_QUARTER), whatif_inputs.after_cut(of(30), cut))
    assert [(one.billed, one.missed) for one in found.months] == [(10, 0), (10, 0), (4, 6)]
    december = found.months[-1]
    assert (december.reached, december.missed_from) == (4, workers[4].place[:10])
    assert (december.left, december.too_small) == (Accounts(), ("JKK", "JKM"))
    assert found.ends == {"jkk": "2026-12", "jkm": "2026-12"}
    assert found.restore == of(6)
    assert (found.keep, found.lose, found.months_lost) == (4, 6, 6)
    assert found.exposed == december.exposed == 6 * FULL_BENEFIT
    assert {code: (one.keep, one.lose, one.lost_from) for code, one in found.districts.items()} == {
        "64.08.04": (2, 3, "2026-12"),
        "64.08.05": (2, 3, "2026-12"),
    }


def test_a_family_that_loses_several_months_is_exposed_once_in_the_year() -> None:
    """Money for 4 premiums and 3 workers: the second month bills 1, the third none."""
    found = asked(a_roll([worker(n) for n in range(3)], LAST_QUARTER), of(4))
    assert [(one.billed, one.exposed) for one in found.months] == [(3, 0), (1, 2 * FULL_BENEFIT), (0, 3 * FULL_BENEFIT)]
    district = found.districts["64.08.04"]
    assert (district.lose, district.months_lost, district.missed) == (3, 5, {"2026-11": 2, "2026-12": 3})
    assert (found.exposed, found.restore) == (3 * FULL_BENEFIT, of(5))
    first = found.first_missed
    assert first is not None
    assert first.period == "2026-11"


def test_the_smaller_account_ends_first_and_the_other_keeps_its_money() -> None:
    found = asked(a_roll([worker(n) for n in range(2)], LAST_QUARTER), Accounts(10**6, 6_800 * 3))
    assert found.ends == {"jkk": None, "jkm": "2026-11"}
    assert [one.too_small for one in found.months] == [(), ("JKM",), ("JKM",)]
    assert found.left == Accounts(10**6 - 30_000, 0)
    assert found.restore == Accounts(0, 6_800 * 3)


def test_committed_and_reserved_money_is_spent() -> None:
    found = asked(a_roll([worker(0)], LAST_QUARTER), of(10), committed=of(5), reserved=of(3))
    assert found.free == of(2)
    assert [one.billed for one in found.months] == [1, 1, 0]
    assert whatif.is_below_committed(head(of(10), of(5), of(3)), of(7))
    assert not whatif.is_below_committed(head(of(10), of(5), of(3)), of(8))


def test_an_end_an_age_and_an_expiry_count_from_their_month() -> None:
    """They cost nothing more, and are not exposed: they leave for another reason than money."""
    workers = [
        worker(0, until="2026-10"),
        worker(1, birth_month="1961-10"),  # 65 in October: billed in October for the last time
        worker(2, valid_until="2026-11-30"),
        worker(3, birth_month="2009-10"),  # 17 in October, verified before: billed from November
    ]
    found = asked(a_roll(workers, LAST_QUARTER), of(100))
    assert [one.billed for one in found.months] == [3, 2, 1]
    assert [dict(one.barred) for one in found.months] == [
        {"too-young": 1},
        {"too-old": 1},
        {"too-old": 1, "verification-expired": 1},
    ]
    assert (found.keep, found.lose) == (4, 0)


def test_months_that_are_billed_already_cost_nothing_and_count_as_cover() -> None:
    roll = Roll("apbd-regency", LAST_QUARTER, (RATES,))
    roll.add(worker(0), frozenset({"2026-10"}))
    roll.add(worker(1), frozenset(LAST_QUARTER))
    found = asked(roll, of(1))
    assert [(one.already, one.billed, one.missed) for one in found.months] == [(2, 0, 0), (1, 1, 0), (1, 0, 1)]
    assert (found.keep, found.lose, found.restore) == (1, 1, of(1))


def test_new_workers_stand_behind_everybody_and_fewer_workers_leave_from_the_end() -> None:
    roll = a_roll([worker(n) for n in range(4)], ("2026-12",))
    more = asked(roll, of(5), Headcount(3, total=False))
    assert (more.months[0].workers, more.months[0].billed, more.months[0].reached) == (7, 5, 5)
    new = more.districts[NEW_WORKERS]
    assert (new.keep, new.lose, more.restore) == (1, 2, of(2))
    assert more.months[0].missed_from is None
    fewer = asked(roll, of(5), Headcount(2, total=True))
    assert (fewer.months[0].workers, fewer.left, fewer.keep) == (2, of(3), 2)
    assert asked(roll, of(5), Headcount(-4, total=False)).months[0].workers == 0
    with pytest.raises(ValueError, match="cannot leave"):
        asked(roll, of(5), Headcount(-5, total=False))
    assert whatif.present(roll, RATES) == 4


def test_a_table_of_rates_changes_price_and_benefit_from_its_day() -> None:
    """JKM costs 7,000 from November on, and its lump sum is 25,000,000."""
    text = rates.texts()[0]
    premium = "bpu.jkm.flat,BPU,JKM,any,any,6800,IDR/month,2015-07-01,,PP 44/2015,verified"
    lump = "jkm.lump,BPU,JKM,any,any,20000000,IDR,2019-12-02,,PP 82/2019,verified"
    for row, value in ((premium, "7000"), (lump, "25000000")):
        old = row.replace(",,PP", ",2026-10-31,PP")
        amount = row.split(",")[5]
        new = row.replace(f",{amount},", f",{value},").replace("2015-07-01", "2026-11-01")
        new = new.replace("2019-12-02", "2026-11-01")
        assert row in text
        text = text.replace(row, f"{old}\n{new}")
    edited = rates.parse(*edited_rates.beside(text, rates.texts()))
    roll = a_roll([worker(0), worker(1)], LAST_QUARTER, RATES, edited)
    ceilings = Accounts(10**6, 6_800 * 2 + 7_000 * 3)
    found = whatif.figures(roll, head(ceilings), Change(ceilings=ceilings, rates=edited))
    assert [one.drawn.jkm for one in found.months] == [13_600, 14_000, 7_000]
    assert [one.benefit for one in found.months] == [42_000_000, 47_000_000, 47_000_000]
    assert (found.exposed, found.restore) == (47_000_000, Accounts(0, 7_000))


def test_workers_who_are_alike_are_of_one_kind() -> None:
    """The age, the end and the validity are different, but not in an asked month."""
    workers = [
        worker(n, birth_month=f"{1970 + n}-0{1 + n % 9}", valid_until=f"2028-0{1 + n % 9}-01") for n in range(20)
    ]
    workers.append(worker(30, until="2027-03"))
    roll = a_roll(workers)
    assert len(roll.kinds) == 1
    assert all(eligibility.barred(one, eligibility.month(period)) is None for one in workers for period in YEAR)


def test_an_empty_regency_costs_nothing() -> None:
    found = asked(a_roll([], LAST_QUARTER), of(1), Headcount(2, total=False))
    assert [(one.billed, one.missed) for one in found.months] == [(1, 1), (0, 2), (0, 2)]
    assert asked(a_roll([], LAST_QUARTER), of(1)).months_lost == 0


@pytest.mark.parametrize(
    ("text", "cut"), [("20%", "1/5"), ("12,5 %", "1/8"), (" 0% ", "0"), ("100%", "1"), ("0.5%", "1/200")]
)
def test_a_cut_is_written_in_percent(text: str, cut: str) -> None:
    assert str(whatif_inputs.percent(text)) == cut


@pytest.mark.parametrize("text", ["20", "-20%", "101%", "100,1%", "", "%", "dua%", "20%%", "1e1%", "٢٠%"])
def test_anything_else_is_no_cut(text: str) -> None:
    assert whatif_inputs.percent(text) is None


def test_a_number_of_workers_is_relative_with_a_sign_and_a_total_without() -> None:
    assert whatif_inputs.headcount("+2.000") == Headcount(2_000, total=False)
    assert whatif_inputs.headcount("-500") == Headcount(-500, total=False)
    assert whatif_inputs.headcount("95000") == Headcount(95_000, total=True)
    for text in ("", "+", "2 ribu", "1,5", "95.00", "9" * 19, "5.000.001", "+-3"):
        assert whatif_inputs.headcount(text) is None
    assert whatif_inputs.whole_rupiah("18.000.000.000") == 18_000_000_000
    for text in ("-1", "1,5", "1" * 20, "x"):
        assert whatif_inputs.whole_rupiah(text) is None


def test_a_cut_rounds_down_to_whole_rupiah() -> None:
    cut = whatif_inputs.percent("33,3333%")
    assert cut is not None
    assert whatif_inputs.after_cut(Accounts(100, 1), cut) == Accounts(66, 0)


def test_the_place_where_money_ends_counts_those_before_it_who_are_not_billed() -> None:
    """In order: ended in October, 65, paid by another funder, then two workers with money for one."""
    roll = Roll("apbd-regency", LAST_QUARTER[1:], (RATES,))
    roll.add(worker(0, until="2026-10"), frozenset())
    roll.add(worker(1, birth_month="1961-10"), frozenset())
    roll.add(worker(2), frozenset(LAST_QUARTER))
    for number in (3, 4):
        roll.add(worker(number), frozenset())
    found = asked(roll, of(1)).months[0]
    assert (found.billed, found.already, found.missed, found.barred) == (1, 1, 1, {"too-old": 1})
    assert (found.reached, found.missed_from) == (4, worker(4).place[:10])


def test_workers_with_another_end_are_of_another_kind() -> None:
    roll = a_roll([worker(0), worker(1, until="2026-11"), worker(2)], LAST_QUARTER)
    assert [one.billed for one in asked(roll, of(100)).months] == [3, 3, 2]
