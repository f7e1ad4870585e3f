"""Runs processes in stages: the processes of a stage start together when the previous stage is ready, and stop before
it does.

Knows nothing of the programs. The orphan watch kills processes that would outlive a supervisor killed by -9.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

from payung.embedded.process import ProcessSpec, Say, SupervisedProcess

_ORPHANS = Path(__file__).with_name("orphans.py")


class OrphanWatch:
    """The script that waits for the supervisor's end; it gets the process groups that are alive."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._script: subprocess.Popen[str] | None = None

    def started(self, group: int) -> None:
        """Notes a group, and restarts the script if something killed it."""
        self._groups.add(group)
        if self._script is None or self._script.poll() is not None:
            self._launch()
        else:
            self._tell(f"+{group}\n")

    def ended(self, group: int) -> None:
        """Forgets a group before the kernel can reuse its number."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Ends the script; it kills the groups that are still noted."""
        script, self._script = self._script, None
        if script is not None and script.stdin is not None:
            with contextlib.suppress(OSError):
                script.stdin.close()
            script.wait()

    def _launch(self) -> None:
        self._discard_dead_script()
        self._script = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_ORPHANS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C in the terminal must not reach it
        )
        self._tell("".join(f"+{group}\n" for group in self._groups))

    def _discard_dead_script(self) -> None:
        if self._script is not None and self._script.stdin is not None:
            with contextlib.suppress(OSError):
                self._script.stdin.close()

    def _tell(self, lines: str) -> None:
        if self._script is not None and self._script.stdin is not None:
            with contextlib.suppress(OSError):  # killed: the next start of a child makes a new one
                self._script.stdin.write(lines)
                self._script.stdin.flush()


class Supervisor:
    """Starts stages, keeps their processes running, and stops them in reverse order."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._watch = OrphanWatch()
        self._stages: list[tuple[SupervisedProcess, ...]] = []

    async def start(self, *specs: ProcessSpec) -> None:
        """Starts one stage and returns when all of it is ready; LaunchError names the first process that fails."""
        stage = tuple(SupervisedProcess(spec, self._say, self._watch) for spec in specs)
        self._stages.append(stage)
        await asyncio.gather(*(process.start() for process in stage))

    async def stop(self) -> None:
        """Stops all stages, the last one first; returns when no process runs."""
        while self._stages:
            await asyncio.gather(*(process.stop() for process in self._stages[-1]))
            self._stages.pop()
        self._watch.close()

    def kill(self) -> None:
        """Kills all processes at once, for an operator who does not want to wait."""
        for process in self.processes():
            process.kill()

    def pids(self) -> dict[str, int | None]:
        """Process ids by name; None while a process is down."""
        return {process.spec.name: process.pid for process in self.processes()}

    def processes(self) -> list[SupervisedProcess]:
        """All processes, in the order of their start."""
        return [process for stage in self._stages for process in stage]
