"""Failpoints: without one nothing happens; with one, one signal at the n-th pass of one seam."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from shared.runtime import seams
from tests.fakes import failpoints

_PASS = "from shared.runtime import seams as s; s.hit('saved'); s.hit('saved'); s.hit('committed'); print('alive')"


def _run(setting: str | None) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **(failpoints.environment(setting) if setting is not None else {})}
    # As the launcher starts a service: Python does not search the current folder.
    return subprocess.run([sys.executable, "-P", "-c", _PASS], env=environ, capture_output=True, text=True, check=False)


def test_without_a_failpoint_nothing_happens() -> None:
    assert seams.hit is seams.nothing
    assert _run(None).stdout == "alive\n"


def test_the_process_is_killed_at_its_seam_and_nowhere_else() -> None:
    assert _run("saved:2").returncode == -signal.SIGKILL
    assert _run("saved:3").returncode == 0
    assert _run("decoded").returncode == 0


def test_only_the_nth_pass_acts_and_stop_pauses() -> None:
    acts: list[int] = []
    hit = failpoints.armed("journaled:2:stop", acts.append)
    for seam in ("journaled", "saved", "journaled", "journaled"):
        hit(seam)
    assert acts == [signal.SIGSTOP]


@pytest.mark.parametrize("text", ["nowhere", "saved:x", "saved:1:2", ":1"])
def test_a_misspelt_failpoint_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="expected SEAM"):
        failpoints.armed(text, print)
    assert _run(text).returncode not in (0, -signal.SIGKILL)
