"""One supervised child process: started, watched until it is ready, restarted when it dies, stopped in order.

It knows nothing of the program. Its rules: a child dies with its supervisor (see `child.py`). It has its own session
and gets no signal from the terminal, so we decide the order of stopping. Each restart waits twice as long as the one
before, up to a bound; after the child has run for a while the pauses are short again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from payung.embedded.errors import LaunchError
from shared.runtime.ops import secrets

Say = Callable[[str], None]
ReadyCheck = Callable[[], Awaitable[bool]]

_CHILD = Path(__file__).with_name("child.py")
_POLL_S = 0.1
_BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_STEADY_S = 60.0
# How often an embedded server is asked for a sign of life, and how many answers may be missed or late.
LIVE_EVERY_S = 5.0
LIVE_MISSES = 4
LIVE_ANSWER_S = 5.0
_FIRST_ATTEMPTS = 3
_LOG_BYTES_MAX = 32 * 1024 * 1024
_TAIL_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """What to run, and how to check that it works. All times are seconds. `live` is asked every `live_every_s`; after
    `live_misses` failures the process counts as dead, because a frozen process holds its port and answers nobody.

    `backoff_s` are the pauses before the first, second, ... restart, when they differ from the usual ones.
    """

    name: str
    argv: tuple[str, ...]
    log: Path
    ready: ReadyCheck
    live: ReadyCheck | None = None
    live_every_s: float = 10.0
    live_misses: int = 6
    env: Mapping[str, str] | None = None
    start_timeout_s: float = 60.0
    stop_timeout_s: float = 15.0
    backoff_s: tuple[float, ...] = ()


def server(
    name: str, argv: tuple[str, ...], log: Path, *, ready: ReadyCheck, answers: ReadyCheck, start_timeout_s: float
) -> ProcessSpec:
    """An embedded server. A frozen one is killed and started again within a minute, before the services that retry
    give up and end."""

    async def live() -> bool:
        try:
            async with asyncio.timeout(LIVE_ANSWER_S):
                return await answers()
        except TimeoutError:
            return False

    return ProcessSpec(
        name=name,
        argv=argv,
        log=log,
        ready=ready,
        live=live,
        live_every_s=LIVE_EVERY_S,
        live_misses=LIVE_MISSES,
        start_timeout_s=start_timeout_s,
        stop_timeout_s=20.0,
    )


class Groups(Protocol):
    """Receives the starts and ends of process groups."""

    def started(self, group: int) -> None:
        """A child now leads this group."""

    def ended(self, group: int) -> None:
        """All processes of the group have ended."""


class SupervisedProcess:
    """Keeps one child running from `start` to `stop`."""

    def __init__(self, spec: ProcessSpec, say: Say, groups: Groups) -> None:
        self.spec = spec
        self._say = say
        self._groups = groups
        self._stopping = asyncio.Event()
        # Cleared while the child is to stay down.
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._process: asyncio.subprocess.Process | None = None
        self._is_ready = False
        self._keeper: asyncio.Task[None] | None = None
        self._up: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int | None:
        """The child's process id while one runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Returns when the child is ready for the first time; LaunchError after three failed attempts."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.spec.name}")
        self._keeper.add_done_callback(self._keeper_ended)
        await asyncio.shield(self._up)

    async def stop(self) -> None:
        """Sends SIGTERM, gives the child its time to finish, then sends SIGKILL. Returns when nothing of it runs."""
        self._stopping.set()
        if self._keeper is None:
            return
        self._signal(signal.SIGTERM)
        _, late = await asyncio.wait({self._keeper}, timeout=self.spec.stop_timeout_s)
        if late:
            self._say(f"{self.spec.name} did not stop in {self.spec.stop_timeout_s:.0f} s; killed")
            self.kill()
        await asyncio.wait({self._keeper})
        self._up.cancel()

    @contextlib.asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Ends the child in order and keeps it down inside the block. Afterwards it is started again, and ready."""
        self._wanted.clear()
        try:
            self._signal(signal.SIGTERM)
            await self._until(lambda: self.pid is None, self.spec.stop_timeout_s)
            yield
        finally:
            self._wanted.set()
        await self._until(lambda: self._is_ready, self.spec.start_timeout_s)

    async def _until(self, holds: Callable[[], bool], limit_s: float) -> None:
        async with asyncio.timeout(limit_s):
            while not holds():  # noqa: ASYNC110  # the keeper's states send no event
                await asyncio.sleep(_POLL_S)

    def kill(self) -> None:
        """Sends SIGKILL to the child and all it started, without waiting."""
        self._stopping.set()
        if self.pid is not None:
            _kill_group(self.pid)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _keeper_ended(self, keeper: asyncio.Task[None]) -> None:
        # A defect in this code must not look like a running process: it makes the start fail, or is shown.
        error = None if keeper.cancelled() else keeper.exception()
        if error is None:
            return
        self._say(f"{self.spec.name} is no longer supervised: {error!r}")
        if not self._up.done():
            self._up.set_exception(error)

    async def _keep(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            ready_at, how = await self._one_life()
            self._is_ready = False
            if self._stopping.is_set():
                return
            if not self._wanted.is_set():
                await self._wanted_again()
                continue
            if ready_at is not None and asyncio.get_running_loop().time() - ready_at > _STEADY_S:
                failures = 0
            failures += 1
            if not self._up.done() and failures >= _FIRST_ATTEMPTS:
                self._up.set_exception(LaunchError(f"{self.spec.name} does not start ({how}).{self._tail()}"))
                return
            pauses = self.spec.backoff_s or _BACKOFF_S
            delay_s = pauses[min(failures, len(pauses)) - 1]
            self._say(f"{self.spec.name} stopped ({how}); restarting in {delay_s:.0f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay_s)

    async def _wanted_again(self) -> None:
        stopping, wanted = (asyncio.create_task(one.wait()) for one in (self._stopping, self._wanted))
        await asyncio.wait({stopping, wanted}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        wanted.cancel()

    async def _one_life(self) -> tuple[float | None, str]:
        """Runs the child to its end. Returns when it became ready (loop time, None if never) and how it ended."""
        try:
            process = self._process = await self._spawn()
        except OSError as error:  # no memory or no file handles: this may pass
            return None, str(error)
        self._groups.started(process.pid)
        exited = asyncio.create_task(process.wait())
        ready_at, why = None, ""
        try:
            if self._stopping.is_set():  # told to stop while the child was starting
                self._signal(signal.SIGTERM)
            elif await self._becomes_ready(exited):
                ready_at = asyncio.get_running_loop().time()
                self._announce()
                why = await self._watch(exited)
            elif not exited.done():
                why = f"no answer in {self.spec.start_timeout_s:.0f} s"
            if why:
                _kill_group(process.pid)
            await asyncio.wait({exited})
        finally:
            # The leader has ended or must end; processes that it started must not keep its ports.
            _kill_group(process.pid)
            await exited
            self._groups.ended(process.pid)
        return ready_at, why or _exit_text(exited.result())

    async def _spawn(self) -> asyncio.subprocess.Process:
        self.spec.log.parent.mkdir(parents=True, exist_ok=True)
        _rotate(self.spec.log)
        tie = (sys.executable, "-I", "-S", str(_CHILD), str(os.getpid()))
        with self.spec.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *tie,
                *self.spec.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.spec.env if self.spec.env is not None else secrets.without(os.environ),
                start_new_session=True,
            )

    async def _becomes_ready(self, exited: asyncio.Task[int]) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.spec.start_timeout_s):
                while not exited.done():
                    if await _ask(self.spec.ready, exited):
                        return True
                    await asyncio.wait({exited}, timeout=_POLL_S)
        return False

    def _announce(self) -> None:
        self._is_ready = True
        if self._up.done():
            self._say(f"{self.spec.name} is back")
        else:
            self._up.set_result(None)

    async def _watch(self, exited: asyncio.Task[int]) -> str:
        """Returns when the child has ended (empty text) or has not answered for too long (the reason)."""
        misses, spec = 0, self.spec
        while not exited.done():
            await asyncio.wait({exited}, timeout=spec.live_every_s if spec.live else None)
            if exited.done() or spec.live is None or self._stopping.is_set():
                continue
            misses = 0 if await _ask(spec.live, exited) else misses + 1
            if misses >= spec.live_misses:
                return f"not alive for {spec.live_every_s * spec.live_misses:.0f} s"
        return ""

    def _tail(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.spec.log.read_text("utf-8", "replace").strip().splitlines()[-_TAIL_LINES:]
            return "".join(f"\n  {line[:300]}" for line in lines) + f"\n  (more in {self.spec.log})"
        return ""


async def _ask(check: ReadyCheck, exited: asyncio.Task[int]) -> bool:
    """The check's answer; false when the check fails in any way or the child ends meanwhile."""
    asked = asyncio.ensure_future(check())
    try:
        await asyncio.wait({asked, exited}, return_when=asyncio.FIRST_COMPLETED)
        return asked.done() and asked.exception() is None and asked.result()
    finally:
        asked.cancel()


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _exit_text(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit {code}"


def _rotate(log: Path) -> None:
    # One older file shows what happened before a restart. Without a bound the log would outgrow the data.
    if log.is_file() and log.stat().st_size > _LOG_BYTES_MAX:
        log.replace(log.with_suffix(f"{log.suffix}.1"))
