"""The commands `payung dlq audit|paused|resume`, and helpers that all commands of dead letters share."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated, Any

import typer

from payung import installations
from payung.dlq import kept
from payung.installations import CommandError, Installation
from payung.options import AsJson, DataOption
from payung.terminal import console
from shared.contracts import topics
from shared.runtime import clock

out = console()

Service = Annotated[str, typer.Argument(help=f"{', '.join(topics.SERVICES)}")]
ByOption = Annotated[str | None, typer.Option(help="Who does it, for the record; default the user", show_default=False)]


def known(service: str) -> str:
    """The name of an existing service."""
    if service not in topics.SERVICES:
        raise CommandError(f"SERVICE is one of {', '.join(topics.SERVICES)}; got {service!r}")
    return service


def print_json(value: Any) -> None:
    """For a machine."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def audit(
    service: Service,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many")] = 50,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Show who replayed, saved or resumed what, when, and with which result."""

    async def read() -> list[dict[str, Any]]:
        async with kept.store_of(installations.find(data), known(service)) as store:
            return await kept.lines(store, limit)

    lines = asyncio.run(read())
    if as_json:
        print_json(lines)
        return
    for line in lines:
        out.print(
            f"{line['at'][:19]}  {line['by']:<12} {line['action']}/{line['step']}  {json.dumps(line['what'])}",
            soft_wrap=True,
            markup=False,
        )


def paused(
    service: Annotated[str, typer.Argument(help=f"{', '.join(topics.SERVICES)}, or all")] = "all",
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the topics that a flood of dead letters has paused, and until when."""
    at = installations.find(data)
    services = topics.SERVICES if service == "all" else (known(service),)
    rows = [{"service": name, **one} for name in services for one in asyncio.run(_paused(at, name))]
    if as_json:
        print_json(kept.shown(rows))
        return
    for row in kept.shown(rows):
        out.print(
            f"{row['topic']} ({row['service']}): {row['letters']} of {row['records']} unreadable; until {row['until']}",
            soft_wrap=True,
        )
    if not rows:
        out.print("no topic is paused")


async def _paused(at: Installation, service: str) -> list[dict[str, Any]]:
    async with kept.store_of(at, service) as store:
        return await kept.paused(store)


def resume(
    service: Service,
    topic: Annotated[str | None, typer.Option(help="Default: all that are paused", show_default=False)] = None,
    by: ByOption = None,
    data: DataOption = None,
) -> None:
    """Read a paused topic again now; the service sees it within seconds."""

    async def end() -> list[str]:
        async with kept.store_of(installations.find(data), known(service)) as store:
            rows = [one for one in await kept.paused(store) if topic in (None, one["topic"])]
            names = [str(one["topic"]) for one in rows]
            if names:
                await kept.note(store, clock.new_id(), "resume", by or kept.who(), "resume", {"topics": names})
                await kept.resume(store, rows)
            return names

    for name in (names := asyncio.run(end())):
        out.print(f"{name} is read again")
    if not names:
        raise CommandError(f"{topic or 'no topic'} is paused in {service}; see: payung dlq paused")
