"""Follows a page of docs/ as a new engineer would: makes its changes in a copy of the checkout, then runs its commands.

A page changes files in three ways, each a line of its own before a code block:

* New file `PATH`:
* In `PATH`, after (or before) `LINE`:
* In `PATH`, instead of `LINE`:

`LINE` is one line of the file without its indentation; it must stand there once. The commands are the lines of the
page's `sh` blocks, run in their order.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", "private", "build"
)
_STEP = re.compile(
    r"^(?:New file `(?P<new>[^`]+)`|In `(?P<path>[^`]+)`, (?P<where>after|before|instead of) `(?P<line>[^\n]+)`):\n+"
    r"```\w*\n(?P<code>.*?)^```$|^```sh\n(?P<commands>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change by hand. `where` is new, after, before or instead of."""

    path: str
    where: str
    line: str
    code: str


def steps(page: str) -> Iterator[Change | list[str]]:
    """The changes and the blocks of commands of a page, in its order."""
    for found in _STEP.finditer(page):
        if found["commands"] is not None:
            yield [one for one in found["commands"].splitlines() if one.strip()]
        else:
            where = "new" if found["new"] else found["where"]
            yield Change(found["new"] or found["path"], where, found["line"] or "", found["code"])


def copy(folder: Path) -> Path:
    """A copy of the checkout, with the checkout's own environment."""
    checkout = folder / "payung"
    shutil.copytree(ROOT, checkout, ignore=LEFT_OUT, symlinks=True)
    (checkout / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    return checkout


def make(checkout: Path, change: Change) -> None:
    """Makes one change; the indentation of the code follows that of the line beside it."""
    path = checkout / change.path
    if change.where == "new":
        assert not path.exists(), f"{change.path} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change.code, "utf-8")
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.strip() == change.line]
    assert len(places) == 1, f"{change.path} has the line {change.line!r} {len(places)} times"
    at = places[0]
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    code = textwrap.indent(change.code, indent)
    before, after = {"after": (at + 1, at + 1), "before": (at, at), "instead of": (at, at + 1)}[change.where]
    path.write_text("".join([*lines[:before], code, *lines[after:]]), "utf-8")


def run(checkout: Path, command: str) -> None:
    """Runs one command of the page in the copy; fails with its output."""
    # The copy has no environment of its own to set up.
    words = command.replace("make ", "make -o setup ", 1) if command.startswith("make ") else command
    environ = {
        **os.environ,
        "PYTHONPATH": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "1",
        # All walks share the checkout's cache: only the first one checks every type.
        "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),
    }
    environ.pop("PYTEST_CURRENT_TEST", None)
    done = subprocess.run(
        words, shell=True, cwd=checkout, env=environ, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4_000:]}\n{done.stderr[-4_000:]}"


def walk(page: Path, folder: Path) -> list[str]:
    """Follows a page to its end; returns the files that were changed by hand."""
    checkout = copy(folder)
    changed: list[str] = []
    commands = 0
    for step in steps(page.read_text("utf-8")):
        if isinstance(step, Change):
            make(checkout, step)
            changed.append(step.path)
            continue
        for command in step:
            run(checkout, command)
            commands += 1
    assert changed, "the page changes nothing"
    assert commands, "the page proves nothing"
    return sorted(set(changed))
