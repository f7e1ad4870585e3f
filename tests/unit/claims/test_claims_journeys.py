"""Whole claims: given billing's events and the agencies' commands, exactly these events follow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.property.claims_world import (
    JKK_DOCUMENTS,
    JKM_DOCUMENTS,
    NIK,
    SCHOOL_DOCUMENTS,
    WORKER,
    World,
    accident,
    amounts,
    child,
    death,
)

THREE = ("2026-02", "2026-03", "2026-04")
OTHER = "agency/64.08/distransnaker"
FULL = {"jkm.lump": 20_000_000, "jkm.periodic": 12_000_000, "jkm.funeral": 10_000_000}
HEAVY = {"jkk.death": 48_000_000, "jkk.funeral": 10_000_000, "jkk.periodic": 12_000_000}


def months(count: int) -> list[str]:
    """This many months, ending with April 2026."""
    return [f"{(24_315 - back) // 12}-{(24_315 - back) % 12 + 1:02d}" for back in range(count)]


async def after(*submitted: dict[str, Any], covered: tuple[str, ...] | list[str] = THREE) -> World:
    """A world in which these months are covered and these claims submitted."""
    world = World()
    world.cover(*covered)
    for one in submitted:
        world.submit(one)
    await world.settle()
    return world


# -- amounts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "covered", "expected"),
    [
        (death(), THREE, FULL),
        (death(cause="natural"), THREE, FULL),
        (death(worker_id=WORKER, nik=None), THREE, FULL),
        (death(), THREE[1:], {"jkm.limited": 10_000_000}),
        (death(), ("2026-01", *THREE[1:]), {"jkm.limited": 10_000_000}),
        (death(details={"outcome": "death", "children": [child()]}), THREE, FULL),
        (death(details={"outcome": "death", "children": [child()]}), months(36), {**FULL, "scholarship.sd": 1_500_000}),
        (death(details={"outcome": "death", "children": [child()]}), months(35), FULL),
        (accident("treatment", treatment_cost=3_250_000), THREE, {"jkk.treatment": 3_250_000}),
        (accident("temporary", days_off_work=12), THREE, {"jkk.stmb.first": 400_000}),
        (accident("temporary", days_off_work=10), THREE, {"jkk.stmb.first": 333_333}),
        (
            {**accident("temporary", days_off_work=420), "event_date": "2025-02-20"},
            ("2025-02",),
            {"jkk.stmb.first": 12_000_000, "jkk.stmb.after": 1_000_000},
        ),
        (death(cause="accident"), THREE, FULL),
        ({**accident("temporary", days_off_work=3), "cause": "illness"}, THREE, {"jkk.stmb.first": 100_000}),
        (
            accident("partial", loss_percent=50, treatment_cost=1),
            THREE,
            {"jkk.partial": 40_000_000, "jkk.treatment": 1},
        ),
        (accident("partial", loss_percent=5), THREE, {"jkk.partial": 4_000_000}),
        (accident("partial", loss_percent=12.5), THREE, {"jkk.partial": 10_000_000}),
        (
            accident("treatment", treatment_cost=1, transport={"land": 9_000_000, "sea": 9_000_000, "air": 9_000_000}),
            THREE,
            {
                "jkk.treatment": 1,
                "jkk.transport.land": 5_000_000,
                "jkk.transport.sea": 2_000_000,
                "jkk.transport.air": 9_000_000,
            },
        ),
    ],
)
async def test_a_covered_claim_is_paid_by_the_rules(
    claim: dict[str, Any], covered: list[str], expected: dict[str, int]
) -> None:
    world = await after(claim, covered=covered)
    assert world.kinds() == ["registered", "approved", "paid"]
    assert amounts(world.last()["benefits"]) == expected
    assert world.last()["total"] == sum(expected.values()) == world.bank.total


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (accident(), HEAVY),
        (accident("total"), {"jkk.total_disability": 56_000_000, "jkk.periodic": 12_000_000}),
        (accident("partial", loss_percent=100), {"jkk.partial": 56_000_000}),
        (accident(children=[child()]), {**HEAVY, "scholarship.sd": 1_500_000}),
        (
            accident(
                children=[
                    child(level="higher", birth_date="2006-01-01"),
                    child("TUA", birth_date="2000-01-01"),
                    child("IDA", "tk"),
                ]
            ),
            {**HEAVY, "scholarship.higher": 12_000_000, "scholarship.tk": 1_500_000},
        ),
        (accident(children=[child("A"), child("B"), child("C")]), {**HEAVY, "scholarship.sd": 3_000_000}),
    ],
)
async def test_above_fifty_million_an_officer_decides(claim: dict[str, Any], expected: dict[str, int]) -> None:
    world = await after(claim)
    assert world.kinds() == ["registered", "held"]
    assert (world.last()["reasons"], world.last()["total"]) == (["awaiting-officer"], sum(expected.values()))
    world.rule({"claim_no": "KLM-1", "decision": "approved", "reason": "ok"})
    await world.settle()
    assert world.kinds()[2:] == ["approved", "paid"]
    assert amounts(world.last()["benefits"]) == expected


async def test_exactly_fifty_million_needs_no_officer() -> None:
    world = await after(accident("treatment", treatment_cost=50_000_000))
    assert world.kinds() == ["registered", "approved", "paid"]


async def test_an_officer_may_reject() -> None:
    world = await after(accident())
    world.rule({"claim_no": "KLM-1", "decision": "rejected", "reason": "no"})
    await world.settle()
    assert world.kinds()[2:] == ["rejected"]
    assert world.bank.calls == []


SCHOOL = {"kind": "scholarship", "documents": SCHOOL_DOCUMENTS}


def scholarship(claim_no: str = "S-1", *children: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A scholarship claim with all its documents, after a death by illness."""
    details = {"outcome": "death", "children": list(children) or [child()]}
    return death(claim_no=claim_no, details=details, **{**SCHOOL, **changed})


async def test_a_scholarship_follows_a_death_that_is_paid() -> None:
    world = World()
    world.cover(*months(36))
    world.submit(scholarship())
    await world.settle()
    assert (world.kinds("S-1"), world.last("S-1")["reasons"]) == (["registered", "held"], ["awaiting-event"])
    world.submit(death())
    await world.settle()
    assert world.kinds("S-1") == ["registered", "held", "approved", "paid"]
    assert amounts(world.last("S-1")["benefits"]) == {"scholarship.sd": 1_500_000}
    assert len(world.of_type("worker.died.v1")) == 1


async def test_after_a_natural_death_a_scholarship_needs_three_years_of_months() -> None:
    world = await after(death(), scholarship(), covered=months(35))
    assert (world.kinds()[-1], world.last("S-1")["reasons"]) == ("paid", ["qualifying-period"])


@pytest.mark.parametrize("outcome", ["death", "total"])
async def test_after_an_accident_a_scholarship_needs_no_months(outcome: str) -> None:
    follows = scholarship(cause="accident")
    follows["details"]["outcome"] = outcome
    world = await after(accident(outcome), follows, covered=["2026-04"])
    assert world.last("S-1")["reasons"] == ["awaiting-event"]
    world.rule({"claim_no": "KLM-1", "decision": "approved", "reason": "ok"})
    await world.settle()
    assert amounts(world.last("S-1")["benefits"]) == {"scholarship.sd": 1_500_000}


# -- cover --------------------------------------------------------------------------------------------------------


async def test_a_billed_but_unpaid_month_holds_a_claim_once_until_it_is_paid() -> None:
    world = World()
    world.bill(*THREE)
    world.close_run(*THREE)
    world.pay(*THREE[:2])
    world.submit(death())
    await world.settle()
    assert (world.kinds(), world.last()["reasons"]) == (["registered", "held"], ["awaiting-premium"])
    world.pay(THREE[2])
    await world.settle()
    assert world.kinds() == ["registered", "held", "approved", "paid"]
    assert world.last()["total"] == 42_000_000


async def test_the_claim_may_come_before_anything_of_its_month_is_known() -> None:
    world = World()
    world.submit(death())
    await world.settle()
    assert world.last()["reasons"] == ["awaiting-premium"]
    world.pay(*THREE)
    await world.settle()
    world.close_run(*THREE)
    await world.settle()
    assert world.last()["type"] == "claim.held.v1", "the run says one premium, and none is seen"
    world.bill(*THREE)
    await world.settle()
    world.now += timedelta(hours=2)
    await world.settle()
    assert world.kinds() == ["registered", "held", "approved", "paid"]


async def test_a_complete_month_without_the_worker_is_not_covered() -> None:
    world = World()
    world.bill("2026-04", worker="a" * 26)
    world.close_run("2026-04", workers=2)
    world.submit(death())
    await world.settle()
    assert world.last()["reasons"] == ["awaiting-premium"], "one of two premiums is still to come"
    world.bill("2026-04", worker="b" * 26)
    await world.settle()
    world.now += timedelta(hours=2)
    await world.settle()
    assert (world.last()["type"], world.last()["reasons"]) == ("claim.rejected.v1", ["not-covered"])


async def test_cover_of_another_regency_counts_and_wakes() -> None:
    world = World()
    world.bill("2026-04", regency="64.02")
    world.submit(death())
    await world.settle()
    assert world.last()["reasons"] == ["awaiting-premium"]
    world.pay("2026-04", regency="64.02")
    await world.settle()
    world.now += timedelta(hours=2)
    await world.settle()
    assert world.kinds() == ["registered", "held", "approved", "paid"]


@pytest.mark.parametrize(
    ("day", "covered", "kinds"),
    [
        ("2026-04-09", ("2026-04",), ["registered", "rejected"]),
        ("2026-04-10", ("2026-04",), ["registered", "approved", "paid"]),
        ("2026-04-09", ("2026-03", "2026-04"), ["registered", "approved", "paid"]),
        ("2026-04-09", ("2026-02", "2026-04"), ["registered", "rejected"]),
    ],
)
async def test_the_first_month_of_a_row_covers_from_its_payment(
    day: str, covered: tuple[str, ...], kinds: list[str]
) -> None:
    world = World()
    world.bill(*covered)
    world.close_run(*covered)
    world.pay(*covered[:-1])
    world.pay(covered[-1], on="2026-04-10")
    world.submit(death(event_date=day))
    await world.settle()
    assert world.kinds() == kinds
    if kinds[-1] == "rejected":
        assert world.last()["reasons"] == ["not-covered"]


# -- refusals and holds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"claim_no": None}, ["field-missing:claim_no"]),
        ({"nik": None}, ["field-missing:nik"]),
        ({"nik": "640804410785000"}, ["nik-malformed"]),
        ({"nik": 6408044107850002}, ["nik-malformed"]),
        ({"nik": "6408044107850000"}, ["nik-malformed"]),
        ({"nik": None, "worker_id": "x"}, ["field-invalid:worker_id"]),
        ({"kind": None}, ["field-missing:kind"]),
        ({"kind": "jht"}, ["field-invalid:kind"]),
        ({"event_date": "2026-02-30"}, ["field-invalid:event_date"]),
        ({"event_date": "2026-05-07"}, ["field-invalid:event_date"]),
        ({"event_date": 20260420}, ["field-invalid:event_date"]),
        ({"cause": None}, ["field-missing:cause"]),
        ({"cause": "war"}, ["field-invalid:cause"]),
        ({"details": "x"}, ["field-invalid:details"]),
        ({"details": {"outcome": "x"}}, ["field-invalid:details.outcome"]),
        (accident("treatment", treatment_cost="5"), ["field-invalid:details.treatment_cost"]),
        (accident("treatment", transport={"land": -1}), ["field-invalid:details.transport.land"]),
        (accident("treatment"), ["field-missing:details.treatment_cost"]),
        ({"documents": "form-4"}, ["field-invalid:documents"]),
        ({"documents": [*JKM_DOCUMENTS, "surat-sakti"]}, ["field-invalid:documents"]),
        (accident("temporary", days_off_work=18), ["field-invalid:details.days_off_work"]),
        (accident(children=[child(birth_date="2099-01-01")]), ["field-invalid:details.children"]),
        ({"claimant": None}, ["field-missing:claimant"]),
        ({"claimant": {"name": "A", "relation": "spouse"}}, ["field-missing:claimant.account"]),
        (
            {"nik": "1", "cause": "war", "claimant": {"name": 5, "relation": "r", "account": "1"}},
            ["nik-malformed", "field-invalid:cause", "field-invalid:claimant.name"],
        ),
    ],
)
async def test_a_wrong_form_is_rejected_with_every_reason(changed: dict[str, Any], expected: list[str]) -> None:
    world = World()
    name = world.submit(death(**changed))
    await world.settle()
    for topic in ("claims-events", "feedback-6408-rumahsakit"):
        (one,) = world.told(topic)
        assert (one["type"], one["data"]["reasons"], one["causationid"]) == ("claim.rejected.v1", expected, name)
        assert one["data"]["claim_no"] == changed.get("claim_no", "KLM-1")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("row-ragged", "row-ragged"),
        ("field-invalid:too-large", "field-invalid:too-large"),
        (5, "field-invalid:row_fault"),
    ],
)
async def test_a_row_that_its_reader_refused_is_rejected_with_its_reason(fault: Any, reason: str) -> None:
    world = World()
    name = world.submit({"submission_id": "7", "row_fault": fault})
    await world.settle()
    for topic in ("claims-events", "feedback-6408-rumahsakit"):
        (one,) = world.told(topic)
        assert (one["type"], one["data"]["reasons"], one["causationid"]) == ("claim.rejected.v1", [reason], name)
        assert one["data"]["claim_no"] is None


@pytest.mark.parametrize(
    ("changes", "kind"), [({}, "claim.submit.v1"), ({"nik": None}, "claim.submit.v1"), ({}, "claim.withdraw.v1")]
)
async def test_no_event_names_a_claim_by_a_nik(changes: dict[str, Any], kind: str) -> None:
    world = World()
    world.submit(death(claim_no=f"RS/{NIK}", **changes), kind=kind)
    await world.settle()
    for topic in ("claims-events", "feedback-6408-rumahsakit"):
        (one,) = world.told(topic)
        assert one["type"] in ("claim.rejected.v1", "claim.withdraw.refused.v1")
        assert NIK not in str(one)


async def test_a_number_that_only_looks_like_a_nik_is_the_agencys_own() -> None:
    # The claim's code, a day and a serial number.
    world = await after(death(claim_no="6408202611210001"))
    assert world.kinds("6408202611210001")[-1] == "paid"


@pytest.mark.parametrize("data", [None, [], "x", 5, {}])
async def test_data_of_any_shape_is_answered(data: Any) -> None:
    world = World()
    for kind in ("claim.submit.v1", "claim.add-documents.v1", "claim.withdraw.v1"):
        world.submit(data, kind=kind)
    world.rule(data)
    await world.settle()
    # A decision whose agency cannot be read is published on the events topic, and on no agency's feedback.
    assert len(world.told()) == 4
    assert len(world.told("feedback-6408-rumahsakit")) == (4 if data == {} else 3)
    assert all(one["data"]["reasons"] for one in world.told())
    assert world.told("claims-dlq") == []


@pytest.mark.parametrize(
    ("claim", "missing"),
    [
        (death(documents=[]), JKM_DOCUMENTS),
        (death(documents=[*JKM_DOCUMENTS[:4], *JKM_DOCUMENTS[5:]]), ["death-certificate"]),
        ({**accident("treatment", treatment_cost=5), "documents": JKK_DOCUMENTS}, ["receipts"]),
        ({**accident("treatment", transport={"sea": 5}), "documents": JKK_DOCUMENTS}, ["receipts"]),
        ({**accident("temporary", days_off_work=3), "documents": ["kk1"]}, JKK_DOCUMENTS[1:]),
    ],
)
async def test_missing_documents_are_named_and_may_be_added(claim: dict[str, Any], missing: list[str]) -> None:
    world = await after(claim)
    assert world.kinds() == ["registered", "held"]
    assert (world.last()["reasons"], world.last()["missing_documents"]) == (["documents-missing"], missing)
    world.submit({"claim_no": "KLM-1", "documents": missing}, kind="claim.add-documents.v1")
    await world.settle()
    assert world.kinds() == ["registered", "held", "approved", "paid"]


@pytest.mark.parametrize(
    ("claim", "covered", "expected"),
    [
        ({**accident("temporary", days_off_work=3), "cause": "natural"}, THREE, ["not-eligible"]),
        ({**accident("temporary", days_off_work=3), "event_date": "2021-05-05"}, ["2021-05"], ["claim-expired"]),
        (death(event_date="2020-05-05"), ["2020-05"], None),
    ],
)
async def test_claims_that_can_never_be_paid(
    claim: dict[str, Any], covered: list[str], expected: list[str] | None
) -> None:
    world = await after(claim, covered=covered)
    if expected is None:
        assert world.kinds() == ["registered", "approved", "paid"]
    else:
        assert (world.last()["type"], world.last()["reasons"]) == ("claim.rejected.v1", expected)


async def test_a_death_is_paid_once_whoever_claims_it() -> None:
    world = World()
    world.cover(*THREE)
    world.submit(death())
    world.submit(death(claim_no="RS-9"), source=OTHER)
    await world.settle()
    assert sorted(world.kinds()[-1:] + world.kinds("RS-9")[-1:]) == ["paid", "rejected"]
    (refused,) = world.of_type("claim.rejected.v1")
    assert refused["reasons"] == ["duplicate-claim"]
    assert world.bank.total == 42_000_000
    (died,) = world.of_type("worker.died.v1")
    assert died == {"worker_id": WORKER, "regency": "64.08", "died_on": "2026-04-20"}


async def test_the_same_claim_no_names_one_claim_until_it_is_rejected() -> None:
    world = await after(death())
    world.submit(death(cause="natural"))
    await world.settle()
    assert world.last()["type"] == "claim.submit.refused.v1"
    assert world.last()["reasons"] == ["duplicate-claim"]
    assert world.bank.total == 42_000_000


async def test_a_rejected_claim_may_be_submitted_again() -> None:
    world = await after({**accident(), "cause": "natural"})
    assert world.last()["type"] == "claim.rejected.v1"
    world.submit(death())
    await world.settle()
    assert world.kinds() == ["registered", "rejected", "registered", "approved", "paid"]


async def test_another_agency_may_use_the_same_number() -> None:
    world = World()
    world.submit(death(documents=[]))
    world.submit(death(documents=[], nik="6408044107850003"), source=OTHER)
    await world.settle()
    assert world.kinds() == ["registered", "registered", "held", "held"]


@pytest.mark.parametrize("kind", ["claim.add-documents.v1", "claim.withdraw.v1", "claim.decide.v1"])
async def test_a_command_on_an_unknown_claim_is_refused_and_leaves_the_number_free(kind: str) -> None:
    world = World()
    world.cover(*THREE)
    command = {"claim_no": "KLM-1", "documents": ["kk1"], "decision": "approved", "reason": "ok"}
    if kind == "claim.decide.v1":
        world.rule(command)
    else:
        world.submit(command, kind=kind)
    await world.settle()
    assert world.last()["type"] == f"{kind.removesuffix('.v1')}.refused.v1"
    assert world.last()["reasons"] == ["not-registered"]
    world.submit(death())
    await world.settle()
    assert world.kinds()[1:] == ["registered", "approved", "paid"]


async def test_a_held_claim_may_be_withdrawn_and_a_paid_one_not() -> None:
    world = await after({**accident("temporary", days_off_work=3), "documents": []}, death(claim_no="KLM-2"))
    for claim_no in ("KLM-1", "KLM-2"):
        world.submit({"claim_no": claim_no}, kind="claim.withdraw.v1")
    await world.settle()
    assert world.kinds() == ["registered", "held", "rejected"]
    assert world.last()["stage"] == "selesai"
    assert world.last("KLM-2")["type"] == "claim.withdraw.refused.v1"


async def test_conflicting_content_under_one_name_is_refused() -> None:
    world = World()
    world.submit(death(documents=[]), name="same")
    world.submit(death(documents=["form-4"]), name="same")
    await world.settle()
    reasons = [one["data"]["reasons"] for one in world.told()]
    assert reasons.count(["conflicting-duplicate"]) == 1
    assert world.kinds().count("registered") == 1


# -- payment ------------------------------------------------------------------------------------------------------


async def test_bpjs_may_be_down_for_a_while() -> None:
    world = World()
    world.cover(*THREE)
    world.bank.status = 503
    world.submit(death())
    await world.settle()
    assert world.kinds() == ["registered", "approved"]
    world.bank.status = 200
    await world.settle()
    assert world.kinds() == ["registered", "approved", "paid"]
    assert len({key for key, _ in world.bank.calls}) == 1


async def test_a_command_does_not_make_a_payment_be_forgotten() -> None:
    world = World()
    world.cover(*THREE)
    world.bank.status = 503
    world.submit(death())
    await world.settle()
    for kind in ("claim.withdraw.v1", "claim.add-documents.v1", "claim.submit.v1"):
        world.submit(death(cause="natural"), kind=kind)
    world.pay("2026-05")
    await world.settle()
    world.bank.status = 200
    await world.settle()
    assert world.of_type("claim.paid.v1")[0]["total"] == world.bank.total == 42_000_000


async def test_a_payment_names_district_and_sex() -> None:
    world = await after(death())
    paid = world.last(topic="feedback-6408-rumahsakit")
    assert paid == world.last()
    assert (paid["district"], paid["sex"], paid["paid_on"]) == ("64.08.04", "F", "2026-05-06")
    assert (paid["agency"], paid["regency"], paid["worker_id"], paid["kind"]) == ("rumahsakit", "64.08", WORKER, "jkm")
    assert paid["reference"]


async def test_a_refused_account_holds_the_claim_and_nothing_is_paid_or_lost() -> None:
    world = await after(death(claimant={"name": "A", "relation": "child", "account": "1-0000"}))
    assert world.kinds() == ["registered", "approved", "held"]
    assert "field-invalid:claimant.account" in world.last()["reasons"]
    assert (world.bank.total, world.of_type("worker.died.v1")) == (0, [])


# -- never ----------------------------------------------------------------------------------------------------------


async def test_nothing_personal_is_published_or_kept_readable() -> None:
    world = await after(death(details={"outcome": "death", "children": [child("KECIL MANIS")]}), covered=months(36))
    assert world.last()["type"] == "claim.paid.v1"
    for secret in (NIK, "BUDI SANTOSO", "ACC-7788", "KECIL MANIS", "2016-01-01"):
        assert secret.encode() not in world.everything()


@pytest.mark.parametrize(("cut", "again"), [(1, False), (1, True), (3, True), (2000, True)])
async def test_batches_and_redeliveries_change_nothing(cut: int, again: bool) -> None:
    world = World(cut, again)
    world.submit(death(documents=[]))
    world.submit(death(claim_no="RS-9"), source=OTHER)
    world.cover(*THREE)
    world.submit({"claim_no": "KLM-1", "documents": JKM_DOCUMENTS}, kind="claim.add-documents.v1")
    await world.settle()
    assert sorted([world.kinds()[-1], world.kinds("RS-9")[-1]]) == ["paid", "rejected"]
    assert world.bank.total == 42_000_000
    assert len(world.of_type("worker.died.v1")) == 1
