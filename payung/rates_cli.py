"""The commands `payung rates load|show`; `payung.rates` does the work."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from payung import installations, rates
from payung.installations import CommandError
from payung.options import DataOption
from payung.terminal import console
from shared.reference import rates as tables
from shared.reference.edited_rates import TABLES

app = typer.Typer(help="The dated rates of premiums and benefits.", no_args_is_help=True)
_out = console()


@app.command("load")
def load(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, as `payung rates show` prints it")],
    check: Annotated[bool, typer.Option("--check", help="Only read the file; load nothing")] = False,
    data: DataOption = None,
) -> None:
    """Load a table of rates. Runs that begin, and claims that are judged, from now on use it."""
    if check:
        rates.read(file, tables.texts())
        _out.print(f"{file} is good")
        return
    version, added = asyncio.run(rates.load(installations.find(data), file))
    _out.print(f"loaded {version}" if added else f"nothing to load: {version} is loaded already")


@app.command("show")
def show(
    table: Annotated[str, typer.Argument(help="rates (each rule by its dates), or brackets (Lampiran II)")] = "rates",
    data: DataOption = None,
) -> None:
    """Show the table in use now, as a file that `load` accepts."""
    for name in TABLES:
        if name == table:
            sys.stdout.write(asyncio.run(rates.show(installations.find(data), name)))
            return
    raise CommandError(f"{table} is no table; rates and brackets are")
