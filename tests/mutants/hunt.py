"""Plants a defect and plays seeds until a check fails. `python -m tests.mutants.hunt` writes the report."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutants.mutants import MUTANTS, Mutant, broken_law
from tests.simulation.counters import play_counters
from tests.simulation.play import Broken, play

REPORT = Path(__file__).parents[2] / "docs" / "mutants.md"
ROUNDS_MAX = 400
# The step from story to story: neighbouring seeds share one story.
STRIDE = 7
COUNTERS_A_ROUND = 3
HEAD = """# Planted defects, and what caught each

Written by `python -m tests.mutants.hunt`. Every row is a defect that somebody could write tomorrow. It is planted into
the shell, its ports or a service for one run (`tests/mutants/mutants.py`); the product does not contain it. The
simulation (`tests/simulation`) or the named test must fail; `tests/mutants/test_mutants.py` fails when no check finds a
defect. The check and the seed that find it first change with the code.

| planted | the defect | caught by | first seen |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Catch:
    """The check that failed, and where."""

    by: str
    where: str
    text: str


@contextlib.contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """Plants the defect for the duration of the context."""
    with pytest.MonkeyPatch.context() as patch:
        mutant.plant(patch)
        yield


def hunt(mutant: Mutant) -> Catch | None:
    """The first check that fails; None when no check finds the defect."""
    if mutant.named_test is not None:
        return _by_test(mutant)
    for number in range(ROUNDS_MAX):
        caught = _story(mutant, number * STRIDE)
        for seed in range(number * COUNTERS_A_ROUND, (number + 1) * COUNTERS_A_ROUND):
            caught = caught or _counters(mutant, seed)
        if caught is not None:
            return caught
    return None


def _by_test(mutant: Mutant) -> Catch | None:
    assert mutant.named_test is not None
    try:
        with planted(mutant):
            asyncio.run(mutant.named_test())  # type: ignore[arg-type]
    except AssertionError as error:
        return Catch(f"`{mutant.named_test.__name__}`", "`test_pipeline.py`", str(error))
    return None


def _story(mutant: Mutant, seed: int) -> Catch | None:
    try:
        play(seed, lambda: planted(mutant))
    except Broken as error:
        return _caught(str(error), f"seed {seed}")
    return None


def _counters(mutant: Mutant, seed: int) -> Catch | None:
    try:
        play_counters(seed, lambda: planted(mutant))
    except Broken as error:
        return _caught(str(error), f"counters, seed {seed}")
    return None


def _caught(text: str, where: str) -> Catch:
    law = broken_law(text)
    if law is None:
        raise AssertionError(f"the run failed, but no check objected: {text}")
    return Catch(law, where, text)


def row(mutant: Mutant, caught: Catch | None) -> str:
    """One line of the report."""
    by, where = (caught.by, caught.where) if caught else ("**nothing**", "")
    return f"| {mutant.name} | {mutant.defect} | {by} | {where} |"


def main() -> None:
    """Writes the report."""
    rows = [row(mutant, hunt(mutant)) for mutant in MUTANTS]
    REPORT.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    print(REPORT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
