"""What a run sets aside of its budget, and what may happen to the budget while the run is open."""

from __future__ import annotations

from typing import Any

import pytest

from services.billing.domain.state import Accounts
from tests.property.billing_world import World
from tests.unit.billing.test_billing_runs import bill, billed, verdict, with_budget

KEY = "64.08|2026|apbd-regency"
RUN = {"regency": "64.08", "period": "2026-01", "funding": "apbd-regency"}


def step(world: World, until: str) -> None:
    """Processes record by record until a step of this type waits; performs due work when nothing waits."""
    for _ in range(200):
        waiting = {queue: records for queue, records in world.queues.items() if records}
        if any(f'"type":"{until}"'.encode() in records[0][0] for records in waiting.values()):
            return
        if waiting:
            world.take(sorted(waiting)[0], 1)
        else:
            assert world.perform_due()
    raise AssertionError(f"{until} never came")


def revise(world: World, jkk: int, jkm: int) -> None:
    """The treasury replaces the ceilings."""
    order: dict[str, Any] = {"regency": "64.08", "year": 2026, "funding": "apbd-regency", "jkk": jkk, "jkm": jkm}
    world.command("budget.set.v1", {**order, "decree_no": "SK 2", "target_workers": 5})
    world.take(("billing-intake", "64.08"), 10)
    world.take(("billing-work", KEY), 10)


def running(workers: str = "ab", jkk: int = 10_000_000, jkm: int = 6_800_000) -> World:
    """A run that has its money and waits for its first page of workers."""
    world = with_budget(jkk, jkm)
    for worker in workers:
        verdict(world, worker)
    world.settle_all()
    world.command("billing.run.v1", RUN)
    step(world, "run.step")
    return world


def test_a_run_sets_aside_what_it_needs_and_no_more() -> None:
    world = running()
    assert world.state("budgets", KEY).reserved == Accounts(20_000, 13_600)
    world.settle_all()
    assert world.state("budgets", KEY).reserved == Accounts()
    assert world.state("budgets", KEY).committed == Accounts(20_000, 13_600)


@pytest.mark.parametrize(("jkk", "jkm", "accepted"), [(20_000, 13_600, True), (19_999, 13_600, False)])
def test_the_ceilings_are_revised_while_a_run_is_open(jkk: int, jkm: int, accepted: bool) -> None:
    world = running()
    revise(world, jkk, jkm)
    refused = world.of_type("budget.set.refused.v1")
    assert [one["reasons"] for one in refused] == ([] if accepted else [["budget-below-committed"]])
    world.settle_all()
    assert billed(world) == ["a", "b"]
    assert world.state("budgets", KEY).ceilings == (
        Accounts(20_000, 13_600) if accepted else Accounts(10**7, 6_800_000)
    )


def test_a_worker_verified_after_the_start_of_a_run_is_billed_when_money_is_free() -> None:
    world = running(workers="abcd")
    for worker in ("e", "f", "g"):
        verdict(world, worker)
    # Before the run takes its next page.
    for worker in ("e", "f", "g"):
        world.take(("verification-events", worker), 1)
    world.settle_all()
    assert billed(world) == list("abcdefg")
    assert world.of_type("billing.run-completed.v1")[-1]["not_billed"] == {}
    assert world.of_type("coverage.at-risk.v1") == []
    assert world.state("budgets", KEY).committed == Accounts(70_000, 47_600)


def test_ceilings_raised_while_a_run_is_open_are_used_by_it() -> None:
    world = running(workers="abc", jkk=10_000, jkm=6_800)
    revise(world, 20_000, 20_400)
    world.settle_all()
    done = world.of_type("billing.run-completed.v1")[-1]
    assert (billed(world), done["not_billed"]) == (["a", "b"], {"budget-exhausted": 1})
    assert [(one["account"], one["shortfall"]) for one in world.of_type("budget.exhausted.v1")] == [("JKK", 10_000)]


def test_a_start_of_an_older_release_takes_all_free_money() -> None:
    world = with_budget()
    verdict(world, "a")
    world.settle_all()
    world.command("billing.run.v1", RUN)
    world.take(("billing-intake", "64.08"), 1)
    world.take(("billing-work", KEY), 1)
    world.take(("billing-work", "64.08|2026-01"), 1)
    run_id = "RUN-6408-2026-01-apbd-regency-1"
    world.put("billing-work", "64.08|2026-01", "run.start", {**RUN, "run_id": run_id, "cutoff": "2026-01-10"})
    world.take(("billing-work", "64.08|2026-01"), 1)
    assert world.state("budgets", KEY).reserved == Accounts(10_000_000, 6_800_000)
    world.settle_all()
    assert billed(world) == ["a"]
    assert bill(world, "2026-02")["budget_left"] == {"jkk": 9_980_000, "jkm": 6_786_400}
