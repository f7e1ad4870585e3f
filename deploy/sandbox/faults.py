"""Makes the stand-ins misbehave on demand, like the real systems: slow, wrong, silent, down.

Decides the fate of each call, counts calls, and serves the control endpoint. It must not know what a call means, and
keeps none of its content: to count distinct callers and persons it keeps a salted hash.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import secrets
import socket
import struct
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import orjson
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from shared.runtime.http import bodies

# The server puts a connection's transport here (serving.py), so that a call can be answered by a reset.
TRANSPORT = "transport"
# A hanging call ends after this time, or earlier when its caller gives up or the stand-in stops.
HANG_S = 600.0
# One call is about one person, one invoice or one setting.
CALL_BYTES_MAX = 1024 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 s


class Faults(BaseModel):
    """The present faults. Rates are shares of the calls (0 to 1), drawn from `seed` in order of arrival."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: int = Field(default=0, ge=0, le=600_000)
    jitter_ms: int = Field(default=0, ge=0, le=600_000)
    error_rate: float = Field(default=0.0, ge=0, le=1)
    hang_rate: float = Field(default=0.0, ge=0, le=1)
    reset_rate: float = Field(default=0.0, ge=0, le=1)
    malformed_rate: float = Field(default=0.0, ge=0, le=1)
    wrong_content_rate: float = Field(default=0.0, ge=0, le=1)
    wrong_rate: float = Field(default=0.0, ge=0, le=1)
    lost_answer_rate: float = Field(default=0.0, ge=0, le=1)
    down: bool = False
    seed: int = 1


F = TypeVar("F", bound=Faults)


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(value), status, media_type="application/json")


class Trouble(Generic[F]):
    """Draws the fate of each call and counts the results."""

    def __init__(self, kind: type[F]) -> None:
        self._kind = kind
        self._salt = secrets.token_bytes(16)
        self.closing = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        """Removes all faults and sets all counts to zero."""
        self.faults: F = self._kind()
        self.counts: Counter[str] = Counter()
        self._distinct: defaultdict[str, set[int]] = defaultdict(set)
        self._random = random.Random(self.faults.seed)

    def change(self, given: Mapping[str, Any]) -> None:
        """Sets the named faults and leaves the others; a named seed restarts the draws."""
        self.faults = self._kind.model_validate({**self.faults.model_dump(), **given})
        if "seed" in given:
            self._random.seed(self.faults.seed)

    def drawn(self, rate: float) -> bool:
        """Draws whether a fault of this rate happens to this call."""
        return rate > 0 and self._random.random() < rate

    def digest(self, text: str) -> int:
        """The hash that is kept of a text; its salt ends with the process."""
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, key=self._salt).digest(), "big")

    def saw(self, what: str, name: str) -> None:
        """Counts distinct names of a kind without keeping the names."""
        self._distinct[what].add(self.digest(name))

    def log(self) -> dict[str, Any]:
        """Counts of calls by outcome, and of distinct keys."""
        distinct = {what: len(names) for what, names in self._distinct.items()}
        return {"calls": dict(self.counts), "distinct": {"keys": 0, **distinct}}

    async def instead(self, request: Request) -> Response | None:
        """The fault that replaces the answer; None when the call gets its answer."""
        faults = self.faults
        if faults.latency_ms or faults.jitter_ms:
            await asyncio.sleep((faults.latency_ms + self._random.random() * faults.jitter_ms) / 1000)
        if faults.down:
            return self._said("down", Response("service unavailable", 503))
        if self.drawn(faults.reset_rate):
            return await self.cut("reset", request)
        if self.drawn(faults.hang_rate):
            return await self._hang(request)
        if self.drawn(faults.error_rate):
            return self._said("error", Response("internal error", 500 if self.drawn(0.5) else 503))
        if self.drawn(faults.malformed_rate):
            return self._said("malformed", Response('{"content":[{"NIK":', media_type="application/json"))
        if self.drawn(faults.wrong_content_rate):
            page = "<html><body>Sesi berakhir, silakan masuk kembali</body></html>"
            return self._said("wrong-content", Response(page, media_type="text/html"))
        return None

    async def cut(self, what: str, request: Request) -> Response:
        """Resets the caller's connection (TCP RST). Without a connection, as inside one process, raises
        ConnectionResetError."""
        self.counts[what] += 1
        transport = request.scope.get("state", {}).get(TRANSPORT)
        if transport is None:
            raise ConnectionResetError("the stand-in cut the connection")
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
        await _gone(request)
        return Response(status_code=500)

    async def _hang(self, request: Request) -> Response:
        self.counts["hang"] += 1
        ends = (asyncio.ensure_future(_gone(request)), asyncio.ensure_future(self.closing.wait()))
        try:
            await asyncio.wait(ends, timeout=HANG_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        return Response("gateway timeout", 504)

    def _said(self, what: str, response: Response) -> Response:
        self.counts[what] += 1
        return response


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def object_of(request: Request, bytes_max: int = CALL_BYTES_MAX) -> dict[str, Any] | None:
    """The body as a JSON object; None when it is no JSON object. Raises HTTPException 413 for a longer body."""
    try:
        body = orjson.loads(await bodies.read(request, bytes_max, "call"))
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def troubled(
    trouble: Trouble[F], serve: Callable[[Request, dict[str, Any]], Response]
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that serves a GET or a JSON object, unless a fault prevents the call or loses its answer."""

    async def call(request: Request) -> Response:
        # A GET has no body.
        asked = (
            {} if request.method == "GET" else await object_of(request)
        )  # first, so that the whole upload has arrived before the fault
        instead = await trouble.instead(request)
        if instead is not None:
            return instead
        if asked is None:
            trouble.counts["bad-request"] += 1
            return json_response({"detail": "isi bukan objek JSON (the body is no JSON object)"}, 400)
        answer = serve(request, asked)
        # After the effect: a caller that asks again must not cause the effect twice.
        return await trouble.cut("lost-answer", request) if trouble.drawn(trouble.faults.lost_answer_rate) else answer

    return call


def add_control(app: FastAPI, trouble: Trouble[F], figures: Callable[[], Mapping[str, Any]]) -> None:
    """`/_control`: GET shows the faults, POST changes the named ones, DELETE removes all. `/_control/log` and
    `/healthz` show the stand-in's own figures."""
    app.state.trouble = trouble

    async def healthz() -> Response:
        return json_response({"status": "ok", **figures()})

    async def show() -> Response:
        return json_response(trouble.faults.model_dump())

    async def change(request: Request) -> Response:
        given = await object_of(request)
        if given is None:
            return json_response({"detail": "isi bukan objek JSON (the body is no JSON object)"}, 422)
        try:
            trouble.change(given)
        except ValidationError as error:
            return json_response({"detail": error.errors(include_url=False, include_input=False)}, 422)
        return await show()

    async def end() -> Response:
        trouble.reset()
        return await show()

    async def counts() -> Response:
        return json_response({**trouble.log(), **figures()})

    app.add_api_route("/healthz", healthz, methods=["GET"])
    app.add_api_route("/_control", show, methods=["GET"])
    app.add_api_route("/_control", change, methods=["POST"])
    app.add_api_route("/_control", end, methods=["DELETE"])
    app.add_api_route("/_control/log", counts, methods=["GET"])
