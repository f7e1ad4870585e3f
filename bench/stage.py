"""Measures one service's stage alone: pauses the service while its input is published, then times it until all is
answered.

Shared by the stage benches; knows the names of a service's metrics and nothing of its decisions.
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

from payung import installations
from payung.embedded import ports
from payung.embedded.stack import Stack, StackConfig
from payung.installations import CommandError, Installation
from payung.terminal import console
from shared.runtime import clock
from shared.runtime.kafka import topics_admin

# Each look costs time in the measured process. The end is read from that process's clock, not from the look.
LOOK_S = 1.0
SETTLED = "payung_last_progress_timestamp_seconds{}"
STAGES = ("decode", "load", "decide", "save", "publish", "commit")
out = console()


@dataclass(frozen=True, slots=True)
class Measured:
    """Clock seconds, processor seconds, and seconds by stage, for `done` inputs."""

    done: float
    elapsed_s: float
    spent_s: float
    stages: dict[str, float]

    @property
    def rate(self) -> float:
        """Inputs for each clock second."""
        return self.done / self.elapsed_s

    @property
    def by_cpu(self) -> float:
        """Inputs for each processor second."""
        return self.done / self.spent_s


@contextlib.asynccontextmanager
async def alone(service: str) -> AsyncIterator[tuple[Stack, Installation]]:
    """Runs the service with its own broker and database, in a folder that is deleted afterwards."""
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
            yield stack, installations.find(folder / "data")


async def figures(at: Installation, service: str) -> dict[str, float]:
    """The service's metrics by name and labels; empty while it is down."""
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
    """The number of published outcomes of these types."""
    return sum(found.get(f"payung_outcomes_total{{type={kind}}}", 0) for kind in kinds)


async def until_said(service: str, kinds: tuple[str, ...], count: int, *places: Installation) -> list[dict[str, float]]:
    """Waits until the processes of a service, one for each place, have together published `count` outcomes of these
    types. Returns the metrics of each process at that moment."""
    while True:
        found = [await figures(at, service) for at in places]
        if sum(said(one, *kinds) for one in found) >= count:
            return found
        await asyncio.sleep(LOOK_S)


async def measure(
    stack: Stack,
    at: Installation,
    service: str,
    feed: Callable[[], Awaitable[None]],
    kinds: tuple[str, ...],
    count: int,
) -> Measured:
    """Measures one service of the stack."""
    pid = stack.pids()[service]
    assert pid is not None
    return await measure_processes({pid: at}, service, feed, kinds, count)


async def measure_processes(
    members: Mapping[int, Installation],
    service: str,
    feed: Callable[[], Awaitable[None]],
    kinds: tuple[str, ...],
    count: int,
) -> Measured:
    """Feeds the paused processes of one service (pid -> place of its metrics), resumes them, and waits until together
    they have published `count` outcomes of these types."""
    # Paused, not ended: the measurement begins with processes that have already started.
    for pid in members:
        _signal(pid, signal.SIGSTOP)
    try:
        await feed()
    finally:
        for pid in members:
            _signal(pid, signal.SIGCONT)
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


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        raise CommandError(
            "the paused service was restarted by its supervisor: its input took more than a minute; measure fewer rows"
        ) from None


def show(what: str, measured: Measured, floor: float | None = None) -> None:
    """Prints the rate, its share of the raw floor if one was measured, and the batches' time by stage."""
    share = f", {measured.rate / floor:.2f} of the raw floor of {floor:,.0f} records/s" if floor else ""
    out.print(
        f"{measured.done:,.0f} {what}: {measured.rate:,.0f}/s on the clock, "
        f"{measured.by_cpu:,.0f} a processor second{share}"
    )
    for stage, seconds in measured.stages.items():
        out.print(f"  {stage:8} {seconds:6.2f} s")
