"""One service's stage by itself: it is paused while its input is published, then timed until all of it is answered.

Shared by the stage benches; knows what a service's metrics are called and nothing of what it decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from payung import place
from payung.embedded import ports
from payung.embedded.stack import Stack, StackConfig
from payung.place import CommandError, Place
from payung.terminal import console
from shared.runtime import clock, topics_admin

# Looking costs the process that is measured; the end is read from its own clock, not from when we looked.
LOOK_S = 1.0
SETTLED = "payung_last_progress_timestamp_seconds{}"
STAGES = ("decode", "load", "decide", "save", "publish", "commit")
out = console()


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds on the clock and of the processor, and seconds by stage, for `done` inputs."""

    done: float
    elapsed_s: float
    spent_s: float
    stages: dict[str, float]

    @property
    def rate(self) -> float:
        """Inputs a second on the clock."""
        return self.done / self.elapsed_s

    @property
    def by_cpu(self) -> float:
        """Inputs a second of the processor."""
        return self.done / self.spent_s


@contextlib.asynccontextmanager
async def alone(service: str) -> AsyncIterator[tuple[Stack, Place]]:
    """The service with a broker and a database of its own, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"payung-{service}-") as name:
        folder = Path(name)
        config = StackConfig(
            data_dir=folder / "data",
            port_base=ports.free_base(),
            services=(service,),
            stand_ins=(),
            environment=dict(os.environ),
        )
        async with Stack(config, topics_admin.apply) as stack:
            yield stack, place.find(folder / "data")


async def figures(at: Place, service: str) -> dict[str, float]:
    """The service's metrics by name and labels; none while it is down."""
    try:
        text = (await at.get(service, "/metrics")).text
    except CommandError:
        return {}
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()) if k != "service")
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def said(found: dict[str, float], *kinds: str) -> float:
    """Outcomes of these types that were published."""
    return sum(found.get(f"payung_outcomes_total{{type={kind}}}", 0) for kind in kinds)


async def until_said(at: Place, service: str, kinds: tuple[str, ...], count: int) -> dict[str, float]:
    """Waits until a service has published so many outcomes of these types; its metrics as they are then."""
    while said(found := await figures(at, service), *kinds) < count:  # noqa: ASYNC110  # another process has no event
        await asyncio.sleep(LOOK_S)
    return found


async def measure(
    stack: Stack, at: Place, service: str, feed: Callable[[], Awaitable[None]], kinds: tuple[str, ...], count: int
) -> Measured:
    """Measures a service of the stack."""
    pid = stack.pids()[service]
    assert pid is not None
    return await measure_process(pid, at, service, feed, kinds, count)


async def measure_process(
    pid: int, at: Place, service: str, feed: Callable[[], Awaitable[None]], kinds: tuple[str, ...], count: int
) -> Measured:
    """Feeds the paused process, lets it go, and waits until it said `count` outcomes of these types."""
    # Stopped, not ended: what is measured begins with a process that has started long ago.
    os.kill(pid, signal.SIGSTOP)
    try:
        await feed()
    finally:
        os.kill(pid, signal.SIGCONT)
    before = await figures(at, service)
    started_s = clock.now().timestamp()
    found = await until_said(at, service, kinds, count)
    elapsed_s = found[SETTLED] - started_s
    spent_s = found["process_cpu_seconds_total{}"] - before["process_cpu_seconds_total{}"]
    stages = {}
    for stage in STAGES:
        key = f"payung_stage_seconds_sum{{stage={stage}}}"
        stages[stage] = found.get(key, 0) - before.get(key, 0)
    return Measured(count - said(before, *kinds), elapsed_s, spent_s, stages)


def show(what: str, measured: Measured, floor: float | None = None) -> None:
    """Prints the rate, its share of the raw floor where one was measured, and where the time of the batches went."""
    share = f", {measured.rate / floor:.2f} of the raw floor of {floor:,.0f} records/s" if floor else ""
    out.print(
        f"{measured.done:,.0f} {what}: {measured.rate:,.0f}/s on the clock, "
        f"{measured.by_cpu:,.0f} a processor second{share}"
    )
    for stage, seconds in measured.stages.items():
        out.print(f"  {stage:8} {seconds:6.2f} s")
