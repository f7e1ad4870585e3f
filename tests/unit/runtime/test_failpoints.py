"""Failpoints: without the variable nothing happens; with it one signal at the n-th pass of one seam."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from shared.runtime import failpoints

_PASS = "from shared.runtime import failpoints as f; f.hit('saved'); f.hit('saved'); f.hit('committed'); print('alive')"


def _run(setting: str | None) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name != failpoints.VARIABLE}
    if setting is not None:
        environ[failpoints.VARIABLE] = setting
    return subprocess.run([sys.executable, "-c", _PASS], env=environ, capture_output=True, text=True, check=False)


def test_without_the_variable_nothing_happens() -> None:
    assert failpoints.hit is failpoints._nothing
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
def test_a_misspelt_failpoint_is_no_quiet_pass(text: str) -> None:
    with pytest.raises(ValueError, match="expected SEAM"):
        failpoints.armed(text, print)
