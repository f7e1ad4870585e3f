"""The supervisor with real, tiny child processes: order, restarts, limits, and no child left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from payung.embedded import process
from payung.embedded.errors import LaunchError
from payung.embedded.process import ProcessSpec
from payung.embedded.supervisor import Supervisor

FOREVER = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {FOREVER}"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {FOREVER!r}]); {FOREVER}"
LIMIT_S = 20


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110  # another process's state sends no event
            await asyncio.sleep(0.02)


def child(tmp_path: Path, name: str, code: str, **changes: float) -> ProcessSpec:
    log = tmp_path / f"{name}.log"

    async def ready() -> bool:
        return log.is_file() and "up" in log.read_text()

    return ProcessSpec(name=name, argv=(sys.executable, "-c", code), log=log, ready=ready, **changes)  # type: ignore[arg-type]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest_asyncio.fixture
async def supervisor(said: list[str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    monkeypatch.setattr(process, "_BACKOFF_S", (0.05, 0.1))
    made = Supervisor(said.append)
    yield made
    made.kill()
    await made.stop()


def pid_of(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.pids()[name]
    assert pid is not None
    return pid


async def test_dead_child_is_restarted_and_shown(supervisor: Supervisor, said: list[str], tmp_path: Path) -> None:
    await supervisor.start(child(tmp_path, "billing", FOREVER))
    first = pid_of(supervisor, "billing")
    os.kill(first, signal.SIGKILL)
    await until(lambda: said[-1:] == ["billing is back"])
    assert said[0].startswith("billing stopped (killed by signal 9); restarting in")
    assert pid_of(supervisor, "billing") != first


async def test_child_that_never_comes_up_ends_the_start_with_its_last_words(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    with pytest.raises(LaunchError, match=r"claims does not start \(exit 3\)(.|\n)*no such setting"):
        await supervisor.start(child(tmp_path, "claims", "print('no such setting'); raise SystemExit(3)"))
    assert len(said) == 2


async def test_program_that_does_not_exist_is_named(supervisor: Supervisor, tmp_path: Path) -> None:
    spec = ProcessSpec(name="x", argv=("/no/such/program",), log=tmp_path / "x.log", ready=_never)
    with pytest.raises(LaunchError, match=r"exit 127(.|\n)*/no/such/program"):
        await supervisor.start(spec)


async def _never() -> bool:
    return False


async def test_child_that_does_not_answer_in_time_is_restarted(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    with pytest.raises(LaunchError, match="no answer in 0 s"):
        await supervisor.start(child(tmp_path, "slow", "import time; time.sleep(60)", start_timeout_s=0.2))


async def test_a_check_that_raises_counts_as_failed(supervisor: Supervisor, tmp_path: Path) -> None:
    asked: list[int] = []

    async def ready() -> bool:
        asked.append(1)
        if len(asked) < 3:
            raise ValueError("a probe's own trouble")
        return True

    await supervisor.start(
        ProcessSpec(name="x", argv=(sys.executable, "-c", FOREVER), log=tmp_path / "x.log", ready=ready)
    )
    assert len(asked) == 3


async def test_child_that_is_no_longer_alive_is_replaced(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    spec = child(tmp_path, "stuck", FOREVER)
    await supervisor.start(replace(spec, live=_never, live_every_s=0.02, stop_timeout_s=5))
    await until(lambda: any("not alive" in line for line in said))


async def test_child_that_is_to_stay_down_is_started_again_only_afterwards(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    await supervisor.start(child(tmp_path, "x", FOREVER))
    first = pid_of(supervisor, "x")
    (held,) = supervisor.processes()
    async with held.down():
        assert supervisor.pids()["x"] is None
        assert not psutil.pid_exists(first)
    assert pid_of(supervisor, "x") != first
    assert said == ["x is back"], "an ordered end is no failure"


async def test_stages_stop_in_reverse_and_leave_nothing(supervisor: Supervisor, tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys\n"
        f"def end(*_): open({str(order)!r}, 'a').write(sys.argv[1]); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n" + FOREVER.replace("import signal; ", "")
    )
    for name in ("a", "b", "c"):
        spec = child(tmp_path, name, code)
        await supervisor.start(ProcessSpec(name=name, argv=(*spec.argv, name), log=spec.log, ready=spec.ready))
    pids = [pid for pid in supervisor.pids().values() if pid is not None]
    await supervisor.stop()
    assert order.read_text() == "cba"
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_child_that_ignores_sigterm_is_killed_in_time(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    await supervisor.start(child(tmp_path, "stubborn", STUBBORN, stop_timeout_s=0.2))
    pid = pid_of(supervisor, "stubborn")
    await supervisor.stop()
    assert not psutil.pid_exists(pid)
    assert said == ["stubborn did not stop in 0 s; killed"]


async def test_grandchildren_end_with_their_parent(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(child(tmp_path, "parent", PARENT))
    parent = psutil.Process(pid_of(supervisor, "parent"))
    grandchild = parent.children()[0]
    parent.kill()
    await until(lambda: not _runs(grandchild))


async def test_stop_during_a_start_that_hangs(supervisor: Supervisor, tmp_path: Path) -> None:
    starting = asyncio.create_task(supervisor.start(child(tmp_path, "slow", "import signal; signal.pause()")))
    await until(lambda: supervisor.pids().get("slow"))
    starting.cancel()
    await supervisor.stop()
    assert supervisor.pids() == {}


_SUPERVISOR_SCRIPT = """
import asyncio, sys
from pathlib import Path
from payung.embedded.process import ProcessSpec
from payung.embedded.supervisor import Supervisor
async def main():
    log = Path(sys.argv[1])
    async def ready(): return log.is_file() and log.read_text().count("up") >= 2
    supervisor = Supervisor(print)
    await supervisor.start(ProcessSpec(name="p", argv=(sys.executable, "-c", sys.argv[2]), log=log, ready=ready))
    print("started", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.parametrize("blind", [False, True], ids=["kernel and watch", "watch killed first"])
def test_kill_9_of_the_supervisor_leaves_no_orphan(tmp_path: Path, blind: bool) -> None:
    code = FOREVER.replace("up", "up up") if blind else PARENT
    with subprocess.Popen(
        [sys.executable, "-c", _SUPERVISOR_SCRIPT, str(tmp_path / "log"), code], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "started\n"
        left = psutil.Process(running.pid).children(recursive=True)
        assert len(left) >= 2
        if blind:
            for script in left:
                if "orphans.py" in " ".join(script.cmdline()):
                    script.kill()
        running.kill()
    _, alive = psutil.wait_procs(left, timeout=LIMIT_S)
    assert [found for found in alive if _runs(found)] == []


def _runs(found: psutil.Process) -> bool:
    try:
        return bool(found.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_log_is_rotated_before_it_outgrows_the_disk(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_LOG_BYTES_MAX", 10)
    (tmp_path / "x.log").write_text("older than ten bytes")
    await supervisor.start(child(tmp_path, "x", FOREVER))
    assert (tmp_path / "x.log").read_text() == "up\n"
    assert (tmp_path / "x.log.1").read_text() == "older than ten bytes"
