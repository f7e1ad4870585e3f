"""Compares the dashboard's figures with the events on Kafka. Counts by itself and shares no code with the services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from payung import publish, wire
from payung.installations import Installation
from shared.contracts import topics
from shared.kernel.calendar import business_day, period_of
from shared.runtime import clock

# The topic's end was read before. A second of silence after that means that everything was read.
QUIET_S = 5.0


@dataclass(frozen=True, slots=True)
class AuditedFigure:
    """One figure: counted from the events, and as reported."""

    what: str
    counted: int
    reported: int

    @property
    def good(self) -> bool:
        """Whether both are equal."""
        return self.counted == self.reported


@dataclass(frozen=True, slots=True)
class AuditResult:
    """All checks, and the benefits paid."""

    checks: tuple[AuditedFigure, ...]
    benefits: int


async def events(at: Installation, topic: str) -> AsyncIterator[dict[str, Any]]:
    """Every distinct event of a topic up to its present end, by source and id."""
    async with wire.reader(at) as consumer:
        ends = await wire.ends(at, consumer, [topic])
        left = {partition: end for partition, end in ends.items() if end > 0}
        if not left:
            return
        seen: set[tuple[str, str]] = set()
        consumer.assign(list(left))
        await consumer.seek_to_beginning()
        while left:
            batches = await consumer.getmany(timeout_ms=int(QUIET_S * 1000), max_records=10_000)
            for partition, records in batches.items():
                for record in records:
                    one = wire.decoded(record.value)
                    if one is None:
                        continue
                    name = (one["source"], one["id"])
                    if name not in seen:
                        seen.add(name)
                        yield one
                if records and partition in left and records[-1].offset + 1 >= left[partition]:
                    del left[partition]


async def billed_workers(at: Installation, period: str) -> set[str]:
    """The workers billed for a period."""
    return {
        one["data"]["worker_id"]
        async for one in events(at, topics.events("billing"))
        if one["type"] == "premium.billed.v1" and one["data"]["period"] == period
    }


async def claim_stages(at: Installation) -> dict[tuple[str, str], str]:
    """The last stage of each claim: registered, held, approved, paid, rejected."""
    last: dict[tuple[str, str], tuple[int, str]] = {}
    async for one in events(at, topics.events("claims")):
        kind, data = one["type"], one["data"]
        if not kind.startswith("claim.") or ".refused." in kind or data.get("claim_no") is None:
            continue
        name = (data["agency"], data["claim_no"])
        found = (one["sequence"], kind.split(".")[1])
        if name not in last or found[0] >= last[name][0]:
            last[name] = found
    return {name: stage for name, (_, stage) in last.items()}


async def awaiting_officer(at: Installation) -> set[tuple[str, str]]:
    """(claim_no, agency) of claims that an officer must decide."""
    return {
        (one["data"]["claim_no"], one["data"]["agency"])
        async for one in events(at, topics.events("claims"))
        if one["type"] == "claim.held.v1" and "awaiting-officer" in one["data"]["reasons"]
    }


async def audit(
    at: Installation,
    regency: str,
    published: Sequence[publish.Published],
    runs: Sequence[Mapping[str, Any]],
    payments: Sequence[Mapping[str, Any]],
    periods: Sequence[str],
) -> AuditResult:
    """Counts from the events and asks the dashboard for the same."""
    checks = [
        AuditedFigure(
            f"baris {one.run.agency} terjawab (rows answered)",
            sum(count for outcome, count in one.by_outcome().items() if outcome),
            one.rows,
        )
        for one in published
    ]
    # Ask for the current month. A month that ended since the demo began would show what was known at its end.
    now = period_of(business_day(clock.now()))
    coverage = (await at.get("reporting", "/v1/coverage", regency=regency, period=now, format="json")).json()
    totals = coverage["totals"]
    registered, verdicts = await _people(at, regency)
    checks.append(AuditedFigure("pekerja terdaftar (registered)", len(registered), totals["registered"]))
    for status in ("verified", "held", "rejected"):
        counted = sum(1 for one in verdicts.values() if one == status)
        checks.append(AuditedFigure(f"identitas {status}", counted, totals[status]))
    premiums = await _premiums(at, regency)
    for run in runs:
        name, period = run["run_id"], run["period"]
        billed = len(premiums.workers.get(name, ()))
        checks.append(AuditedFigure(f"pekerja ditagih {period} (billed)", billed, run["billed_workers"]))
        checks.append(AuditedFigure(f"iuran {period} (premiums, Rp)", premiums.amounts.get(name, 0), run["total"]))
        checks.append(
            AuditedFigure(f"baris iuran {period} (lines, Rp)", sum(x["amount"] for x in run["lines"]), run["total"])
        )
    ours = {one["invoice_id"] for one in payments}
    checks.append(AuditedFigure("tagihan lunas (invoices paid)", len(ours & premiums.paid), len(ours)))
    for period in periods:
        report = (await at.get("reporting", "/v1/coverage", regency=regency, period=period, format="json")).json()
        counted = premiums.covered(period)
        checks.append(AuditedFigure(f"terlindungi {period} (covered)", counted, report["totals"]["covered"]))
    benefits = await _benefits(at)
    claims = (await at.get("reporting", "/v1/claims", regency=regency, format="json")).json()
    checks.append(AuditedFigure("manfaat dibayar (benefits, Rp)", benefits, claims["totals"]["paid"]))
    return AuditResult(tuple(checks), benefits)


async def _people(at: Installation, regency: str) -> tuple[set[str], dict[str, str]]:
    registered: set[str] = set()
    async for one in events(at, topics.events("registration")):
        if one["type"] == "worker.registered.v1" and one["data"]["regency"] == regency:
            registered.add(one["data"]["worker_id"])
        elif one["type"] == "worker.withdrawn.v1":
            registered.discard(one["data"]["worker_id"])
    verdicts: dict[str, tuple[int, str]] = {}
    async for one in events(at, topics.events("verification")):
        data = one["data"]
        status = one["type"].split(".")[1]
        if data.get("regency") != regency or status not in ("verified", "held", "rejected", "ended"):
            continue
        if one["sequence"] >= verdicts.get(data["worker_id"], (0, ""))[0]:
            verdicts[data["worker_id"]] = (one["sequence"], status)
    return registered, {worker: status for worker, (_, status) in verdicts.items()}


@dataclass(slots=True)
class Premiums:
    """The premiums and payments of a regency, from billing's events. The folder may hold an earlier demo: its runs and
    payments count too, as they do on the dashboard.

    By run: `workers` and `amounts` (rupiah), and `runs`: its period and invoice. `paid`: the invoices that are paid.
    """

    regency: str
    workers: dict[str, set[str]] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    runs: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    paid: set[str] = field(default_factory=set)

    def see(self, event: Mapping[str, Any]) -> None:
        """Counts one event."""
        kind, data = event["type"], event["data"]
        if data.get("regency") != self.regency:
            return
        if kind == "premium.billed.v1":
            run = data["run_id"]
            self.workers.setdefault(run, set()).add(data["worker_id"])
            self.amounts[run] = self.amounts.get(run, 0) + data["total"]
        elif kind == "billing.run-completed.v1":
            self.runs[data["run_id"]] = (data["period"], data["invoice_id"])
        elif kind == "premium.paid.v1":
            self.paid.add(data["invoice_id"])

    def covered(self, period: str) -> int:
        """How many workers have a paid premium of a period."""
        paid = [run for run, (of, invoice) in self.runs.items() if of == period and invoice in self.paid]
        return len(set[str]().union(*(self.workers.get(run, set()) for run in paid)))


async def _premiums(at: Installation, regency: str) -> Premiums:
    found = Premiums(regency)
    async for one in events(at, topics.events("billing")):
        found.see(one)
    return found


async def _benefits(at: Installation) -> int:
    return sum(
        [one["data"]["total"] async for one in events(at, topics.events("claims")) if one["type"] == "claim.paid.v1"]
    )
