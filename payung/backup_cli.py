"""The commands `payung backup` and `payung restore`; `payung.backup` does the work."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from payung import backup, installations
from payung.embedded import ports, stack
from payung.embedded.data import DataFolder
from payung.installations import CommandError
from payung.options import DataOption
from shared.runtime.ops import credentials, secrets

_out = Console(highlight=False, soft_wrap=True)
ASK_S = 3.0


def make(
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet")],
    keys: Annotated[bool, typer.Option("--keys", help="Copy keys.json too; keep such a backup as a secret")] = False,
    data: DataOption = None,
) -> None:
    """Write a backup of all services' databases while the services run. It does not contain Kafka."""
    at = installations.find(data)
    keys_file = DataFolder(at.data_dir).keys_file if keys else None
    backup.make(at.environ, folder, _line, keys_file)
    _out.print(f"done: {folder}" + ("" if keys else "; keep the keys apart (docs/runbooks/keys.md)"))


def put_back(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    data: DataOption = None,
    port_base: Annotated[int, typer.Option(help="Ports of the servers that are started for it")] = ports.DEFAULT_BASE,
) -> None:
    """Replace all services' databases by a backup. Stop the services first; they read later records from Kafka."""
    asyncio.run(_put_back(folder, data, port_base))
    _out.print("done; start the services: they read again what Kafka holds since the backup")


async def _put_back(folder: Path, data: Path | None, port_base: int) -> None:
    async with _stopped(data, port_base) as (environ, options):
        await asyncio.to_thread(backup.put_back, environ, folder, _line, options)


@asynccontextmanager
async def _stopped(
    data: Path | None, port_base: int
) -> AsyncIterator[tuple[Mapping[str, str], Mapping[str, Any] | None]]:
    """An installation whose services are stopped, with the database of the environment or the embedded one. Gives its
    environment, and the log-in when the environment does not contain it."""
    if names_servers(os.environ) and data is None:
        at = installations.find(data)
        async with httpx.AsyncClient(timeout=ASK_S, trust_env=False) as client:
            for service, url in at.urls.items():
                if await _answers(client, url):
                    raise CommandError(f"{service} runs at {url}; stop all services first")
        yield at.environ, None
        return
    held = DataFolder(data if data is not None else stack.default_data_dir())
    held.take()
    try:
        keys = held.keys(os.environ)
        environ = {**secrets.resolved(os.environ), secrets.ID_KEY: keys.id_key}
        environ |= {secrets.field_keys_of(name): text for name, text in keys.field_keys.items()}
        async with stack.database(held.path, port_base) as (mongo_url, options):
            environ.pop(credentials.VARIABLE, None)
            yield {**environ, "PAYUNG_MONGO_URL": mongo_url}, options
    finally:
        held.release()


def names_servers(environ: Mapping[str, str]) -> bool:
    """Whether the environment names servers that `payung up` does not run: those of docker-compose.yml, or the user's
    own. A restore into the embedded database would then put the backup where nobody reads it.
    """
    return any(environ.get(one) for one in ("PAYUNG_MONGO_URL", installations.FOLDER, credentials.VARIABLE))


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        await client.get(f"{url}/livez")
    except httpx.HTTPError:
        return False
    return True


def _line(text: str) -> None:
    _out.print(text, markup=False)
