"""`make bench [ARGS="--workers N"]`: measures how fast a list becomes covered, reported workers, against a raw floor.

Starts the whole stack (broker and database on this machine), publishes one list, verifies by snapshot, bills, pays, and
waits until reporting shows all workers. The floor sends the same bytes through plain aiokafka and plain bulk inserts in
the same run, without any domain. Only the ratio is comparable between machines. It only measures.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.table import Table

from bench import floors, suspects
from bench.people import AGENCY, REGENCY, insurable, write_list
from bench.stage import figures, said
from payung import commands, installations, publish, reference
from payung.demo.population import population_csv
from payung.embedded import ports
from payung.embedded.stack import Stack, StackConfig
from payung.installations import CommandError, Installation
from payung.terminal import console
from shared.contracts import topics
from shared.kernel.calendar import business_day, first_day, period_of
from shared.runtime import clock
from shared.runtime.kafka import topics_admin

# Each look reads a page of metrics, which costs time on the measured machine.
LOOK_S = 0.25
WAIT_S = 1_800.0
out = console()


@dataclass(frozen=True, slots=True)
class Lap:
    """One step, in seconds since the start of the list."""

    what: str
    at_s: float


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not await condition():  # noqa: ASYNC110  # other processes have no event to wait for
            await asyncio.sleep(LOOK_S)


async def _totals(at: Installation, period: str) -> dict[str, Any]:
    try:
        report = (await at.get("reporting", "/v1/coverage", regency=REGENCY, period=period, format="json")).json()
    except CommandError:
        return {"verified": 0, "covered": 0}
    found: dict[str, Any] = report["totals"]
    return found


async def whole(at: Installation, path: Path, workers: int) -> list[Lap]:
    """Runs from the file to covered and reported workers; returns laps in seconds."""
    today = business_day(clock.now())
    period = period_of(today)
    budget = {"regency": REGENCY, "year": today.year, "funding": "apbd-regency", "jkk": 10**13, "jkm": 10**13}
    await commands.set_budget(at, {**budget, "decree_no": "BENCH", "target_workers": workers})
    laps: list[Lap] = []
    started = clock.monotonic()

    def lap(what: str) -> None:
        laps.append(Lap(what, clock.monotonic() - started))

    await publish.publish(at, path, AGENCY, "workers", wait=False)
    lap("file in Kafka")

    async def registered() -> bool:
        return said(await figures(at, "registration"), "submission.answered.v1") >= workers

    async def judged() -> bool:
        verdicts = (f"identity.{verdict}.v1" for verdict in ("verified", "rejected", "held"))
        return said(await figures(at, "verification"), *verdicts) >= workers

    await _until(registered)
    lap("every row answered")
    await _until(judged)
    lap("every identity judged")
    run = await commands.run_billing(at, {"regency": REGENCY, "period": period, "funding": "apbd-regency"})
    lap("billed")
    await commands.pay_invoice(
        at,
        {
            "invoice_id": run["invoice_id"],
            "amount": run["total"],
            "reference": "BENCH",
            "paid_on": first_day(period).isoformat(),
        },
    )

    async def reported() -> bool:
        return int((await _totals(at, period))["covered"]) >= int(run["billed_workers"])

    await _until(reported)
    lap("covered and reported")
    return laps


def cpu_s(pid: int | None) -> float:
    """The processor seconds of a process."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def bench(workers: int, seed: int) -> None:
    """Prints the tables."""
    people = insurable(seed, workers)
    workers = len(people)
    with tempfile.TemporaryDirectory(prefix="payung-bench-") as name:
        folder = Path(name)
        path, population = folder / "list.csv", folder / "population.csv"
        write_list(path, people)
        population_csv(people, population)
        config = StackConfig(data_dir=folder / "data", port_base=ports.free_base())
        async with Stack(config, topics_admin.apply) as stack:
            at = installations.find(folder / "data")
            out.print(f"{workers} workers, one list, broker and database on this machine")
            before = await floors.flow(at, path, "before")
            await reference.load_snapshot(at, population, REGENCY)
            idle = {name: cpu_s(stack.pids()[name]) for name in ("kafka", "mongo", *topics.SERVICES)}
            laps = await whole(at, path, workers)
            spent = {name: cpu_s(stack.pids()[name]) - before_s for name, before_s in idle.items()}
            after = await floors.flow(at, path, "after")
            base = (before + after) / 2
            _print(workers, laps, base)
            await _print_services(at, base, spent)
            out.print(", ".join(f"{name} {spent[name]:.1f} cpu s" for name in ("kafka", "mongo")))


def _print(workers: int, laps: list[Lap], base: float) -> None:
    table = Table("from the file to", "s", "workers/s", "of the floor", box=None)
    for lap in laps:
        rate = workers / lap.at_s
        table.add_row(lap.what, f"{lap.at_s:.1f}", f"{rate:,.0f}", f"{rate / base:.3f}")
    out.print(table)
    out.print(f"raw floor of the same bytes: {base:,.0f} records/s (mean of before and after)")
    out.print(f"file to covered and reported: {workers / laps[-1].at_s:,.0f} workers/s")


async def _print_services(at: Installation, base: float, spent: Mapping[str, float]) -> None:
    table = Table("service", "inputs", "cpu s", "inputs/cpu s", "of the floor", "resident MB", box=None)
    for service in topics.SERVICES:
        metric = await figures(at, service)
        inputs = metric.get("payung_records_total{fate=decided,type=all}", 0)
        rate = inputs / spent[service]
        resident = metric.get("process_resident_memory_bytes{}", 0) / 1e6
        row = (f"{inputs:,.0f}", f"{spent[service]:.1f}", f"{rate:,.0f}", f"{rate / base:.3f}", f"{resident:.0f}")
        table.add_row(service, *row)
    out.print(table)


def main() -> None:
    """Parses and runs."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--workers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--suspects", action="store_true", help="only how well and how fast doubles are found")
    given, rest = parser.parse_known_args()
    if given.suspects:
        suspects.main(["--store", *[one for one in sys.argv[1:] if one != "--suspects"]])
        return
    if rest:
        parser.error(f"unknown: {' '.join(rest)}")
    asyncio.run(bench(given.workers, given.seed))


if __name__ == "__main__":
    main()
