"""`--seed N` replays one run; `--seeds N` (or PAYUNG_SEEDS) plays N seeds. The summary shows what was played."""

from __future__ import annotations

import os

import pytest

SEEDS = 1_000
SUMMARY = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options. They work only when the command line names this folder; the environment works everywhere."""
    group = parser.getgroup("simulation")
    group.addoption("--seed", type=int, default=None, help="replay this seed of the simulation only")
    group.addoption("--seeds", type=int, default=None, help=f"how many seeds to play ({SEEDS})")


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> range:
    """The seeds of this session."""
    only = request.config.getoption("seed", None)
    if only is None and "PAYUNG_SEED" in os.environ:
        only = int(os.environ["PAYUNG_SEED"])
    if only is not None:
        return range(int(only), int(only) + 1)
    count = request.config.getoption("seeds", None) or int(os.environ.get("PAYUNG_SEEDS", SEEDS))
    first = int(os.environ.get("PAYUNG_FIRST_SEED", "0"))
    return range(first, first + count)


@pytest.fixture
def summary(request: pytest.FixtureRequest) -> list[str]:
    """Lines for the end of the session."""
    lines: list[str] = request.config.stash.setdefault(SUMMARY, [])
    return lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints them."""
    for line in config.stash.get(SUMMARY, []):
        terminalreporter.write_line(line)
