"""An event that excludes a worker ends the subsidy before billing's next run, whenever it arrives. Both services are
real.
"""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from services.verification.adapters import loading, sweep
from services.verification.domain import policy
from services.verification.facts import sources
from shared.kernel.identity import worker_id
from shared.runtime import clock
from tests.property.billing_world import World
from tests.property.test_billing_laws import budget
from tests.toy import AT, CIPHER
from tests.unit.verification.test_verification_service import KEY, NIKS, Service, check, person

WHO = [worker_id(KEY, nik) for nik in NIKS]


class Town:
    """Verification and billing, joined by verification's events."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.service, self.billing = Service(), World()
        self.now = AT
        self.context: Any = SimpleNamespace(reader=self.service.store, publish=self.service.publish)
        self._forwarded = 0
        monkeypatch.setattr(clock, "now", lambda: self.now)

    async def load(self, kind: str, *rows: dict[str, str], version: str) -> None:
        await loading.load(self.service.store, CIPHER, rows, "64.08", KEY, version, kind)

    async def swept(self) -> list[dict[str, Any]]:
        """One look of the sweep. Its reports are processed by verification and then by billing."""
        before = len(self.service.topics.published)
        await sweep.look(self.context)
        work = [orjson.loads(one.value or b"") for one in self.service.topics.published[before:]]
        out = await self.service.take(*work, topic="verification-work") if work else []
        self.forward()
        return out

    def forward(self) -> None:
        """Billing reads verification-events."""
        published = self.service.topics.published
        for one in published[self._forwarded :]:
            if one.topic == "verification-events":
                event = orjson.loads(one.value or b"")
                key = (one.key or b"").decode()
                self.billing.put(one.topic, key, event["type"], event["data"], event["source"], event["sequence"])
        self._forwarded = len(published)
        self.billing.settle_all()

    def billed(self, period: str) -> int:
        """How many workers a run of this month bills."""
        self.billing.command("billing.run.v1", {"regency": "64.08", "period": period, "funding": "apbd-regency"})
        self.billing.settle_all()
        done = [one for one in self.billing.told if one["type"] == "billing.run-completed.v1"]
        return int(done[-1]["data"]["billed_workers"])


@pytest.fixture
async def town(monkeypatch: pytest.MonkeyPatch) -> Town:
    """Six verified workers who were billed for January."""
    one = Town(monkeypatch)
    await one.load(sources.POPULATION, *(person(nik) for nik in NIKS[:6]), version="v1")
    await one.service.take(*(check(nik) for nik in NIKS[:6]))
    one.billing.command("budget.set.v1", budget("apbd-regency", 10**9, 10**9))
    one.forward()
    assert one.billed("2026-01") == 6
    return one


async def test_a_new_snapshot_ends_the_dead_and_holds_the_double_the_same_day(town: Town) -> None:
    rows = [person(NIKS[0], status="deceased"), person(NIKS[1], status="double"), person(NIKS[2], status="inactive")]
    await town.load(sources.POPULATION, *rows, *(person(nik) for nik in NIKS[3:6]), version="v2")
    out = await town.swept()
    assert {one["data"]["worker_id"]: (one["type"], one["data"]["reasons"]) for one in out} == {
        WHO[0]: ("identity.ended.v1", ["deceased"]),
        WHO[1]: ("identity.held.v1", ["duplicate-identity"]),
        WHO[2]: ("identity.held.v1", ["inactive-identity"]),
    }
    assert {one["data"]["effective_on"] for one in out} == {"2026-01-05"}
    assert town.billed("2026-02") == 3


@pytest.mark.parametrize("kind", sources.ROSTERS)
async def test_a_roster_ends_the_identity_of_a_wage_earner(town: Town, kind: str) -> None:
    await town.load(
        kind, {"nik": NIKS[0], "started_on": "2026-01-03"}, {"nik": NIKS[9], "started_on": ""}, version="r1"
    )
    (out,) = await town.swept()
    assert (out["type"], out["data"]["reasons"], out["data"]["effective_on"]) == (
        "identity.ended.v1",
        [kind],
        "2026-01-03",
    )
    assert town.billed("2026-02") == 5
    (late,) = await town.service.take(check(NIKS[0], version=2))
    assert (late["type"], late["data"]["reasons"]) == ("identity.rejected.v1", [kind])


async def test_a_worker_who_moved_ends_when_the_policy_requires_residence(town: Town) -> None:
    gone = person(NIKS[0], village="64.02.01.2001")
    await town.load(sources.POPULATION, gone, *(person(nik) for nik in NIKS[1:6]), version="v2")
    assert await town.swept() == []
    strict = {"regency": "64.08", "valid_from": "2026-01-01", "legal_basis": "Perbup", "residence_required": True}
    await loading.save_policies(town.service.store, [policy.read(strict)])
    town.now += timedelta(seconds=1)
    await town.load(sources.POPULATION, gone, *(person(nik) for nik in NIKS[1:6]), version="v3")
    (out,) = await town.swept()
    assert (out["data"]["worker_id"], out["type"], out["data"]["reasons"]) == (
        WHO[0],
        "identity.ended.v1",
        ["village-outside"],
    )
    assert out["data"]["policy"].startswith("64.08@2026-01-01#")
    assert town.billed("2026-02") == 5


async def test_a_load_is_swept_exactly_twice_and_a_repeat_changes_nothing(town: Town) -> None:
    assert await town.swept() == []
    dead = person(NIKS[0], status="deceased")
    await town.load(sources.POPULATION, dead, version="v2")
    assert len(await town.swept()) == 1
    assert await town.swept() == []
    # The batch of this worker had looked before the switch; the worker is saved after the first pass.
    await town.load(sources.POPULATION, person(NIKS[6]), version="v3")
    await town.service.take(check(NIKS[6]))
    await town.load(sources.POPULATION, person(NIKS[6], status="deceased"), version="v4")
    standing = town.service.store.collections["identities"].pop(WHO[6])
    assert await town.swept() == []
    town.service.store.collections["identities"][WHO[6]] = standing
    assert await town.swept() == [], "not before every batch of that time is settled"
    town.now += timedelta(seconds=sweep.SECOND_PASS_AFTER_S)
    (out,) = await town.swept()
    assert (out["data"]["worker_id"], out["type"]) == (WHO[6], "identity.ended.v1")
    town.now += timedelta(seconds=sweep.SECOND_PASS_AFTER_S)
    assert await town.swept() == []


async def test_pending_and_rejected_workers_keep_their_state_in_a_sweep(town: Town) -> None:
    await town.service.take(check(NIKS[7]), check(NIKS[8]), check(NIKS[9]))  # not in the snapshot: all three wait
    rows = [person(NIKS[7], status="deceased"), person(NIKS[8], status="double"), person(NIKS[9])]
    await town.load(sources.POPULATION, *rows, version="v2")
    out = await town.swept()
    assert {one["data"]["worker_id"]: one["type"] for one in out} == {
        WHO[7]: "identity.rejected.v1",
        WHO[8]: "identity.held.v1",
    }
    assert [one.address.id for one in await town.service.store.due(AT, 10)] == [WHO[9]]
    await town.load(sources.POPULATION, *rows[:2], version="v3")
    assert await town.swept() == [], "who is rejected stays so; who is held for it stays held"


async def test_held_cases_that_waited_for_the_poverty_data_are_judged_again(town: Town) -> None:
    law = {"regency": "64.08", "valid_from": "2026-01-01", "legal_basis": "Pergub Kaltim 40/2025"}
    await loading.save_policies(town.service.store, [policy.read({**law, "required": ["dinsos"], "decile_max": 4})])
    out = await town.service.take(*(check(nik, version=2) for nik in NIKS[:3]))
    assert {tuple(one["data"]["reasons"]) for one in out} == {("poverty-data-missing",)}
    line = {"source": "DTSEN", "version": "2026-1"}
    await town.load(
        sources.DINSOS,
        {"nik": NIKS[0], **line, "decile": "3"},
        {"nik": NIKS[1], **line, "decile": "9"},
        {"nik": NIKS[4], **line, "decile": "1"},
        version="d1",
    )
    (verified,) = await town.swept()
    assert (verified["data"]["worker_id"], verified["type"]) == (WHO[0], "identity.verified.v1")
    assert verified["data"]["evidence"] == ["snapshot:v1", "dinsos:DTSEN:2026-1"]
    assert await town.swept() == []


async def test_held_cases_are_looked_up_again_in_a_newly_loaded_register(town: Town) -> None:
    spelt = person(NIKS[9], name="SITI AMINAH RAHMAWATI")
    rows = [person(NIKS[7], status="inactive"), person(NIKS[8], status="double"), spelt]
    await town.load(sources.POPULATION, *rows, version="v2")
    out = await town.service.take(*(check(nik) for nik in NIKS[7:10]))
    assert {one["type"] for one in out} == {"identity.held.v1"}
    # Disdukcapil has corrected one record; the other is still a double, and the name is still different.
    await town.load(sources.POPULATION, person(NIKS[7]), person(NIKS[8], status="double"), spelt, version="v3")
    (verified,) = await town.swept()
    assert (verified["data"]["worker_id"], verified["type"]) == (WHO[7], "identity.verified.v1")
    assert (verified["data"]["evidence"], verified["data"]["valid_until"]) == (["snapshot:v3"], "2027-01-05")
    states = await town.service.store.states("identities", WHO[8:10])
    assert {who: (one.status, one.evidence) for who, one in states.items()} == {
        WHO[8]: ("held", ("snapshot:v2",)),
        # The officer sees today's register.
        WHO[9]: ("held", ("snapshot:v3",)),
    }
    assert await town.swept() == []


async def test_a_worker_held_without_a_register_is_judged_by_the_first_register(town: Town) -> None:
    law = {"regency": "64.02", "valid_from": "2026-01-01", "legal_basis": "Perbup Kukar", "sources": ["snapshot"]}
    await loading.save_policies(town.service.store, [policy.read(law)])
    (held,) = await town.service.take(check(NIKS[8], regency="64.02"))
    assert held["data"]["reasons"] == ["source-unavailable"]
    await loading.load(town.service.store, CIPHER, [person(NIKS[8])], "64.02", KEY, "k1")
    (verified,) = await town.swept()
    assert (verified["type"], verified["data"]["regency"]) == ("identity.verified.v1", "64.02")


async def test_pages_and_other_regencies(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "PAGE", 2)
    rows = [person(nik, status="deceased") for nik in NIKS[:6]]
    await loading.load(town.service.store, CIPHER, rows, "64.02", KEY, "x1")
    assert await town.swept() == [], "another regency's register ends nobody here"
    await town.load(sources.POPULATION, *rows, version="v2")
    assert len(await town.swept()) == 6
    assert town.billed("2026-02") == 0


async def test_no_step_contains_personal_data(town: Town) -> None:
    await town.load(sources.POPULATION, person(NIKS[0], status="deceased"), version="v2")
    await sweep.look(town.context)
    step = town.service.topics.published[-1]
    assert step.topic == "verification-work"
    for secret in (NIKS[0], "SITI", "1985-07-01"):
        assert secret not in repr(step)
