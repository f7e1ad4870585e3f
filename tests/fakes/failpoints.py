"""Places where a test kills or stops a process: `PAYUNG_FAILPOINT=<seam>[:n][:stop]`, at the n-th pass.

The process is killed, and no exception is raised: as after a power cut, no handler, no `finally` and no buffer may run.
`stop` pauses it instead (SIGSTOP), so that a test can let another process take over before this one continues.

The product knows only its seams (shared/runtime/seams.py). `environment` makes Python import `armed/sitecustomize.py`
when the process starts, and that file puts a failpoint in the place of the empty `hit`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from shared.runtime import seams

VARIABLE = "PAYUNG_FAILPOINT"
_STOP = "stop"
_HERE = Path(__file__).parent


def environment(failpoint: str) -> dict[str, str]:
    """The variables with which a process has this failpoint."""
    return {VARIABLE: failpoint, "PYTHONPATH": os.pathsep.join((str(_HERE / "armed"), str(_HERE.parents[1])))}


def armed(text: str, act: Callable[[int], None]) -> Callable[[str], None]:
    """What `seams.hit` is when `text` names a failpoint: calls `act` with the signal at its n-th pass, once."""
    seam, _, rest = text.partition(":")
    parts = [part for part in rest.split(":") if part]
    number = signal.SIGSTOP if _STOP in parts else signal.SIGKILL
    counts = [part for part in parts if part != _STOP]
    if seam not in seams.SEAMS or len(counts) > 1 or not all(count.isdigit() for count in counts):
        raise ValueError(f"{VARIABLE}={text}: expected SEAM[:n][:stop], SEAM one of {', '.join(seams.SEAMS)}")
    left = int(counts[0]) if counts else 1

    def hit(passed: str) -> None:
        nonlocal left
        if passed == seam:
            left -= 1
            if left == 0:
                act(number)

    return hit


def arm(environ: Mapping[str, str]) -> None:
    """Arms this process when the variable is set."""
    if text := environ.get(VARIABLE, ""):
        seams.hit = armed(text, lambda number: os.kill(os.getpid(), number))
