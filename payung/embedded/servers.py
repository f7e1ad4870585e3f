"""Kafka and MongoDB of an installation: the servers that the environment names, else embedded ones."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from payung.embedded import jars, kafka, mongo, ports
from payung.embedded.console import Console
from payung.embedded.errors import LaunchError
from payung.embedded.locks import Locks
from payung.embedded.process import ProcessSpec
from payung.embedded.supervisor import Supervisor

T = TypeVar("T")

_OWN_SERVER_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Servers:
    """The addresses of the broker and the database; `locks` hold our log-in at the servers that need it."""

    kafka: str
    mongo_url: str
    locked_kafka: bool = False
    locked_mongo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerNumbers:
    """The number of embedded servers of each kind: one, or three that survive the loss of any one."""

    brokers: int = 1
    members: int = 1


SINGLE = ServerNumbers()


def embedded_ports(environment: Mapping[str, str], shape: ServerNumbers = SINGLE) -> list[str]:
    """The names of the ports that the embedded servers will use."""
    names: list[str] = []
    if not environment.get("PAYUNG_KAFKA"):
        names += [ports.node(kind, n) for n in _numbers(shape.brokers) for kind in ("kafka", "kafka-controller")]
    if not environment.get("PAYUNG_MONGO_URL"):
        names += [ports.node("mongo", n) for n in _numbers(shape.members)]
    return names


def mongo_nodes(data: Path, port_base: int, members: int, locks: Locks | None = None) -> list[mongo.MongoNode]:
    """The members of the embedded replica set; the first one initiates it."""
    names = [ports.node("mongo", number) for number in _numbers(members)]
    hosts = tuple(f"{ports.HOST}:{ports.port(port_base, name)}" for name in names)
    return [
        mongo.MongoNode(
            folder=data / name,
            port=ports.port(port_base, name),
            members=hosts if members > 1 else (),
            locks=locks,
        )
        for name in names
    ]


def kafka_nodes(data: Path, port_base: int, brokers: int, locks: Locks | None = None) -> list[kafka.KafkaNode]:
    """The brokers of the embedded cluster; each is also a controller."""
    controllers = [ports.port(port_base, ports.node("kafka-controller", number)) for number in _numbers(brokers)]
    voters = tuple(f"{number}@{ports.HOST}:{port}" for number, port in enumerate(controllers, start=1))
    return [
        kafka.KafkaNode(
            folder=data / ports.node("kafka", number),
            port=ports.port(port_base, ports.node("kafka", number)),
            controller_port=controllers[number - 1],
            node_id=number,
            replication=brokers,
            voters=voters if brokers > 1 else (),
            cluster=kafka.kept_cluster_id(data) if brokers > 1 else None,
            locks=locks,
        )
        for number in _numbers(brokers)
    ]


def _numbers(count: int) -> range:
    if count not in (1, ports.NODES_MAX):
        raise LaunchError(f"There are one or {ports.NODES_MAX} servers of a kind, not {count}: two lose both by one.")
    return range(1, count + 1)


async def start(
    supervisor: Supervisor,
    data: Path,
    port_base: int,
    environment: Mapping[str, str],
    console: Console,
    shape: ServerNumbers = SINGLE,
    locks: Locks | None = None,
) -> Servers:
    """Starts the embedded servers as one stage of the supervisor, and waits until broker and database answer. Without
    `locks` they have no log-ins, for tests and benches."""
    own_kafka, own_mongo = environment.get("PAYUNG_KAFKA"), environment.get("PAYUNG_MONGO_URL")
    specs: list[ProcessSpec] = []
    logs = data / "logs"
    # Look for mongod first: when it is missing, report that before fetching anything.
    mongos = [] if own_mongo else mongo_nodes(data, port_base, shape.members, locks)
    if mongos:
        binary = mongo.find_mongod(jars.cache_root())
        specs += [mongo.spec(one, binary, logs / f"{one.folder.name}.log", name=one.folder.name) for one in mongos]
    brokers = [] if own_kafka else kafka_nodes(data, port_base, shape.brokers, locks)
    if brokers:
        kafka.java()
        folder = await _fetch(console, jars.chosen(environment))
        for one in brokers:
            await kafka.prepare(one, folder)
        specs += [kafka.spec(one, folder, logs / f"{one.folder.name}.log", name=one.folder.name) for one in brokers]
    await supervisor.start(*specs)
    if own_kafka:
        await _require(lambda: _any_accepts(own_kafka), f"PAYUNG_KAFKA ({own_kafka}) does not answer.")
    if own_mongo:  # its URL may contain a password, so do not show it
        await _require(lambda: mongo.answers(own_mongo), "PAYUNG_MONGO_URL: no primary of a replica set answers there.")
    return Servers(
        own_kafka or ",".join(one.bootstrap for one in brokers),
        own_mongo or mongos[0].url,
        locked_kafka=locks is not None and not own_kafka,
        locked_mongo=locks is not None and not own_mongo,
    )


async def _fetch(console: Console, version: str) -> Path:
    loop = asyncio.get_running_loop()

    def progress(text: str) -> None:
        loop.call_soon_threadsafe(console.progress, text)

    return await _in_daemon_thread(lambda: jars.ensure(version, progress=progress))


async def _in_daemon_thread(work: Callable[[], T]) -> T:
    """Like asyncio.to_thread, but Ctrl-C does not wait for the end of a download."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(answer: Callable[[], None]) -> None:
        if not future.done():
            answer()

    def run() -> None:
        try:
            answer = partial(future.set_result, work())
        except Exception as error:  # noqa: BLE001  # the waiting caller gets it
            answer = partial(future.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(deliver, answer)

    threading.Thread(target=run, name="fetch", daemon=True).start()
    return await future


async def _require(check: Callable[[], Awaitable[bool]], complaint: str) -> None:
    try:
        async with asyncio.timeout(_OWN_SERVER_WAIT_S):
            while not await check():  # noqa: ASYNC110  # another machine's server sends no event to wait on
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise LaunchError(complaint) from None


async def _any_accepts(bootstrap: str) -> bool:
    for server in bootstrap.split(","):
        host, _, number = server.strip().rpartition(":")
        if number.isdigit() and await ports.accepts(host, int(number)):
            return True
    return False
