"""The dashboard page: its figures, its texts, its limits."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.reporting.api.web import routes
from services.reporting.domain import wording


class Canned:
    """Answers every tally of a collection with the same rows, whatever is asked."""

    def __init__(self, tallies: dict[str, list[dict[str, Any]]], documents: dict[str, list[Any]]) -> None:
        self.tallies = tallies
        self.documents = documents

    async def tally(self, collection: str, where: Any, by: Any, *, sums: Any = ()) -> list[dict[str, Any]]:
        # No agency's value was overruled.
        return [] if any("[]" in path for path in where) else self.tallies.get(collection, [])

    async def states(self, collection: str, ids: Any) -> dict[str, Any]:
        return {}

    async def count(self, collection: str, where: Any) -> int:
        return 0

    async def find(self, collection: str, where: Any, *, order: Any = (), limit: int = 1000) -> list[Any]:
        states = self.documents.get(collection, [])
        after = where.get("state.period", {}).get("$gt")
        if after is not None:
            states = [state for state in states if state.period > after]
        return [("x", state) for state in states]


SANGATTA = {"district": "64.08.04", "regency": "64.08"}


@pytest.fixture
def page(context: Any) -> Any:
    premium = {**SANGATTA, "invoice_id": "i1", "year": 2026, "funding": "apbd-regency", "jkk": 10_000, "jkm": 6_800}
    invoice = {"invoice_id": "i1", "period": "2026-03", "workers": 1_234_567}
    refused = {"regency": "64.08", "agency": "<b>dinsos", "outcome": "rejected", "reasons": "<script>x", "count": 613}
    taken = {**refused, "outcome": "registered", "count": 387}
    context.reader = Canned(
        {
            "registrations": [{**SANGATTA, "count": 2_000_000}],
            "identities": [{**SANGATTA, "status": "verified", "count": 1_500_000}],
            "premiums": [{**premium, "count": 1_234_567}],
            "invoices": [invoice],
            "answers": [refused, taken],
        },
        {"premiums": [SimpleNamespace(period="2026-03", at="2026-03-05T12:00:00.000+08:00")]},
    )
    return context


async def html(context: Any, query: str) -> tuple[str, httpx.Headers]:
    app = FastAPI()
    app.include_router(routes(context))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as web:
        answer = await web.get(f"/?{query}")
    assert answer.status_code == 200, answer.text
    return answer.text, answer.headers


async def test_figures_and_words_in_indonesian(page: Any) -> None:
    text, _ = await html(page, "regency=64.08&period=2026-03")
    assert '<html lang="id">' in text
    assert "<dt>Terlindungi</dt><dd>1.234.567</dd>" in text
    assert "Maret 2026" in text
    assert "61,7%" in text  # 1.234.567 covered of 2.000.000 registered: no target is set
    assert "Rp16.800" in text
    assert "Kabupaten Kutai Timur" in text


async def test_english_comes_second(page: Any) -> None:
    text, _ = await html(page, "regency=64.08&period=2026-03&lang=en")
    assert '<html lang="en">' in text
    assert "<dt>Covered</dt><dd>1.234.567</dd>" in text
    assert "March 2026" in text


async def test_texts_from_outside_are_escaped(page: Any) -> None:
    text, headers = await html(page, "period=2026-03")
    assert "<b>dinsos" not in text
    assert "&lt;b&gt;dinsos" in text
    assert "<script>x" not in text
    nonce = re.findall(r'<script nonce="([^"]+)">', text)
    assert len(nonce) == text.count("<script") == 1
    assert f"script-src 'nonce-{nonce[0]}'" in headers["content-security-policy"]


async def test_nothing_is_fetched_from_elsewhere(page: Any) -> None:
    text, _ = await html(page, "period=2026-03")
    assert "http://" not in text
    assert "https://" not in text


async def test_coverage_above_the_target_is_not_cut(context: Any, make: Any) -> None:
    premium = {**SANGATTA, "invoice_id": "i1", "year": 2026, "funding": "csr", "jkk": 0, "jkm": 0, "count": 77_074}
    budget = {"regency": "64.08", "year": 2026, "funding": "csr", "jkk": 1, "jkm": 1, "decree_no": "D"}
    context.take(
        make("budget.set-accepted.v1", **budget, committed_jkk=0, committed_jkm=0, target_workers=51_086,
             targets={"64.08.04": 51_086})
    )  # fmt: skip
    stated = [state for _, state in await context.find("budgets", {})]
    invoice = {"invoice_id": "i1", "period": "2026-03", "workers": 77_074}
    context.reader = Canned({"premiums": [premium], "invoices": [invoice]}, {"budgets": stated})
    text, _ = await html(context, "regency=64.08&period=2026-03")
    assert "150,9% dari target 51.086" in " ".join(re.sub("<[^>]+>", " ", text).split())
    assert 'class="fill over" style="width:100.0%"' in text
    assert 'class="mark" style="left:66.3%"' in text


async def test_the_map_has_one_shape_and_one_figure_per_district(page: Any) -> None:
    text, _ = await html(page, "regency=64.08&period=2026-03")
    shapes = re.findall(r'<path class="s(\d)" d="M[^"]+" data-area="([^"]+)"><title>([^<]+)</title>', text)
    assert len(shapes) == 18
    assert {code: shade for shade, code, _ in shapes}["64.08.04"] == "4"
    assert any(title.endswith("61,7%") for _, _, title in shapes)


async def test_an_empty_installation_has_a_page(context: Any) -> None:
    text, _ = await html(context, "")
    assert "Belum ada data." in text


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (wording.percent(61.3), "61,3%"),
        (wording.percent(150.87), "150,9%"),
        (wording.percent(0.0), "0,0%"),
        (wording.percent(None), "–"),
        (wording.number(1_234_567), "1.234.567"),
        (wording.number(0), "0"),
        (wording.money(16_800), "Rp16.800"),
        (wording.money_short(2_400_000_000), "Rp2,4 miliar"),
        (wording.money_short(16_800), "Rp16.800"),
        (wording.month("2026-03", "id"), "Maret 2026"),
        (wording.month("2026-08", "en"), "August 2026"),
        (wording.moment("2026-03-05T12:00:00.000+08:00", "id"), "5 Maret 2026 pukul 12.00.00 WITA"),
    ],
)
def test_wording(said: str, wanted: str) -> None:
    assert said == wanted
