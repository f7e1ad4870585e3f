"""An issuer that hangs, over real HTTP: strangers delay nobody, and known keys stay valid within bounds only."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from fastapi import HTTPException
from starlette.requests import Request

from shared.runtime import clock
from shared.runtime.http.auth import Guard
from shared.runtime.http.issuer import KeyTimes

KEY = generate_private_key(SECP256R1())
QUICK = KeyTimes(kept_s=0.0, last_good_s=3_600.0, again_s=3_600.0, ask_s=30.0)


class Issuer:
    """A web server with two pages that can keep every caller waiting."""

    def __init__(self) -> None:
        self.url = ""
        self.connections = 0
        self.asked = asyncio.Event()
        self.answering = asyncio.Event()
        self.answering.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.asked.set()
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            asked = await reader.readuntil(b"\r\n\r\n")
            await self.answering.wait()
            key = {**jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k1"}
            page: dict[str, Any] = {"keys": [key]} if b"/keys" in asked else {"jwks_uri": f"{self.url}/keys"}
            body = json.dumps(page).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
        writer.close()


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    one = Issuer()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield one
    one.answering.set()
    server.close()


def _request(issuer: Issuer, kid: str) -> Request:
    soon = int(clock.now().timestamp()) + 600
    claims = {"iss": issuer.url, "aud": "payung", "sub": "rina", "exp": soon, "agencies": ["64.08/dinsos"]}
    token = jwt.encode(claims, KEY, "ES256", {"kid": kid})
    headers = [(b"authorization", f"Bearer {token}".encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


async def _refused(guard: Guard, request: Request) -> int:
    with pytest.raises(HTTPException) as refused:
        await guard.caller(request)
    return refused.value.status_code


async def test_while_strangers_wait_for_a_hanging_issuer_known_callers_go_on(issuer: Issuer) -> None:
    guard = Guard({"PAYUNG_AUTH": issuer.url}, bounds=KeyTimes(kept_s=0.0, again_s=0.0, ask_s=30.0))
    assert (await guard.caller(_request(issuer, "k1"))).name == "rina"
    issuer.answering.clear()
    issuer.asked.clear()
    before = issuer.connections
    strangers = [asyncio.create_task(_refused(guard, _request(issuer, f"x{number}"))) for number in range(6)]
    await issuer.asked.wait()
    async with asyncio.timeout(5):
        for _ in range(20):
            assert (await guard.caller(_request(issuer, "k1"))).name == "rina"
    assert not any(one.done() for one in strangers)
    assert issuer.connections == before + 1, "all who wait share one question"
    issuer.answering.set()
    assert set(await asyncio.gather(*strangers)) == {401}


async def test_a_question_ends_and_its_failure_is_remembered(issuer: Issuer) -> None:
    issuer.answering.clear()
    guard = Guard({"PAYUNG_AUTH": issuer.url}, bounds=KeyTimes(ask_s=0.2, again_s=3_600.0))
    assert await asyncio.gather(*(_refused(guard, _request(issuer, "k1")) for _ in range(6))) == [503] * 6
    assert await _refused(guard, _request(issuer, "k1")) == 503
    assert issuer.connections == 1


async def test_a_caller_that_leaves_does_not_end_the_question_of_others(issuer: Issuer) -> None:
    issuer.answering.clear()
    guard = Guard({"PAYUNG_AUTH": issuer.url})
    first = asyncio.create_task(guard.caller(_request(issuer, "k1")))
    second = asyncio.create_task(guard.caller(_request(issuer, "k1")))
    await issuer.asked.wait()
    first.cancel()
    issuer.answering.set()
    assert (await second).name == "rina"


async def test_an_unknown_key_asks_again_only_after_a_while(issuer: Issuer) -> None:
    guard = Guard({"PAYUNG_AUTH": issuer.url}, bounds=QUICK)
    assert [await _refused(guard, _request(issuer, f"x{number}")) for number in range(5)] == [401] * 5
    assert issuer.connections == 2, "the two pages, once"


async def test_known_keys_are_used_for_a_limited_time_while_the_issuer_is_silent(issuer: Issuer) -> None:
    kept = Guard({"PAYUNG_AUTH": issuer.url}, bounds=KeyTimes(kept_s=0.0, again_s=0.0, ask_s=2.0))
    too_old = Guard({"PAYUNG_AUTH": issuer.url}, bounds=KeyTimes(kept_s=0.0, last_good_s=0.0, again_s=0.0, ask_s=2.0))
    for guard in (kept, too_old):
        assert (await guard.caller(_request(issuer, "k1"))).name == "rina"
    issuer.answering.clear()
    assert (await kept.caller(_request(issuer, "k1"))).name == "rina"
    assert await _refused(too_old, _request(issuer, "k1")) == 503
