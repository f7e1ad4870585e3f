"""The proxy does what its switches say. If it did not, a fault test would pass without its fault."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest

from shared.runtime import clock
from tests.faults.proxy import KafkaWire, Proxy, Way

PRODUCE, FETCH = 0, 1


def frame(api: int, number: int, size: int = 8) -> bytes:
    """A Kafka request; the echo server's answer repeats what follows the length."""
    body = struct.pack(">hhi", api, 0, number) + b"x" * size
    return struct.pack(">i", len(body)) + body


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy in front of a server that answers each request with its correlation id."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                body = await reader.readexactly(size)
                writer.write(struct.pack(">i", 4) + body[4:8])
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    with Proxy(server.sockets[0].getsockname()[1], KafkaWire()) as proxy:
        yield proxy
    server.close()


class Client:
    """Sends requests and measures how long the answers take."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._number = 0

    @classmethod
    async def to(cls, proxy: Proxy) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", proxy.port))

    async def ask(self, api: int = FETCH, size: int = 8, within_s: float = 10.0) -> float:
        self._number += 1
        began = clock.monotonic()
        self._writer.write(frame(api, self._number, size))
        async with asyncio.timeout(within_s):
            found = await self._reader.readexactly(8)
        assert found == struct.pack(">ii", 4, self._number)
        return clock.monotonic() - began


async def test_it_passes_bytes_unchanged(proxy: Proxy) -> None:
    client = await Client.to(proxy)
    for _ in range(50):
        await client.ask(size=10_000)
    assert (proxy.accepted, proxy.lost) == (1, 0)


async def test_latency_applies_to_both_directions(proxy: Proxy) -> None:
    client = await Client.to(proxy)
    proxy.up, proxy.down = Way(latency_s=0.2), Way(latency_s=0.1)
    assert await client.ask() >= 0.3


async def test_a_limited_bandwidth_delays_bytes(proxy: Proxy) -> None:
    client = await Client.to(proxy)
    proxy.up = Way(bytes_per_s=100_000)
    assert await client.ask(size=30_000) >= 0.3


async def test_half_open_is_silent_and_ends_with_a_reset(proxy: Proxy) -> None:
    standing = await Client.to(proxy)
    await standing.ask()
    proxy.half_open()
    for client in (standing, await Client.to(proxy)):
        with pytest.raises(TimeoutError):
            await client.ask(within_s=0.2)
    proxy.heal()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await standing.ask()
    await (await Client.to(proxy)).ask()


async def test_a_reset_is_seen(proxy: Proxy) -> None:
    client = await Client.to(proxy)
    await client.ask()
    assert proxy.reset() == 1
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.ask()


@pytest.mark.parametrize("silent", [False, True])
async def test_only_the_answer_to_that_kind_is_lost(proxy: Proxy, silent: bool) -> None:
    client = await Client.to(proxy)
    proxy.lose_answers("produce", 1, silent=silent)
    await client.ask(FETCH)
    with pytest.raises(TimeoutError if silent else (ConnectionError, asyncio.IncompleteReadError)):
        await client.ask(PRODUCE, within_s=0.3)
    assert proxy.lost == 1
    await (await Client.to(proxy)).ask(PRODUCE)
