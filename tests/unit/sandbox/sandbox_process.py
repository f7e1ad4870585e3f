"""Stand-ins as real processes on free loopback ports."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[3]
LIMIT_S = 30.0


@dataclass(frozen=True)
class Running:
    """A started stand-in and its address."""

    url: str
    process: subprocess.Popen[bytes]

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Stops it. Returns its exit status and its output."""
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, output.decode()


@contextmanager
def started(name: str, arguments: Sequence[str] = ()) -> Iterator[Running]:
    """Runs `python -m deploy.sandbox.<name>` until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    argv = [sys.executable, "-m", f"deploy.sandbox.{name}", "--port", str(port), *arguments]
    process = subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        _until_answering(port, process)
        yield Running(f"http://127.0.0.1:{port}", process)
    finally:
        process.kill()
        process.communicate()


def _until_answering(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S).close()
            return
        except ConnectionRefusedError:
            with suppress(subprocess.TimeoutExpired):
                raise AssertionError(f"it ended with {process.wait(0.05)}") from None
    raise AssertionError("it did not answer in time")
