"""The commands `payung invoice participants|answers`; `filing` and `answering` do the work."""

from __future__ import annotations

import asyncio
import getpass
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from payung import installations
from payung.bpjs import answering, filing
from payung.options import AsJson, DataOption, moment
from payung.terminal import console
from shared.kernel.money import rupiah

out = console()
err = console(stderr=True)
InvoiceOption = Annotated[str, typer.Option(help="Invoice id")]


def participants(
    invoice: InvoiceOption,
    file: Annotated[Path, typer.Option("--out", help="FILE.csv or FILE.xlsx", dir_okay=False)],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    edition: Annotated[str, typer.Option(help="The form of BPJS's file; default the newest")] = "",
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Write an invoice's participants in BPJS's columns. The file holds personal data: only you can read it."""
    at = installations.find(data)
    with err.status("writing ..."):
        made = asyncio.run(filing.write_file(at, invoice, file, overwrite=overwrite, edition=edition))
    if as_json:
        _print_json(
            {
                "invoice_id": made.invoice_id,
                "edition": made.edition,
                "rows": made.rows,
                "left_out": made.left_out,
                "left_out_by_reason": made.by_reason,
                "rupiah": made.rupiah,
                "files": [str(path) for path in made.paths],
            }
        )
        return
    out.print(f"{made.rows} rows and {made.left_out} left out = {made.rows + made.left_out} workers of {invoice}")
    for reason, count in sorted(made.by_reason.items()):
        out.print(f"  left out, {reason}: {count}")
    out.print(f"premiums {rupiah(made.rupiah)} = the invoice's total")
    out.print(f"written in the form {made.edition}: {', '.join(map(str, made.paths))}", soft_wrap=True)


def answers(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="BPJS's answers: CSV, XLSX or JSONL.")],
    invoice: InvoiceOption,
    officer: Annotated[str, typer.Option(help="Who hands it in; default the user of this machine")] = "",
    answered_at: Annotated[
        str, typer.Option(help="When BPJS answered: YYYY-MM-DD or an instant; default the file's last change")
    ] = "",
    data: DataOption = None,
    as_json: AsJson = False,
) -> None:
    """Hand in BPJS's answers about the participants of an invoice; writes FILE.answers.csv."""
    who = officer.strip() or getpass.getuser()
    at = installations.find(data)
    with err.status("waiting for the answers ..."):
        result = asyncio.run(answering.hand_in(at, file, invoice, who, moment(answered_at or None, "--answered-at")))
    if as_json:
        _print_json({"rows": result.rows, "outcomes": result.by_outcome(), "answers": str(result.path)})
        return
    for text_id, text_en in result.notices:
        out.print(f"{text_id} ({text_en})", style="yellow", soft_wrap=True)
    out.print(f"{result.rows} rows read")
    for outcome, count in sorted(result.by_outcome().items()):
        out.print(f"  {outcome:<20} {count:>8}")
    out.print(f"answers: {result.path}", soft_wrap=True)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
