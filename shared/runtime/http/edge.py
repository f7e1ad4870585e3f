"""Checks every request before a service sees it: the site of the page that sent it, the host name it was sent to, and
how fast it arrives. Tells the browser what it may do with each answer. Knows no endpoint.

When PAYUNG_AUTH is `none`, everybody on this machine may do everything, so only this machine may send requests. The
service listens on loopback, or PAYUNG_HTTP_PUBLISHED=loopback says that its port is published on loopback only. The
Host of a request must be a loopback name: another name means a page of a stranger whose domain points at us (DNS
rebinding).
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.runtime import clock, configuration
from shared.runtime.errors import StartRefused
from shared.runtime.http.turns import Turns

log = structlog.get_logger()

NONE = "none"
HOST, PUBLISHED = configuration.HTTP_HOST.name, configuration.HTTP_PUBLISHED.name
LOOPBACK = configuration.HTTP_HOST.usual
# Open connections; each has one request at a time. When there are more, ROOM of those whose clients keep us waiting are
# closed, so that a flood of silent connections cannot keep others out. A new one is refused only when we are busy with
# all of them.
CONNECTIONS_MAX = 1_000
ROOM = 100
# The head of a request must arrive within HEAD_S. Each wait for a part of its body ends after BODY_PART_S. After
# BODY_GRACE_S the body must have arrived at BODY_BYTES_A_S bytes per second or more on average.
HEAD_S = 10.0
BODY_PART_S = 20.0
BODY_GRACE_S = 30.0
BODY_BYTES_A_S = 1_000
_HEALTH = frozenset({"/livez", "/readyz"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_PAGES = frozenset({"same-origin", "none"})
FOREIGN_PAGE = "requests from pages of other sites are refused"
# Added to every answer that does not say otherwise. No page of another site shows ours in a frame, where a click could
# be misdirected, or loads an answer as a script or picture; nothing with people in it stays in a browser's cache; and
# no other site learns our addresses, some of which contain a worker's id. `no-referrer` would be too strict: with it a
# browser hides the origin of our own forms too, and they would be refused.
_HEADERS: Mapping[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"content-security-policy": b"frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"same-origin",
    b"cache-control": b"no-store",
}
_TOO_SLOW = (408, "the request came too slowly")


def check(environ: Mapping[str, str]) -> None:
    """Raises StartRefused when a service without authentication could be reached from another machine."""
    host = configuration.HTTP_HOST.text(environ) or LOOPBACK
    told = configuration.HTTP_PUBLISHED.of(environ)
    if configuration.AUTH.of(environ) == NONE and not _is_loopback(host) and not told:
        raise StartRefused(
            f"PAYUNG_AUTH=none lets everybody do everything, and {HOST}={host} can be reached from other machines. "
            f"Name an issuer, or say {PUBLISHED}=loopback where the port is published on loopback only (a container)"
        )


def is_foreign_page(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a page of another site, or of an unknown site, made a browser send a request that may change something.

    A browser names the site of a page in one or both of two headers; a program sends neither.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if method in _SAFE or (site is None and origin is None):
        return False
    if site is not None and site not in _OWN_PAGES:
        return True
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


class Edge:
    """Wraps the application of a service."""

    def __init__(self, app: ASGIApp, environ: Mapping[str, str]) -> None:
        """PAYUNG_HTTP_NAMES lists further host names of the service, separated by commas."""
        self._app = app
        self._turns = Turns()
        self._open = configuration.AUTH.of(environ) == NONE
        self._names = frozenset(
            one.strip().lower() for one in configuration.HTTP_NAMES.text(environ).split(",") if one.strip()
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers refused requests itself: 421 for a host name that is not ours, 403 for a page of another site, 400
        for two lengths."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._turns.wait(health=scope["path"] in _HEALTH)
        send = _with_headers(send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        why = self._refused(scope["method"], headers)
        if why is not None:
            status, text = why
            log.warning("a request was refused", status=status, why=text, method=scope["method"])
            await _answer(send, status, text)
            return
        await _Arrival(self._app, receive, send).run(scope)

    def _refused(self, method: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
        if "content-length" in headers and "transfer-encoding" in headers:
            # A proxy in front may believe the other one, and take the rest of the body for a request of somebody else.
            return 400, "a request has one length"
        host = headers.get("host", "")
        if self._open and not self._known(host):
            return 421, "this service answers to loopback names only"
        if is_foreign_page(method, headers):
            return 403, FOREIGN_PAGE
        return None

    def _known(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        return _is_loopback(name) or name.lower() in self._names


def _with_headers(send: Send) -> Send:
    async def out(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            named = {name.lower() for name, _ in given}
            message = {**message, "headers": [*given, *((n, v) for n, v in _HEADERS.items() if n not in named)]}
        await send(message)

    return out


class _Arrival:
    """One request whose body must arrive in time. A client that only waits for its answer has no time limit."""

    def __init__(self, app: ASGIApp, receive: Receive, send: Send) -> None:
        self._app = app
        self._receive = receive
        self._send = send
        self._arrived = False
        self._late = False
        self._begun = False
        self._bytes = 0
        self._since_s = clock.monotonic()

    async def run(self, scope: Scope) -> None:
        """The application's answer, or 408."""
        try:
            await self._app(scope, self._next, self._out)
        except Exception:
            if not self._late:
                raise
        if self._late and not self._begun:
            await _answer(self._send, *_TOO_SLOW)

    async def _next(self) -> Message:
        if self._arrived:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), BODY_PART_S)
        except TimeoutError:
            return self._give_up()
        self._bytes += len(message.get("body", b""))
        self._arrived = message["type"] != "http.request" or not message.get("more_body", False)
        spent_s = clock.monotonic() - self._since_s
        if not self._arrived and spent_s > BODY_GRACE_S and self._bytes < spent_s * BODY_BYTES_A_S:
            return self._give_up()
        return message

    def _give_up(self) -> Message:
        self._late = self._arrived = True
        log.warning("a request was refused", status=_TOO_SLOW[0], why=_TOO_SLOW[1])
        return {"type": "http.disconnect"}

    async def _out(self, message: Message) -> None:
        if self._late and not self._begun:
            return
        self._begun = True
        await self._send(message)


class BoundedProtocol(H11Protocol):
    """Bounds the open connections, and closes those on which no complete request head arrives in time."""

    _head: asyncio.TimerHandle | None = None
    # The event loop's clock when the connection was made, or when its last answer was complete.
    since_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its own base has it
        """Counts the connections before it accepts one."""
        super().connection_made(transport)
        self.since_s = self.loop.time()
        if len(self.connections) > CONNECTIONS_MAX and not self._make_room():
            transport.abort()
        else:
            self._expect_head()

    def on_response_complete(self) -> None:
        """Notes when the connection became idle."""
        self.since_s = self.loop.time()
        super().on_response_complete()

    def data_received(self, data: bytes) -> None:
        """A complete head stops the timer; the first bytes of the next head start it."""
        super().data_received(data)
        if self.has_request():
            self._stop()
        elif self._head is None:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the timer."""
        self._stop()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._head = self.loop.call_later(HEAD_S, self._late)

    def _stop(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _late(self) -> None:
        self._head = None
        if not self.has_request():
            self.transport.abort()

    def _make_room(self) -> int:
        """Closes connections whose clients keep us waiting or send faster than we answer; returns how many."""
        others: set[Any] = self.connections - {self}
        waiting = sorted((one for one in others if one.waits()), key=_later_closed)
        closed = waiting[:ROOM]
        for one in closed:
            # The loop tells it of its end later; until then it would count, and the next one would close more.
            self.connections.discard(one)
            one.transport.abort()
        log.warning("too many connections: those whose clients keep us waiting were closed", closed=len(closed))
        return len(closed)

    def waits(self) -> bool:
        """Whether the connection may be closed to make room. The next step is the client's (to send a request, the rest
        of its body, or to read the answer), or the client does not wait for its answer."""
        return (
            not self.has_request()
            or self.cycle.more_body
            or self.transport.get_write_buffer_size() > 0
            or self.sends_ahead()
        )

    def sends_ahead(self) -> bool:
        """Whether the client has sent a further request before the answer to this one."""
        return self.has_request() and not self.cycle.more_body and self.flow.read_paused

    def has_request(self) -> bool:
        """Whether the head of a request has arrived whose answer is not complete."""
        cycle: Any = self.cycle  # None before the first request, despite its declared type
        return cycle is not None and not cycle.response_complete


def _later_closed(one: BoundedProtocol) -> tuple[bool, bool, float]:
    """Sorts connections by the order in which they are closed to make room: clients that send ahead, then those without
    a request, the longest wait first."""
    return not one.sends_ahead(), one.has_request(), one.since_s


def config(app: ASGIApp, environ: Mapping[str, str], port: int) -> uvicorn.Config:
    """The server configuration of a service."""
    return uvicorn.Config(
        Edge(app, environ),
        host=configuration.HTTP_HOST.text(environ) or LOOPBACK,
        port=port,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
    )


def cannot_listen(config: uvicorn.Config, error: OSError | None) -> StartRefused:
    """Why the service cannot listen on its port, and what to do."""
    where = f"port {config.port} of {config.host}"
    if error is not None and error.errno == errno.EADDRINUSE:
        return StartRefused(f"{where} is in use by another program: stop it, or set {configuration.HTTP_PORT.name}")
    names = f"{configuration.HTTP_PORT.name} and {HOST}"
    why = os.strerror(error.errno) if error is not None and error.errno else "no reason known"
    return StartRefused(f"the service cannot listen on {where} ({why}): correct {names}")


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


async def _answer(send: Send, status: int, why: str) -> None:
    body = json.dumps({"type": "about:blank", "status": status, "title": why}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
