"""The dashboard in a real Chromium: it fits its window, says when the service is away, and reconnects by itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Response
from playwright.sync_api import Page, sync_playwright

from services.reporting.api.web import routes
from tests.browser.chromium import executable
from tests.unit.reporting.reporting_context import FakeContext, event

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

MONTHS = [f"2026-{month:02d}" for month in range(1, 13)]
COVERED = ".card.main dd:text-is('{}')"
WAIT_MS = 60_000


def paid(month: str, workers: int) -> Any:
    """A run and its payment; long numbers, so that the tables are as wide as a regency's."""
    about: dict[str, Any] = {
        "regency": "64.08",
        "period": month,
        "funding": "apbd-regency",
        "invoice_id": month,
        "total": 1,
    }
    return (
        event("billing.run-completed.v1", name=month, run_id=month, billed_workers=workers, not_billed={}, lines=[],
              budget_left={}, **about),
        event("premium.paid.v1", name=f"p{month}", workers=workers, reference="S", paid_on="2026-03-05", **about),
    )  # fmt: skip


def premium(worker: str, month: str) -> Any:
    data: dict[str, Any] = {"worker_id": worker, "regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001"}
    money: dict[str, Any] = {"period": month, "funding": "apbd-regency", "lines": [], "total": 16_800, "run_id": month}
    person: dict[str, Any] = {"sector": "trade", "sex": "F", "birth_month": "1985-07", "income_base": 1_000_000}
    return event("premium.billed.v1", name=f"{worker}{month}", invoice_id=month, **data, **money, **person)


def town() -> FakeContext:
    """A year of large figures, one premium that counts, and a warning."""
    context = FakeContext()
    for month in MONTHS:
        context.take(*paid(month, 160_000))
    context.take(premium("a", "2026-01"))
    late: dict[str, Any] = {"regency": "64.08", "period": "2026-02", "workers": 1_234, "reason": "awaiting-premium"}
    context.take(event("coverage.at-risk.v1", name="late", subject="unpaid", **late))
    return context


def application(context: Any) -> FastAPI:
    app = FastAPI()
    app.include_router(routes(context))
    return app


def gateway() -> FastAPI:
    """A proxy in front of a dead service: it answers 502 to every request."""
    app = FastAPI()

    @app.get("/{path:path}")
    def nobody(path: str) -> Response:
        return Response(status_code=502)

    return app


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[int]:
    """HTTP on a port until the block ends; open streams are cut."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", port))
    held.listen()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
    thread.start()
    try:
        yield int(held.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        held.close()


@pytest.fixture
def page() -> Iterator[Page]:
    path, why_not = executable()
    if why_not:
        pytest.fail(why_not)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_never_scrolls_sideways(page: Page, width: int) -> None:
    with serving(application(town())) as port:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/?regency=64.08&period=2026-01")
        assert "Februari 2026" in page.inner_text(".warnings")
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_page_reports_a_lost_service_and_recovers_even_after_a_502(page: Page) -> None:
    context = town()
    with serving(application(context)) as port:
        page.goto(f"http://127.0.0.1:{port}/?regency=64.08&period=2026-01")
        page.wait_for_selector("#live", timeout=WAIT_MS)
        assert page.is_hidden("#stale")
        assert page.is_visible(COVERED.format(1))
        context.take(premium("b", "2026-01"))
        page.wait_for_selector(COVERED.format(2), timeout=WAIT_MS)
    page.wait_for_selector("#stale", timeout=WAIT_MS)
    assert page.is_hidden("#live")
    with serving(gateway(), port):
        page.wait_for_event("response", lambda one: one.status == 502, timeout=WAIT_MS)
        assert page.is_visible("#stale")
        assert page.is_visible(COVERED.format(2))
    context.take(premium("c", "2026-01"))
    with serving(application(context), port):
        page.wait_for_selector(COVERED.format(3), timeout=WAIT_MS)
        page.wait_for_selector("#live", timeout=WAIT_MS)
        assert page.is_hidden("#stale")
