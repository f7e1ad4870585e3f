"""Runs as a script beside the supervisor: when the supervisor is gone, it kills the process groups that remain.

`python -I -S orphans.py`; standard library only. It reads `+PGID` and `-PGID` lines from stdin. The end of the stream
means that the supervisor has ended, cleanly or by kill -9. It also kills what the kernel's tie (`child.py`) misses:
grandchildren, and children on systems without that tie.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    """Reads stdin to its end, then kills every group that is still noted."""
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
