"""The command `payung trace`."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated, Any

import typer
from rich.text import Text

from payung import installations
from payung.installations import CommandError
from payung.options import AsJson, DataOption
from payung.terminal import console
from payung.tracing import finding
from payung.tracing.story import SHOWN_FIELDS, Branch, indented, walk


def trace(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="An event, submission, claim, worker_id, run, invoice, ...")
    ],
    as_json: AsJson = False,
    data: DataOption = None,
) -> None:
    """Show the causes and effects of an event, a submission, a claim, a worker or a run in all services."""
    if not name.strip():
        raise CommandError("an ID is needed: of an event, submission, claim, worker, run or invoice")
    with console(stderr=True).status("reading Kafka ..."):
        found = asyncio.run(finding.trace(installations.find(data), name))
    if as_json:
        sys.stdout.write(json.dumps([_shown(one) for one in walk(found)], ensure_ascii=False, indent=2) + "\n")
        return
    out = console()
    for one, depth in indented(found):
        out.print(Text("  " * depth).append_text(_line(one)), soft_wrap=True)
        for kind, count in one.more.items():
            out.print(Text(f"{'  ' * (depth + 1)}... and {count} more {kind}", "dim"))


def _shown(one: Branch) -> dict[str, Any]:
    shown = one.step.as_json(asked=one.asked)
    return {**shown, "more": dict(one.more)} if one.more else shown


def _line(branch: Branch) -> Text:
    shown = branch.step.as_json(asked=branch.asked)
    said = (f"{name}={shown[name]}" for name in (*SHOWN_FIELDS, "reasons", "error") if shown.get(name))
    when = shown["at"][:19].replace("T", " ")
    return Text("  ".join((when, shown["type"], *said, shown["place"], shown["id"])), "bold" if branch.asked else "")
