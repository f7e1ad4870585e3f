"""Starts, watches and stops all of Payung on one machine: broker, database, topics, five services, the stand-ins.

The order matters: lock the data folder, check the ports, keys, servers, topics, services, then run.json and `ready`.
Stopping is the reverse. It knows nothing of what the services do; the caller passes the function that makes topics.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from payung.access.files import FOLDER, INTERNAL
from payung.embedded import certificates, jars, locks, mongo, ports
from payung.embedded import servers as server_stage
from payung.embedded.console import Console
from payung.embedded.data import DataFolder, Keys, RunningInstallation, default_data_dir, read_run
from payung.embedded.doors import Doors
from payung.embedded.errors import LaunchError
from payung.embedded.locks import Locks
from payung.embedded.process import ProcessSpec
from payung.embedded.servers import SINGLE, ServerNumbers, Servers
from payung.embedded.supervisor import Supervisor
from shared.contracts import topics
from shared.runtime import clock
from shared.runtime.errors import StartRefused, Unavailable
from shared.runtime.kafka.durability import ONE_BROKER
from shared.runtime.ops import secrets

__all__ = ["SERVICES", "LaunchError", "Stack", "StackConfig", "default_data_dir", "read_run", "servers", "up"]

SERVICES = topics.SERVICES
STAND_INS = ("dukcapil", "bpjs")
# Makes the topics; its argument is an environment with that right.
CreateTopics = Callable[[Mapping[str, str]], Awaitable[object]]

# How long the kernel may need to free our ports after a predecessor was killed.
_LEFT_OVER_WAIT_S = 10.0
# The folder of `services` and `deploy`. With -P Python ignores folders of the same name under the current folder.
_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """What to start and where; `population` feeds the Dukcapil stand-in; `shape` makes clusters of the servers. `tls`:
    embedded servers use TLS. Without `locked` they have no log-ins; that is for measuring only."""

    data_dir: Path = field(default_factory=default_data_dir)
    port_base: int = ports.DEFAULT_BASE
    services: tuple[str, ...] = SERVICES
    stand_ins: tuple[str, ...] = STAND_INS
    population: Path | None = None
    shape: ServerNumbers = SINGLE
    tls: bool = False
    locked: bool = True
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


class Stack:
    """One installation, running between `start` and `stop` (or inside `async with`)."""

    def __init__(self, config: StackConfig, create_topics: CreateTopics, *, console: Console | None = None) -> None:
        self._config = config
        self._create_topics = create_topics
        self._console = console or Console()
        self._data = DataFolder(config.data_dir)
        self._supervisor = Supervisor(self._console.line)
        self._taken = ports.Reservation()

    async def start(self) -> RunningInstallation:
        """Starts everything and returns the contents of run.json; LaunchError says what prevents it."""
        config, data = self._config, self._data
        if config.population is not None and not config.population.is_file():
            raise LaunchError(f"The population file {config.population} does not exist.")
        if data.take():
            await self._left_over_ports_gone()
        self._taken.take(config.port_base, self._ports())
        keys = data.keys(config.environment)
        self._console.line(f"Starting Payung on {data.path}")
        locked = self._locks()
        servers = await server_stage.start(
            self._supervisor, data.path, config.port_base, config.environment, self._console, config.shape, locked
        )
        doors = Doors(data.path, servers, locked)
        try:
            await doors.open()
        except (StartRefused, Unavailable) as error:
            raise LaunchError(f"The users could not be made: {error}") from error
        try:
            await self._create_topics({**config.environment, **doors.operator()})
        except (StartRefused, Unavailable) as error:
            raise LaunchError(f"The topics could not be made: {error}") from error
        await self._supervisor.start(*self._stand_ins(), *self._services(servers, keys, doors))
        run = data.publish_run(
            port_base=config.port_base,
            kafka=servers.kafka,
            mongo_url=doors.operator_mongo_url(),
            urls=self._urls(),
            credentials=doors.folder,
        )
        for name, url in run.urls.items():
            self._console.line(f"{name:<13} {url}")
        self._console.line("ready")
        return run

    async def stop(self) -> None:
        """Stops everything, services first, then removes run.json."""
        await self._supervisor.stop()
        self._taken.release()
        self._data.release()

    def kill(self) -> None:
        """Kills every process at once; await `stop` afterwards."""
        self._supervisor.kill()

    def pids(self) -> dict[str, int | None]:
        """Process ids by name (`kafka`, `mongo`, services, stand-ins); None while one is down."""
        return self._supervisor.pids()

    @asynccontextmanager
    async def without(self, name: str) -> AsyncIterator[None]:
        """Runs the block while one service or stand-in is stopped; afterwards it is ready again, as a new process."""
        [process] = [one for one in self._supervisor.processes() if one.spec.name == name]
        async with process.down():
            yield

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    def _ports(self) -> list[str]:
        return [
            *self._started_stand_ins(),
            *self._config.services,
            *server_stage.embedded_ports(self._config.environment, self._config.shape),
        ]

    async def _left_over_ports_gone(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + _LEFT_OVER_WAIT_S
        numbers = [ports.port(self._config.port_base, name) for name in self._ports()]
        while loop.time() < until and not all(map(ports.is_free, numbers)):  # noqa: ASYNC110  # a port sends no event
            await asyncio.sleep(0.2)

    def _started_stand_ins(self) -> tuple[str, ...]:
        # An address in the environment wins: it names the real system, or another stand-in.
        return tuple(name for name in self._config.stand_ins if not self._config.environment.get(_url_variable(name)))

    def _url(self, name: str) -> str:
        return f"http://{ports.HOST}:{ports.port(self._config.port_base, name)}"

    def _urls(self) -> dict[str, str]:
        return {name: self._url(name) for name in (*self._config.services, *self._started_stand_ins())}

    def _log(self, name: str) -> Path:
        return self._data.path / "logs" / f"{name}.log"

    def _environment(self) -> dict[str, str]:
        path = [str(_PROJECT), self._config.environment.get("PYTHONPATH", "")]
        return {
            **self._config.environment,
            "PYTHONPATH": os.pathsep.join(part for part in path if part),
            "PYTHONUNBUFFERED": "1",
            "PAYUNG_LOG": "json",
        }

    def _stand_ins(self) -> list[ProcessSpec]:
        return [self._stand_in(name) for name in self._started_stand_ins()]

    def _stand_in(self, name: str) -> ProcessSpec:
        number = ports.port(self._config.port_base, name)
        argv = [sys.executable, "-P", "-m", f"deploy.sandbox.{name}", "--port", str(number)]
        if name == "dukcapil" and self._config.population is not None:
            argv += ["--population", str(self._config.population.resolve())]
        if name == "bpjs":
            # It is restarted when it dies, and must not pay a benefit twice.
            argv += ["--data", str(self._data.path / "bpjs")]

        async def ready() -> bool:
            return await ports.accepts(ports.HOST, number)

        env = secrets.without(self._environment())
        return ProcessSpec(name=name, argv=tuple(argv), log=self._log(name), ready=ready, env=env)

    def _locks(self) -> Locks | None:
        """The locks of the embedded servers; None when there is nothing of ours to lock."""
        environment = self._config.environment
        if not self._config.locked or (environment.get("PAYUNG_KAFKA") and environment.get("PAYUNG_MONGO_URL")):
            return None
        path = self._data.path
        tls = certificates.kept(path / "tls", ports.HOST, clock.now()) if self._config.tls else None
        return locks.kept(path / FOLDER / INTERNAL, tls)

    def _services(self, servers: Servers, keys: Keys, doors: Doors) -> list[ProcessSpec]:
        given = self._config.environment
        shared = {
            **self._environment(),
            "PAYUNG_KAFKA": servers.kafka,
            "PAYUNG_MONGO_URL": servers.mongo_url,
            "PAYUNG_DUKCAPIL_URL": given.get("PAYUNG_DUKCAPIL_URL") or self._url("dukcapil"),
            "PAYUNG_BPJS_URL": given.get("PAYUNG_BPJS_URL") or self._url("bpjs"),
            "PAYUNG_AUTH": given.get("PAYUNG_AUTH") or "none",
            # Without PAYUNG_PUBLIC_URL, the address that phones reach, sheets are printed as samples.
            "PAYUNG_STICKER_SAMPLES": "yes",
            "PAYUNG_INSTANCE": given.get("PAYUNG_INSTANCE") or self._instance(),
            # A single embedded broker is meant to be alone; a cluster has three. The user judges their own broker.
            **({} if given.get("PAYUNG_KAFKA") or self._config.shape.brokers > 1 else {ONE_BROKER: "yes"}),
            # Otherwise malloc keeps a heap for each thread of the driver's pool, which a service never reuses.
            "MALLOC_ARENA_MAX": given.get("MALLOC_ARENA_MAX") or "2",
        }
        return [self._service(name, {**shared, **doors.service(name)}, keys) for name in self._config.services]

    def _secrets(self, name: str, keys: Keys) -> dict[str, str]:
        """The secrets of this service alone: its field keys, in a file that it reads again after a rotation."""
        given = self._config.environment
        variables = [one + end for one in (secrets.field_keys_of(name), secrets.FIELD_KEYS) for end in ("", "_FILE")]
        found = {one: given[one] for one in variables if given.get(one)}
        if not found:
            found = {f"{secrets.FIELD_KEYS}_FILE": str(self._data.field_keys_file(name))}
        if name in secrets.NAME_WORKERS:
            found[secrets.ID_KEY] = keys.id_key
        return found

    def _instance(self) -> str:
        # With a fixed name a killed service has its partitions back at once (0.3 s); without a name it waits until its
        # old session expires (45 s). The user's own broker may also serve the services of other machines.
        return f"up-{socket.gethostname()}" if self._config.environment.get("PAYUNG_KAFKA") else "up"

    def _service(self, name: str, shared: Mapping[str, str], keys: Keys) -> ProcessSpec:
        number = ports.port(self._config.port_base, name)

        async def ready() -> bool:
            return await ports.http_ok(number, "/readyz")

        async def live() -> bool:
            return await ports.http_ok(number, "/livez")

        return ProcessSpec(
            name=name,
            argv=(sys.executable, "-P", "-m", f"services.{name}"),
            log=self._log(name),
            ready=ready,
            live=live,
            env={**secrets.without(shared, name), **self._secrets(name, keys), "PAYUNG_HTTP_PORT": str(number)},
            start_timeout_s=120.0,
            stop_timeout_s=20.0,
        )


def _url_variable(stand_in: str) -> str:
    return f"PAYUNG_{stand_in.upper()}_URL"


async def up(config: StackConfig, create_topics: CreateTopics, *, console: Console | None = None) -> int:
    """Runs the stack until Ctrl-C or SIGTERM and returns the exit code. A second Ctrl-C kills everything at once."""
    console = console or Console()
    stack = Stack(config, create_topics, console=console)
    asked = asyncio.Event()

    def ask() -> None:
        if asked.is_set():
            stack.kill()
        asked.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if (
            number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
        ):  # with nohup the process must keep running
            loop.add_signal_handler(number, ask)
    starting = asyncio.create_task(stack.start())
    waiting = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await waiting
    except LaunchError as error:
        console.line(str(error))
        return 1
    finally:
        waiting.cancel()
        starting.cancel()
        await asyncio.wait({starting})
        if asked.is_set():
            console.line("stopping ...")
        await stack.stop()
    console.line("stopped")
    return 0


@asynccontextmanager
async def servers(
    data_dir: Path, port_base: int, *, environment: Mapping[str, str] | None = None, console: Console | None = None
) -> AsyncIterator[tuple[str, str]]:
    """Only Kafka and MongoDB, supervised, without topics: (bootstrap, MongoDB URL). For tests and benches."""
    environment = os.environ if environment is None else environment
    console = console or Console(sys.stderr)
    supervisor = Supervisor(console.line)
    with ports.reserved(port_base, server_stage.embedded_ports(environment)):
        try:
            started = await server_stage.start(supervisor, data_dir, port_base, environment, console)
            yield started.kafka, started.mongo_url
        finally:
            await supervisor.stop()


@asynccontextmanager
async def database(data_dir: Path, port_base: int) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
    """Supervises only MongoDB, in a folder that the caller holds. Gives its URL and the servers' own log-in."""
    console = Console(sys.stderr)
    supervisor = Supervisor(console.line)
    locked = locks.kept(data_dir / FOLDER / INTERNAL, None)
    [node] = server_stage.mongo_nodes(data_dir, port_base, 1, locked)
    with ports.reserved(port_base, ["mongo"]):
        try:
            binary = mongo.find_mongod(jars.cache_root())
            await supervisor.start(mongo.spec(node, binary, data_dir / "logs" / "mongo.log", name=node.folder.name))
            yield node.url, locked.mongo_options()
        finally:
            await supervisor.stop()
