"""`payung status`: how each service says it is, and what it says when it does not answer."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from payung.place import Place
from shared.contracts import topics


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service; a silent one is not ready and has no figures."""

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
    """Asks all five at once."""
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        return list(await asyncio.gather(*(_one(client, name, place.url(name)) for name in topics.SERVICES)))


async def _one(client: httpx.AsyncClient, service: str, url: str) -> ServiceStatus:
    try:
        body = (await client.get(f"{url}/readyz")).json()
    except (httpx.HTTPError, ValueError) as error:
        return ServiceStatus(service, False, 0, 0.0, 0, f"does not answer at {url} ({type(error).__name__})")
    return ServiceStatus(
        service, body["ready"], body["lag"], body["oldest_waiting_s"], body["dead_letters"], body["detail"]
    )
