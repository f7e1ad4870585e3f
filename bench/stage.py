"""One service's stage by itself: it is paused while its input is published, then timed until all of it is answered.

Shared by the stage benches; knows what a service's metrics are called and nothing of what it decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
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


async def until_said(service: str, kinds: tuple[str, ...], count: int, *places: Place) -> list[dict[str, float]]:
    """Waits until the processes of a service, one a place, have together published so many outcomes of these types; the
    metrics of each as they are then."""
    while True:
        found = [await figures(at, service) for at in places]
        if sum(said(one, *kinds) for one in found) >= count:
            return found
        await asyncio.sleep(LOOK_S)


async def measure(
    stack: Stack, at: Place, service: str, feed: Callable[[], Awaitable[None]], kinds: tuple[str, ...], count: int
) -> Measured:
    """Measures a service of the stack."""
    pid = stack.pids()[service]
    assert pid is not None
    return await measure_processes({pid: at}, service, feed, kinds, count)


async def measure_processes(
    members: Mapping[int, Place],
    service: str,
    feed: Callable[[], Awaitable[None]],
    kinds: tuple[str, ...],
    count: int,
) -> Measured:
    """Feeds the paused processes of one service (pid -> where its metrics are), lets them go, and waits until together
    they said `count` outcomes of these types."""
    # Stopped, not ended: what is measured begins with processes that have started long ago.
    for pid in members:
        os.kill(pid, signal.SIGSTOP)
    try:
        await feed()
    finally:
        for pid in members:
            os.kill(pid, signal.SIGCONT)
    places = list(members.values())
    before = [await figures(at, service) for at in places]
    started_s = clock.now().timestamp()
    after = await until_said(service, kinds, count, *places)

    def spent(name: str) -> float:
        return sum(one.get(name, 0) for one in after) - sum(one.get(name, 0) for one in before)

    return Measured(
        done=count - sum(said(one, *kinds) for one in before),
        elapsed_s=max(one[SETTLED] for one in after) - started_s,
        spent_s=spent("process_cpu_seconds_total{}"),
        stages={stage: spent(f"payung_stage_seconds_sum{{stage={stage}}}") for stage in STAGES},
    )


def show(what: str, measured: Measured, floor: float | None = None) -> None:
    """Prints the rate, its share of the raw floor where one was measured, and where the time of the batches went."""
    share = f", {measured.rate / floor:.2f} of the raw floor of {floor:,.0f} records/s" if floor else ""
    out.print(
        f"{measured.done:,.0f} {what}: {measured.rate:,.0f}/s on the clock, "
        f"{measured.by_cpu:,.0f} a processor second{share}"
    )
    for stage, seconds in measured.stages.items():
        out.print(f"  {stage:8} {seconds:6.2f} s")
