"""A disk that can be full: memory of a fixed size, mounted over a folder in a namespace of its own, so without root.

The folder's content is copied onto it. A server sees the disk when its command is wrapped. A ballast file fills it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

_MOUNT = """
mkdir -p "$1" && cp -a "$1" "$1.aside" && mount -t tmpfs -o "size=$2m" tmpfs "$1" && cp -a "$1.aside/." "$1/" || exit 1
echo mounted
exec cat
"""
FILLS_MAX = 100
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")


def possible() -> bool:
    """Whether this machine allows a mount of our own."""
    try:
        return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


class SmallDisk:
    """The disk; it is mounted inside the `with` block."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._folder = folder
        self._megabytes = megabytes
        self._holder: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._holder = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", _MOUNT, "sh", str(self._folder), str(self._megabytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "mounted\n"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._holder is not None
        self._holder.communicate(timeout=10)

    def wrapped(self, argv: Sequence[str]) -> tuple[str, ...]:
        """The same command, but it sees this disk."""
        assert self._holder is not None
        enter = ("nsenter", "--target", str(self._holder.pid), "--user", "--mount", "--preserve-credentials", "--")
        return (*enter, *argv)

    def fill(self) -> None:
        """Uses all free space.

        The server writes meanwhile. When the space that was seen is no longer free, this looks again.
        """
        for _ in range(FILLS_MAX):
            found = os.statvfs(self._seen())
            if not found.f_bavail:
                return
            size = f"{found.f_bavail * found.f_frsize}"
            ballast = f"{self._folder}/ballast-{found.f_bavail}"
            subprocess.run(self.wrapped(["fallocate", "--length", size, ballast]), check=False, capture_output=True)
        raise AssertionError(f"the disk is not full after {FILLS_MAX} tries")

    def empty(self) -> None:
        """Frees the space again."""
        self._inside("sh", "-c", 'rm -f "$0"/ballast-*', str(self._folder))

    def _seen(self) -> str:
        assert self._holder is not None
        return f"/proc/{self._holder.pid}/root{self._folder}"

    def _inside(self, *argv: str) -> None:
        subprocess.run(self.wrapped(argv), check=True, capture_output=True)
