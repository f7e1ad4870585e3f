"""`python -m bench.registration [--rows N] [--processes 2]`: rows a second of registration, against the raw floor.

Starts Kafka, MongoDB and registration, publishes one clean list while registration is paused, and measures only this
stage: field checks, duplicates, outcomes and answers. Two processes share the partitions like two instances. The floor
is one process with a stage over the same bytes in the same run, without any domain: decode, insert, publish one record
(`floors.stage`). It only measures.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

from bench import floors
from bench.people import AGENCY, insurable, write_list
from bench.stage import alone, figures, measure_processes, show
from payung import publish
from payung.embedded import ports
from payung.installations import Installation

ANSWERED = ("submission.answered.v1",)
READY_S = 60.0


async def bench(rows: int, seed: int, processes: int) -> None:
    """Prints the figures."""
    people = insurable(seed, rows)
    async with alone("registration") as (stack, at), contextlib.AsyncExitStack() as more:
        path = at.data_dir / "list.csv"
        write_list(path, people)
        pid = stack.pids()["registration"]
        assert pid is not None
        members = {pid: at}
        if processes == 2:
            members.update([await more.enter_async_context(_second(at))])

        async def feed() -> None:
            await publish.publish(at, path, AGENCY, "workers", wait=False)

        before = await floors.stage(at, path, "before")
        measured = await measure_processes(members, "registration", feed, ANSWERED, len(people))
        after = await floors.stage(at, path, "after")
        show(f"rows by {processes} process(es)", measured, (before + after) / 2)


@contextlib.asynccontextmanager
async def _second(at: Installation) -> AsyncIterator[tuple[int, Installation]]:
    """Starts a second instance; ready when each of the two has partitions."""
    port = str(ports.free_base())
    own = replace(at, urls={"registration": f"http://127.0.0.1:{port}"})
    environ = {**at.environ, "PAYUNG_INSTANCE": "bench-second", "PAYUNG_HTTP_PORT": port, "PAYUNG_LOG": "json"}
    with (at.data_dir / "second.log").open("ab") as log:
        argv = (sys.executable, "-P", "-m", "services.registration")
        process = await asyncio.create_subprocess_exec(*argv, env=environ, stdout=log, stderr=log)
        try:
            async with asyncio.timeout(READY_S):
                for one in (own, at):
                    while not (await figures(one, "registration")).get("payung_assigned_partitions{}"):  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
            yield process.pid, own
        finally:
            process.terminate()
            await process.wait()


def main() -> None:
    """Parses and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.registration")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--processes", type=int, choices=(1, 2), default=1)
    given = parser.parse_args()
    asyncio.run(bench(given.rows, given.seed, given.processes))


if __name__ == "__main__":
    main()
