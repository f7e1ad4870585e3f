"""Two workers who turned out to be one person: no month is billed twice for them, whichever number stays."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.verification import IdentityEnded
from tests.property.billing_world import World
from tests.property.test_billing_laws import budget, verified

LEFT, STAYED = (f"w{number:025d}" for number in range(2))
PLACE = {"regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001", "sector": "trade"}


def a_world() -> World:
    """A world in which the worker who will be merged away is billed for January."""
    world = World()
    world.put("verification-events", LEFT, "identity.verified.v1", verified(0, 1_000_000, "trade"))
    for funding in ("apbd-regency", "csr"):
        world.command("budget.set.v1", budget(funding, 1_000_000, 1_000_000))
    world.settle_all()
    return run(world, "2026-01")


def run(world: World, period: str, funding: str = "apbd-regency") -> World:
    world.command("billing.run.v1", {"regency": "64.08", "period": period, "funding": funding})
    world.settle_all()
    return world


def merge(world: World, *, ended: bool = True) -> None:
    data: dict[str, Any] = {"worker_id": LEFT, **PLACE, "reason": "other", "effective_on": "2025-12-31"}
    data["merged_into"] = STAYED
    world.put("registration-events", LEFT, "worker.withdrawn.v1", data, "payung/registration", sequence=2)
    if ended:
        why = {"reasons": ["withdrawn"], "effective_on": "2025-12-31", "registration_version": 1}
        who = {"worker_id": LEFT, **PLACE, "sex": "F", "birth_month": "1985-07"}
        end = IdentityEnded.model_validate({**who, **why})
        world.put("verification-events", LEFT, "identity.ended.v1", end, sequence=2)
    world.settle_all()


def billed(world: World) -> list[tuple[str, str]]:
    return [(one["worker_id"], one["period"]) for one in world.of_type("premium.billed.v1")]


@pytest.mark.parametrize("funding", ["apbd-regency", "csr"])
@pytest.mark.parametrize("ended", [True, False])
def test_a_month_billed_under_the_merged_number_is_not_billed_again(funding: str, ended: bool) -> None:
    world = a_world()
    merge(world, ended=ended)
    world.put("verification-events", STAYED, "identity.verified.v1", verified(1, 1_000_000, "trade"))
    world.settle_all()
    run(world, "2026-01", funding)
    assert billed(world) == [(LEFT, "2026-01")]
    # The next month is billed once, under the number that stayed.
    run(world, "2026-02", funding)
    assert billed(world) == [(LEFT, "2026-01"), (STAYED, "2026-02")]


def test_after_an_unmerge_each_worker_is_billed_separately() -> None:
    world = a_world()
    merge(world, ended=False)
    world.put("verification-events", STAYED, "identity.verified.v1", verified(1, 1_000_000, "trade"))
    back = {
        "worker_id": LEFT,
        **PLACE,
        "occupation": "pedagang",
        "sex": "F",
        "birth_month": "1985-07",
        "income_base": 1_000_000,
        "agency": "dinsos",
        "submission": "S-1",
    }
    world.put("registration-events", LEFT, "worker.registered.v1", back, "payung/registration", sequence=3)
    world.settle_all()
    run(world, "2026-01")
    run(world, "2026-02")
    assert sorted(billed(world)) == sorted((one, month) for one in (LEFT, STAYED) for month in ("2026-01", "2026-02"))
