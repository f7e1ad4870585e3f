"""The checking page in a real Chromium, while the service is stopped: it distinguishes genuine, expired, revoked and
forged stickers.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright

from services.registration.stickers.api import scanning
from services.registration.stickers.api.signing import Signer, StickerContent
from services.registration.stickers.domain import rules
from shared.kernel.calendar import business_day, first_day, period_of, shift_period
from shared.runtime import clock
from tests.browser.chromium import executable
from tests.property.registration_world import KEY
from tests.unit.registration.stickers.sticker_context import KEYS, VILLAGE, StickerContext

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

TODAY = business_day(clock.now())
UNTIL = first_day(shift_period(period_of(TODAY), 1)) - timedelta(days=1)
SIGNER = Signer.from_environment(KEYS)
STATUS = "document.getElementById('verdict').dataset.status"
KEPT = "async () => { const page = await caches.match('/s/'); return page ? await page.text() : ''; }"


class Server:
    """The service's HTTP on a port of its own, until it is stopped for good."""

    def __init__(self, context: StickerContext) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        config = uvicorn.Config(context.stickers_app(), log_config=None, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread.start()

    def stop(self) -> None:
        """Stops the server; it answers no request afterwards."""
        self._server.should_exit = True
        self._thread.join(timeout=20)
        self._socket.close()


@dataclass
class Scene:
    """A village with two stickers, the server that knows them, and a phone."""

    context: StickerContext
    server: Server
    page: Page
    tokens: dict[int, str]
    numbers: dict[int, str]

    def scan(self, token: str) -> str:
        """What the phone shows."""
        self.page.goto(f"{self.server.url}/s/{token}")
        return str(self.page.evaluate(STATUS))

    def shown(self) -> str:
        return self.page.inner_text("main")


def _token(number: str, until: date) -> str:
    return SIGNER.token(StickerContent(number, VILLAGE, until))


async def _village(context: StickerContext) -> dict[int, str]:
    numbers = {}
    for one in (1, 2):
        worker = await context.worker(one)
        await context.billed(worker, period_of(TODAY))
        numbers[one] = rules.sticker_no(KEY, "64.08", worker, TODAY.isoformat())
    await context.paid(period_of(TODAY))
    return numbers


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    path, why_not = executable()
    if why_not:
        pytest.skip(why_not)
    monkeypatch.setattr(scanning, "LIST_KEPT_S", 0.0)
    context = StickerContext(clock.now())
    numbers = asyncio.run(_village(context))
    server = Server(context)
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs rights that a container's root does not have.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_context(locale="id-ID", timezone_id="America/New_York").new_page()
        tokens = {one: _token(number, UNTIL) for one, number in numbers.items()}
        yield Scene(context, server, page, tokens, numbers)
        browser.close()
    server.stop()


def test_a_phone_without_a_network_recognises_each_status(scene: Scene) -> None:
    page, tokens = scene.page, scene.tokens
    # At the office: the sheets are printed, one worker leaves, the officer's phone opens the page once.
    page.request.post(f"{scene.server.url}/v1/stickers/{VILLAGE}")
    # In a thread, since the browser's driver holds a loop in this one.
    with ThreadPoolExecutor() as elsewhere:
        elsewhere.submit(asyncio.run, scene.context.withdraw(2)).result()
    page.goto(f"{scene.server.url}/s/")
    assert page.evaluate(STATUS) == "ready"
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function(f"({KEPT})().then(text => text.includes('{scene.numbers[2]}'))")
    assert scene.scan(tokens[1]) == "valid"
    assert scene.scan(tokens[2]) == "revoked"

    # In the village: no network at all.
    scene.server.stop()
    assert scene.scan(tokens[1]) == "valid"
    assert scene.numbers[1] in scene.shown()
    assert "Kabupaten Kutai Timur" in scene.shown()
    assert scene.scan(tokens[2]) == "revoked"
    assert "DICABUT" in scene.shown()
    assert scene.scan(_token(scene.numbers[1], TODAY - timedelta(days=1))) == "expired"
    assert "SUDAH TIDAK BERLAKU" in scene.shown()
    assert scene.scan(_token(scene.numbers[1], TODAY)) == "valid"
    forged = tokens[1][:40] + ("A" if tokens[1][40] != "A" else "B") + tokens[1][41:]
    assert scene.scan(forged) == "invalid"
    assert "BUKAN STIKER ASLI" in scene.shown()
    assert scene.scan("bukan-token") == "invalid"


def test_the_time_zone_of_the_phone_does_not_change_the_last_day(scene: Scene) -> None:
    page = scene.page
    page.goto(f"{scene.server.url}/s/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function(f"({KEPT})().then(text => text.length > 0)")
    scene.server.stop()
    # 15.59 UTC is the last minute of the day in WITA, and still morning in this phone's time zone.
    page.clock.set_fixed_time(f"{UNTIL.isoformat()}T15:59:00Z")
    assert scene.scan(scene.tokens[1]) == "valid"
    page.clock.set_fixed_time(f"{UNTIL.isoformat()}T16:01:00Z")
    assert scene.scan(scene.tokens[1]) == "expired"
