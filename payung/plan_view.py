"""The plan of a billing run as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.kernel.money import rupiah

# Worker ids that a terminal shows; all that the plan names stand in its JSON.
IDS_SHOWN = 10


def show_plan(plan: Mapping[str, Any], out: Console) -> None:
    """Prints what the run would bill, and who would be left out: by district and reason, with what they would cost."""
    if plan["reasons"]:
        out.print(f"a run would be refused: {', '.join(plan['reasons'])}")
    out.print(f"{plan['regency']} {plan['period']} {plan['funding']}, verified on or before {plan['cutoff']}")
    out.print(f"would bill {plan['billed_workers']} of {plan['candidates']} workers, {rupiah(plan['total'])}")
    left, needed = plan["budget_left"], plan["needed"]
    out.print(f"needed: JKK {rupiah(needed['jkk'])}, JKM {rupiah(needed['jkm'])}")
    out.print(f"left then: JKK {rupiah(left['jkk'])}, JKM {rupiah(left['jkm'])}")
    if not plan["left_out"]:
        return
    table = Table("district", "not billed, reason", "workers", "would cost", box=None)
    for row in plan["left_out"]:
        table.add_row(
            row["district"], row["reason"], str(row["workers"]), rupiah(row["total"]) if row["total"] else "-"
        )
    out.print(table)
    named = plan["left_out_workers"]
    for one in named[:IDS_SHOWN]:
        out.print(f"  {one['worker_id']} {one['district']} {one['reason']}", highlight=False)
    if len(named) > IDS_SHOWN:
        out.print("  more worker ids: --json")
