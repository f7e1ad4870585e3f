"""One worker's premium for one month: inserted once, whoever pays (docs/rules.md#premiums).

The insert of the document is the last guard: a run that comes second finds the premium and gives its money back.
"""

from __future__ import annotations

from services.billing.domain import outcomes, rules
from services.billing.domain.state import Facts, Premium, Reference, Skip
from shared.contracts.base import PremiumLine
from shared.contracts.billing import PremiumBilled
from shared.contracts.billing_work import PAGE_MAX, PremiumSkipped, ReservedWorker, RunDrawn, StepReserved
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event, Routed
from shared.kernel.values import value


@value(frozen=True, slots=True)
class Reserved:
    """One worker of a reserved step: a row of the step, its number in the run, and the premium, which depends on the
    step alone."""

    step: StepReserved
    worker: ReservedWorker
    lines: list[PremiumLine]
    premium: Premium
    number: int


def parts(event: Event[StepReserved], reference: Reference) -> tuple[Routed, ...]:
    """One part per worker. Workers with the same price share their lines and their premium."""
    step = event.data
    priced = [(lines, _premium(step, lines)) for lines in step.prices]
    period = step.period
    # Pages are numbered from 1 in the order of the run, and hold at most PAGE_MAX workers.
    first = step.number * PAGE_MAX if isinstance(step, RunDrawn) else 0
    return tuple(
        Routed(
            Address("premiums", rules.premium_key(worker.worker_id, period)),
            Reserved(step, worker, *priced[worker.price], first + place),
        )
        for place, worker in enumerate(step.workers, start=1)
    )


def _premium(step: StepReserved, lines: list[PremiumLine]) -> Premium:
    cost = rules.drawn(lines)
    return Premium(
        run_id=step.run_id,
        invoice_id=step.invoice_id,
        regency=step.regency,
        funding=step.funding,
        jkk=cost.jkk,
        jkm=cost.jkm,
    )


def billed(state: None, event: Event[Reserved], facts: Facts) -> Decision[Premium]:
    """Bills the worker for the month."""
    part = event.data
    step, worker = part.step, part.worker
    # Not validated again: a run makes hundreds of thousands, from our own record that was validated when it was read.
    data = PremiumBilled.model_construct(
        worker_id=worker.worker_id,
        regency=step.regency,
        district=worker.district,
        village=worker.village,
        sector=worker.sector,
        sex=worker.sex,
        birth_month=worker.birth_month,
        income_base=worker.income_base,
        period=step.period,
        funding=step.funding,
        lines=part.lines,
        total=part.premium.jkk + part.premium.jkm,
        run_id=step.run_id,
        invoice_id=step.invoice_id,
        number=part.number,
    )
    return Decision(
        state=part.premium,
        outcomes=(Outcome(outcomes.EVENTS, worker.worker_id, "premium.billed.v1", data, worker.worker_id),),
    )


def billed_before(state: Premium, event: Event[Reserved], facts: Facts) -> Decision[Premium]:
    """Sends the run a step: another run has already billed the month."""
    part = event.data
    step = part.step
    skip = PremiumSkipped(
        run_id=step.run_id, worker_id=part.worker.worker_id, regency=step.regency, period=step.period, lines=part.lines
    )
    return Decision(state=state, outcomes=(outcomes.step("premium.skipped", step.regency, step.period, skip),))


def skipped(state: None, event: Event[PremiumSkipped], facts: Facts) -> Decision[Skip]:
    """Stores a premium that a run must get back, until the run counts it."""
    data = event.data
    by_programme = {line.programme: line for line in data.lines}
    jkk, jkm = by_programme.get("JKK"), by_programme.get("JKM")
    return Decision(
        state=Skip(
            run_id=data.run_id,
            jkk=jkk.amount if jkk else 0,
            jkk_rule=jkk.rule if jkk else "",
            jkm=jkm.amount if jkm else 0,
            jkm_rule=jkm.rule if jkm else "",
        )
    )
