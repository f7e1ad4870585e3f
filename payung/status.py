"""`payung status`: how each process of each service is, and why a service does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
from aiokafka.errors import KafkaError

from payung import wire
from payung.installations import CommandError, Installation
from shared.contracts import topics
from shared.runtime.errors import Unavailable

ASK_S = 5.0
# Every two seconds a process tells the others that it is alive.
SILENT_S_MAX = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One process of a service, as it reported itself `heard_s` seconds ago."""

    name: str
    ready: bool
    lag: int = 0
    heard_s: float = 0.0
    partitions: int = 0
    detail: str = ""

    @property
    def well(self) -> bool:
        """It is alive, and reads or waits as a spare. A process without partitions waits until one is free."""
        return self.heard_s <= SILENT_S_MAX and (self.ready or not self.partitions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """One service; a silent one is not ready, and its figures are None.

    `dead_letters`: how many its topic holds; while Kafka does not answer, how many the service put aside since its
    start. `due_work`: calls and waits whose time has come; None when the service does not report it."""

    service: str
    ready: bool
    lag: int | None = None
    oldest_waiting_s: float | None = None
    dead_letters: int | None = None
    due_work: int | None = None
    paused: tuple[str, ...] = ()
    detail: str
    instances: tuple[Instance, ...] = ()

    @property
    def well(self) -> bool:
        """The process that answers is ready, and all others of the service are well."""
        return self.ready and all(one.well for one in self.instances)

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {**asdict(self), "well": self.well}


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationStatus:
    """The whole installation. `last_run` is billing's latest run; None before the first run, or when billing does not
    answer."""

    services: tuple[ServiceStatus, ...]
    last_run: Mapping[str, Any] | None = field(default=None)

    @property
    def well(self) -> bool:
        """Whether all services are well."""
        return all(one.well for one in self.services)


async def look(installation: Installation) -> InstallationStatus:
    """Asks all five services and the broker at the same time."""
    async with httpx.AsyncClient(timeout=ASK_S, trust_env=False) as client:
        services = asyncio.gather(*(_asked(client, name, installation.url(name)) for name in topics.SERVICES))
        kept, found, run = await asyncio.gather(_kept(installation), services, _last_run(installation))
    return InstallationStatus(services=tuple(_one(name, body, kept.get(name)) for name, body in found), last_run=run)


async def _kept(installation: Installation) -> dict[str, int]:
    """The number of records in each service's dead-letter topic; empty when the broker does not answer in time."""
    names = {topics.dead_letters(service): service for service in topics.SERVICES}
    kept = dict.fromkeys(topics.SERVICES, 0)
    try:
        async with asyncio.timeout(ASK_S), wire.reader(installation) as consumer:
            ends = await wire.ends(installation, consumer, list(names))
            begins = await consumer.beginning_offsets(list(ends))
    except (CommandError, KafkaError, Unavailable, TimeoutError, OSError):
        return {}
    for partition, end in ends.items():
        kept[names[partition.topic]] += end - begins[partition]
    return kept


async def _last_run(installation: Installation) -> Mapping[str, Any] | None:
    try:
        async with asyncio.timeout(ASK_S):
            runs = (await installation.get("billing", "/v1/runs", last="1")).json()["runs"]
    except (CommandError, TimeoutError, ValueError, KeyError):
        return None
    return runs[0] if runs else None


async def _asked(client: httpx.AsyncClient, service: str, url: str) -> tuple[str, dict[str, Any] | str]:
    """The service's own report, or why it does not answer."""
    try:
        body = (await client.get(f"{url}/readyz")).json()
        if not isinstance(body, dict) or not isinstance(body.get("ready"), bool):
            raise ValueError("not a service of ours")
    except (httpx.HTTPError, ValueError) as error:
        return service, f"does not answer at {url} ({type(error).__name__})"
    return service, body


def _one(service: str, body: dict[str, Any] | str, kept: int | None) -> ServiceStatus:
    if isinstance(body, str):
        return ServiceStatus(service=service, ready=False, dead_letters=kept, detail=body)
    return ServiceStatus(
        service=service,
        ready=body["ready"],
        lag=body["lag"],
        oldest_waiting_s=body["oldest_waiting_s"],
        dead_letters=body["dead_letters"] if kept is None else kept,
        due_work=body.get("due_work"),
        paused=tuple(body.get("paused", ())),
        detail=body["detail"],
        instances=tuple(_instance(one, body.get("instance")) for one in body.get("instances", ())),
    )


def _instance(one: Mapping[str, Any], asked: str | None) -> Instance:
    heard_s = float(one["heard_s"])
    # The process that answered is alive now, whatever its store says.
    if one["name"] == asked:
        heard_s = 0.0
    silent = f"not heard of for {heard_s:.0f} s" if heard_s > SILENT_S_MAX else str(one.get("detail", ""))
    return Instance(
        name=str(one["name"]),
        ready=bool(one.get("ready")) and heard_s <= SILENT_S_MAX,
        lag=int(one.get("lag", 0)),
        heard_s=heard_s,
        partitions=int(one.get("partitions", 0)),
        detail=silent,
    )
