"""`payung up` in a thread of its own, and the means to harm it: signals, failpoints, more members.

It does not know what the services do.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from payung import installations
from payung.embedded import ports
from payung.embedded.console import Console
from payung.embedded.data import Keys
from payung.embedded.process import ProcessSpec
from payung.embedded.servers import SINGLE, ServerNumbers
from payung.embedded.stack import SERVICES, Stack, StackConfig
from payung.installations import Installation
from shared.runtime.kafka import topics_admin
from tests import logins
from tests.fakes import failpoints
from tests.faults.processes import Service, eventually
from tests.threads import Kept

_RESTART_S = (0.5,)


class _Stack(Stack):
    """The product's stack with short pauses before restarts; a service's environment can change for the next start."""

    def __init__(self, config: StackConfig, console: Console) -> None:
        replicas = config.shape.brokers
        super().__init__(config, lambda kafka: topics_admin.apply(kafka, replicas=replicas), console=console)
        self.environments: dict[str, dict[str, str]] = {}

    def _service(self, name: str, shared: Mapping[str, str], keys: Keys) -> ProcessSpec:
        spec = super()._service(name, shared, keys)
        self.environments[name] = dict(spec.env or {})
        return replace(spec, env=self.environments[name], backoff_s=_RESTART_S)


class _Said(Console):
    """Keeps the launcher's output."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)

    def progress(self, text: str) -> None:
        """Ignores the progress, because no person watches."""


class Launched:
    """`payung up` inside the `with` block: supervised servers (one or three of a kind), services and stand-ins."""

    def __init__(
        self,
        folder: Path,
        *,
        shape: ServerNumbers = SINGLE,
        services: tuple[str, ...] = SERVICES,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.base = ports.free_base()
        self.services = services
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PAYUNG_")}
        config = StackConfig(
            data_dir=folder / "data",
            port_base=self.base,
            services=services,
            shape=shape,
            environment={**inherited, **(environ or {})},
        )
        self._said = _Said()
        self._stack = _Stack(config, self._said)
        self._kept = Kept("installation", lambda: self._stack)
        self._seconds = 0

    # -- start and stop -----------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._kept.open()
        logins.know(self.place.environ)
        return self

    def __exit__(self, *_: object) -> None:
        logins.forget(self.place.environ)
        self._kept.close()

    # -- addresses ----------------------------------------------------------------------------------------------------

    @property
    def place(self) -> Installation:
        """The installation, for the product's commands."""
        return installations.find(self.folder / "data")

    @property
    def kafka(self) -> str:
        """The brokers' address."""
        return self.place.environ["PAYUNG_KAFKA"]

    @property
    def mongo_url(self) -> str:
        """The database's URL."""
        return self.place.environ["PAYUNG_MONGO_URL"]

    def environment(self, service: str) -> dict[str, str]:
        """The environment of the service's next start; the caller may change it."""
        return self._stack.environments[service]

    def log(self, service: str) -> str:
        """The service's whole log."""
        return (self.folder / "data" / "logs" / f"{service}.log").read_text("utf-8", "replace")

    # -- faults -------------------------------------------------------------------------------------------------------

    def pid(self, name: str) -> int | None:
        """The present process of a service or server; None while it is down."""
        return self._stack.pids()[name]

    def signal(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Sends a signal and returns the id of the process that got it."""
        pid = self.pid(name)
        assert pid is not None, f"{name} is down already"
        os.kill(pid, number)
        return pid

    def deaths(self, name: str) -> list[str]:
        """How each process of that name has ended so far, as the launcher reported it."""
        start = f"{name} stopped ("
        return [line[len(start) :].split(")")[0] for line in self._said.lines if line.startswith(start)]

    async def replaced(self, name: str, pid: int, within_s: float = 60.0) -> None:
        """Waits until another process runs under the name."""
        await eventually(lambda: self.pid(name) not in (None, pid), within_s, f"{name} is started again")

    async def arm(self, service: str, failpoint: str) -> None:
        """Restarts a service (SIGTERM) with a failpoint for this one start only."""
        environment = self.environment(service)
        before = dict(environment)
        environment.update(failpoints.environment(failpoint))
        try:
            await self.replaced(service, self.signal(service, signal.SIGTERM))
        finally:
            environment.clear()
            environment.update(before)

    async def paused(self, pid: int, within_s: float = 60.0) -> None:
        """Waits until the process has stopped itself at its failpoint."""
        await eventually(lambda: Path(f"/proc/{pid}/stat").read_text().split()[2] == "T", within_s, f"{pid} is paused")

    async def metric(self, service: str, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = (await self.place.get(service, "/metrics")).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    @asynccontextmanager
    async def second(self, service: str, *, instance: str | None = None) -> AsyncIterator[Service]:
        """A second, ready process of a service without supervision; without `instance` it is a nameless member."""
        environ = {name: value for name, value in self.environment(service).items() if name != "PAYUNG_INSTANCE"}
        if instance is not None:
            environ["PAYUNG_INSTANCE"] = instance
        self._seconds += 1
        log = self.folder / f"{service}-{self._seconds}.log"
        more = Service(service, environ, log, self.base + 30 + self._seconds % 20)
        try:
            await eventually(more.ready, 90, f"another {service} ready")
            yield more
        finally:
            if more.running():
                more.kill()
