"""`python -m bench.participants [--rows N]`: premiums a second that registration takes, and the file of their invoice.

Starts Kafka, MongoDB and registration, registers one clean list, publishes the premiums of one invoice over all its
workers while registration is paused, and measures until all are taken. Then it writes the participants' file for BPJS.
Memory is the resident memory of registration before and its peak during the file. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from pathlib import Path

import psutil

from bench.people import AGENCY, REGENCY, insurable, write_list
from bench.stage import LOOK_S, SETTLED, STAGES, Measured, alone, figures, out, said, show, until_said
from payung import publish, wire
from payung.bpjs import filing, sinks
from payung.demo.population import Inhabitant
from payung.installations import Installation
from shared.contracts import envelope, topics
from shared.contracts.base import PremiumLine
from shared.contracts.billing import PremiumBilled, RunCompleted
from shared.kernel.identity import worker_id
from shared.runtime import clock
from shared.runtime.store.crypto import id_key_from

PERIOD = "2026-02"
INVOICE = f"INV-6408-{PERIOD}-apbd-regency-1"
ANSWERED = ("submission.answered.v1",)
TAKEN = "payung_records_total{fate=decided,type=all}"
LINES = [PremiumLine(programme="JKK", amount=10_000, rule="r"), PremiumLine(programme="JKM", amount=6_800, rule="r")]
PARTS = 2
PRICE = sum(one.amount for one in LINES)
MEGABYTE = 1024 * 1024


def _premium(one: Inhabitant, worker: str, number: int) -> PremiumBilled:
    return PremiumBilled(
        worker_id=worker,
        regency=REGENCY,
        district=one.village[:8],
        village=one.village,
        sector="fisheries",
        sex="F",
        birth_month="1985-07",
        income_base=1_000_000,
        period=PERIOD,
        funding="apbd-regency",
        lines=LINES,
        total=PRICE,
        run_id="RUN-1",
        invoice_id=INVOICE,
        number=number,
    )


async def _bill(at: Installation, people: list[Inhabitant]) -> None:
    """Publishes the premiums of an invoice as billing does, and the end of its run."""
    key, now, topic = id_key_from(at.environ), clock.now(), topics.events("billing")
    async with wire.sender(at) as sender:
        for number, one in enumerate(people, start=1):
            worker = worker_id(key, one.nik)
            data = _premium(one, worker, number)
            await sender.send(
                topic, worker, envelope.internal("billing", clock.new_id(), "premium.billed.v1", data, now)
            )
        done = RunCompleted(
            run_id="RUN-1",
            invoice_id=INVOICE,
            regency=REGENCY,
            period=PERIOD,
            funding="apbd-regency",
            billed_workers=len(people),
            total=PRICE * len(people),
            lines=LINES,
            not_billed={},
            budget_left={},
        )
        value = envelope.internal("billing", clock.new_id(), "billing.run-completed.v1", done, now)
        await sender.send(topic, REGENCY, value)
        await sender.flush()


def _measured(before: dict[str, float], after: dict[str, float], done: int, elapsed_s: float) -> Measured:
    def spent(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    stages = {stage: spent(f"payung_stage_seconds_sum{{stage={stage}}}") for stage in STAGES}
    return Measured(done, elapsed_s, spent("process_cpu_seconds_total{}"), stages)


async def bench(rows: int, seed: int) -> None:
    """Prints the figures."""
    people = insurable(seed, rows)
    async with alone("registration") as (stack, at):
        path = at.data_dir / "list.csv"
        write_list(path, people)
        await publish.publish(at, path, AGENCY, "workers", wait=False)
        await until_said("registration", ANSWERED, len(people), at)
        pid = stack.pids()["registration"]
        assert pid is not None
        before = await figures(at, "registration")
        os.kill(pid, signal.SIGSTOP)
        try:
            await _bill(at, people)
        finally:
            os.kill(pid, signal.SIGCONT)
        started_s = clock.now().timestamp()
        # A premium changes two documents: the worker's cover, and the participant.
        wanted = before[TAKEN] + PARTS * len(people)
        while (after := await figures(at, "registration"))[TAKEN] < wanted:  # noqa: ASYNC110  # another process
            await asyncio.sleep(LOOK_S / 2)
        show("premiums", _measured(before, after, len(people), after[SETTLED] - started_s))
        await _file(at, pid, len(people), at.data_dir / "bpjs.csv")
        assert said(after, *ANSWERED) == len(people)


async def _file(at: Installation, pid: int, people: int, path: Path) -> None:
    """Writes the file as the command does, but for billing's word on the invoice."""
    resident = peak = psutil.Process(pid).memory_info().rss

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, psutil.Process(pid).memory_info().rss)
            await asyncio.sleep(LOOK_S / 10)

    watching = asyncio.create_task(watch())
    started = clock.monotonic()
    sink = sinks.CsvSink(path)
    lines = at.lines("registration", f"/v1/participants/{INVOICE}/file")
    filed = await filing.fill(lines, sink, filing.Filed(INVOICE))
    sink.finish()
    elapsed = clock.monotonic() - started
    watching.cancel()
    assert (filed.rows, filed.rupiah) == (people, people * PRICE)
    out.print(
        f"{people:,} participants in a file: {elapsed:.1f} s, {people / elapsed:,.0f}/s; registration "
        f"{resident / MEGABYTE:.0f} MB, at most {peak / MEGABYTE:.0f} MB"
    )


def main() -> None:
    """Parses and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.participants")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    asyncio.run(bench(given.rows, given.seed))


if __name__ == "__main__":
    main()
