"""Prepares a running installation for the demo: loads the made-up people into its Dukcapil stand-in.

Uses only the stand-in's control endpoint and does not know the story.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from payung.demo.population import Inhabitant
from payung.installations import DEFAULT_PORT_BASE, CommandError, Installation

CONTROL_PATH = "/_control/population"


def register_url(at: Installation) -> str:
    """The address of Dukcapil's stand-in: from the environment, else from run.json, else the default port."""
    return at.environ.get("PAYUNG_DUKCAPIL_URL") or at.urls.get("dukcapil", f"http://127.0.0.1:{DEFAULT_PORT_BASE + 6}")


async def fill_register(at: Installation, people: Sequence[Inhabitant]) -> None:
    """Replaces the stand-in's register by these people. Raises CommandError when no stand-in answers."""
    url = register_url(at)
    try:
        async with httpx.AsyncClient(timeout=60.0, trust_env=False) as client:
            answer = await client.post(url + CONTROL_PATH, json={"rows": [_row(one) for one in people]})
    except httpx.HTTPError as error:
        raise CommandError(f"Dukcapil's stand-in does not answer at {url} ({type(error).__name__})") from error
    if answer.status_code != 200:
        raise CommandError(
            f"{url} is no stand-in (HTTP {answer.status_code}): made-up people belong into no real installation"
        )


def _row(one: Inhabitant) -> dict[str, Any]:
    return {
        "nik": one.nik,
        "name": one.name,
        "birth_place": one.birth_place,
        "birth_date": one.birth_date.isoformat(),
        "sex": one.sex,
        "village": one.village,
        "status": one.status,
    }
