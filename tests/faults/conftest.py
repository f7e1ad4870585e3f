"""Selects the tests of `make faults` and of `make test`, and prints the seed that repeats a run.

Every connected test of this folder is marked `faults`; `make test` runs the few that are also marked `ci`. The seed is
pytest-randomly's: it orders the tests, makes the people, and chooses the moment in a load at which a fault strikes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.processes import Service
from tests.faults.world import SERVICES, World

_HERE = Path(__file__).parent


@pytest.fixture
async def services(world: World) -> AsyncIterator[list[Service]]:
    """Registration and verification of the module's world; they are stopped afterwards, also after a failed test."""
    started = await world.start_ready(*SERVICES)
    yield started
    for one in started:
        if one.running():
            await one.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sets the markers before `-m` selects."""
    for item in items:
        if item.path.is_relative_to(_HERE) and item.get_closest_marker("connected"):
            item.add_marker(pytest.mark.faults)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the seed, which `-q` hides."""
    seed = config.getoption("randomly_seed", None)
    if isinstance(seed, int):
        terminalreporter.write_line(f'the same again: make faults ARGS="--randomly-seed={seed}"')
