"""A private broker and database, each reachable directly and through a disturbing proxy; services as processes.

Tests and checker connect directly, services through the proxy. The state grows over the tests of a module: each test
sends its own people and ids, and the invariants are checked over everything so far.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from pymongo import AsyncMongoClient

from payung import reference
from payung.demo.population import Inhabitant, generate, population_csv
from payung.embedded import jars, kafka, mongo, ports
from payung.embedded.process import ProcessSpec
from payung.installations import Installation
from shared.contracts import topics
from shared.kernel.calendar import business_day
from shared.reference import areas as area_files
from shared.runtime import clock
from shared.runtime.kafka import topics_admin
from tests.faults.disk import SmallDisk
from tests.faults.processes import PROJECT, Service, eventually, supervised
from tests.faults.proxy import KafkaWire, MongoWire, Proxy
from tests.threads import Kept

REGENCY = "64.08"
# All five services have the same shell, so two in a row are enough to follow a person through it.
SERVICES = ("registration", "verification")
TODAY = business_day(clock.now())
KEYS = {"PAYUNG_ID_KEY": "QUFB" * 10 + "QUE=", "PAYUNG_FIELD_KEYS": "k1:" + "QkJC" * 10 + "QkI="}
_POPULATION = 12_000


class World:
    """Servers, proxies and services inside the `with` block."""

    def __init__(
        self,
        folder: Path,
        *,
        version: str = jars.KAFKA_VERSION,
        kafka_settings: Mapping[str, str] | None = None,
        instance: str = "fault",
        disks_mb: Mapping[str, int] | None = None,
    ) -> None:
        self.folder = folder
        self.base = ports.free_base()
        number = ports.port(self.base, "kafka")
        # The broker's second listener; the proxy connects to it.
        self.behind = self.base + 50
        self.kafka_proxy = Proxy(self.behind, KafkaWire())
        self.mongo_proxy = Proxy(ports.port(self.base, "mongo"), MongoWire())
        controller = ports.port(self.base, "kafka-controller")
        self.kafka_node = kafka.KafkaNode(
            folder=folder / "kafka",
            port=number,
            controller_port=controller,
            settings={
                "listeners": f"PLAINTEXT://127.0.0.1:{number},BEHIND://127.0.0.1:{self.behind},"
                f"CONTROLLER://127.0.0.1:{controller}",
                # The broker tells clients of the proxy to keep using the proxy.
                "advertised.listeners": f"PLAINTEXT://127.0.0.1:{number},BEHIND://127.0.0.1:{self.kafka_proxy.port}",
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,BEHIND:PLAINTEXT,CONTROLLER:PLAINTEXT",
                **(kafka_settings or {}),
            },
        )
        self.mongo_node = mongo.MongoNode(folder=folder / "mongo", port=ports.port(self.base, "mongo"), cache_gb=0.5)
        # The size of a server's disk in megabytes, by server (`kafka`, `mongo`).
        self.disks = {name: SmallDisk(folder / name, size) for name, size in (disks_mb or {}).items()}
        self._version = version
        self._servers = Kept("fault servers", lambda: supervised(*self._specs()))
        self._services: list[Service] = []
        self._instance = instance
        self._people: Iterator[Inhabitant] = iter(())

    @property
    def kafka(self) -> str:
        """The broker's direct address."""
        return self.kafka_node.bootstrap

    @property
    def mongo_url(self) -> str:
        """The database's direct URL."""
        return self.mongo_node.url

    @property
    def environ(self) -> dict[str, str]:
        """A service's environment: all addresses lead through the proxies."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PAYUNG_")}
        return {
            **inherited,
            **KEYS,
            "PYTHONPATH": str(PROJECT),
            "PYTHONUNBUFFERED": "1",
            "PAYUNG_LOG": "json",
            "PAYUNG_AUTH": "none",
            "PAYUNG_KAFKA_ONE_BROKER": "yes",
            "PAYUNG_SUSPECTS_QUIET_S": "0",
            "PAYUNG_KAFKA": f"127.0.0.1:{self.kafka_proxy.port}",
            # The replica set's own addresses would bypass the proxy.
            "PAYUNG_MONGO_URL": f"mongodb://127.0.0.1:{self.mongo_proxy.port}/?directConnection=true",
            # A nameless member leaves its group when it stops; a named member keeps its place for a while.
            **({"PAYUNG_INSTANCE": self._instance} if self._instance else {}),
        }

    @property
    def place(self) -> Installation:
        """The installation with direct addresses, for commands."""
        environ = {**self.environ, "PAYUNG_KAFKA": self.kafka, "PAYUNG_MONGO_URL": self.mongo_url}
        urls = {one: f"http://127.0.0.1:{ports.port(self.base, one)}" for one in topics.SERVICES}
        return Installation(self.folder, environ, urls)

    def _specs(self) -> list[ProcessSpec]:
        folder = jars.ensure(self._version, progress=lambda text: None)
        logs = self.folder / "logs"
        binary = mongo.find_mongod(jars.cache_root())
        specs = [
            kafka.spec(self.kafka_node, folder, logs / "kafka.log"),
            mongo.spec(self.mongo_node, binary, logs / "mongo.log"),
        ]
        return [
            replace(one, argv=self.disks[one.name].wrapped(one.argv)) if one.name in self.disks else one
            for one in specs
        ]

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "logs").mkdir(exist_ok=True)
        folder = jars.ensure(self._version, progress=lambda text: None)
        asyncio.run(kafka.prepare(self.kafka_node, folder))
        for disk in self.disks.values():
            disk.__enter__()
        self.kafka_proxy.__enter__()
        self.mongo_proxy.__enter__()
        self._supervisor = self._servers.open()
        asyncio.run(self._furnish())
        return self

    async def _furnish(self) -> None:
        """Makes the topics, and loads a snapshot with everybody, so that no identity check needs HTTP."""
        await topics_admin.apply(environ={"PAYUNG_KAFKA": self.kafka})
        people = [
            one
            for one in generate(random.getrandbits(32), _POPULATION, REGENCY, area_files.load(), TODAY)
            if one.status == "alive"
        ]
        self._people = iter(people)
        path = self.folder / "population.csv"
        population_csv(people, path)
        await reference.load_snapshot(self.place, path, REGENCY)

    def __exit__(self, *_: object) -> None:
        for one in self._services:
            if one.running():
                one.kill()
        self._servers.close()
        for disk in self.disks.values():
            disk.__exit__()
        self.kafka_proxy.__exit__()
        self.mongo_proxy.__exit__()

    # -- services ---------------------------------------------------------------------------------------------------

    def start(self, name: str, **environ: str) -> Service:
        """Starts a service behind the proxies; `environ` overrides its settings."""
        service = Service(
            name,
            {**self.environ, **environ},
            self.folder / "logs" / f"{name}.log",
            ports.port(self.base, name),
        )
        self._services.append(service)
        return service

    async def start_ready(self, *names: str) -> list[Service]:
        """Starts services and waits until all are ready."""
        started = [self.start(name) for name in names]
        for one in started:
            await eventually(one.ready, 90, f"{one.name} ready")
        return started

    @asynccontextmanager
    async def supervised(self, *names: str) -> AsyncIterator[list[int]]:
        """Restarts these services whenever they end, as their supervisor would. Gives the list of their exit codes."""
        codes: list[int] = []
        running = {one.name: one for one in await self.start_ready(*names)}

        async def keep() -> None:
            while True:
                for name, one in running.items():
                    if not one.running():
                        codes.append(await one.exit_code(1))
                        running[name] = self.start(name)
                await asyncio.sleep(0.5)

        keeping = asyncio.create_task(keep())
        try:
            yield codes
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
            for one in running.values():
                one.kill()

    def pid_of(self, server: str) -> int | None:
        """The process of `kafka` or `mongo`."""
        return self._supervisor.pids()[server]

    async def restart(self, server: str) -> None:
        """Stops a server in order. Returns when its supervisor has restarted it and it answers."""
        before = self.pid_of(server)
        assert before is not None
        os.kill(before, signal.SIGTERM)
        await eventually(lambda: self.pid_of(server) not in (None, before), 60, f"{server} is started again")
        await eventually(lambda: kafka.answers(self.kafka), 60, "the broker answers")

    async def empty_stores(self) -> None:
        """Drops everything that the services made from inputs. Loaded reference data (the snapshot) stay."""
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(self.mongo_url)
        for database in (client[f"payung_{one}"] for one in topics.SERVICES):
            for name in await database.list_collection_names():
                if name.startswith("_") or await database[name].find_one({"inputs": {"$exists": True}}):
                    await database.drop_collection(name)
        await client.close()

    # -- people -----------------------------------------------------------------------------------------------------

    def people(self, count: int) -> list[Inhabitant]:
        """People whom no test has sent so far."""
        return [next(self._people) for _ in range(count)]
