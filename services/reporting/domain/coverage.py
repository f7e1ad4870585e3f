"""The coverage report: counts by group, made from the tallies of the store. Pure.

Laws: every row is a sum of tallies, the totals are the sums of the rows, and no worker is in two rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from services.reporting.domain import rules
from services.reporting.domain.state import Budget, VerdictStatus
from shared.kernel.values import value

GroupBy = Literal["regency", "district", "village", "sector", "sex", "age"]
BYS: tuple[GroupBy, ...] = get_args(GroupBy)
AREAS: tuple[GroupBy, ...] = ("regency", "district", "village")
COUNTS = ("registered", "verified", "held", "rejected", "billed", "covered")
FIGURES = (*COUNTS, "target")

Row = dict[str, Any]
Tally = Sequence[Mapping[str, Any]]


@value(frozen=True, slots=True, kw_only=True)
class Tallies:
    """The store's counts: the field of the grouping, `count`, and `status` (identities) or `invoice_id` (premiums)."""

    registrations: Tally
    identities: Tally
    premiums: Tally
    paid_invoices: frozenset[str]
    budgets: Sequence[Budget]


def field_of(by: GroupBy) -> str:
    """The document field of a grouping; ages come from birth months."""
    return "birth_month" if by == "age" else by


def key_of(by: GroupBy) -> str:
    """The name of a row's key in the report."""
    return "area" if by in AREAS else by


def assemble(
    by: GroupBy, period: str | None, tallies: Tallies, groups: Sequence[str], name: Callable[[str], str]
) -> tuple[list[Row], Row]:
    """The rows (every known group in order, then further groups from the store) and their totals."""
    counts: dict[str, dict[str, int]] = {group: dict.fromkeys(COUNTS, 0) for group in groups}

    def add(value: Any, figure: str, count: int) -> None:
        group = _group(by, value, period)
        counts.setdefault(group, dict.fromkeys(COUNTS, 0))[figure] += count

    field = field_of(by)
    for row in tallies.registrations:
        add(row[field], "registered", row["count"])
    for row in tallies.identities:
        if row["status"] in _COUNTED_VERDICTS:
            add(row[field], row["status"], row["count"])
    for row in tallies.premiums:
        add(row[field], "billed", row["count"])
        if row["invoice_id"] in tallies.paid_invoices:
            add(row[field], "covered", row["count"])
    targets = _targets(by, tallies.budgets)
    known = set(groups)
    ordered = [*groups, *sorted(group for group in counts if group not in known)]
    rows = [
        {key_of(by): group, "name": name(group), **counts[group], "target": targets.get(group)} for group in ordered
    ]
    return rows, _totals(rows, tallies.budgets)


def by_regency(tallies: Tallies) -> Tallies:
    """The same counts by regency instead of district. A district's code begins with its regency's code."""

    def lifted(rows: Tally) -> Tally:
        return [{**row, "regency": str(row["district"])[:5]} for row in rows]

    return replace(
        tallies,
        registrations=lifted(tallies.registrations),
        identities=lifted(tallies.identities),
        premiums=lifted(tallies.premiums),
    )


_COUNTED_VERDICTS = frozenset({VerdictStatus.VERIFIED.value, VerdictStatus.HELD.value, VerdictStatus.REJECTED.value})


def _group(by: GroupBy, value: Any, period: str | None) -> str:
    if by == "age":
        return rules.age_band(value, period) if period is not None else rules.UNKNOWN
    return rules.UNKNOWN if value is None else str(value)


def _targets(by: GroupBy, budgets: Iterable[Budget]) -> dict[str, int]:
    """Targets add up over funders, because each funder pays for its own workers."""
    targets: dict[str, int] = {}
    for budget in budgets:
        stated = budget.targets if by == "district" else ((budget.regency, budget.target_workers),)
        for code, workers in stated if by in ("district", "regency") else ():
            targets[code] = targets.get(code, 0) + workers
    return {code: workers for code, workers in targets.items() if workers > 0}


def _totals(rows: Sequence[Row], budgets: Sequence[Budget]) -> Row:
    totals: Row = {figure: sum(row[figure] for row in rows) for figure in COUNTS}
    stated = [row["target"] for row in rows if row["target"] is not None]
    if stated and len(stated) == len(rows):
        target = sum(stated)
    else:
        # The targets of a few districts are not the target of the regency; the decree states that one itself.
        target = sum(budget.target_workers for budget in budgets) or sum(stated)
    return {**totals, "target": target or None}
