"""Requests that a service refuses before it reads them, on a real server: from pages of other sites, with host names of
others, without end, or too many at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from services.reporting.api.web import routes as reporting_routes
from shared.runtime.errors import StartRefused
from shared.runtime.http import edge
from tests.unit.reporting.reporting_context import FakeContext

OPEN = {"PAYUNG_AUTH": "none"}


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def look() -> str:
        return "seen"

    @app.post("/")
    async def change(request: Request) -> int:
        return len(await request.body())

    return app


@asynccontextmanager
async def served(app: Any, environ: dict[str, str] | None = None) -> AsyncIterator[str]:
    """Runs a server like a service's and gives its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(edge.config(app, OPEN if environ is None else environ, 0))
        running = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


async def asked(address: str, method: str, headers: dict[str, str]) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.request(method, f"http://{address}/", headers=headers)).status_code


# -- host names and pages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["rebound.example:8101", "10.0.0.7", "127.0.0.1.nip.example", "[2001:db8::1]:80", ""])
async def test_a_name_that_is_not_this_machine_is_not_answered(host: str) -> None:
    async with served(application()) as address:
        assert await asked(address, "GET", {"host": host}) in (400, 421)


async def test_loopback_names_and_configured_names_are_answered() -> None:
    async with served(application(), {**OPEN, "PAYUNG_HTTP_NAMES": "registration, payung.local"}) as address:
        for host in (address, "localhost:8101", "localhost", "127.0.0.1", "[::1]:8101", "registration:8101"):
            assert await asked(address, "GET", {"host": host}) == 200, host
    async with served(application(), {"PAYUNG_AUTH": "https://issuer.example"}) as address:
        assert await asked(address, "GET", {"host": "payung.kutaitimur.example"}) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "Same-Origin"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"origin": "https://evil.example", "sec-fetch-site": "none"},
        {"origin": ""},
    ],
)
async def test_pages_of_others_change_nothing(headers: dict[str, str]) -> None:
    async with served(application()) as address:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert await asked(address, method, headers) == 403
        assert await asked(address, "GET", headers) == 200


async def test_own_pages_and_programs_are_let_in() -> None:
    async with served(application()) as address:
        for headers in ({}, {"origin": f"http://{address}"}, {"sec-fetch-site": "same-origin"}):
            assert await asked(address, "POST", headers) == 200


# -- what a browser may do with an answer -----------------------------------------------------------------------------


async def test_no_foreign_page_can_frame_load_or_store_an_answer() -> None:
    app = application()

    @app.get("/own")
    async def own() -> Response:
        return Response(headers={"cache-control": "max-age=60", "Content-Security-Policy": "default-src 'none'"})

    async with served(app) as address, httpx.AsyncClient(trust_env=False) as client:
        for path, host, status in (("/", address, 200), ("/none", address, 404), ("/", "evil.example", 421)):
            found = await client.get(f"http://{address}{path}", headers={"host": host})
            assert found.status_code == status
            for name, value in edge._HEADERS.items():
                assert found.headers[name.decode()] == value.decode(), (path, name)
            assert "server" not in found.headers
        found = await client.get(f"http://{address}/own")
        assert found.headers.get_list("cache-control") == ["max-age=60"]
        assert found.headers.get_list("content-security-policy") == ["default-src 'none'"]
        assert found.headers["x-frame-options"] == "DENY"


async def test_a_request_with_two_lengths_is_one_request_and_refused() -> None:
    async with served(application()) as address:
        head = f"POST / HTTP/1.1\r\nhost: {address}\r\n"
        hidden = f"0\r\n\r\nGET / HTTP/1.1\r\nhost: {address}\r\n\r\n"
        for refused in (
            "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
            "content-length: 5\r\ncontent-length: 6\r\n\r\n",
            "transfer-encoding: xchunked\r\n\r\n",
        ):
            answer = await answer_to(address, f"{head}{refused}{hidden}".encode())
            assert b" 400 " in answer.splitlines()[0]
            assert answer.count(b"HTTP/1.1 ") == 1


async def test_two_host_names_are_refused() -> None:
    async with served(application()) as address:
        answer = await answer_to(address, f"GET / HTTP/1.1\r\nhost: {address}\r\nhost: evil.example\r\n\r\n".encode())
        assert b" 400 " in answer.splitlines()[0]


async def test_a_head_that_is_too_large_is_not_read_to_its_end() -> None:
    async with served(application()) as address:
        answer = b""
        # The server may close the connection before everything is sent.
        with contextlib.suppress(ConnectionError):
            answer = await answer_to(address, b"GET / HTTP/1.1\r\nx: ", *[b"a" * 100_000] * 50)
        assert b" 200 " not in answer


# -- requests that never end, and too many ----------------------------------------------------------------------------


async def answer_to(address: str, *parts: bytes, within_s: float = 10) -> bytes:
    """The answer until the server closes the connection."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), within_s)
    finally:
        writer.close()


async def test_a_head_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "HEAD_S", 0.3)
    async with served(application()) as address:
        whole = f"GET / HTTP/1.1\r\nhost: {address}\r\n\r\n".encode()
        assert await answer_to(address, b"GET / HTTP/1.1\r\nhost: ") == b""
        assert await answer_to(address) == b""
        again = await answer_to(address, whole, b"GET / HTTP/1.1\r\n")
        assert again.count(b"200 OK") == 1


async def test_a_body_that_never_ends_is_answered_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "BODY_PART_S", 0.3)
    async with served(application()) as address:
        head = f"POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: 100\r\n\r\nabc".encode()
        assert b" 408 " in (await answer_to(address, head)).splitlines()[0]


async def test_a_body_that_arrives_too_slowly_is_answered_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "BODY_GRACE_S", 0.3)
    async with served(application()) as address:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: 9999\r\n\r\n".encode())
        answering = asyncio.create_task(reader.readline())
        while not answering.done():
            writer.write(b".")
            await asyncio.sleep(0.02)
        assert b" 408 " in await answering
        writer.close()


Held = tuple[asyncio.StreamReader, asyncio.StreamWriter]
FLOOD = 100
HALF_HEAD = b"GET / HTTP/1.1\r\nx: "


async def held(address: str, sent: bytes = b"", count: int = 5) -> list[Held]:
    """Connections that send this and then nothing."""
    host, _, port = address.rpartition(":")
    found = [await asyncio.open_connection(host, int(port)) for _ in range(count)]
    for _, writer in found:
        writer.write(sent)
        await writer.drain()
    return found


async def ended(one: Held) -> None:
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(one[0].read(), 5) == b""


def half_body(address: str) -> bytes:
    return f"POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: 99\r\n\r\nhalf".encode()


@pytest.mark.parametrize("said", ["nothing", "half a head", "half a body"])
async def test_a_flood_of_silent_clients_closes_its_own_connections_and_others_are_served(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(edge, "CONNECTIONS_MAX", 5)
    monkeypatch.setattr(edge, "ROOM", 2)
    async with served(application()) as address:
        sent = {"nothing": b"", "half a head": HALF_HEAD, "half a body": half_body(address)}[said]
        flood = await held(address, sent)
        assert await asked(address, "GET", {}) == 200
        # The two that waited longest were closed, and no more.
        await asyncio.gather(*(ended(one) for one in flood[:2]))
        more = await held(address, sent, 8)
        assert await asked(address, "GET", {}) == 200
        for _, writer in (*flood, *more):
            writer.close()


async def test_a_list_on_its_way_outlives_a_flood_of_silent_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "CONNECTIONS_MAX", 5)
    monkeypatch.setattr(edge, "ROOM", 2)
    async with served(application()) as address:
        [(reader, writer)] = await held(address, half_body(address), 1)
        flood = await held(address, HALF_HEAD, 12)
        writer.write(b"." * 95)
        assert b" 200 " in await asyncio.wait_for(reader.readline(), 5)
        for _, one in (*flood, (reader, writer)):
            one.close()


async def test_a_reader_that_does_not_read_its_answer_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "CONNECTIONS_MAX", 2)
    app = application()
    begun = asyncio.Event()

    @app.get("/large")
    async def large() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            while True:
                yield b"." * 1024 * 1024
                begun.set()
                await asyncio.sleep(0)

        return StreamingResponse(parts())

    async with served(app) as address:
        [(_, reading)] = await held(address, f"GET /large HTTP/1.1\r\nhost: {address}\r\n\r\n".encode(), 1)
        await asyncio.wait_for(begun.wait(), 5)
        flood = await held(address, count=1)
        for _ in range(3):
            assert await asked(address, "GET", {}) == 200
        for writer in (reading, flood[0][1]):
            writer.close()


async def test_when_every_connection_is_being_answered_a_new_one_is_closed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edge, "CONNECTIONS_MAX", 3)
    app = application()
    goes_on = asyncio.Event()
    asking: list[None] = []

    @app.get("/slow")
    async def slow() -> str:
        asking.append(None)
        await goes_on.wait()
        return "done"

    async with served(app) as address:
        busy = await held(address, f"GET /slow HTTP/1.1\r\nhost: {address}\r\n\r\n".encode(), 3)
        async with asyncio.timeout(5):
            while len(asking) < 3:  # noqa: ASYNC110  # the server sends no event
                await asyncio.sleep(0.01)
        await ended((await held(address, count=1))[0])
        goes_on.set()
        for reader, writer in busy:
            assert b" 200 " in await asyncio.wait_for(reader.readline(), 5)
            writer.close()


async def test_clients_that_send_ahead_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "CONNECTIONS_MAX", 3)
    app = application()

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.Event().wait()

    async with served(app) as address:
        ahead = await held(address, f"GET /slow HTTP/1.1\r\nhost: {address}\r\n\r\n".encode() * 2, 3)
        assert await asked(address, "GET", {}) == 200
        for one in ahead:
            await ended(one)


async def test_health_answers_in_a_flood_of_requests_sent_ahead() -> None:
    app = application()
    begun: list[None] = []

    @app.get("/readyz")
    async def readyz() -> int:
        return len(begun)

    @app.get("/flood")
    async def flood() -> None:
        begun.append(None)

    async with served(app) as address:
        ahead = f"GET /flood HTTP/1.1\r\nhost: {address}\r\n\r\n".encode() * 50
        flooding = await held(address, ahead, FLOOD)
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(3):
                before = len(begun)
                seen = (await client.get(f"http://{address}/readyz", timeout=10)).json()
                # The connection, its request and its turn are a few rounds of the event loop.
                assert seen - before < 2 * FLOOD
        assert len(begun) < FLOOD * 50
        for _, writer in flooding:
            writer.close()


async def test_a_burst_of_readers_gets_no_more_streams_than_there_are() -> None:
    context: Any = FakeContext()
    most = context.reference.settings.streams_max
    app = FastAPI()
    app.include_router(reporting_routes(context))
    unbounded = httpx.Limits(max_connections=None)
    async with served(app) as address, httpx.AsyncClient(timeout=30, trust_env=False, limits=unbounded) as client:

        async def follow() -> httpx.Response:
            request = client.build_request("GET", f"http://{address}/v1/stream")
            return await client.send(request, stream=True)

        answers = await asyncio.gather(*(follow() for _ in range(most + 60)))
        assert [one.status_code for one in answers].count(200) == most
        assert {one.status_code for one in answers} == {200, 503}
        for one in answers:
            await one.aclose()
        # A closed connection makes room for another.
        async with asyncio.timeout(20):
            while True:
                again = await follow()
                await again.aclose()
                if again.status_code == 200:
                    break


# -- where it listens -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "payung.example"])
def test_without_authentication_only_this_machine_is_answered(host: str) -> None:
    with pytest.raises(StartRefused, match="PAYUNG_HTTP_PUBLISHED=loopback"):
        edge.check({**OPEN, "PAYUNG_HTTP_HOST": host})
    edge.check({**OPEN, "PAYUNG_HTTP_HOST": host, "PAYUNG_HTTP_PUBLISHED": "loopback"})
    edge.check({"PAYUNG_AUTH": "https://issuer.example", "PAYUNG_HTTP_HOST": host})


def test_any_other_setting_is_refused() -> None:
    edge.check(OPEN)
    edge.check({**OPEN, "PAYUNG_HTTP_HOST": "::1"})
    with pytest.raises(StartRefused, match="PAYUNG_HTTP_PUBLISHED is loopback, or not set"):
        edge.check({**OPEN, "PAYUNG_HTTP_PUBLISHED": "everywhere"})
