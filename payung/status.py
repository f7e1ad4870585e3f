"""`payung status`: how each service says it is, and what it says when it does not answer."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, replace
from typing import Any

import httpx
from aiokafka.errors import KafkaError

from payung import wire
from payung.place import CommandError, Place
from shared.contracts import topics
from shared.runtime.errors import Unavailable

ASK_S = 5.0


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service; a silent one is not ready and has no figures.

    `dead_letters`: how many its topic holds; while Kafka does not answer, how many the service put aside since it
    started."""

    service: str
    ready: bool
    lag: int
    oldest_waiting_s: float
    dead_letters: int
    detail: str

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return asdict(self)


async def look(place: Place) -> list[ServiceStatus]:
    """Asks all five and the broker at once."""
    async with httpx.AsyncClient(timeout=ASK_S, trust_env=False) as client:
        services = asyncio.gather(*(_one(client, name, place.url(name)) for name in topics.SERVICES))
        kept, found = await asyncio.gather(_kept(place), services)
    return [replace(one, dead_letters=kept.get(one.service, one.dead_letters)) for one in found]


async def _kept(place: Place) -> dict[str, int]:
    """The records in each service's dead-letter topic; nothing when the broker does not say in time."""
    names = {topics.dead_letters(service): service for service in topics.SERVICES}
    kept = dict.fromkeys(topics.SERVICES, 0)
    try:
        async with asyncio.timeout(ASK_S), wire.reader(place) as consumer:
            ends = await wire.ends(place, consumer, list(names))
            begins = await consumer.beginning_offsets(list(ends))
    except (CommandError, KafkaError, Unavailable, TimeoutError, OSError):
        return {}
    for partition, end in ends.items():
        kept[names[partition.topic]] += end - begins[partition]
    return kept


async def _one(client: httpx.AsyncClient, service: str, url: str) -> ServiceStatus:
    try:
        body = (await client.get(f"{url}/readyz")).json()
    except (httpx.HTTPError, ValueError) as error:
        return ServiceStatus(service, False, 0, 0.0, 0, f"does not answer at {url} ({type(error).__name__})")
    return ServiceStatus(
        service, body["ready"], body["lag"], body["oldest_waiting_s"], body["dead_letters"], body["detail"]
    )
