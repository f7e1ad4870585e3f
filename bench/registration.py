"""`python -m bench.registration [--rows N]`: rows a second of one registration process, against the raw floor.

Brings up Kafka, MongoDB and registration, publishes one clean list while registration is paused, and measures its stage
alone: field checks, duplicates, outcomes and answers. The floor is a stage over the same bytes in the same run without
any domain: decoded, inserted, one record out (`floors.stage`).
Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio

from bench import floors
from bench.people import AGENCY, insurable, write_list
from bench.stage import alone, measure, show
from payung import publish

ANSWERED = ("submission.answered.v1",)


async def bench(rows: int, seed: int) -> None:
    """Prints the figures."""
    people = insurable(seed, rows)
    async with alone("registration") as (stack, at):
        path = at.data_dir / "list.csv"
        write_list(path, people)

        async def feed() -> None:
            await publish.publish(at, path, AGENCY, "workers", wait=False)

        before = await floors.stage(at, path, "before")
        measured = await measure(stack, at, "registration", feed, ANSWERED, len(people))
        after = await floors.stage(at, path, "after")
        show("rows", measured, (before + after) / 2)


def main() -> None:
    """Parses and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.registration")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    asyncio.run(bench(given.rows, given.seed))


if __name__ == "__main__":
    main()
