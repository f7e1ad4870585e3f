"""What billing published about cover: premiums by worker and month, paid invoices, closed runs; and the claims that
these events wake.

Each document is inserted once, from its event alone. An event about a month is saved first; only then are waiting
claims looked up.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from services.claims.domain import outcomes, wakes
from services.claims.domain.state import CompletedRun, Cover, Facts, PaidInvoice
from shared.contracts.billing import PremiumBilled, PremiumPaid, RunCompleted
from shared.contracts.claims_work import WakeCover
from shared.kernel.decision import Address, Decision, Due, Outcome
from shared.kernel.event import Event, Routed
from shared.kernel.values import value

S = TypeVar("S", PaidInvoice, CompletedRun)

KNOWN = "already-known"
PREMIUMS = "await-premiums"
# The delay of the first look for a run's premiums; the shell's own backoff spaces later looks.
LOOK_AFTER = timedelta(seconds=1)


@value(frozen=True, slots=True)
class InvoiceWake:
    """`cover.wake` of a paid invoice."""

    wake: WakeCover


@value(frozen=True, slots=True)
class RunWake:
    """`cover.wake` of a closed run."""

    wake: WakeCover


def billed(state: None, event: Event[PremiumBilled], facts: Facts) -> Decision[Cover]:
    """Notes a premium. Billing bills a worker's month once, so a second premium changes nothing."""
    data = event.data
    return Decision(
        state=Cover(data.regency, data.district, data.sex, data.funding, data.income_base, data.run_id, data.invoice_id)
    )


def paid(state: None, event: Event[PremiumPaid], facts: Facts) -> Decision[PaidInvoice]:
    """Notes a payment, then wakes the claims that wait for its month."""
    data = event.data
    wake = WakeCover(collection="invoices", id=data.invoice_id, regency=data.regency, period=data.period)
    return Decision(state=PaidInvoice(data.regency, data.period, data.paid_on), outcomes=(_wake(wake),))


def completed(state: None, event: Event[RunCompleted], facts: Facts) -> Decision[CompletedRun]:
    """Notes a closed run, then wakes the claims that wait for its month; again once all its premiums are here."""
    data = event.data
    wake = WakeCover(collection="runs", id=data.run_id, regency=data.regency, period=data.period)
    run = CompletedRun(
        month_key(data.regency, data.period),
        data.billed_workers,
        seen=data.billed_workers == 0,
        correlation=event.correlation_id or event.id,
    )
    return Decision(state=run, outcomes=(_wake(wake),), due=_due_of(data.run_id, run, event.at))


def parts(event: Event[WakeCover], reference: object) -> tuple[Routed, ...]:
    """The document whose events wake claims: an invoice or a run."""
    wake = event.data
    part = RunWake(wake) if wake.collection == "runs" else InvoiceWake(wake)
    return (Routed(Address(wake.collection, wake.id), part),)


def invoice_wakes_claims(state: PaidInvoice, event: Event[InvoiceWake], facts: Facts) -> Decision[PaidInvoice]:
    """Asks for a look at every claim that waits for the month."""
    return _wake_claims(state, event.data.wake, facts)


def run_wakes_claims(state: CompletedRun, event: Event[RunWake], facts: Facts) -> Decision[CompletedRun]:
    """Asks for a look at every claim that waits for the month; notes when every premium of the run is here."""
    wake = event.data.wake
    run = replace(state, seen=True) if wake.complete else state
    return replace(_wake_claims(run, wake, facts), due=_due_of(wake.id, run, event.at))


def _wake_claims(state: S, wake: WakeCover, facts: Facts) -> Decision[S]:
    found = facts.waiting.get((wake.collection, wake.id, wake.after), ())
    return wakes.wake_claims(state, found, lambda last: _wake(wake.model_copy(update={"after": last})))


def all_here(run_id: str, run: CompletedRun) -> WakeCover:
    """The step when every premium of a run is here: claims that saw only some of them are looked at again."""
    regency, period = run.month.split("|")
    return WakeCover(collection="runs", id=run_id, regency=regency, period=period, complete=True)


def _due_of(run_id: str, state: CompletedRun, at: datetime) -> Due | None:
    """A run whose premiums may still be arriving is checked until all are here."""
    if state.seen:
        return None
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:payung:claims:{PREMIUMS}|{run_id}"))
    return Due(name, PREMIUMS, at + LOOK_AFTER, {"correlation_id": state.correlation})


def month_key(regency: str, period: str) -> str:
    """The key of a regency's month, as runs and waiting claims use it."""
    return f"{regency}|{period}"


def _wake(wake: WakeCover) -> Outcome:
    return Outcome(outcomes.WORK, wake.id, "cover.wake", wake)
