"""The commands `payung keys status|rotate|retire`; `payung.keys` does the work."""

from __future__ import annotations

import asyncio
import json
import sys

import typer
from rich.console import Console

from payung import installations, keys
from payung.options import AsJson, DataOption

app = typer.Typer(help="The keys that seal personal fields and name workers.", no_args_is_help=True)
_out = Console(highlight=False, soft_wrap=True)


@app.command("status")
def status(as_json: AsJson = False, data: DataOption = None) -> None:
    """Show the sealing key, what older keys still seal, and whether all keys fit their stores; exits 1 when one
    does not."""
    found = asyncio.run(keys.look(installations.find(data)))
    if as_json:
        sys.stdout.write(json.dumps([one.as_json() for one in found], indent=2) + "\n")
    for one in found if not as_json else ():
        left = ", ".join(f"{count} documents under {name}" for name, count in sorted(one.left.items()))
        _out.print(f"{one.service:<13} seals with {one.sealing}; {left or 'no older key'}", markup=False)
        if one.trouble:
            _out.print(f"{'':<13} {one.trouble}", markup=False)
    if any(one.trouble for one in found):
        raise typer.Exit(1)


@app.command("rotate")
def rotate(data: DataOption = None) -> None:
    """Seal everything with new field keys while the services run. You may interrupt it and call it again."""
    asyncio.run(keys.rotate(installations.find(data), lambda line: _out.print(line, markup=False)))
    _out.print("done; payung keys status shows it, payung keys retire takes the older keys away")


@app.command("retire")
def retire(data: DataOption = None) -> None:
    """Remove the older field keys of `payung up` when no document needs them. Backups still need them."""
    at = installations.find(data)
    gone = keys.retire(at, {one.service: one.left for one in asyncio.run(keys.look(at))})
    _out.print(f"taken away: {', '.join(gone)}" if gone else "there are no older keys")
