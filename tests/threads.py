"""Servers in a thread with its own event loop, so that tests may use them from any loop, and their supervisor keeps
watching between tests."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

T = TypeVar("T")

START_S = 300.0  # the first start on a machine fetches the broker
STOP_S = 120.0


class Kept(Generic[T]):
    """Keeps the value of an async context manager from `open` to `close`. The thread dies with the process."""

    def __init__(self, name: str, make: Callable[[], AbstractAsyncContextManager[T, Any]]) -> None:
        self._make = make
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._answer: queue.SimpleQueue[tuple[T] | BaseException] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._done = asyncio.Event()

    def open(self) -> T:
        """Returns when everything has started; raises the error that prevented the start."""
        self._thread.start()
        answer = self._answer.get(timeout=START_S)
        if isinstance(answer, BaseException):
            raise answer
        return answer[0]

    def close(self) -> None:
        """Stops it all."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
            self._thread.join(STOP_S)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001  # raised again in the test that waits
            self._answer.put(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        async with self._make() as kept:
            self._answer.put((kept,))
            await self._done.wait()
