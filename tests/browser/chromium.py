"""A real browser for the tests: the machine's Chromium, Debian's if it can be installed, else Playwright's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_INSTALL_TIMEOUT_S = 100


@cache
def executable() -> tuple[str | None, str]:
    """The path of a Chromium (None: Playwright finds its own), and why there is none (empty when there is one)."""
    found = _on_path()
    if found is None and os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _runs(["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"], environment)
        found = _on_path()
    if found is not None:
        return found, ""
    if _runs([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ)):
        return None, ""
    return None, "no Chromium here, and neither apt-get (as root) nor `playwright install chromium` could install one"


def _on_path() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def _runs(command: list[str], environment: dict[str, str]) -> bool:
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=_INSTALL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
