"""What billing says of cover: premiums by worker and month, paid invoices, closed runs; and whom such news wakes.

Each is inserted once, from its event alone. News of a month is saved first and only then looks for claims that wait.
"""

from __future__ import annotations

from services.claims.domain import outcomes, wakes
from services.claims.domain.state import CompletedRun, Cover, Facts, PaidInvoice
from shared.contracts.billing import PremiumBilled, PremiumPaid, RunCompleted
from shared.contracts.claims_work import WakeCover
from shared.kernel.decision import Decision, Outcome
from shared.kernel.event import Event

KNOWN = "already-known"


def billed(state: Cover | None, event: Event, facts: Facts) -> Decision[Cover]:
    """Notes a premium. Billing bills a worker's month once, so a second one changes nothing."""
    if state is not None:
        return Decision(state=None, ignored=KNOWN)
    data: PremiumBilled = event.data
    return Decision(
        state=Cover(data.regency, data.district, data.sex, data.funding, data.income_base, data.run_id, data.invoice_id)
    )


def paid(state: PaidInvoice | None, event: Event, facts: Facts) -> Decision[PaidInvoice]:
    """Notes a payment, then wakes who waits for its month."""
    if state is not None:
        return Decision(state=None, ignored=KNOWN)
    data: PremiumPaid = event.data
    wake = WakeCover(collection="invoices", id=data.invoice_id, regency=data.regency, period=data.period)
    return Decision(state=PaidInvoice(data.regency, data.period, data.paid_on), outcomes=(_wake(wake),))


def completed(state: CompletedRun | None, event: Event, facts: Facts) -> Decision[CompletedRun]:
    """Notes a closed run, then wakes who waits for its month."""
    if state is not None:
        return Decision(state=None, ignored=KNOWN)
    data: RunCompleted = event.data
    wake = WakeCover(collection="runs", id=data.run_id, regency=data.regency, period=data.period)
    run = CompletedRun(month_key(data.regency, data.period), data.billed_workers)
    return Decision(state=run, outcomes=(_wake(wake),))


def woken(state: PaidInvoice | CompletedRun | None, event: Event, facts: Facts) -> Decision[PaidInvoice | CompletedRun]:
    """Asks for a look at every claim that waits for the month."""
    wake: WakeCover = event.data
    found = facts.waiting.get((wake.collection, wake.id, wake.after), ())
    return wakes.woken(state, found, lambda last: _wake(wake.model_copy(update={"after": last})))


def month_key(regency: str, period: str) -> str:
    """A month of a regency, as runs and waiting claims name it."""
    return f"{regency}|{period}"


def _wake(wake: WakeCover) -> Outcome:
    return Outcome(outcomes.WORK, wake.id, "cover.wake", wake)
