"""A worker with two NIKs: after a merge their claims belong to the worker who stays; after an un-merge each claim goes
back.
"""

from __future__ import annotations

from typing import Any

import pytest

from shared.persons.links import Persons
from tests.property.claims_world import WORKER, World, death

STAYED = "b" * 26
THIRD = "c" * 26
OTHER = "agency/64.08/distransnaker"
THREE = ("2026-02", "2026-03", "2026-04")


def covered(world: World, *months: str, worker: str = STAYED, workers: int = 1) -> World:
    """These months of a worker: billed, run completed, paid."""
    world.bill(*months, worker=worker)
    world.close_run(*months, workers=workers)
    world.pay(*months)
    return world


def died(world: World) -> list[str]:
    return [one["data"]["worker_id"] for one in world.told() if one["type"] == "worker.died.v1"]


async def test_a_claim_by_the_merged_number_uses_the_cover_of_the_worker_who_stayed() -> None:
    world = covered(World(), *THREE)
    world.merge(WORKER, STAYED)
    world.submit(death())
    await world.settle()
    paid = world.last()
    assert (paid["type"], paid["worker_id"], paid["total"]) == ("claim.paid.v1", STAYED, 42_000_000)
    assert died(world) == [STAYED]


async def test_a_claim_that_waits_is_looked_at_again_when_the_merge_comes() -> None:
    world = World()
    world.bill(*THREE, worker=STAYED)
    world.pay(*THREE)
    world.submit(death())
    await world.settle()
    assert world.kinds() == ["registered", "held"]
    world.merge(WORKER, STAYED)
    await world.settle()
    assert world.last()["type"] == "claim.paid.v1"


async def test_months_that_were_paid_under_either_number_are_one_row() -> None:
    world = covered(World(), *THREE[1:])
    covered(world, THREE[0], worker=WORKER)
    world.submit(death(worker_id=STAYED, nik=None))
    world.merge(WORKER, STAYED)
    await world.settle()
    assert world.last()["total"] == 42_000_000


@pytest.mark.parametrize("late", [False, True])
async def test_after_an_unmerge_a_claim_counts_its_own_months(late: bool) -> None:
    world = covered(World(), *THREE)
    if late:
        # The later event is read first.
        world.unmerge(WORKER)
        world.merge(WORKER, STAYED)
    else:
        world.merge(WORKER, STAYED)
        world.unmerge(WORKER)
    world.submit(death())
    await world.settle()
    assert (world.last()["type"], world.last()["reasons"]) == ("claim.rejected.v1", ["not-covered"])
    assert world.last()["worker_id"] == WORKER


async def test_a_held_claim_returns_to_its_worker_after_an_unmerge() -> None:
    world = covered(World(), *THREE)
    world.merge(WORKER, STAYED)
    world.submit(death(documents=[]))
    await world.settle()
    assert (world.last()["type"], world.last()["worker_id"]) == ("claim.held.v1", STAYED)
    world.unmerge(WORKER)
    await world.settle()
    assert (world.last()["type"], world.last()["reasons"]) == ("claim.rejected.v1", ["not-covered"])


@pytest.mark.parametrize("first", [WORKER, STAYED])
@pytest.mark.parametrize("merged_at", [0, 1, 2])
async def test_the_death_of_one_person_is_paid_once_under_two_numbers(first: str, merged_at: int) -> None:
    second = STAYED if first == WORKER else WORKER
    world = covered(World(), *THREE, workers=2)
    world.bill(*THREE, worker=WORKER)
    steps: list[Any] = [
        lambda: world.submit(death(worker_id=first, nik=None)),
        lambda: world.submit(death(claim_no="RS-9", worker_id=second, nik=None), OTHER),
    ]
    steps.insert(merged_at, lambda: world.merge(WORKER, STAYED))
    for step in steps:
        step()
        await world.settle()
    # Two deaths were paid before the merge was known; those payments cannot be taken back.
    assert world.bank.total == (84_000_000 if merged_at == 2 else 42_000_000)
    if merged_at < 2:
        assert world.last("RS-9")["reasons"] == ["duplicate-claim"]


async def test_a_worker_mistaken_for_a_dead_one_is_paid_after_an_unmerge() -> None:
    world = covered(World(), *THREE)
    world.merge(WORKER, STAYED)
    world.submit(death())
    await world.settle()
    world.submit(death(claim_no="RS-9", worker_id=STAYED, nik=None), OTHER)
    await world.settle()
    assert world.last("RS-9")["reasons"] == ["duplicate-claim"]
    world.unmerge(WORKER)
    await world.settle()
    world.submit(death(claim_no="RS-9", worker_id=STAYED, nik=None, cause="natural"), OTHER)
    # The first worker's death stays paid.
    world.bill(*THREE, worker=WORKER)
    world.submit(death(claim_no="RS-10"), OTHER)
    await world.settle()
    assert world.last("RS-9")["type"] == "claim.paid.v1"
    assert world.last("RS-10")["reasons"] == ["duplicate-claim"]


async def test_chains_and_circles_have_one_person() -> None:
    chain = Persons({WORKER: STAYED, STAYED: THIRD})
    assert [chain.who(one) for one in (WORKER, STAYED, THIRD, "x")] == [THIRD, THIRD, THIRD, "x"]
    assert chain.group(STAYED) == {WORKER, STAYED, THIRD}
    circle = Persons({WORKER: STAYED, STAYED: WORKER, THIRD: WORKER})
    assert len({circle.who(one) for one in (WORKER, STAYED, THIRD)}) == 1


async def test_events_of_workers_who_were_never_merged_leave_no_document() -> None:
    world = World()
    world.unmerge(WORKER, sequence=1)
    await world.settle()
    assert not world.store.collections.get("links")
