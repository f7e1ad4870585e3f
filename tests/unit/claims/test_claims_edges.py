"""The edges of claims from the outside: money that must not leave twice, and claims that must not get stuck."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from payung import checks
from tests.property.claims_world import SCHOOL_DOCUMENTS, World, accident, child, death

THREE = ("2026-02", "2026-03", "2026-04")
OTHER = "agency/64.08/distransnaker"
REFUSED = death(claimant={"name": "A", "relation": "child", "account": "1-0000"})
LONG = [f"{(24_315 - back) // 12}-{(24_315 - back) % 12 + 1:02d}" for back in range(36)]


async def after(*submitted: dict[str, Any], covered: tuple[str, ...] | list[str] = THREE) -> World:
    """A world in which these months are covered and these claims submitted."""
    world = World()
    world.cover(*covered)
    for one in submitted:
        world.submit(one)
    await world.settle()
    return world


async def test_after_a_refused_account_the_claim_is_mended_by_sending_it_with_another() -> None:
    world = await after(REFUSED)
    world.submit(death())
    await world.settle()
    assert world.kinds()[-1] == "paid"
    assert world.bank.total == 42_000_000


async def test_after_a_refused_account_another_agency_may_claim_once_it_is_withdrawn() -> None:
    world = await after(REFUSED)
    world.submit({"claim_no": "KLM-1"}, kind="claim.withdraw.v1")
    await world.settle()
    world.submit(death(claim_no="RS-9"), source=OTHER)
    await world.settle()
    assert (world.kinds()[-1], world.kinds("RS-9")[-1]) == ("rejected", "paid")


async def test_a_childs_school_year_is_paid_once() -> None:
    claim = death(kind="scholarship", documents=SCHOOL_DOCUMENTS, details={"outcome": "death", "children": [child()]})
    world = await after(death(claim_no="JKM-1"), claim, {**claim, "claim_no": "KLM-2"}, covered=LONG)
    assert sorted([world.kinds()[-1], world.kinds("KLM-2")[-1]]) == ["paid", "rejected"]
    assert world.of_type("claim.rejected.v1")[0]["reasons"] == ["duplicate-claim"]
    assert world.bank.total == 42_000_000 + 1_500_000


async def test_a_waiting_claim_does_not_grow() -> None:
    world = World()
    world.bill("2026-04")
    world.submit(death())
    await world.settle()
    before = len(next(iter(world.store.collections["claims"].values()))["inputs"])
    for _ in range(30):
        world.now += timedelta(hours=2)
        await world.settle()
    after_waiting = len(next(iter(world.store.collections["claims"].values()))["inputs"])
    assert after_waiting - before <= 1


async def test_after_a_refused_account_and_a_withdrawal_the_same_number_is_paid() -> None:
    world = await after(REFUSED)
    world.submit({"claim_no": "KLM-1"}, kind="claim.withdraw.v1")
    await world.settle()
    world.submit(death())
    await world.settle()
    assert world.kinds()[-1] == "paid"
    assert world.bank.total == 42_000_000


@pytest.mark.parametrize(
    "number", ["KLM–№1/é", "SITI AMINAH 1", "tanpa-nomor", "0812-3456-7890", "KLM/6408.0441.0785.0002", "K" * 41 + "1"]
)
async def test_a_claim_number_that_everyone_reads_is_a_number(number: str) -> None:
    world = await after(death(claim_no=number))
    (told,) = world.told("claims-events")
    assert (told["type"], told["data"]["claim_no"]) == ("claim.rejected.v1", None)
    assert told["data"]["reasons"] == ["field-invalid:claim_no"]
    assert number not in str(told)


async def test_the_last_day_of_the_term_is_inside_it() -> None:
    world = await after({**accident("temporary", days_off_work=3), "event_date": "2021-05-06"}, covered=["2021-05"])
    assert world.kinds()[-1] == "paid"


async def test_public_money_buys_the_base_of_one_million_whatever_the_income() -> None:
    world = World()
    world.bill("2026-04", income=9_000_000)
    world.pay("2026-04")
    world.submit(accident("partial", loss_percent=5))
    await world.settle()
    assert world.last()["total"] == 4_000_000


async def test_a_scholarship_without_an_eligible_child_says_so() -> None:
    grown = [child(birth_date="2000-01-01")]
    claim = death(kind="scholarship", documents=SCHOOL_DOCUMENTS, details={"outcome": "death", "children": grown})
    assert (await after(death(claim_no="JKM-1"), claim, covered=LONG)).last()["reasons"] == ["not-eligible"]


async def test_a_wrong_form_does_not_reject_the_registered_claim() -> None:
    world = await after(death())
    world.submit(death(cause="war"))
    await world.settle()
    assert world.last()["type"] == "claim.submit.refused.v1"


@pytest.mark.parametrize("worker", ["A" * 26, "1" * 26, "a" * 25])
async def test_a_worker_id_has_its_shape(worker: str) -> None:
    assert (await after(death(nik=None, worker_id=worker))).last()["reasons"] == ["field-invalid:worker_id"]


def test_a_list_is_checked_offline_by_the_same_form(tmp_path: Path) -> None:
    rows = [death(), death(cause="war"), death(worker_id="b" * 26)]
    path = tmp_path / "claims.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = checks.check(path, "64.08", "claims")
    assert (found.rows, [(one.row, one.reason) for one in found.refused]) == (3, [(2, "field-invalid:cause")])


async def test_a_restored_claim_keeps_what_bpjs_paid_under_its_key() -> None:
    """A restored store asks for 42 million under a key that paid 10 million before: only the difference is paid."""
    world = await after(covered=["2026-04"])
    world.submit(death())
    await world.settle()
    assert world.bank.total == 10_000_000
    first = dict(world.bank.paid)
    world.cover("2026-02", "2026-03")
    await world.settle()
    assert (world.bank.total, len(world.bank.paid)) == (42_000_000, 2)
    paid = dict(world.bank.paid)
    # All events about cover are read before the claim.
    await world.read_again(sorted((one.topic for one in world.log), key="billing-events".__ne__))
    assert world.claims() == {"64.08/rumahsakit/KLM-1": ("paid", 42_000_000)}
    assert world.bank.paid == paid
    assert first.items() <= paid.items()
