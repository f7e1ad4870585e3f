"""What-ifs over HTTP, over an in-memory world: figures, refusals, scenarios, and that nothing else changes."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.billing import api
from shared.reference import rates
from shared.runtime import clock
from shared.runtime.http import auth
from shared.runtime.http.auth import Caller
from tests.property.billing_world import World
from tests.property.test_billing_laws import budget, verified

PATH = "/v1/budgets/what-if"
TODAY = datetime(2026, 10, 5, 2, 0, tzinfo=UTC)
ASKED = {"regency": "64.08", "year": "2026"}


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: TODAY)


def a_world(ceilings: int = 13) -> World:
    """Four workers, September billed, and money for so many premiums in the whole year."""
    world = World()
    for number in range(4):
        data = verified(number, 1_000_000, "trade").model_dump() | {"valid_until": "2029-01-01"}
        world.put("verification-events", f"w{number}", "identity.verified.v1", data)
    world.command("budget.set.v1", budget("apbd-regency", 10_000 * ceilings, 6_800 * ceilings))
    world.settle_all()
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-09", "funding": "apbd-regency"})
    world.settle_all()
    return world


async def ask(world: World, method: str = "GET", path: str = PATH, **options: Any) -> tuple[int, Any]:
    """Status and body of one answer."""
    app = FastAPI()
    context = SimpleNamespace(
        reader=world.reader, reference=world.reference, name="billing", environ={"PAYUNG_AUTH": "none"}
    )
    app.include_router(api.routes(context))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://billing") as client:
        answer = await client.request(method, path, **options)
    body = answer.json()
    return answer.status_code, body.get("detail", body) if answer.status_code >= 400 else body


async def test_a_cut_says_who_keeps_cover_and_until_when() -> None:
    """13 premiums, 4 billed; less 25 % 9.75 remain, so 5 are left for three months of 4."""
    world = a_world()
    status, found = await ask(world, params={**ASKED, "cut": "25%"})
    assert status == 200
    assert (found["from"], found["workers"]) == ("2026-10", 4)
    assert found["as_of"] == "2026-10-05T10:00:00.000+08:00"
    assert [one["billed"] for one in found["now"]["months"]] == [4, 4, 1]
    then = found["scenario"]["figures"]
    assert [(one["period"], one["billed"], one["missed"]) for one in then["months"]] == [
        ("2026-10", 4, 0),
        ("2026-11", 1, 3),
        ("2026-12", 0, 4),
    ]
    assert then["ceilings"] == {"jkk": 97_500, "jkm": 66_300, "total": 163_800}
    assert then["committed"] == {"jkk": 40_000, "jkm": 27_200, "total": 67_200}
    assert then["left"] == {"jkk": 7_500, "jkm": 5_100, "total": 12_600}
    assert then["ends"] == {"jkk": "2026-11", "jkm": "2026-11"}
    assert then["first_missed"] == {"period": "2026-11", "accounts": ["JKK", "JKM"], "missed": 3}
    assert then["exposed"] == 4 * 42_000_000
    # 12 premiums are needed and 5.75 are there.
    assert then["restore"] == {"jkk": 62_500, "jkm": 42_500, "total": 105_000}
    assert then["districts"] == [
        {
            "district": "64.08.04",
            "name": "Sangatta Utara",
            "workers": 4,
            "keep": 0,
            "lose": 4,
            "lost_from": "2026-11",
            "months_lost": 7,
            "missed": {"2026-11": 3, "2026-12": 4},
            "exposed": 168_000_000,
        }
    ]
    assert found["scenario"]["inputs"] == {
        "from": "2026-10",
        "cut": "25%",
        "jkk": None,
        "jkm": None,
        "workers": None,
        "rates": None,
    }


async def test_new_ceilings_more_workers_and_a_later_start() -> None:
    world = a_world()
    asked = {**ASKED, "jkk": "60.000", "jkm": "1000000", "workers": "+2", "from": "2026-12"}
    _, found = await ask(world, params=asked)
    (december,) = found["scenario"]["figures"]["months"]
    assert (december["workers"], december["billed"], december["too_small"]) == (6, 2, ["JKK"])
    assert found["scenario"]["figures"]["ends"] == {"jkk": "2026-12", "jkm": None}
    assert [one["name"] for one in found["scenario"]["figures"]["districts"]] == ["Sangatta Utara", "pekerja tambahan"]
    assert found["now"]["lose"] == 0


@pytest.mark.parametrize(
    ("changed", "status", "reason", "words"),
    [
        ({"regency": "99.99"}, 422, "field-invalid:regency", "Kabupaten"),
        ({"regency": ""}, 422, "field-invalid:regency", "Kabupaten"),
        ({"year": "2025"}, 422, "field-invalid:year", "2026"),
        ({"year": "dua ribu"}, 422, "field-invalid:year", "Tahun"),
        ({"year": "2027"}, 422, "budget-missing", "belum dimasukkan"),
        ({"funding": "csr"}, 422, "budget-missing", "csr 2026"),
        ({"funding": "gotong-royong"}, 422, "field-invalid:funding", "apbd-regency"),
        ({"cut": "20"}, 422, "field-invalid:cut", "misalnya 20%"),
        ({"cut": "-20%"}, 422, "field-invalid:cut", "persen"),
        ({"cut": "20%", "jkk": "1"}, 422, "field-invalid:cut", "jangan keduanya"),
        ({"cut": "80%"}, 422, "budget-below-committed", "JKK Rp26.000 dan JKM Rp17.680"),
        ({"jkm": "27199"}, 422, "budget-below-committed", "JKM Rp27.200"),
        ({"jkk": "-5"}, 422, "field-invalid:jkk", "rupiah bulat"),
        ({"workers": "banyak"}, 422, "field-invalid:workers", "+2000"),
        ({"workers": "-5"}, 422, "field-invalid:workers", "lebih banyak"),
        ({"from": "2025-12"}, 422, "field-invalid:from", "2026"),
        ({"from": "Juli"}, 422, "field-invalid:from", "2026-07"),
        ({"compare": "tidak ada"}, 404, None, "tidak ada; yang tersimpan: -"),
    ],
)
async def test_each_refusal_is_one_line_and_a_reason(
    changed: dict[str, str], status: int, reason: str | None, words: str
) -> None:
    got, problem = await ask(a_world(), params={**ASKED, **changed})
    assert got == status
    assert words in problem["title"]
    assert "\n" not in problem["title"]
    assert problem["reasons"] == ([reason] if reason else [])


async def test_a_year_that_is_billed_to_its_end_asks_for_a_month() -> None:
    world = a_world(50)
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-12", "funding": "apbd-regency"})
    world.settle_all()
    status, problem = await ask(world, params=ASKED)
    assert (status, problem["reasons"]) == (422, ["field-invalid:from"])
    _, found = await ask(world, params={**ASKED, "from": "2026-11"})
    assert [(one["billed"], one["already_billed"]) for one in found["now"]["months"]] == [(4, 0), (0, 4)]


async def test_the_first_month_of_an_unbilled_year_is_the_current_one() -> None:
    world = a_world()
    world.command("budget.set.v1", budget("csr", 100_000, 100_000))
    world.command("budget.set.v1", {**budget("csr", 100_000, 100_000), "year": 2027})
    world.settle_all()
    for year, first in (("2026", "2026-10"), ("2027", "2027-01")):
        _, found = await ask(world, params={"regency": "64.08", "year": year, "funding": "csr"})
        assert found["from"] == first


async def test_while_a_run_is_open_its_money_is_spent_and_its_month_cannot_be_asked() -> None:
    """The run has its money set aside, and has billed nobody yet."""
    world = a_world()
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-10", "funding": "apbd-regency"})
    for key in ("64.08", "64.08|2026|apbd-regency", "64.08|2026-10"):
        for topic in ("billing-intake", "billing-work"):
            if (topic, key) in world.queues:
                world.take((topic, key), 9)
    world.perform_due()
    world.take(("billing-work", "64.08|2026|apbd-regency"), 9)
    world.take(("billing-work", "64.08|2026-10"), 1)
    _, found = await ask(world, params=ASKED)
    assert found["from"] == "2026-11"
    assert found["now"]["reserved"] == {"jkk": 40_000, "jkm": 27_200, "total": 67_200}
    assert found["now"]["free"]["jkk"] == 50_000
    status, problem = await ask(world, params={**ASKED, "from": "2026-10"})
    assert status == 409
    assert "Penagihan 2026-10 sedang berjalan" in problem["title"]


async def test_a_budget_that_changes_while_workers_are_read_is_read_again() -> None:
    """A run that closed in between would count twice: as committed money, and as workers still to be billed."""
    world = a_world(20)
    whole = world.reader.find

    async def find(collection: str, *given: Any, **options: Any) -> list[tuple[str, Any]]:
        if collection == "enrolments" and world.of_type("billing.run-completed.v1")[-1]["period"] == "2026-09":
            world.command("billing.run.v1", {"regency": "64.08", "period": "2026-10", "funding": "apbd-regency"})
            world.reader.find = whole  # type: ignore[method-assign]  # the world's own run reads too
            world.settle_all()
        return await whole(collection, *given, **options)

    world.reader.find = find  # type: ignore[method-assign]  # news arrives in the middle of the reading
    _, found = await ask(world, params=ASKED)
    assert (found["from"], found["now"]["committed"]["jkk"]) == ("2026-11", 80_000)
    assert [one["billed"] for one in found["now"]["months"]] == [4, 4]


async def test_a_merged_worker_is_nobodys_family() -> None:
    world = a_world()
    left, stayed = (f"w{number:025d}" for number in range(2))
    data = {"worker_id": left, "regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001"}
    data |= {"sector": "trade", "reason": "other", "effective_on": "2026-09-30", "merged_into": stayed}
    world.put("registration-events", left, "worker.withdrawn.v1", data, "payung/registration", sequence=2)
    world.settle_all()
    assert (await ask(world, params=ASKED))[1]["workers"] == 3


async def test_a_scenario_is_saved_once_and_compared_later() -> None:
    world = a_world()
    before = copy.deepcopy(world.reader.kept)
    told = len(world.told)
    status, first = await ask(
        world, "POST", json={"regency": "64.08", "year": 2026, "cut": "25%", "save": "pangkas 25%"}
    )
    assert (status, first["scenario"]["name"]) == (200, "pangkas 25%")
    status, problem = await ask(world, "POST", json={**ASKED, "cut": "10%", "save": "pangkas 25%"})
    assert (status, problem["title"]) == (409, "Sudah ada skenario bernama pangkas 25%; pakai nama lain")
    for name in ("", " a", "a/b", "x" * 61, "=HYPERLINK(1)", "a|b", "nama\nlain"):
        status, problem = await ask(world, "POST", json={**ASKED, "save": name})
        assert (status, problem.get("reasons")) in ((422, ["field-invalid:save"]), (200, None if name == "" else ...))
    _, second = await ask(world, params={**ASKED, "workers": "3", "compare": ["pangkas 25%"]})
    (compared,) = second["compared"]
    assert compared == {
        "regency": "64.08",
        "year": 2026,
        "funding": "apbd-regency",
        "as_of": first["as_of"],
        **first["scenario"],
    }
    assert (await ask(world, path=PATH + "/scenarios", params={"regency": "64.08"}))[1] == {"scenarios": [compared]}
    assert (await ask(world, path=PATH + "/scenarios", params={"regency": "64.02"}))[1] == {"scenarios": []}
    # Nothing else was written, no step was queued, and no event was published.
    assert world.reader.kept == before
    assert list(world.reader.plain) == ["scenarios"]
    assert len(world.reader.plain["scenarios"]) == 1
    assert (len(world.told), sum(map(len, world.queues.values()))) == (told, 0)


async def test_asking_writes_nothing_at_all() -> None:
    world = a_world()
    before = copy.deepcopy(world.reader.kept)
    await ask(world, params={**ASKED, "cut": "5%", "workers": "+1"})
    await ask(world, "POST", json={**ASKED, "rates": rates.texts()[0]})
    assert (world.reader.kept, world.reader.plain) == (before, {})


async def test_an_edited_table_of_rates_is_checked_as_one_that_is_loaded_and_is_not_loaded() -> None:
    world = a_world()
    text, brackets = rates.texts()
    dearer = text.replace(",6800,", ",10000,")
    _, found = await ask(world, "POST", json={**ASKED, "rates": "\ufeff" + dearer})
    assert found["scenario"]["inputs"]["rates"].startswith("rates-")
    assert [one["billed"] for one in found["scenario"]["figures"]["months"]] == [4, 2, 0]
    assert found["scenario"]["figures"]["first_missed"]["accounts"] == ["JKM"]
    assert [one["billed"] for one in found["now"]["months"]] == [4, 4, 1]
    for wrong, why in (("a,b\n", "columns"), (text.replace(",6800,", ",enam,"), "enam"), (brackets[:300], "no row of")):
        status, problem = await ask(world, "POST", json={**ASKED, "rates": wrong})
        assert (status, problem["reasons"]) == (422, ["field-invalid:rates"])
        assert why in problem["title"]


@pytest.mark.parametrize(
    "body", [[], "x", {"regency": ["64.08"]}, {**ASKED, "besok": 1}, {**ASKED, "compare": "a"}, {**ASKED, "cut": True}]
)
async def test_a_body_of_another_form_is_refused(body: Any) -> None:
    assert (await ask(a_world(), "POST", json=body))[0] == 422


async def test_callers_of_another_regency_ask_and_save_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def caller(*_: Any) -> Caller:
        return Caller("rina", frozenset({"64.02/treasury"}))

    monkeypatch.setattr(auth.Guard, "caller", caller)
    world = a_world()
    assert (await ask(world, params=ASKED))[0] == 403
    assert (await ask(world, path=PATH + "/scenarios", params={"regency": "64.08"}))[0] == 403
    assert (await ask(world, "POST", json={**ASKED, "save": "x"}))[0] == 403
    assert world.reader.plain == {}
