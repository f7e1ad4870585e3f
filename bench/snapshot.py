"""`python -m bench.snapshot [--checks N]`: checks a second of one verification process on the snapshot path.

Brings up Kafka, MongoDB and verification, loads a snapshot, and publishes the checks while verification is stopped, so
that only its own stage is measured: from its first batch to the last verdict acked. Prints the rate, the processor time
that a check costs, and where the batches' time goes. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import tempfile
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from bench.dukcapil import REGENCY, publish
from payung import place, reference
from payung.demo.population import generate, population_csv
from payung.embedded import ports
from payung.embedded.stack import Stack, StackConfig
from payung.place import CommandError, Place
from shared.kernel.calendar import business_day
from shared.reference import areas as area_files
from shared.runtime import clock, topics_admin

LOOK_S = 0.1
out = Console(highlight=False)


async def figures(at: Place) -> dict[str, float]:
    """The service's metrics by name and labels; none while it is down."""
    try:
        text = (await at.get("verification", "/metrics")).text
    except CommandError:
        return {}
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()) if k != "service")
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def judged(found: dict[str, float]) -> float:
    """Verdicts published."""
    verdicts = ("verified", "rejected", "held")
    return sum(found.get(f"payung_outcomes_total{{type=identity.{one}.v1}}", 0) for one in verdicts)


async def bench(checks: int, seed: int) -> None:
    """Prints the figures."""
    people = list(generate(seed, checks, REGENCY, area_files.load(), business_day(clock.now())))
    with tempfile.TemporaryDirectory(prefix="payung-snapshot-") as name:
        folder = Path(name)
        population = folder / "population.csv"
        population_csv(people, population)
        config = StackConfig(
            data_dir=folder / "data",
            port_base=ports.free_base(),
            services=("verification",),
            stand_ins=(),
            environment=dict(os.environ),
        )
        async with Stack(config, topics_admin.apply) as stack:
            at = place.find(folder / "data")
            await reference.load_snapshot(at, population, REGENCY)
            pid = stack.pids()["verification"]
            assert pid is not None
            # Stopped, not ended: what is measured begins with a process that has started long ago.
            os.kill(pid, signal.SIGSTOP)
            try:
                await publish(at, people)
            finally:
                os.kill(pid, signal.SIGCONT)
            before = await figures(at)
            started = clock.monotonic()
            while judged(found := await figures(at)) < checks:  # noqa: ASYNC110  # another process has no event
                await asyncio.sleep(LOOK_S)
            elapsed = clock.monotonic() - started
    spent = found["process_cpu_seconds_total{}"] - before["process_cpu_seconds_total{}"]
    done = checks - judged(before)
    out.print(f"{checks} checks: {done / elapsed:,.0f} checks/s on the clock, {done / spent:,.0f} a processor second")
    for stage in ("decode", "load", "decide", "save", "publish", "commit"):
        key = f"payung_stage_seconds_sum{{stage={stage}}}"
        out.print(f"  {stage:8} {found.get(key, 0) - before.get(key, 0):6.2f} s")


def main() -> None:
    """Parses and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.snapshot")
    parser.add_argument("--checks", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    asyncio.run(bench(given.checks, given.seed))


if __name__ == "__main__":
    main()
