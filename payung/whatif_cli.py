"""The command `payung budget what-if`; `payung.whatif` asks, `payung.whatif_view` shows."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from payung import installations, whatif, whatif_view
from payung.installations import CommandError
from payung.options import DataOption
from payung.terminal import console

FORMATS = ("table", "json", "csv", "xlsx")
_out = console()


def what_if(
    regency: Annotated[str, typer.Option(help="Kemendagri code, e.g. 64.08")],
    year: Annotated[int, typer.Option(min=2000, max=2999)],
    funding: Annotated[str, typer.Option(help="apbd-regency, apbd-province, self or csr")] = "apbd-regency",
    cut: Annotated[str | None, typer.Option(help="Both ceilings less a part, e.g. 20%")] = None,
    jkk: Annotated[str | None, typer.Option(help="Another ceiling of the JKK account, rupiah")] = None,
    jkm: Annotated[str | None, typer.Option(help="Another ceiling of the JKM account, rupiah")] = None,
    workers: Annotated[str | None, typer.Option(help="+2000 or -500 more or fewer, 95000 in all")] = None,
    rate_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A table as for `payung rates load`; not loaded")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First month, YYYY-MM; default after the latest billed one")
    ] = None,
    save: Annotated[str | None, typer.Option(help="Keep it as a scenario of this name")] = None,
    compare: Annotated[
        list[str] | None, typer.Option(help="A saved scenario beside it; may be repeated", show_default=False)
    ] = None,
    format_: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "table",
    data: DataOption = None,
) -> None:
    """Who keeps cover until December under another budget, number of workers or rates. Changes nothing."""
    if format_ not in FORMATS:
        raise CommandError(f"--format: {', '.join(FORMATS)}")
    if format_ == "xlsx" and sys.stdout.isatty():
        raise CommandError("tulis buku kerja ke berkas: ... --format xlsx > BERKAS.xlsx")
    given = {"regency": regency, "year": str(year), "funding": funding, "from": first, "cut": cut}
    given |= {"jkk": jkk, "jkm": jkm, "workers": workers, "save": save}
    _write(asyncio.run(whatif.ask(installations.find(data), given, compare or [], rate_file)), format_)


def _write(answer: dict[str, Any], format_: str) -> None:
    if format_ == "table":
        whatif_view.show(answer, _out)
        return
    if format_ == "json":
        sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")
        return
    made = whatif_view.as_csv(answer) if format_ == "csv" else whatif_view.as_xlsx(answer)
    sys.stdout.buffer.write(made)
    sys.stdout.flush()
