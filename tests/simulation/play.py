"""One seed is one run: a story plays through the straight fold and through the world; the checker compares both."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tests.simulation.cast import CIPHER, SPECS, loaded_snapshot, reference_of
from tests.simulation.chaos import Chaos
from tests.simulation.checker import check, watch
from tests.simulation.outside import Outside
from tests.simulation.reference import Shelf, StraightFold
from tests.simulation.scheduler import SimLoop
from tests.simulation.stories import Phase, Story
from tests.simulation.world import Service, World, isolated

# The number of seeds that share a story; its straight fold is made once.
SEEDS_A_STORY = 25


@dataclass(frozen=True, slots=True)
class Expected:
    """A story and its expected results."""

    register: dict[str, str | None]
    phases: list[Phase]
    fold: StraightFold
    paid: dict[str, dict[str, Any]]


class Broken(AssertionError):
    """A run that broke a promise; its text names the seed that replays it."""


def run_on(loop: SimLoop, main: Coroutine[Any, Any, None]) -> None:
    """Runs to the end on this loop and leaves no task behind."""
    try:
        loop.run_until_complete(main)
    finally:
        loop.on_idle = lambda: False
        loop.steps_max *= 2
        tasks = [task for task in loop.tasks if not task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(_ended(tasks))
        loop.close()


async def _ended(tasks: Sequence[asyncio.Task[Any]]) -> None:
    await asyncio.wait(tasks)


@lru_cache(maxsize=4)
def expected(number: int) -> Expected:
    """Plays a story through the straight fold."""
    story = Story(number)
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    shelves = [Shelf(spec, CIPHER, rows) for spec in SPECS]
    for shelf_number, shelf in enumerate(shelves):
        shelf.reference = reference_of(shelf_number)
    fold = StraightFold(shelves)
    register = {one.nik: one.register for one in story.people}
    outside = Outside(register)
    phases: list[Phase] = []
    rng = random.Random(0)
    loop = SimLoop(rng)

    async def tell() -> None:
        rows.update(await loaded_snapshot(story.people))
        for phase in story.phases():
            phases.append(phase)
            await fold.play(phase.messages, phase.at_ms)
            story.told.by_type.clear()
            for by_id in fold.events.values():
                for _, said in by_id.values():
                    story.told.by_type.setdefault(said["type"], []).append(said["data"])

    with isolated(loop, rng, outside, lambda: phases[-1].at if phases else datetime(2026, 1, 1, tzinfo=UTC)):
        run_on(loop, tell())
    return Expected(register, phases, fold, outside.paid)


@dataclass(frozen=True, slots=True)
class Run:
    """The figures of a good run."""

    steps: int
    records: int
    struck: Counter[str]


def play(seed: int, planted: Callable[[], AbstractContextManager[None]] = nullcontext) -> Run:
    """Plays one seed; raises Broken when a promise is broken. `planted` may put a defect into the world's run."""
    story = expected(seed // SEEDS_A_STORY)
    rng = random.Random(f"seed {seed}")
    chaos = Chaos(rng)
    services = [Service(spec, reference_of(number), CIPHER) for number, spec in enumerate(SPECS)]
    services[1].store.plain.update(story.fold.shelves[1].rows_held)
    world = World(chaos, services, Outside(story.register), story.fold.documents_of)
    steps = 0
    loop = SimLoop(rng)
    loop.on_idle = world.idle
    loop.describe = world.unfinished

    async def main() -> None:
        nonlocal steps
        watch(world, story.fold)
        try:
            for phase in story.phases:
                await world.play(phase)
                if world.defects:
                    raise world.defects[0]
            if chaos.replays:
                await world.replay()
        finally:
            steps = loop.steps
            world.end()

    try:
        with isolated(loop, rng, world.outside, lambda: world.now), planted():
            run_on(loop, main())
        if world.defects:
            raise world.defects[0]
        check(world, story.fold, story.paid)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise Broken(f"seed {seed} (story {seed // SEEDS_A_STORY}, {dict(chaos.struck)}): {what}") from error
    return Run(steps, len(world.topics.published), chaos.struck)
