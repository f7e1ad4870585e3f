"""Kafka and MongoDB of an installation: the user's own where the environment names them, else embedded ones."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from payung.embedded import jars, kafka, mongo, ports
from payung.embedded.console import Console
from payung.embedded.errors import LaunchError
from payung.embedded.process import ProcessSpec
from payung.embedded.supervisor import Supervisor

T = TypeVar("T")

_OWN_SERVER_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Servers:
    """How to reach the broker and the database."""

    kafka: str
    mongo_url: str


def embedded_ports(environment: Mapping[str, str]) -> list[str]:
    """The names of the ports that the embedded servers will take."""
    names = [] if environment.get("PAYUNG_KAFKA") else ["kafka", "kafka-controller"]
    return names if environment.get("PAYUNG_MONGO_URL") else [*names, "mongo"]


async def start(
    supervisor: Supervisor, data: Path, port_base: int, environment: Mapping[str, str], console: Console
) -> Servers:
    """Starts what is not the user's own, as one stage of the supervisor, and waits until both answer."""
    own_kafka, own_mongo = environment.get("PAYUNG_KAFKA"), environment.get("PAYUNG_MONGO_URL")
    specs: list[ProcessSpec] = []
    # The mongod is looked for first: where there is none, nothing needs to be fetched to say so.
    mongo_node = mongo.MongoNode(folder=data / "mongo", port=ports.port(port_base, "mongo"))
    if not own_mongo:
        binary = mongo.find_mongod(jars.cache_root())
        specs.append(mongo.spec(mongo_node, binary, data / "logs" / "mongo.log"))
    kafka_node = kafka.KafkaNode(
        folder=data / "kafka",
        port=ports.port(port_base, "kafka"),
        controller_port=ports.port(port_base, "kafka-controller"),
    )
    if not own_kafka:
        kafka.java()
        folder = await _fetch(console, jars.chosen(environment))
        await kafka.prepare(kafka_node, folder)
        specs.append(kafka.spec(kafka_node, folder, data / "logs" / "kafka.log"))
    await supervisor.start(*specs)
    if own_kafka:
        await _require(lambda: _any_accepts(own_kafka), f"PAYUNG_KAFKA ({own_kafka}) does not answer.")
    if own_mongo:  # its URL may hold a password: not shown
        await _require(lambda: mongo.answers(own_mongo), "PAYUNG_MONGO_URL: no primary of a replica set answers there.")
    return Servers(own_kafka or kafka_node.bootstrap, own_mongo or mongo_node.url)


async def _fetch(console: Console, version: str) -> Path:
    loop = asyncio.get_running_loop()

    def progress(text: str) -> None:
        loop.call_soon_threadsafe(console.progress, text)

    return await _in_daemon_thread(lambda: jars.ensure(version, progress=progress))


async def _in_daemon_thread(work: Callable[[], T]) -> T:
    """Like asyncio.to_thread, but Ctrl-C in the middle of a download does not wait for its end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:  # noqa: BLE001 - handed to the one who waits
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=run, name="fetch", daemon=True).start()
    return await future


async def _require(check: Callable[[], Awaitable[bool]], complaint: str) -> None:
    try:
        async with asyncio.timeout(_OWN_SERVER_WAIT_S):
            while not await check():  # noqa: ASYNC110 - another machine's server sends no event to wait on
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise LaunchError(complaint) from None


async def _any_accepts(bootstrap: str) -> bool:
    for server in bootstrap.split(","):
        host, _, number = server.strip().rpartition(":")
        if number.isdigit() and await ports.accepts(host, int(number)):
            return True
    return False
