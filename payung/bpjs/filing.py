"""`payung invoice participants`: writes the file of an invoice's participants in BPJS's columns.

Billing says how many workers the invoice has and what it costs; registration says who they are. The file appears only
when both agree: rows and workers who are left out are the workers of the invoice, and their premiums are its total.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from payung.bpjs.sinks import Add, Sink, sink_of
from payung.installations import CommandError, Installation
from shared.contracts.reasons import messages

LEFT_OUT = ("worker_id", "no_urut", "alasan", "keterangan", "keterangan_en", "rupiah")


@dataclass(slots=True)
class Filed:
    """What was written: rows for BPJS, workers left out by reason, and the premiums of both in rupiah."""

    invoice_id: str
    edition: str = ""
    paths: tuple[Path, ...] = ()
    rows: int = 0
    left_out: int = 0
    rupiah: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)


async def write_file(
    installation: Installation, invoice_id: str, out: Path, *, overwrite: bool = False, edition: str = ""
) -> Filed:
    """Writes the file, and beside a CSV file a second one with those who are left out. CommandError when it cannot."""
    sink = sink_of(out)
    if sink is None:
        raise CommandError(f"--out ends with .csv or .xlsx; got {out.name}")
    standing = [path for path in sink.paths if path.exists()]
    if standing and not overwrite:
        raise CommandError(f"{standing[0]} exists; --overwrite replaces it")
    invoice = (await installation.get("billing", f"/v1/invoices/{invoice_id}")).json()
    asked = {"decree": await _decree(installation, invoice), **({"edition": edition} if edition else {})}
    lines = installation.lines("registration", f"/v1/participants/{invoice_id}/file", **asked)
    try:
        filed = await fill(lines, sink, Filed(invoice_id))
        _agree(filed, invoice)
        sink.finish()
    finally:
        sink.drop()
    filed.paths = sink.paths
    return filed


async def _decree(installation: Installation, invoice: Mapping[str, Any]) -> str:
    """The decree of the budget from which the invoice is paid."""
    year = str(invoice["period"])[:4]
    answer = await installation.get("billing", "/v1/budgets", regency=invoice["regency"], year=year)
    found = (one["decree_no"] for one in answer.json()["budgets"] if one["funding"] == invoice["funding"])
    return str(next(found, ""))


async def fill(lines: AsyncIterator[str], sink: Sink, filed: Filed) -> Filed:
    """Writes every line; raises CommandError for a stream that broke off or that counts otherwise."""
    said: Any = None
    adds: tuple[Add, Add] | None = None
    async for text in lines:
        one = orjson.loads(text)
        if adds is None:
            filed.edition = one["edition"]
            adds = sink.begin(one["columns"], one["delimiter"], LEFT_OUT)
        elif "row" in one:
            adds[0](one["row"])
            filed.rows += 1
        elif "reasons" in one:
            adds[1](_left_out(one))
            filed.left_out += 1
            for reason in one["reasons"]:
                filed.by_reason[reason] = filed.by_reason.get(reason, 0) + 1
        else:
            said = one
    if said is None or (said["rows"], said["left_out"]) != (filed.rows, filed.left_out):
        raise CommandError("registration's answer is not whole; run it again")
    filed.rupiah = said["rupiah"]
    return filed


def _left_out(one: Mapping[str, Any]) -> tuple[str, ...]:
    reasons = one["reasons"]
    told = (messages(reasons, "id"), messages(reasons, "en"))
    return (one["worker_id"], str(one["number"]), " ".join(reasons), *told, str(one["rupiah"]))


def _agree(filed: Filed, invoice: Mapping[str, Any]) -> None:
    if filed.rows + filed.left_out != invoice["workers"] or filed.rupiah != invoice["total"]:
        raise CommandError(
            f"registration has {filed.rows} + {filed.left_out} workers over {filed.rupiah} rupiah, the invoice "
            f"{invoice['workers']} over {invoice['total']}; nothing is written. See `payung status`, then run it again"
        )
