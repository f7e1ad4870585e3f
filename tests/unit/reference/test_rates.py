"""Premiums and dated rates: one line a rule, with the law's own examples."""

from __future__ import annotations

from datetime import date

import pytest

from shared.contracts.base import Funding
from shared.reference import rates as reference

RATES = reference.load()


def amounts(funding: Funding, income: int, sector: str, period: str) -> list[tuple[str, int]]:
    return [(line.programme, line.amount) for line in RATES.premium(funding, income, sector, period)]


@pytest.mark.parametrize(
    ("funding", "income", "sector", "period", "jkk", "jkm"),
    [
        # Public money buys the lowest bracket for every income, and gets no relief of PP 50/2025.
        ("apbd-regency", 1_000_000, "fisheries", "2026-01", 10_000, 6_800),
        ("apbd-regency", 25_000_000, "transport", "2026-05", 10_000, 6_800),
        ("apbd-province", 5_000_000, "trade", "2026-05", 10_000, 6_800),
        # Brackets; the ends of a row, and an income between two printed rows.
        ("csr", 0, "trade", "2026-05", 10_000, 6_800),
        ("csr", 1_099_000, "trade", "2026-05", 10_000, 6_800),
        ("csr", 1_099_500, "trade", "2026-05", 10_000, 6_800),
        ("csr", 1_100_000, "trade", "2026-05", 12_000, 6_800),
        ("csr", 2_000_000, "trade", "2026-05", 19_500, 6_800),
        ("csr", 10_200_000, "trade", "2026-05", 112_000, 6_800),
        ("csr", 20_199_000, "trade", "2026-05", 192_000, 6_800),
        ("csr", 20_200_000, "transport", "2026-05", 207_000, 6_800),
        ("csr", 90_000_000, "trade", "2026-05", 207_000, 6_800),
        # PP 50/2025, for self only: transport January 2026 to March 2027, the others April to December 2026.
        ("self", 1_000_000, "transport", "2025-12", 10_000, 6_800),
        ("self", 1_000_000, "transport", "2026-01", 5_000, 3_400),
        ("self", 1_000_000, "transport", "2027-03", 5_000, 3_400),
        ("self", 1_000_000, "transport", "2027-04", 10_000, 6_800),
        ("self", 1_000_000, "fisheries", "2026-03", 10_000, 6_800),
        ("self", 1_000_000, "fisheries", "2026-04", 5_000, 3_400),
        ("self", 2_000_000, "fisheries", "2026-12", 9_750, 3_400),
        ("self", 1_000_000, "fisheries", "2027-01", 10_000, 6_800),
        # PP 49/2020: 1 % is paid, whoever pays.
        ("self", 1_000_000, "fisheries", "2020-08", 100, 68),
        ("apbd-regency", 1_000_000, "fisheries", "2021-01", 100, 68),
        ("apbd-regency", 1_000_000, "fisheries", "2021-02", 10_000, 6_800),
        ("apbd-regency", 1_000_000, "fisheries", "2020-07", 10_000, 6_800),
    ],
)
def test_premium(funding: Funding, income: int, sector: str, period: str, jkk: int, jkm: int) -> None:
    assert amounts(funding, income, sector, period) == [("JKK", jkk), ("JKM", jkm)]


def test_lines_carry_rule_law_and_dates() -> None:
    jkk, jkm = RATES.premium("apbd-regency", 1_000_000, "trade", "2026-05")
    assert (jkk.rule, jkk.law, jkk.effective_from) == ("bpu.jkk.row1", "PP 44/2015 Lampiran II", date(2015, 7, 1))
    assert (jkm.rule, jkm.law) == ("bpu.jkm.flat", "PP 44/2015")
    halved, _ = RATES.premium("self", 1_000_000, "trade", "2026-05")
    assert halved.rule == "bpu.jkk.row1+pp50.non_transport"
    assert halved.law == RATES.laws(halved.rule, date(2026, 5, 1)) == "PP 44/2015 Lampiran II; PP 50/2025 Pasal 4"
    assert (halved.effective_from, halved.effective_to) == (date(2026, 4, 1), date(2026, 12, 31))


def test_before_the_law_there_is_no_premium() -> None:
    assert RATES.premium("self", 1_000_000, "trade", "2015-06") == ()
    assert RATES.benefit_base("self", 1_000_000, "2015-06") is None


@pytest.mark.parametrize(
    ("funding", "income", "base"),
    [("apbd-regency", 9_000_000, 1_000_000), ("self", 2_000_000, 1_950_000), ("csr", 30_000_000, 20_700_000)],
)
def test_benefit_base_is_the_base_that_was_billed(funding: Funding, income: int, base: int) -> None:
    found = RATES.benefit_base(funding, income, "2026-05")
    assert found is not None
    assert found.amount == base
    assert found.rule.startswith("bpu.jkk.row")


@pytest.mark.parametrize(
    ("key", "day", "amount"),
    [
        ("jkm.lump", date(2019, 12, 1), 16_200_000),
        ("jkm.lump", date(2019, 12, 2), 20_000_000),
        ("jkm.limited", date(2026, 1, 1), 10_000_000),
        ("jkm.min_months_full", date(2026, 1, 1), 3),
        ("jkk.funeral", date(2026, 1, 1), 10_000_000),
        ("scholarship.children_max", date(2019, 12, 1), 1),
        ("scholarship.children_max", date(2019, 12, 2), 2),
        ("jkk.transport.air", date(2026, 1, 1), 10_000_000),
    ],
)
def test_dated_amounts(key: str, day: date, amount: int) -> None:
    rate = RATES.rate(key, day)
    assert rate is not None
    assert rate.amount == amount
    assert rate.law


def test_unknown_key_or_day_has_no_rate() -> None:
    assert RATES.rate("no.such", date(2026, 1, 1)) is None
    assert RATES.rate("jkm.lump", date(2000, 1, 1)) is None


def test_scholarships_of_one_child_sum_to_the_published_amount() -> None:
    day = date(2026, 1, 1)
    total = 0
    for level in ("tk", "sd", "smp", "sma", "higher"):
        yearly, years = RATES.rate(f"scholarship.{level}", day), RATES.rate(f"scholarship.{level}.years", day)
        assert yearly is not None
        assert years is not None
        total += yearly.amount * years.amount
    assert total == 87_000_000


@pytest.mark.parametrize(("day", "total"), [(date(2019, 1, 1), 24_000_000), (date(2026, 1, 1), 42_000_000)])
def test_jkm_parts_sum_to_the_amount_of_the_law(day: date, total: int) -> None:
    parts = [RATES.rate(f"jkm.{part}", day) for part in ("lump", "periodic", "funeral")]
    assert sum(part.amount for part in parts if part is not None) == total


def test_a_ratio_cannot_be_read_as_an_amount() -> None:
    ratio = RATES.rate("bpu.jkk.rate", date(2026, 1, 1))
    assert ratio is not None
    with pytest.raises(ValueError, match="ratio"):
        _ = ratio.amount


HEADER = "key,segment,programme,funding,sector,value,unit,effective_from,effective_to,legal_basis,confidence\n"
RATIO = "bpu.jkk.rate,BPU,JKK,any,any,0.01,ratio_of_base,2015-07-01,,law,sure\n"
BRACKETS = "key,income_from,income_to,base,jkk,jht,effective_from,effective_to,legal_basis,confidence\n"


def test_tables_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="same day"):
        reference.parse(HEADER + RATIO + RATIO, BRACKETS)
    with pytest.raises(ValueError, match="ratio of the base"):
        reference.parse(HEADER + RATIO, BRACKETS + "row1,0,,1000000,10001,20000,2015-07-01,,law,sure\n")
