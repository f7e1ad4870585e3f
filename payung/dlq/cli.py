"""The commands `payung dlq list|show|replay`; the modules beside this one do the work."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter, deque
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from payung import installations, wire
from payung.dlq import cli_kept, finding, kept, replaying
from payung.dlq.cli_kept import ByOption, Service, known, print_json
from payung.dlq.finding import Filter
from payung.dlq.replaying import ReplayResult
from payung.installations import CommandError, Installation
from payung.options import AsJson, DataOption
from payung.terminal import console
from shared.contracts import topics
from shared.runtime import clock
from shared.runtime.deadletters import Letter, Letters
from shared.runtime.errors import Unavailable

app = typer.Typer(help="Dead letters: what the services could not read.", no_args_is_help=True)
app.command("audit")(cli_kept.audit)
app.command("paused")(cli_kept.paused)
app.command("resume")(cli_kept.resume)
out = console()
err = console(stderr=True)

TopicOption = Annotated[str | None, typer.Option(help="Topic it came from; * matches any text", show_default=False)]
Error = Annotated[str | None, typer.Option(help="Error class, e.g. not-json, unknown-type, defect", show_default=False)]
Agency = Annotated[str | None, typer.Option(help="Whose intake, e.g. 64.08/dinsos", show_default=False)]
Since = Annotated[str | None, typer.Option(help="Put aside on or after: YYYY-MM-DD or RFC 3339", show_default=False)]
Until = Annotated[str | None, typer.Option(help="Put aside on or before this day", show_default=False)]
# Reads twice as many records as it shows letters: some records are parts of one letter, or repeats.
_SLACK = 2


@app.command("list")
def list_letters(
    service: Annotated[str, typer.Argument(help=f"{', '.join(topics.SERVICES)}, or all")] = "all",
    topic: TopicOption = None,
    error: Error = None,
    agency: Agency = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many of each service")] = 100,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest last."""
    wanted = finding.filter_of(topic=topic, error=error, agency=agency, since=since, until=until)
    at = installations.find(data)
    services = topics.SERVICES if service == "all" else (known(service),)
    found = [one for name in services for one in asyncio.run(_newest(at, name, wanted, limit))]
    if as_json:
        print_json(found)
        return
    table = Table("id", "put aside", "error", "from", "bytes", "event", "replayed", box=None)
    for one in found:
        where = f"{one['topic']}/{one['partition']}/{one['offset']}"
        kind = one["event"].get("type", "-")
        replayed = one["replayed"]["at"][:16] if one["replayed"] else "-"
        table.add_row(one["id"], one["put_aside_at"][:19], one["error"], where, str(one["bytes"]), kind, replayed)
    out.print(table)
    for (name, code), count in sorted(Counter((one["topic"], one["error"]) for one in found).items()):
        out.print(f"  {count:>6}  {code:<14} {name}", soft_wrap=True)
    out.print(f"{len(found)} shown; payung dlq show SERVICE ID tells more")


async def _newest(at: Installation, service: str, wanted: Filter, limit: int) -> list[dict[str, Any]]:
    letters = Letters()
    newest: deque[dict[str, Any]] = deque(maxlen=limit)
    async with wire.reader(at) as consumer:
        over = await finding.extent(consumer, at, service)
        tail = limit * _SLACK if wanted.empty else None
        async for letter in finding.scan(consumer, over, wanted, letters, newest=tail):
            newest.append(finding.summary(service, letter))
    unique = list({one["id"]: one for one in newest}.values())
    standing = await _replayed(at, service, [one["id"] for one in unique])
    for one in unique:
        one["replayed"] = standing.get(one["id"])
    if letters.strange:
        err.print(f"{letters.strange} records of {topics.dead_letters(service)} are no letters of ours", style="yellow")
    return unique


async def _replayed(at: Installation, service: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """The letters that were replayed; nothing while the store does not answer."""
    if not ids:
        return {}
    try:
        async with kept.store_of(at, service) as store:
            found = await kept.replayed(store, ids)
    except Unavailable as error:
        err.print(f"{service}: what was replayed is not known now ({error})", style="yellow")
        return {}
    return {one: kept.shown([row])[0] for one, row in found.items()}


@app.command("show")
def show(
    service: Service,
    identifier: Annotated[str | None, typer.Argument(metavar="[ID]", help="Default: the newest letter")] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the original bytes to a file, personal data and all; goes on record")
    ] = None,
    by: ByOption = None,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter: origin, error, headers, and its value with personal data masked."""
    at = installations.find(data)
    letter = asyncio.run(_one(at, known(service), identifier))
    if save is not None:
        asyncio.run(_note_saved(at, service, letter, by or kept.who()))
        save.touch(mode=0o600)
        save.write_bytes(letter.value or b"")
    shown = finding.details(service, letter)
    shown["replayed"] = asyncio.run(_replayed(at, service, [letter.id])).get(letter.id)
    if as_json:
        print_json(shown)
        return
    for name in ("id", "put_aside_at", "error", "detail", "topic", "partition", "offset", "at", "key", "bytes"):
        out.print(f"{name:<14} {shown[name]}", soft_wrap=True, markup=False)
    out.print(f"{'replayed':<14} {shown['replayed'] or 'no'}", soft_wrap=True, markup=False)
    for name, value in shown["headers"]:
        out.print(f"{'header':<14} {name}: {value}", soft_wrap=True, markup=False)
    value = shown["value"]
    out.print(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2), markup=False)
    if save is not None:
        out.print(f"the original bytes are in {save}; delete them when you are done")


async def _one(at: Installation, service: str, identifier: str | None) -> Letter:
    wanted = finding.filter_of(ids=() if identifier is None else (identifier,))
    found: Letter | None = None
    async with wire.reader(at) as consumer:
        over = await finding.extent(consumer, at, service)
        async for letter in finding.scan(consumer, over, wanted, Letters()):
            if found is not None and identifier is not None and found.id != letter.id:
                raise CommandError(f"more than one letter begins with {identifier}; give more of its id")
            found = letter
    if found is None:
        raise CommandError(_not_there(service, identifier))
    return found


def _not_there(service: str, identifier: str | None) -> str:
    if identifier is None:
        return f"{topics.dead_letters(service)} holds no letter"
    return (
        f"{topics.dead_letters(service)} holds no letter {identifier}: letters are kept for 90 days; "
        f"`payung dlq list {service}` tells which there are"
    )


async def _note_saved(at: Installation, service: str, letter: Letter, by: str) -> None:
    """Records the saving before the file can be read."""
    async with kept.store_of(at, service) as store:
        await kept.note(store, clock.new_id(), "save", by, "save", {"letter": letter.id})


@app.command("replay")
def replay(
    service: Service,
    identifiers: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Default: all that fit")] = None,
    topic: TopicOption = None,
    error: Error = None,
    agency: Agency = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="The oldest so many not replayed yet", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be replayed; change nothing")] = False,
    again: Annotated[bool, typer.Option("--again", help="Replay also what was replayed before")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for what becomes of it")] = 30.0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")] = False,
    by: ByOption = None,
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Send the unchanged originals to their topics again. Replaying twice has no second effect."""
    wanted = finding.filter_of(
        ids=tuple(identifiers or ()), topic=topic, error=error, agency=agency, since=since, until=until
    )
    at, who = installations.find(data), by or kept.who()
    known(service)

    def run(*, dry: bool) -> ReplayResult:
        with closing(_Counting()) as counting:
            work = replaying.replay(
                at, service, wanted, by=who, dry_run=dry, again=again, limit=limit, wait_s=wait, progress=counting.note
            )
            return asyncio.run(work)

    # Only a person can answer; a script that replays has decided already.
    if not (yes or dry_run or as_json) and sys.stdin.isatty():
        plan = run(dry=True)
        _tell(plan)
        if not plan.replayed or not typer.confirm(f"Replay {plan.replayed} letters?"):
            raise typer.Exit(1)
    report = run(dry=dry_run)
    if as_json:
        print_json(report.as_json())
    else:
        _tell(report)
    raise typer.Exit(1 if report.not_found else 0)


class _Counting:
    """Shows the progress to the person who waits."""

    def __init__(self) -> None:
        self._status = err.status("looking ...")
        self._status.start()

    def note(self, count: int) -> None:
        self._status.update(f"{count} letters ...")

    def close(self) -> None:
        self._status.stop()


def _tell(report: ReplayResult) -> None:
    verb = "would be replayed" if report.dry_run else "replayed"
    out.print(f"{report.found} letters found, {report.replayed} {verb}, {report.already} were replayed before")
    for (name, code), count in sorted(report.by_origin.items()):
        out.print(f"  {count:>6}  {code:<14} {name}", soft_wrap=True)
    for name, count in sorted(report.topic_missing.items()):
        out.print(f"  {count:>6}  not replayed: topic {name} stands no more", style="yellow", soft_wrap=True)
    if report.too_large:
        out.print(f"  {report.too_large:>6}  not replayed: larger than their topic takes", style="yellow")
    for one in report.not_found:
        out.print(f"  {one}: not found; letters are kept for 90 days", style="yellow")
    if report.dry_run:
        return
    out.print(f"since then: {report.taken} taken by {report.service}, {sum(report.dead_again.values())} dead again,"
              f" {report.waiting} not read yet")  # fmt: skip
    for code, count in sorted(report.dead_again.items()):
        out.print(f"  {count:>6}  dead again: {code}", style="yellow")
    out.print(f"on record as run {report.run} by {report.by}: payung dlq audit {report.service}", soft_wrap=True)
