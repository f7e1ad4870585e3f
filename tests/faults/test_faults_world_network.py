"""The network between a service and its servers: late, narrow, cut, silent, and answers that never arrive."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator

import pytest

from payung.embedded import ports
from shared.runtime import app, clock
from tests.faults.processes import Service, eventually
from tests.faults.proxy import Way
from tests.faults.submissions import begun, holds, submit
from tests.faults.world import SERVICES, World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]
# The retry budget, and the longest single waits that may begin just before its end: a socket, a server selection, the
# closing of clients. A service that waits longer hangs.
GIVES_UP_WITHIN_S = app.RETRY_BUDGET_S + 90


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("network")) as world:
        yield world


@pytest.fixture
async def services(world: World) -> AsyncIterator[list[Service]]:
    """Registration and verification behind healthy proxies. They are stopped cleanly afterwards."""
    world.kafka_proxy.heal()
    world.mongo_proxy.heal()
    started = await world.start_ready(*SERVICES)
    yield started
    world.kafka_proxy.heal()
    world.mongo_proxy.heal()
    for one in started:
        if one.running():
            one.kill()


async def test_latency_and_jitter(world: World, services: list[Service]) -> None:
    for proxy in (world.kafka_proxy, world.mongo_proxy):
        proxy.up, proxy.down = Way(latency_s=0.05, jitter_s=0.15), Way(latency_s=0.05, jitter_s=0.15)
    await holds(world, await submit(world, "late", 300))
    assert all(one.running() for one in services)


async def test_low_bandwidth(world: World, services: list[Service]) -> None:
    for proxy in (world.kafka_proxy, world.mongo_proxy):
        proxy.up, proxy.down = Way(bytes_per_s=200_000), Way(bytes_per_s=200_000)
    await holds(world, await submit(world, "narrow", 300))
    assert all(one.running() for one in services)


@pytest.mark.ci
async def test_resets(world: World, services: list[Service]) -> None:
    cut = 0

    async def cutting() -> None:
        nonlocal cut
        while True:
            cut += random.choice((world.kafka_proxy, world.mongo_proxy)).reset()
            await asyncio.sleep(random.uniform(0.2, 1.0))

    task = asyncio.create_task(cutting())
    try:
        identifiers = await submit(world, "cut", 300, chunk=20)
        await asyncio.sleep(5)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert cut > 10
    await holds(world, identifiers)
    assert all(one.running() for one in services)


@pytest.mark.parametrize("kind", ["insert", "update", "delete"])
async def test_the_stores_answer_to_a_write_is_lost(world: World, services: list[Service], kind: str) -> None:
    before = world.mongo_proxy.lost
    world.mongo_proxy.lose_answers(kind, 6)
    await holds(world, await submit(world, f"unheard-{kind}", 200, chunk=20))
    assert world.mongo_proxy.lost >= before + 3
    assert all(one.running() for one in services)


@pytest.mark.parametrize("kind", ["produce", "offset-commit"])
async def test_the_brokers_answer_is_lost(world: World, services: list[Service], kind: str) -> None:
    before = world.kafka_proxy.lost
    world.kafka_proxy.lose_answers(kind, 4)
    await holds(world, await submit(world, f"unheard-{kind}", 200, chunk=20))
    assert world.kafka_proxy.lost >= before + 2
    assert all(one.running() for one in services)


@pytest.mark.parametrize("server", ["broker", "store"])
async def test_half_open_for_a_while(world: World, services: list[Service], server: str) -> None:
    proxy = world.kafka_proxy if server == "broker" else world.mongo_proxy
    first = await submit(world, f"before-{server}", 100)
    proxy.half_open()
    second = await submit(world, f"during-{server}", 100)
    # Readiness shows the broker's silence at once. The log shows the store's silence; readiness after a minute.
    seen = _all_unready if server == "broker" else _one_waits
    await eventually(lambda: seen(services), 60, "the silence is noticed")
    before = list(services)
    await _again(world, services, first + second)
    # Seldom the silence kills a task of aiokafka. Then the process ends, and the next one continues.
    for one in before:
        assert one.running() or (await one.exit_code(1), "client cannot go on" in one.said()) == (75, True)


async def test_half_open_store_for_good(world: World, services: list[Service]) -> None:
    registering = services[0]
    world.mongo_proxy.half_open()
    identifiers = await submit(world, "store-gone", 100)
    began = clock.monotonic()
    assert await registering.exit_code(GIVES_UP_WITHIN_S) == app.EXIT_UNAVAILABLE
    assert clock.monotonic() - began > 30, "it gave up before it had tried for a while"
    assert "MongoDB" in registering.said().splitlines()[-1]
    await _again(world, services, identifiers)


async def test_half_open_broker_for_good(world: World, services: list[Service]) -> None:
    registering = services[0]
    # The broker falls silent while the store saves the batch, so its outcomes cannot be published.
    world.mongo_proxy.up = Way(latency_s=1.0)
    identifiers = await submit(world, "broker-gone", 100)
    await eventually(lambda: begun(world, "broker-gone"), 30, "the batch is being settled")
    world.kafka_proxy.half_open()
    assert await registering.exit_code(GIVES_UP_WITHIN_S) == app.EXIT_UNAVAILABLE
    assert "Kafka" in registering.said().splitlines()[-1]
    await _again(world, services, identifiers)


@pytest.mark.parametrize("kind", ["produce", "insert"])
async def test_an_answer_never_comes_on_an_open_connection(world: World, services: list[Service], kind: str) -> None:
    proxy = world.kafka_proxy if kind == "produce" else world.mongo_proxy
    before = proxy.lost
    proxy.lose_answers(kind, 1, silent=True)
    await holds(world, await submit(world, f"silent-{kind}", 100))
    assert proxy.lost == before + 1
    assert all(one.running() for one in services)


async def _all_unready(services: list[Service]) -> bool:
    return not any([await ports.http_ok(one.port, "/readyz") for one in services])


async def _one_waits(services: list[Service]) -> bool:
    return any('"event": "retrying"' in one.said() for one in services)


async def _again(world: World, services: list[Service], identifiers: list[str]) -> None:
    """Heals the line and restarts each service that has ended, or that still ends because of the silence before."""
    world.kafka_proxy.heal()
    world.mongo_proxy.heal()
    supervising = asyncio.create_task(_supervise(world, services))
    try:
        await holds(world, identifiers)
    finally:
        supervising.cancel()
        await asyncio.wait({supervising})


async def _supervise(world: World, services: list[Service]) -> None:
    while True:
        for place, one in enumerate(services):
            if not one.running():
                services[place] = world.start(one.name)
        await asyncio.sleep(0.5)
