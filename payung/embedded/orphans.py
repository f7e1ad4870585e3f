"""Runs as a script beside the supervisor: when the supervisor is gone, kills the process groups it left.

`python -I -S orphans.py`; standard library only. Reads `+PGID` and `-PGID` lines from stdin; the end of the stream
means that the supervisor has ended, cleanly or by kill -9. It covers what the kernel's tie (`child.py`) cannot:
grandchildren, and systems without that tie.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    """Follow stdin to its end, then kill every group still noted."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
