"""`python -m bench.snapshot [--checks N]`: checks a second of one verification process on the snapshot path.

Starts Kafka, MongoDB and verification, loads a snapshot, and measures only this stage. No result is a failure.
"""

from __future__ import annotations

import argparse
import asyncio

from bench.dukcapil import publish
from bench.people import REGENCY
from bench.stage import alone, measure, show
from payung import reference
from payung.demo.population import generate, population_csv
from shared.kernel.calendar import business_day
from shared.reference import areas as area_files
from shared.runtime import clock

VERDICTS = tuple(f"identity.{verdict}.v1" for verdict in ("verified", "rejected", "held"))


async def bench(checks: int, seed: int) -> None:
    """Prints the figures."""
    people = list(generate(seed, checks, REGENCY, area_files.load(), business_day(clock.now())))
    async with alone("verification") as (stack, at):
        population = at.data_dir / "population.csv"
        population_csv(people, population)
        await reference.load_snapshot(at, population, REGENCY)
        show("checks", await measure(stack, at, "verification", lambda: publish(at, people), VERDICTS, checks))


def main() -> None:
    """Parses and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.snapshot")
    parser.add_argument("--checks", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    asyncio.run(bench(given.checks, given.seed))


if __name__ == "__main__":
    main()
