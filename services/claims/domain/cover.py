"""What becomes known of cover: billed months, payments, complete runs; and whom that wakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.claims.domain import outcomes
from services.claims.domain.state import CompletedRun, Cover, Death, PaidInvoice, Wake
from shared.contracts.billing import PremiumBilled, PremiumPaid, RunCompleted
from shared.contracts.claims_work import DeathAnswered, ReserveDeath, WakeClaims
from shared.kernel.decision import Decision, Outcome


def billed(state: Cover | None, part: PremiumBilled) -> Decision[Any]:
    """A month of one worker; there is one premium a worker and month, so the first stands."""
    if state is not None:
        return Decision(state=state, ignored="already-billed")
    return Decision(
        state=Cover(
            worker_id=part.worker_id,
            period=part.period,
            regency=part.regency,
            district=part.district,
            sex=part.sex,
            run_id=part.run_id,
            invoice_id=part.invoice_id,
            base=part.income_base,
        )
    )


def paid(part: PremiumPaid) -> Decision[Any]:
    """An invoice is paid: saved first, then the waiting claims are looked for."""
    state = PaidInvoice(regency=part.regency, period=part.period, paid_on=part.paid_on)
    return Decision(state=state, outcomes=(_wake(part.regency, part.period),))


def completed(part: RunCompleted) -> Decision[Any]:
    """A run is complete: saved first, then the waiting claims are looked for."""
    state = CompletedRun(regency=part.regency, period=part.period, billed_workers=part.billed_workers)
    return Decision(state=state, outcomes=(_wake(part.regency, part.period),))


def woken(part: WakeClaims, waiting: Sequence[str]) -> Decision[Any]:
    """Each claim that waits for this month is looked at again."""
    return Decision(
        state=Wake(regency=part.regency, period=part.period),
        outcomes=tuple(outcomes.assess(claim) for claim in waiting),
    )


def reserved(state: Death | None, part: ReserveDeath) -> Decision[Any]:
    """The first claim gets the death, whoever claims it; asking again gives the same answer."""
    standing = state or Death(claim=part.claim)
    answer = DeathAnswered(worker_id=part.worker_id, claim=part.claim, granted=standing.claim == part.claim)
    return Decision(state=standing, outcomes=(outcomes.work(part.claim, "death.answered.v1", answer),))


def _wake(regency: str, period: str) -> Outcome:
    return outcomes.work(f"{regency}|{period}", "cover.wake.v1", WakeClaims(regency=regency, period=period))
