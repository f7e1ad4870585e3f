"""One billing run: page by page through its candidates in priority order, as far as its money reaches.

Theory of operation
run.requested waits (due work `catch-up`) until every verdict published before the command is counted and the budget is
free -> run.start and run.funded set the money aside -> run.step draws the first page: one record, run.drawn, names the
workers whose money is reserved and the run's figures after them; taking it draws the next page -> run.settle and
run.closing pass through the work topic behind every `premium.skipped` of the run (same key and partition, so those
arrive first); run.counting does it once more, so that those are saved before they are counted -> run.counted carries
the result of the count -> run.released.

The result of a page or of a count is first written to the log (run.drawn, run.counted) and only then changes the run. A
store that was restored from an older copy may find another result when it decides again. The first record under a name
stays valid (`ServiceSpec.first_only`), so run, premiums, budget and invoice still agree.

When another funder's run billed a worker first, the money comes back. If workers were missed for lack of money, the run
then continues where it stopped. If the money does not suffice for that, the run asks its budget for what the missed
workers cost (run.more, answered by run.funded) before it closes. Each such round passes at least one worker, or is the
last one, so it ends.

Invariants
* billed and lines are the sum over the workers named in steps, minus the skipped ones.
* left + drawn(lines) equals what the budget set aside: no money is lost or created at any step.
* Priority order: once a worker was missed, no later worker is billed, unless the run continues from the stop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple, cast

from services.billing.domain import eligibility, outcomes, rules
from services.billing.domain.state import NOTHING, Accounts, Enrolment, Facts, Page, Run, RunStatus, Skipped, Stop
from shared.contracts.base import PremiumLine, Sector, Sex
from shared.contracts.billing_work import (
    DrawnStop,
    ReservedWorker,
    RunClosing,
    RunCounted,
    RunCounting,
    RunDrawn,
    RunFunded,
    RunMore,
    RunPage,
    RunReleased,
    RunRequested,
    RunSettle,
    RunStart,
    RunStep,
)
from shared.contracts.reasons import Reason
from shared.kernel.decision import Decision, Due, Outcome
from shared.kernel.event import Event
from shared.kernel.values import value
from shared.reference.rates import Rates

CATCH_UP = "catch-up"
STALE = "stale-step"


def requested(state: None, event: Event[RunRequested], facts: Facts) -> Decision[Run]:
    """Opens the run; it starts when its wait is over."""
    data = event.data
    run = Run(
        run_id=data.run_id,
        invoice_id=data.invoice_id,
        regency=data.regency,
        period=data.period,
        funding=data.funding,
        cutoff=data.cutoff,
        due_date=data.due_date,
        requested_at=event.at.isoformat(),
    )
    return Decision(state=run, due=wait(run, event))


def wait(run: Run, event: Event) -> Due | None:
    """The due work of a run that has not started."""
    if run.status is not RunStatus.WAITING:
        return None
    return Due(f"{run.run_id}|{CATCH_UP}", CATCH_UP, event.at, {"correlation_id": event.correlation_id or event.id})


def start_of(run: Run, candidates: Iterable[tuple[int, str, int]], rates: Rates) -> RunStart:
    """The event that ends a run's wait, with what all its candidates would cost: the most that the run can need.

    `candidates` are groups with one price: income base, sector, number of workers. Workers who turn out to be billed
    already or not of age are counted too; their money comes back at the close.
    """
    needed = NOTHING
    for income, sector, count in candidates:
        _, price = rules.price_of(rates, run.funding, income, sector, run.period)
        needed = needed + Accounts(price.jkk * count, price.jkm * count)
    return RunStart(**_named(run), jkk=needed.jkk, jkm=needed.jkm)


def funded(state: Run, event: Event[RunFunded], facts: Facts) -> Decision[Run]:
    """Takes the money and asks for the first page."""
    run = replace(state, status=RunStatus.RUNNING, left=Accounts(event.data.jkk, event.data.jkm), step=1)
    return Decision(state=run, outcomes=(_next_page(run),))


def answered(state: Run, event: Event[RunFunded], facts: Facts) -> Decision[Run]:
    """Continues with what its budget still had for it, or counts again for the close."""
    left = state.left + Accounts(event.data.jkk, event.data.jkm)
    run = replace(state, status=RunStatus.RUNNING, left=left)
    if run.stop is not None and run.left.carries(run.stop.price):
        return _continued(run, run.stop)
    # Counted anew for the close: money may have come back from other funders while the run asked.
    return Decision(state=replace(run, asked=True), outcomes=(_step("run.counting", run, RunCounting(**_named(run))),))


def _continued(run: Run, stop: Stop) -> Decision[Run]:
    """The run continues from its stop, and forgets what it counted behind the stop."""
    again = replace(
        run,
        cursor=stop.cursor,
        already=stop.already,
        barred=dict(stop.barred),
        missed=0,
        short=NOTHING,
        stop=None,
        asked=False,
        step=run.step + 1,
    )
    return Decision(state=again, outcomes=(_next_page(again),))


def stepped(state: Run, event: Event[RunPage], facts: Facts) -> Decision[Run]:
    """Draws the first page: reserves money, and counts the workers it did not reach."""
    if event.data.number != state.step:
        return Decision(state=state, ignored=STALE)
    return Decision(state=state, outcomes=_page(state, facts))


def drawn(state: Run, event: Event[RunDrawn], facts: Facts) -> Decision[Run]:
    """Takes the figures of a drawn page, and draws the next page or settles."""
    data = event.data
    if data.number != state.step:
        return Decision(state=state, ignored=STALE)
    stop = data.stop
    run = replace(
        state,
        edition=data.edition,
        left=Accounts(data.jkk, data.jkm),
        cursor=data.cursor,
        step=data.number + 1,
        billed=data.billed,
        lines=tuple(data.lines),
        already=data.already,
        barred=dict(data.barred),
        missed=data.missed,
        short=Accounts(data.missed_jkk, data.missed_jkm),
        stop=None if stop is None else _stop_of(stop),
    )
    if data.last:
        return Decision(state=run, outcomes=(_step("run.settle", run, RunSettle(**_named(run))),))
    return Decision(state=run, outcomes=_page(run, facts))


def _stop_of(said: DrawnStop) -> Stop:
    return Stop(cursor=said.cursor, price=Accounts(said.jkk, said.jkm), already=said.already, barred=dict(said.barred))


def _drawn_stop(stop: Stop) -> DrawnStop:
    return DrawnStop(
        cursor=stop.cursor,
        jkk=stop.price.jkk,
        jkm=stop.price.jkm,
        already=stop.already,
        barred=dict(stop.barred),
    )


def _page(run: Run, facts: Facts) -> tuple[Outcome, ...]:
    """Reserves the money of the run's next page, and publishes the run's figures after it."""
    page = facts.pages[run.run_id, run.step]
    # One table of rates for all pages of a run: rates loaded meanwhile must not change the price within a run.
    edition = run.edition or facts.editions.newest
    made = draw(run, page, facts.editions.named(edition))
    after, stop = made.run, made.run.stop
    data = RunDrawn(
        **_named(run),
        invoice_id=run.invoice_id,
        prices=[list(lines) for lines in made.prices],
        workers=list(made.workers),
        number=run.step,
        last=page.last,
        edition=edition,
        cursor=after.cursor,
        jkk=after.left.jkk,
        jkm=after.left.jkm,
        billed=after.billed,
        lines=list(after.lines),
        already=after.already,
        barred=dict(after.barred),
        missed=after.missed,
        missed_jkk=after.short.jkk,
        missed_jkm=after.short.jkm,
        stop=None if stop is None else _drawn_stop(stop),
    )
    return (_step("run.drawn", run, data),)


class UnbilledWorker(NamedTuple):
    """A worker whom a run reaches and does not bill, and what they would have cost if only money was missing."""

    worker_id: str
    district: str
    reason: str
    cost: Accounts


@value(frozen=True, slots=True)
class Drawn:
    """The effect of one page on a run: its figures after the page, the workers whose money is reserved, and those who
    are neither billed now nor before."""

    run: Run
    prices: tuple[tuple[PremiumLine, ...], ...]
    workers: tuple[ReservedWorker, ...]
    left_out: tuple[UnbilledWorker, ...]


def draw(run: Run, page: Page, rates: Rates) -> Drawn:
    """Draws a page's premiums from the remaining money, in order, until one account is too small."""
    priced: dict[tuple[int, str], tuple[int, int, rules.Price]] = {}
    prices: list[tuple[PremiumLine, ...]] = []
    counts: list[int] = []
    workers: list[ReservedWorker] = []
    left_out: list[UnbilledWorker] = []
    left, stop, already, missed, short = run.left, run.stop, run.already, run.missed, run.short
    month, barred = eligibility.month(run.period), dict(run.barred)
    cursor = run.cursor
    for worker_id, one in page.candidates:
        before, cursor = cursor, one.place
        if worker_id in page.billed:
            already += 1
            continue
        reason = eligibility.barred(one, month)
        if reason is not None:
            barred[reason.value] = barred.get(reason.value, 0) + 1
            left_out.append(UnbilledWorker(worker_id, one.district, reason, NOTHING))
            continue
        kind = (one.income_base, one.sector)
        if kind not in priced:
            price = rules.price_of(rates, run.funding, one.income_base, one.sector, run.period)
            base = rates.benefit_base(run.funding, one.income_base, run.period)
            priced[kind] = (len(prices), base.amount if base else one.income_base, price)
            price_lines, _ = price
            prices.append(price_lines)
            counts.append(0)
        index, base_amount, (_, cost) = priced[kind]
        if stop is None and not left.carries(cost):
            stop = Stop(cursor=before, price=cost, already=already, barred=dict(barred))
        if stop is not None:
            missed += 1
            short = short + cost
            left_out.append(UnbilledWorker(worker_id, one.district, Reason.BUDGET_EXHAUSTED, cost))
            continue
        left = left - cost
        counts[index] += 1
        workers.append(_row(worker_id, one, base_amount, index))
    lines = run.lines
    for price_lines, count in zip(prices, counts, strict=True):
        lines = rules.add_lines(lines, price_lines, count)
    drawn = replace(
        run,
        left=left,
        cursor=cursor,
        billed=run.billed + len(workers),
        lines=lines,
        already=already,
        barred=barred,
        missed=missed,
        short=short,
        stop=stop,
    )
    return Drawn(drawn, tuple(prices), tuple(workers), tuple(left_out))


def _row(worker_id: str, one: Enrolment, base: int, index: int) -> ReservedWorker:
    # The state holds sector and sex as they were read from a validated event.
    sector, sex = cast(Sector, one.sector), cast(Sex, one.sex)
    return ReservedWorker(worker_id, one.district, one.village, sector, sex, one.birth_month, base, index)


def settled(state: Run, event: Event[RunSettle], facts: Facts) -> Decision[Run]:
    """Passes through the topic once more, so that it arrives behind every skipped premium."""
    return Decision(state=state, outcomes=(_step("run.closing", state, RunClosing(**_named(state))),))


def closing(state: Run, event: Event[RunClosing], facts: Facts) -> Decision[Run]:
    """Passes through the topic once more, so that the skipped premiums are saved before they are counted."""
    return Decision(state=state, outcomes=(_step("run.counting", state, RunCounting(**_named(state))),))


def counted(state: Run, event: Event[RunCounting], facts: Facts) -> Decision[Run]:
    """Publishes what the store holds of the run now."""
    skipped = facts.skipped.get(state.run_id, Skipped())
    data = RunCounted(
        **_named(state),
        skipped=skipped.workers,
        lines=list(skipped.lines),
        enrolled=facts.enrolled.get(state.regency, 0),
    )
    return Decision(state=state, outcomes=(_step("run.counted", state, data),))


def closed(state: Run, event: Event[RunCounted], facts: Facts) -> Decision[Run]:
    """Closes the run, or continues from its stop with money that came back, or asks its budget for more."""
    data = event.data
    state = _refund_skipped(state, Skipped(data.skipped, tuple(data.lines)))
    stop = state.stop
    if stop is not None and state.left.carries(stop.price):
        return _continued(state, stop)
    if stop is not None and not state.asked:
        wanted = Accounts(max(0, state.short.jkk - state.left.jkk), max(0, state.short.jkm - state.left.jkm))
        more = RunMore(**_named(state), jkk=wanted.jkk, jkm=wanted.jkm)
        return Decision(state=replace(state, status=RunStatus.ASKING), outcomes=(_for_budget("run.more", state, more),))
    run = replace(state, status=RunStatus.CLOSED, not_eligible=max(0, data.enrolled - state.considered))
    released = RunReleased(
        **_named(run),
        invoice_id=run.invoice_id,
        due_date=run.due_date,
        billed_workers=run.billed,
        lines=list(run.lines),
        already_billed=run.already,
        barred=dict(run.barred),
        not_eligible=run.not_eligible,
        missed_workers=run.missed,
        missed_jkk=run.short.jkk,
        missed_jkm=run.short.jkm,
    )
    return Decision(state=run, outcomes=(_for_budget("run.released", run, released),))


def _refund_skipped(run: Run, skipped: Skipped) -> Run:
    """Takes back the money of premiums that other runs had billed; `skipped` is the total, counted anew each time."""
    workers = skipped.workers - run.skipped.workers
    lines = rules.add_lines(skipped.lines, run.skipped.lines, -1)
    return replace(
        run,
        left=run.left + rules.drawn(lines),
        billed=run.billed - workers,
        lines=rules.add_lines(run.lines, lines, -1),
        skipped=skipped,
        already=run.already + workers,
        # All skipped workers come before the stop.
        stop=replace(run.stop, already=run.stop.already + workers) if run.stop else None,
    )


def _next_page(run: Run) -> Outcome:
    return _step("run.step", run, RunPage(**_named(run), cursor=run.cursor, number=run.step))


def _step(kind: str, run: Run, data: RunStep | RunDrawn) -> Outcome:
    return outcomes.step(kind, run.regency, run.period, data)


def _for_budget(kind: str, run: Run, data: RunStep) -> Outcome:
    return outcomes.for_budget(kind, rules.budget_key(run.regency, run.period, run.funding), data)


def _named(run: Run) -> dict[str, Any]:
    """The fields that every step carries."""
    return {
        "run_id": run.run_id,
        "regency": run.regency,
        "period": run.period,
        "funding": run.funding,
        "cutoff": run.cutoff,
    }
