"""Runs as a script between fork and exec: ties a child's life to its parent's, then becomes the child.

`python -I -S child.py PARENT_PID ARGV...`; it uses the standard library only, because it runs without site-packages. On
Linux the kernel kills the child when the parent's thread that started it ends for any reason; exec keeps this tie. The
signal is SIGKILL, not SIGTERM: no process remains that could repeat a SIGTERM, and broker, database and services
survive a SIGKILL.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Tie, then exec; exits 127 when the program cannot be run."""
    parent, command = int(argv[1]), argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the tie was made: the kernel would not kill us
            sys.exit(1)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv)
