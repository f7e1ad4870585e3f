"""A worker's entitlement over all claims: nothing is paid twice, nothing exceeds the law, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.claims.domain import rules
from services.claims.domain.state import Child
from shared.reference import rates
from tests.property.claims_world import SCHOOL_DOCUMENTS, World, accident, amounts, child, death

OTHER = "agency/64.08/distransnaker"
LONG = [f"{(24_315 - back) // 12}-{(24_315 - back) % 12 + 1:02d}" for back in range(36)]


async def after(*submitted: dict[str, Any], covered: list[str] | None = None) -> World:
    """A world in which these claims are submitted one after the other."""
    world = World()
    world.cover(*(covered or ["2026-02", "2026-03", "2026-04"]))
    for number, one in enumerate(submitted, 1):
        world.submit({**one, "claim_no": f"K-{number}"}, source=OTHER if number % 2 else "agency/64.08/rumahsakit")
        await world.settle()
    return world


def approve(world: World, claim_no: str, source: str = OTHER) -> None:
    """An officer approves."""
    agency = source.removeprefix("agency/")
    world.rule({"claim_no": claim_no, "decision": "approved", "reason": "ok"}, agency=agency)


A_CHILD = Child("a", "ANI", "2010-01-01", "sd", "2017/2018")
PARTIAL = accident("partial", loss_percent=5)


async def test_the_same_accident_under_another_number_is_paid_once() -> None:
    world = await after(PARTIAL, PARTIAL, PARTIAL)
    assert world.bank.total == 4_000_000
    assert [one["reasons"] for one in world.of_type("claim.rejected.v1")] == [["duplicate-claim"]] * 2


async def test_a_heavier_loss_that_is_found_later_is_paid_as_a_difference() -> None:
    world = await after(PARTIAL, accident("partial", loss_percent=12))
    assert amounts(world.last("K-2")["benefits"]) == {"jkk.partial": 5_600_000}
    assert world.bank.total == 9_600_000


async def test_total_disability_is_paid_once_and_less_what_a_part_was_paid() -> None:
    world = await after(PARTIAL, accident("total"), accident("total"))
    approve(world, "K-2", "agency/64.08/rumahsakit")
    approve(world, "K-3")
    await world.settle()
    assert world.bank.total == 56_000_000 + 12_000_000


async def test_caps_hold_over_all_claims_of_an_accident() -> None:
    costs = [accident("treatment", transport={"land": land}) for land in (3_000_000, 4_000_000, 1_000_000)]
    world = await after(*costs)
    assert world.bank.total == 5_000_000
    assert world.last("K-3")["reasons"] == ["duplicate-claim"]
    other = {**accident("treatment", transport={"land": 4_000_000}), "event_date": "2026-04-02"}
    assert (await after(*costs, other)).bank.total == 9_000_000


async def test_the_same_receipt_is_paid_once_and_another_one_is_added() -> None:
    costs = [accident("treatment", treatment_cost=cost) for cost in (3_000_000, 3_000_000, 2_000_000)]
    world = await after(*costs)
    assert world.bank.total == 5_000_000
    assert world.last("K-2")["reasons"] == ["duplicate-claim"]


async def test_the_officers_limit_counts_all_claims_of_an_accident() -> None:
    costs = [accident("treatment", treatment_cost=cost) for cost in (49_000_000, 48_000_000)]
    world = await after(*costs)
    assert (world.bank.total, world.last("K-2")["reasons"]) == (49_000_000, ["awaiting-officer"])
    approve(world, "K-2", "agency/64.08/rumahsakit")
    await world.settle()
    assert world.bank.total == 97_000_000


@pytest.mark.parametrize("periods", [(420,), (210, 210), (1, 419), (140, 140, 140), (359, 30, 31)])
async def test_fourteen_months_off_work_are_thirteen_million_however_they_are_claimed(periods: tuple[int, ...]) -> None:
    claims = [{**accident("temporary", days_off_work=days), "event_date": "2025-02-20"} for days in periods]
    world = await after(*claims, covered=["2025-02"])
    assert world.bank.total == 13_000_000


async def test_only_days_that_have_passed_are_paid() -> None:
    # From 20 April to 6 May are 17 days.
    world = await after(*[accident("temporary", days_off_work=days) for days in (10, 10, 10)])
    assert world.bank.total == 333_333 + 233_333
    assert world.last("K-3")["reasons"] == ["duplicate-claim"]


async def test_no_later_accident_of_a_dead_worker_is_paid() -> None:
    late = {**accident("temporary", days_off_work=3), "event_date": "2026-04-21"}
    world = await after(death(), late)
    assert world.last("K-2")["reasons"] == ["not-eligible"]


async def test_a_strangers_claim_is_not_paid_and_blocks_nobody() -> None:
    neighbour = {"name": "TETANGGA", "relation": "tetangga", "account": "ACC-1"}
    world = await after(death(claimant=neighbour), death(claimant={**neighbour, "relation": "Istri"}))
    assert world.last("K-1")["reasons"] in (["payee-not-heir"], ["duplicate-claim"])
    assert world.last("K-2")["type"] == "claim.paid.v1"
    assert world.bank.total == 42_000_000


async def test_an_officer_may_say_that_the_payee_is_right() -> None:
    world = await after(death(claimant={"name": "A", "relation": "anak angkat", "account": "ACC-1"}))
    assert world.last("K-1")["reasons"] == ["payee-not-heir"]
    approve(world, "K-1")
    await world.settle()
    assert world.bank.total == 42_000_000


def scholarship(*children: dict[str, Any]) -> dict[str, Any]:
    """A scholarship claim with all its documents."""
    return death(
        kind="scholarship", documents=SCHOOL_DOCUMENTS, details={"outcome": "death", "children": list(children)}
    )


async def test_two_children_are_paid_and_a_third_gets_nothing() -> None:
    world = await after(death(), scholarship(child("A"), child("B")), scholarship(child("C"), child("A")), covered=LONG)
    assert world.bank.total == 42_000_000 + 3_000_000
    assert world.last("K-3")["type"] == "claim.rejected.v1"


async def test_a_child_that_is_named_twice_is_paid_once() -> None:
    world = await after(death(), scholarship(child(), child(), child(level="smp")), covered=LONG)
    assert amounts(world.last("K-2")["benefits"]) == {"scholarship.sd": 1_500_000}


async def test_a_level_is_paid_for_its_years_only() -> None:
    # Two years of kindergarten; claims reach back three school years.
    years = [
        child("A", "tk", birth_date="2020-01-01", school_year=year) for year in ("2023/2024", "2024/2025", "2025/2026")
    ]
    world = await after(death(), scholarship(*years), covered=LONG)
    assert amounts(world.last("K-2")["benefits"]) == {"scholarship.tk": 3_000_000}


async def test_a_child_is_old_enough_for_its_school() -> None:
    world = await after(death(), scholarship(child(level="higher", birth_date="2019-01-01")), covered=LONG)
    assert world.last("K-2")["reasons"] == ["not-eligible"]


def test_before_2019_one_sum_is_paid_once_for_one_child() -> None:
    day, table = date(2018, 6, 1), rates.load()
    found = rules.within_years(table, [A_CHILD, replace(A_CHILD, key="b")], {}, day)
    assert found == (A_CHILD,)
    assert [line.amount for line in rules.scholarship_benefits(table, found, day)] == [12_000_000]
    assert rules.within_years(table, [A_CHILD], {"2016/2017|a": "sd"}, day) == ()


async def test_a_typo_on_the_last_day_does_not_cost_the_claim() -> None:
    world = World()
    world.cover("2021-05")
    last = {**accident("temporary", days_off_work=3), "event_date": "2021-05-06"}
    world.submit({**last, "documents": ["kk-1"]})
    await world.settle()
    assert world.last()["type"] == "claim.rejected.v1"
    world.now = world.now.replace(day=9)
    world.submit(last)
    await world.settle()
    assert world.kinds()[-1] == "paid"
