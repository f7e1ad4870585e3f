"""`payung credentials`: the log-ins of an installation. No password is ever shown."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from payung import installations
from payung.access import commands
from payung.options import DataOption
from payung.terminal import console

app = typer.Typer(help="Log-ins at Kafka and MongoDB.", no_args_is_help=True)


@app.command("rotate")
def rotate(
    name: Annotated[str, typer.Argument(help="operator, officer, treasury-64.08, 64.08-dinsos, registration, ...")],
    data: DataOption = None,
) -> None:
    """Set a new password, at the servers and in the log-in file. A service restarts with it; nothing is lost."""
    path = asyncio.run(commands.rotate(installations.find(data), name))
    console().print(f"{name} has a new password; it stands in {path}", soft_wrap=True)
