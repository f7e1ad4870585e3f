"""The commands `payung policy load|show|template`; `payung.policy` does the work."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from payung import installations, policy
from payung.installations import CommandError
from payung.options import AsJson, DataOption
from payung.terminal import console
from shared.kernel.calendar import parse_date
from shared.reference import policies as shipped

app = typer.Typer(
    help="The verification policy: who is verified, held, rejected, and who decides.", no_args_is_help=True
)
_out = console()


@app.command("load")
def load(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TOML, or JSON with the same names")],
    check: Annotated[bool, typer.Option("--check", help="Only read the file; load nothing")] = False,
    data: DataOption = None,
) -> None:
    """Load a policy. It judges records stamped from now on; every verdict names its version."""
    if check:
        for one in policy.read(file):
            _out.print(f"{one.version} is good")
        return
    added = asyncio.run(policy.load(installations.find(data), file))
    for one in added:
        _out.print(f"loaded {one.version}: judges {'every regency' if one.regency == '*' else one.regency}")
    if not added:
        _out.print("nothing to load: the file is loaded already")


@app.command("show")
def show(
    regency: Annotated[str | None, typer.Option(help="Kemendagri code, e.g. 64.08; default all")] = None,
    on: Annotated[str | None, typer.Option(help="At the end of this day, YYYY-MM-DD; default now")] = None,
    format_: Annotated[str, typer.Option("--format", help="toml or json")] = "toml",
    as_json: AsJson = False,
    data: DataOption = None,
) -> None:
    """Show the policy in force, as a file that `load` accepts."""
    if format_ not in ("toml", "json"):
        raise CommandError(f"--format is toml or json; got {format_!r}")
    found = asyncio.run(policy.in_force(installations.find(data), regency, _day(on)))
    if as_json or format_ == "json":
        sys.stdout.write(json.dumps(policy.as_json(found), ensure_ascii=False, indent=2) + "\n")
        return
    sys.stdout.write(policy.as_toml(found))


@app.command("template")
def template() -> None:
    """Print the policy that the product ships, with an explanation of every field."""
    sys.stdout.write(shipped.text())


def _day(text: str | None) -> date | None:
    day = parse_date(text)
    if text is not None and day is None:
        raise CommandError(f"--on is a day, YYYY-MM-DD; got {text!r}")
    return day
