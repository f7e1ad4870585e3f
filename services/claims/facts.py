"""What claims' decisions look up in their own store: the cover of the assessed workers, and the claims to wake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.claims.domain import covers
from services.claims.domain.covers import InvoiceWake, RunWake
from services.claims.domain.forms import Unplaced
from services.claims.domain.state import (
    Claim,
    ClaimStatus,
    CompletedRun,
    Cover,
    CoverHistory,
    Entitlement,
    Facts,
    PaidInvoice,
    Reference,
    RunsKnown,
)
from services.claims.domain.wakes import WAKE_MAX
from services.claims.settings import Settings
from shared.contracts.claims_work import AssessClaim, WakeCover, WakeWorker
from shared.kernel.event import Event, Routed
from shared.persons.facts import persons
from shared.persons.links import Persons
from shared.reference import rates
from shared.reference.rates import Editions
from shared.runtime.ports import Reader
from shared.runtime.store import editions

# The number of workers whose months are read at once; each has at most one premium a month since July 2015.
WORKERS_AT_ONCE = 50
MONTHS_MAX = 300


async def reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """The rates as the product ships them, the key of worker ids, and the settings."""
    settings = Settings.from_environment(environ)
    return Reference(rates.load(), settings.id_key, settings.bpjs_url, settings.officer_above)


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> Facts:
    """Looks up the standings for this batch's assessed claims, and the waiting claims for the months that wake them."""
    steps = {event.id: event.data for _, event in routed if isinstance(event.data, AssessClaim)}
    wakes = {event.name: event.data for _, event in routed if isinstance(event.data, WakeWorker)}
    waiting: dict[tuple[str, str, str], tuple[tuple[str, Claim], ...]] = {}
    for _, event in routed:
        data = event.data
        if isinstance(data, InvoiceWake | RunWake):
            wake = data.wake
            waiting[wake.collection, wake.id, wake.after] = await _waiting(reader, wake)
    named = await _named(reader, [event.data for _, event in routed if isinstance(event.data, Unplaced)])
    if not (steps or wakes):
        return Facts(reference, waiting=waiting, named=named)
    touched = [worker for wake in wakes.values() for worker in (wake.worker_id, *wake.others)]
    workers = {name: step.worker_id for name, step in steps.items()}
    known = await persons(reader, (*workers.values(), *touched))
    held = await _entitlements(reader, {name: known.group(step.worker_id) for name, step in steps.items()})
    return Facts(
        reference,
        await editions.load(reader) if steps else Editions(),
        await standings(reader, steps, known) if steps else {},
        waiting,
        {name: known.who(worker) for name, worker in workers.items()},
        {name: await _open_claims(reader, wake, known) for name, wake in wakes.items()},
        named,
        held,
    )


async def _named(reader: Reader, decisions: Iterable[Unplaced]) -> dict[tuple[str, str], tuple[str, ...]]:
    """The regencies with a claim of each decision's agency and number."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for one in decisions:
        key = one.sender.agency, one.claim_no
        if key in found:
            continue
        where = {
            "state.claim_no": one.claim_no,
            "state.agency": one.sender.agency,
            "state.status": {"$ne": ClaimStatus.UNKNOWN.value},
        }
        claims = await reader.find("claims", where, order=("_id",), limit=2)
        found[key] = tuple(claim.regency for _, claim in claims)
    return found


async def _entitlements(reader: Reader, groups: Mapping[str, frozenset[str]]) -> dict[str, dict[str, Entitlement]]:
    """What claims took of each person, by step and worker number; empty for a number from which nothing was taken."""
    numbers = sorted({number for group in groups.values() for number in group})
    found: Mapping[str, Entitlement] = await reader.states("deaths", numbers) if numbers else {}
    return {name: {number: found.get(number, Entitlement()) for number in group} for name, group in groups.items()}


async def _open_claims(reader: Reader, wake: WakeWorker, known: Persons) -> tuple[tuple[str, Claim], ...]:
    workers = {one for worker in (wake.worker_id, *wake.others) for one in known.group(worker)}
    where = {
        "state.form.worker_id": {"$in": sorted(workers)},
        "state.status": {"$in": [ClaimStatus.REGISTERED.value, ClaimStatus.HELD.value]},
        "_id": {"$gt": wake.after},
    }
    return tuple(await reader.find("claims", where, order=("_id",), limit=WAKE_MAX))


async def standings(reader: Reader, steps: Mapping[str, AssessClaim], known: Persons) -> dict[str, CoverHistory]:
    """What is known of each step's worker and month, by the step's name. A merged worker's months count as the
    person's.
    """
    of_worker = await _covers(reader, steps.values(), known)
    invoices: dict[str, PaidInvoice] = await reader.states(
        "invoices", list({cover.invoice_id for months in of_worker.values() for cover in months.values()})
    )
    paid_on = {key: invoice.paid_on for key, invoice in invoices.items()}
    runs: dict[str, RunsKnown] = {}
    result = {}
    for name, step in steps.items():
        period = step.event_date[:7]
        months: dict[str, Cover] = {}
        # A later assignment wins: so the worker who stayed replaces the merged one, and a paid month replaces an unpaid
        # one.
        who = known.who(step.worker_id)
        for worker in sorted(known.group(step.worker_id), key=lambda one: (one == who, one)):
            for month, cover in of_worker.get(worker, {}).items():
                standing = months.get(month)
                if month <= period and (
                    standing is None or cover.invoice_id in paid_on or standing.invoice_id not in paid_on
                ):
                    months[month] = cover
        runs_known = RunsKnown.NONE
        if period not in months:
            # Whether the month is fully known matters only for a worker without a premium in it.
            month = covers.month_key(step.regency, period)
            if month not in runs:
                runs[month] = await _runs_known(reader, month)
            runs_known = runs[month]
        here = {cover.invoice_id for cover in months.values()}
        result[name] = CoverHistory(months, {key: day for key, day in paid_on.items() if key in here}, runs_known)
    return result


async def _covers(reader: Reader, steps: Iterable[AssessClaim], known: Persons) -> dict[str, dict[str, Cover]]:
    last: dict[str, str] = {}
    for step in steps:
        for one in known.group(step.worker_id):
            last[one] = max(last.get(one, ""), step.event_date[:7])
    workers = list(last.items())
    found: dict[str, dict[str, Cover]] = {}
    for start in range(0, len(workers), WORKERS_AT_ONCE):
        ranges = [
            {"_id": {"$gte": f"{worker}|", "$lte": f"{worker}|{period}"}}
            for worker, period in workers[start : start + WORKERS_AT_ONCE]
        ]
        for key, cover in await reader.find("covers", {"$or": ranges}, limit=WORKERS_AT_ONCE * MONTHS_MAX):
            worker, _, month = key.partition("|")
            found.setdefault(worker, {})[month] = cover
    return found


async def _runs_known(reader: Reader, month: str) -> RunsKnown:
    """FULLY: for every closed run of the month, as many premiums are here as the run billed."""
    runs: list[tuple[str, CompletedRun]] = await reader.find("runs", {"state.month": month})
    if not runs:
        return RunsKnown.NONE
    for run_id, run in runs:
        if run.billed_workers > 0 and await reader.count("covers", {"state.run_id": run_id}) < run.billed_workers:
            return RunsKnown.PARTLY
    return RunsKnown.FULLY


async def _waiting(reader: Reader, wake: WakeCover) -> tuple[tuple[str, Claim], ...]:
    waiting = {"state.waiting": covers.month_key(wake.regency, wake.period)}
    # A month affects claims of its own and of later months; it does not belong to the row of an earlier month.
    following = {"state.follows_cover": True, "state.form.event_date": {"$gte": f"{wake.period}-01"}}
    where = {"$or": [waiting, following], "_id": {"$gt": wake.after}}
    return tuple(await reader.find("claims", where, order=("_id",), limit=WAKE_MAX))
