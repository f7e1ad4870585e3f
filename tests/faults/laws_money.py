"""The laws of money, checked on what was observed: billed once, paid once, every sum equals its parts. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from tests.faults.observed import Complaints, Event, Observed, distinct


def nobody_is_billed_twice(found: Observed) -> Complaints:
    """One premium per worker and period, both in the events and in the store."""
    billed: dict[str, set[str]] = defaultdict(set)
    for one in distinct(found, "billing-events", "premium.billed.v1"):
        billed[f"{one['data']['worker_id']}|{one['data']['period']}"].add(str(one["id"]))
    for key, ids in billed.items():
        if len(ids) > 1:
            yield f"{key} is billed by {len(ids)} events: {sorted(ids)}"
    if "billing" in found.documents:
        stored = {str(one["_id"]) for one in found.documents["billing"].get("premiums", ())}
        yield from (f"{key} is stored but no event says so" for key in stored - billed.keys())
        yield from (f"{key} is an event but not stored" for key in billed.keys() - stored)


def money_is_conserved(found: Observed) -> Complaints:
    """I3: a run equals its premiums, a payment its invoice, and a budget's ceiling its premiums and the rest."""
    by_run: dict[str, list[Event]] = defaultdict(list)
    by_budget: dict[tuple[str, int, str], Counter[str]] = defaultdict(Counter)
    for one in distinct(found, "billing-events", "premium.billed.v1"):
        data = one["data"]
        by_run[data["run_id"]].append(data)
        if sum(line["amount"] for line in data["lines"]) != data["total"]:
            yield f"premium {one['id']} does not add up"
        for line in data["lines"]:
            by_budget[data["regency"], int(data["period"][:4]), data["funding"]][line["programme"].lower()] += line[
                "amount"
            ]
    completed = distinct(found, "billing-events", "billing.run-completed.v1")
    for one in completed:
        data, premiums = one["data"], by_run.get(one["data"]["run_id"], [])
        counted = (len(premiums), sum(premium["total"] for premium in premiums))
        if counted != (data["billed_workers"], data["total"]):
            yield f"{data['run_id']} says {(data['billed_workers'], data['total'])}, its premiums say {counted}"
    for name in by_run.keys() - {one["data"]["run_id"] for one in completed}:
        yield f"{name} has premiums but never completed"
    totals = {one["data"]["invoice_id"]: one["data"] for one in completed}
    for one in distinct(found, "billing-events", "premium.paid.v1"):
        run = totals.get(one["data"]["invoice_id"], {})
        if (one["data"]["total"], one["data"]["workers"]) != (run.get("total"), run.get("billed_workers")):
            yield f"{one['data']['invoice_id']} was paid {one['data']['total']}, billed {run.get('total')}"
    yield from _budgets(found, by_budget)


def _budgets(found: Observed, spent: Mapping[tuple[str, int, str], Counter[str]]) -> Complaints:
    for stored in found.documents.get("billing", {}).get("budgets", ()):
        state = stored["state"]
        name = (str(state["regency"]), int(state["year"]), str(state["funding"]))
        ceilings, committed, reserved = (_amounts(state[key]) for key in ("ceilings", "committed", "reserved"))
        for account in ("jkk", "jkm"):
            billed = spent.get(name, Counter())[account]
            if committed.get(account, 0) != billed:
                yield f"budget {name}: {account} committed {committed.get(account)}, premiums sum to {billed}"
            if reserved.get(account, 0):
                yield f"budget {name}: {account} has {reserved[account]} set aside and no run is open"
            if ceilings and committed.get(account, 0) > ceilings.get(account, 0):
                yield f"budget {name}: {account} committed {committed[account]} of {ceilings.get(account)}"


def _amounts(accounts: Any) -> dict[str, int]:
    """Two accounts as stored: a mapping or a pair in the order JKK, JKM."""
    if accounts is None:
        return {}
    if isinstance(accounts, Mapping):
        return {str(name).lower(): int(value) for name, value in accounts.items()}
    return dict(zip(("jkk", "jkm"), map(int, accounts), strict=True))


def a_death_is_paid_once(found: Observed) -> Complaints:
    """One payment for a death, however many claim it, and whichever process dies while paying."""
    paid: dict[str, set[str]] = defaultdict(set)
    for one in distinct(found, "claims-events", "claim.paid.v1"):
        if one["data"]["kind"] == "jkm":
            paid[str(one["data"]["worker_id"])].add(str(one["id"]))
    yield from (f"the death of {worker} was paid {len(ids)} times" for worker, ids in paid.items() if len(ids) > 1)
