"""Cover by two clocks (docs/contracts.md#when-a-day-is-covered): covered days, qualifying months, late events."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.property.claims_world import NOON, WORKER, World, accident, amounts, death

FULL, LIMITED = 42_000_000, 10_000_000
TREATMENT = accident("treatment", treatment_cost=1_000_000)


async def told(world: World, claim_no: str = "KLM-1") -> tuple[str, list[str], int]:
    """The last event of a claim: its type, its reasons, and the sum that BPJS paid."""
    await world.settle()
    last = world.last(claim_no)
    return last["type"].split(".")[1], last.get("reasons", []), world.bank.total


@pytest.mark.parametrize(
    ("billed", "paid", "expected"),
    [
        # The month is paid after the day of the event, but the row of paid months began before that day, so these
        # arrears count.
        (("2026-03", "2026-04"), {"2026-03": "2026-03-10", "2026-04": "2026-05-02"}, "paid"),
        (
            ("2026-02", "2026-03", "2026-04"),
            {"2026-02": "2026-02-10", "2026-03": "2026-05-01", "2026-04": "2026-05-02"},
            "paid",
        ),
        # Three months of the row were unpaid on the day: cover had ended. Later payments do not change that.
        (
            ("2026-01", "2026-02", "2026-03", "2026-04"),
            {"2026-01": "2026-01-10", "2026-02": "2026-05-01", "2026-03": "2026-05-01", "2026-04": "2026-05-01"},
            "rejected",
        ),
        # The first payment of the row comes after the day.
        (("2026-03", "2026-04"), {"2026-03": "2026-04-21", "2026-04": "2026-04-21"}, "rejected"),
        (("2026-04",), {"2026-04": "2026-04-20"}, "paid"),
        (("2026-04",), {"2026-04": "2026-04-21"}, "rejected"),
        # A gap ends the row: months paid before the gap are not part of this row.
        (("2026-02", "2026-04"), {"2026-02": "2026-02-01", "2026-04": "2026-04-21"}, "rejected"),
        # A payment for a later month is not part of the row up to the event.
        (("2026-04", "2026-05"), {"2026-05": "2026-04-01", "2026-04": "2026-04-25"}, "rejected"),
    ],
)
async def test_which_days_are_covered(billed: tuple[str, ...], paid: dict[str, str], expected: str) -> None:
    world = World()
    world.bill(*billed)
    world.close_run(*billed)
    for period, day in paid.items():
        world.pay(period, on=day)
    world.submit(TREATMENT)
    kind, reasons, _ = await told(world)
    assert (kind, reasons) == (expected, [] if expected == "paid" else ["not-covered"])


async def test_a_claim_waits_for_an_unpaid_month_that_would_qualify() -> None:
    world = World()
    world.cover("2026-03", "2026-04")
    world.bill("2026-02")
    world.close_run("2026-02")
    world.submit(death())
    assert await told(world) == ("held", ["awaiting-premium"], 0)
    world.pay("2026-02", on="2026-05-30")
    assert await told(world) == ("paid", [], FULL)


async def test_after_three_months_of_waiting_the_paid_months_decide() -> None:
    world = World()
    world.cover("2026-03", "2026-04")
    world.bill("2026-02")
    world.close_run("2026-02")
    world.submit(death())
    assert (await told(world))[0] == "held"
    # On the last day of waiting a claim still waits.
    world.now = NOON + timedelta(days=92)
    assert (await told(world))[0] == "held"
    world.now = NOON + timedelta(days=93)
    assert await told(world) == ("paid", [], LIMITED)
    world.pay("2026-02", on="2026-08-10")
    assert await told(world) == ("paid", [], LIMITED)


async def test_three_paid_months_are_enough_without_a_fourth() -> None:
    world = World()
    world.cover("2026-01", "2026-02", "2026-04")
    world.bill("2026-03")
    world.close_run("2026-03")
    world.submit(death())
    assert await told(world) == ("paid", [], FULL)


async def test_an_accident_waits_for_no_other_month() -> None:
    world = World()
    world.cover("2026-04")
    world.bill("2026-03")
    world.close_run("2026-03")
    world.submit(TREATMENT)
    assert (await told(world))[0] == "paid"


async def test_late_news_of_earlier_months_pay_the_difference_once() -> None:
    world = World(again=True)
    world.cover("2026-04")
    world.submit(death())
    assert await told(world) == ("paid", [], LIMITED)
    world.cover("2026-02", "2026-03")
    assert await told(world) == ("paid", [], FULL)
    assert world.kinds() == ["registered", "approved", "paid", "reopened", "approved", "paid"]
    assert amounts(world.last()["benefits"]) == {"jkm.lump": 20_000_000, "jkm.periodic": 12_000_000}
    assert len(world.bank.paid) == 2
    assert len(world.of_type("worker.died.v1")) == 1


async def test_a_refused_claim_is_reopened_when_news_make_its_day_covered() -> None:
    world = World()
    world.close_run("2026-04", workers=0)
    world.submit(TREATMENT)
    assert await told(world) == ("rejected", ["not-covered"], 0)
    world.bill("2026-04")
    world.pay("2026-04", on="2026-04-02")
    assert (await told(world))[0] == "paid"
    (reopened,) = world.of_type("claim.reopened.v1")
    assert (reopened["worker_id"], reopened["reasons"]) == (WORKER, ["not-covered"])


async def test_a_refused_difference_leaves_the_first_payment() -> None:
    world = World()
    world.cover("2026-04")
    world.submit(death())
    assert await told(world) == ("paid", [], LIMITED)
    world.bank.status = 422
    world.cover("2026-02", "2026-03")
    assert (await told(world))[0] == "held"
    world.submit({"claim_no": "KLM-1"}, kind="claim.withdraw.v1")
    assert (await told(world))[1] == ["claim-withdrawn"]
    # Another claim of the same death still finds it paid.
    world.bank.status = 200
    world.submit(death(claim_no="KLM-2"))
    assert await told(world, "KLM-2") == ("rejected", ["duplicate-claim"], LIMITED)
