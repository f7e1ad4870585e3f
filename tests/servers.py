"""A real Kafka and a real MongoDB, started once for all connected tests, in a thread of their own.

The thread has its own event loop, so that a test may use the servers from any loop and the supervisor goes on watching
between tests. When pytest is killed the servers die with it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from payung.embedded import ports, stack

_START_TIMEOUT_S = 300  # the first start on a machine fetches the broker


class _ServersThread(threading.Thread):
    def __init__(self, data: Path) -> None:
        super().__init__(name="servers", daemon=True)
        self._data = data
        self._answer: queue.SimpleQueue[tuple[str, str] | BaseException] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._done = asyncio.Event()

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised again in the test that waits
            self._answer.put(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        async with stack.servers(self._data, ports.free_base()) as addresses:
            self._answer.put(addresses)
            await self._done.wait()

    def addresses(self) -> tuple[str, str]:
        answer = self._answer.get(timeout=_START_TIMEOUT_S)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def finish(self) -> None:
        if self.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
            self.join(timeout=60)


@pytest.fixture(scope="session")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    thread = _ServersThread(tmp_path_factory.mktemp("servers"))
    thread.start()
    try:
        yield thread.addresses()
    finally:
        thread.finish()


@pytest.fixture(scope="session")
def kafka(_servers: tuple[str, str]) -> str:
    """The bootstrap address of a real broker without topics; each test makes its own, under names of its own."""
    return _servers[0]


@pytest.fixture(scope="session")
def mongo_url(_servers: tuple[str, str]) -> str:
    """The URL of a real replica set; each test uses databases under names of its own."""
    return _servers[1]
