"""Billing's answers over HTTP, over an in-memory world."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.billing import api
from shared.runtime.http import auth
from shared.runtime.http.auth import Caller
from tests.property.billing_world import World
from tests.property.test_billing_laws import budget, verified

INVOICE = "INV-6408-2026-01-apbd-regency-1"


def a_world() -> World:
    """Three workers, money for two of them, January billed."""
    world = World()
    for number in range(3):
        world.put("verification-events", f"w{number}", "identity.verified.v1", verified(number, 1_000_000, "trade"))
    world.command("budget.set.v1", budget("apbd-regency", 20_000, 13_600))
    world.command("budget.set.v1", budget("csr", 1_000_000, 1_000_000))
    world.settle_all()
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-01", "funding": "apbd-regency"})
    world.command("invoice.pay.v1", {"invoice_id": "INV-9", "amount": 1, "paid_on": "2026-01-01", "reference": "x"})
    world.settle_all()
    return world


async def get(world: World, path: str) -> tuple[int, Any]:
    """Status and body of one answer."""
    app = FastAPI()
    environ = {"PAYUNG_AUTH": "none"}
    context = SimpleNamespace(reader=world.reader, reference=world.reference, name="billing", environ=environ)
    app.include_router(api.routes(context))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://billing") as client:
        answer = await client.get(path)
    return answer.status_code, answer.json()


async def test_a_run_and_its_invoice_agree() -> None:
    world = a_world()
    _, run = await get(world, "/v1/runs/RUN-6408-2026-01-apbd-regency-1")
    _, invoice = await get(world, f"/v1/invoices/{INVOICE}")
    assert run["status"] == "closed"
    assert run["not_billed"] == {"budget-exhausted": 1}
    assert (run["invoice_id"], run["total"], run["lines"]) == (INVOICE, invoice["total"], invoice["lines"])
    assert (await get(world, "/v1/runs?regency=64.08"))[1] == {"runs": [run]}
    assert (await get(world, "/v1/invoices?period=2026-01"))[1] == {"invoices": [invoice]}
    assert (await get(world, "/v1/invoices?regency=64.02"))[1] == {"invoices": []}


async def test_budgets_show_what_is_left() -> None:
    _, answer = await get(a_world(), "/v1/budgets?regency=64.08&year=2026")
    assert [(one["funding"], one["left"]["jkk"]) for one in answer["budgets"]] == [
        ("apbd-regency", 0),
        ("csr", 1_000_000),
    ]


async def test_a_plan_predicts_the_run_and_changes_nothing() -> None:
    world = a_world()
    before = dict(world.reader.kept)
    _, planned = await get(world, "/v1/plan?regency=64.08&period=2026-01&funding=csr&cutoff=2026-01-31")
    assert world.reader.kept == before
    order = {"regency": "64.08", "period": "2026-01", "funding": "csr", "cutoff": "2026-01-31"}
    world.command("billing.run.v1", order)
    world.settle_all()
    done = world.of_type("billing.run-completed.v1")[-1]
    assert planned["billed_workers"] == 1
    for name in ("billed_workers", "total", "lines", "not_billed", "budget_left", "funding", "period"):
        assert planned[name] == done[name]


async def test_a_plan_without_a_budget_reports_what_is_needed() -> None:
    _, planned = await get(a_world(), "/v1/plan?regency=64.08&period=2026-02&funding=apbd-province&cutoff=2026-01-31")
    assert planned["reasons"] == ["budget-missing"]
    assert (planned["billed_workers"], planned["needed"]) == (0, {"jkk": 30_000, "jkm": 20_400})
    assert planned["not_billed"] == {"budget-missing": 3}
    assert {one["reason"] for one in planned["left_out_workers"]} == {"budget-missing"}


async def test_a_plan_counts_the_left_out_by_district_and_reason_in_rupiah() -> None:
    world = World()
    people = [
        ("a", "64.08.04", "1985-07"),
        ("b", "64.08.04", "1985-07"),
        ("c", "64.08.05", "1985-07"),
        ("d", "64.08.05", "2012-01"),
        ("e", "64.08.05", "1985-07"),
    ]
    for number, (worker, district, born) in enumerate(people):
        data = verified(number, 1_000_000, "trade").model_dump()
        data |= {"worker_id": worker, "district": district, "birth_month": born}
        world.put("verification-events", worker, "identity.verified.v1", data)
    world.command("budget.set.v1", budget("apbd-regency", 10_000, 6_800))
    world.command("budget.set.v1", budget("csr", 10_000, 6_800))
    world.settle_all()
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-01", "funding": "csr"})
    world.settle_all()
    # Verified after the cutoff: not eligible.
    world.now += timedelta(days=30)
    late = verified(9, 1_000_000, "trade").model_dump() | {"worker_id": "f", "district": "64.08.06"}
    world.put("verification-events", "f", "identity.verified.v1", late)
    world.settle_all()
    _, planned = await get(world, "/v1/plan?regency=64.08&period=2026-01&cutoff=2026-01-31")
    assert planned["billed_workers"] == 1
    missed = {"jkk": 10_000, "jkm": 6_800, "total": 16_800}
    nothing = {"jkk": 0, "jkm": 0, "total": 0}
    assert planned["left_out"] == [
        {"district": "64.08.04", "reason": "already-billed", "workers": 1, **nothing},
        {
            "district": "64.08.05",
            "reason": "budget-exhausted",
            "workers": 2,
            "jkk": 20_000,
            "jkm": 13_600,
            "total": 33_600,
        },
        {"district": "64.08.05", "reason": "too-young", "workers": 1, **nothing},
        {"district": "64.08.06", "reason": "not-eligible", "workers": 1, **nothing},
    ]
    assert planned["left_out_workers"] == [
        {"worker_id": "c", "district": "64.08.05", "reason": "budget-exhausted", "total": missed["total"]},
        {"worker_id": "d", "district": "64.08.05", "reason": "too-young", "total": 0},
        {"worker_id": "e", "district": "64.08.05", "reason": "budget-exhausted", "total": missed["total"]},
    ]
    assert planned["not_billed"] == {"already-billed": 1, "budget-exhausted": 2, "too-young": 1, "not-eligible": 1}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/runs/RUN-1", 404),
        ("/v1/invoices/INV-1", 404),
        # A payment of an unknown invoice was refused; that creates no invoice.
        ("/v1/invoices/INV-9", 404),
        ("/v1/plan?regency=99.99&period=2026-01&cutoff=2026-01-31", 422),
        ("/v1/plan?regency=64.08&period=2026-01&cutoff=soon", 422),
        ("/v1/plan?regency=64.08&period=2026-13", 422),
        # Further ahead than a run may be.
        ("/v1/plan?regency=64.08&period=9999-12", 422),
    ],
)
async def test_unknown_and_invalid_requests_are_refused(path: str, status: int) -> None:
    assert (await get(a_world(), path))[0] == status


async def test_callers_of_another_regency_see_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    agencies = frozenset({"64.02/treasury", "64.03/*"})

    async def caller(*_: Any) -> Caller:
        return Caller("rina", agencies)

    monkeypatch.setattr(auth.Guard, "caller", caller)
    world, lists = a_world(), ("/v1/runs", "/v1/invoices", "/v1/budgets")
    everywhere = [await get(world, path + query) for path in lists for query in ("", "?regency=64.08")]
    assert [list(answer.values()) for _, answer in everywhere] == [[[]]] * 6
    assert (await get(world, f"/v1/invoices/{INVOICE}"))[0] == 404
    assert (await get(world, "/v1/runs/RUN-6408-2026-01-apbd-regency-1"))[0] == 404
    agencies = frozenset({"64.08/treasury"})
    assert [len(*(await get(world, path))[1].values()) for path in lists] == [1, 1, 2]
    assert (await get(world, f"/v1/invoices/{INVOICE}"))[0] == 200
