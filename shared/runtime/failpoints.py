"""Places where a test can kill or stop this process: `PAYUNG_FAILPOINT=<seam>[:n][:stop]`, at the n-th pass.

The process is killed; no exception is raised: no handler, no `finally` and no buffer may soften what a power cut or the
kernel would do. `stop` pauses it instead (SIGSTOP), so that a test can let another process take over before it goes on.
Without the variable, `hit` is a function that does nothing, chosen once at import.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping

from shared.runtime.errors import Refused

VARIABLE = "PAYUNG_FAILPOINT"
# In the order in which a batch passes them. Between two neighbours lies exactly one effect that others can see.
SEAMS = ("decoded", "journaled", "saved", "published", "settled", "committed")
_STOP = "stop"


def _nothing(seam: str) -> None:
    """No failpoint is set."""


def armed(text: str, act: Callable[[int], None]) -> Callable[[str], None]:
    """What `hit` is when `text` names a failpoint: calls `act` with the signal at its n-th pass, once."""
    seam, _, rest = text.partition(":")
    parts = [part for part in rest.split(":") if part]
    number = signal.SIGSTOP if _STOP in parts else signal.SIGKILL
    counts = [part for part in parts if part != _STOP]
    if seam not in SEAMS or len(counts) > 1 or not all(count.isdigit() for count in counts):
        raise ValueError(f"{VARIABLE}={text}: expected SEAM[:n][:stop], SEAM one of {', '.join(SEAMS)}")
    left = int(counts[0]) if counts else 1

    def hit(passed: str) -> None:
        nonlocal left
        if passed == seam:
            left -= 1
            if left == 0:
                act(number)

    return hit


def _signal_self(number: int) -> None:
    os.kill(os.getpid(), number)


def check(environ: Mapping[str, str]) -> None:
    """Raises Refused for a text that names no failpoint."""
    try:
        _of(environ)
    except ValueError as error:
        raise Refused(str(error)) from None


def _of(environ: Mapping[str, str]) -> Callable[[str], None]:
    text = environ.get(VARIABLE, "")
    return armed(text, _signal_self) if text else _nothing


try:
    hit: Callable[[str], None] = _of(os.environ)
except ValueError:  # `check` tells it to the operator; an import must not fail
    hit = _nothing
