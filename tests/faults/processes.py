"""What the fault tests' world is made of: a service process, and a broker with a database under a supervisor."""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from payung.embedded import ports
from payung.embedded.console import Console
from payung.embedded.process import ProcessSpec
from payung.embedded.supervisor import Supervisor
from shared.runtime import clock

PROJECT = Path(__file__).parents[2]
START_S = 300.0


async def eventually(condition: Callable[[], object], within_s: float, what: str) -> None:
    """Waits for a condition, plain or awaitable; AssertionError names it when it does not come."""
    until = clock.monotonic() + within_s
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        assert clock.monotonic() < until, f"not within {within_s:.0f} s: {what}"
        await asyncio.sleep(0.1)


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
        """Whether it has not ended."""
        return self._process.poll() is None

    def said(self) -> str:
        """What this process logged."""
        return self.log.read_bytes()[self._begin :].decode("utf-8", "replace")

    async def ready(self) -> bool:
        """By its own word; it must not have ended."""
        assert self.running(), self.said()[-3_000:]
        return await ports.http_ok(self.port, "/readyz")

    async def exit_code(self, within_s: float) -> int:
        """Waits for its end."""
        await eventually(lambda: not self.running(), within_s, f"{self.name} ends\n{self.said()[-2_000:]}")
        return int(self._process.wait())

    async def stop(self) -> int:
        """SIGTERM, and its exit code."""
        if self.running():
            self._process.send_signal(signal.SIGTERM)
        return await self.exit_code(30)

    def kill(self) -> None:
        """SIGKILL, reaped."""
        self._process.kill()
        self._process.wait()


class Servers(threading.Thread):
    """Broker and database under the embedded launcher's supervisor, in a loop of their own."""

    def __init__(self, make: Callable[[], Sequence[ProcessSpec]]) -> None:
        super().__init__(name="fault servers", daemon=True)
        self._make = make
        self._answer: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._done = asyncio.Event()
        self.supervisor: Supervisor | None = None

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised again in the test that waits
            self._answer.put(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self.supervisor = Supervisor(Console(sys.stderr).line)
        try:
            await self.supervisor.start(*self._make())
            self._answer.put(None)
            await self._done.wait()
        finally:
            await self.supervisor.stop()

    def wait(self) -> None:
        """Returns when both answer."""
        answer = self._answer.get(timeout=START_S)
        if answer is not None:
            raise answer

    def finish(self) -> None:
        """Stops both."""
        if self.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
            self.join(60)
