"""The parts of the fault tests' world: a service process, and servers under a supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from payung.embedded import ports
from payung.embedded.console import Console
from payung.embedded.process import ProcessSpec
from payung.embedded.supervisor import Supervisor
from shared.runtime import clock

PROJECT = Path(__file__).parents[2]


async def eventually(condition: Callable[[], Awaitable[object] | object], within_s: float, what: str) -> None:
    """Waits for a condition, plain or awaitable; AssertionError names it when it stays false."""
    until = clock.monotonic() + within_s
    while True:
        found = condition()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return
        assert clock.monotonic() < until, f"not within {within_s:.0f} s: {what}"
        await asyncio.sleep(0.05)


class Service:
    """One service process."""

    def __init__(self, name: str, environ: Mapping[str, str], log: Path, port: int) -> None:
        self.name = name
        self.port = port
        self.log = log
        self._begin = log.stat().st_size if log.exists() else 0
        tie = (sys.executable, "-I", "-S", str(PROJECT / "payung" / "embedded" / "child.py"), str(os.getpid()))
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [*tie, sys.executable, "-P", "-m", f"services.{name}"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**environ, "PAYUNG_HTTP_PORT": str(port)},
            )

    @property
    def pid(self) -> int:
        """The process id, for signals."""
        return self._process.pid

    def running(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def said(self) -> str:
        """The log of this process."""
        return self.log.read_bytes()[self._begin :].decode("utf-8", "replace")

    async def ready(self) -> bool:
        """Whether it says that it is ready; it must not have ended."""
        assert self.running(), self.said()[-3_000:]
        return await ports.http_ok(self.port, "/readyz")

    async def exit_code(self, within_s: float) -> int:
        """Waits for its end and returns the exit code."""
        await eventually(lambda: not self.running(), within_s, f"{self.name} ends\n{self.said()[-2_000:]}")
        return int(self._process.wait())

    async def stop(self) -> int:
        """Sends SIGTERM and returns the exit code."""
        if self.running():
            self._process.send_signal(signal.SIGTERM)
        return await self.exit_code(30)

    def kill(self) -> None:
        """Sends SIGKILL and reaps the process."""
        self._process.kill()
        self._process.wait()


@asynccontextmanager
async def supervised(*specs: ProcessSpec) -> AsyncIterator[Supervisor]:
    """Processes under the embedded launcher's supervisor, running inside the block."""
    supervisor = Supervisor(Console(sys.stderr).line)
    try:
        await supervisor.start(*specs)
        yield supervisor
    finally:
        await supervisor.stop()
