"""What a run would bill now, and whom it would leave out: by district and reason, in rupiah. Changes nothing.

The plan uses the pages and the `draw` of a real run, so a run with the same data has the same result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.billing import facts
from services.billing.domain import runs
from services.billing.domain.runs import UnbilledWorker
from services.billing.domain.state import NOTHING, Accounts, Reference, Run
from shared.contracts.reasons import Reason
from shared.runtime.ports import Reader
from shared.runtime.store import editions

# Workers named in one answer; the counts are always of all of them.
NAMED_MAX = 1_000


@dataclass(slots=True)
class Plan:
    """`run` as it would end.

    `counts` and `costs` are by (district, reason): everybody who was verified at some time and would not be billed, and
    what the missed ones would have cost. `named` are the first of those whom the run reaches and leaves out, in
    priority order.
    """

    run: Run
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    costs: dict[tuple[str, str], Accounts] = field(default_factory=dict)
    named: list[UnbilledWorker] = field(default_factory=list)

    @property
    def by_reason(self) -> dict[str, int]:
        """The workers of all districts, by reason."""
        sums: Counter[str] = Counter()
        for (_, reason), count in self.counts.items():
            sums[reason] += count
        return dict(sums)

    def leave_out(self, district: str, reason: str, count: int, cost: Accounts = NOTHING) -> None:
        """Counts workers who would not be billed."""
        if count > 0:
            self.counts[district, reason] += count
            self.costs[district, reason] = self.costs.get((district, reason), NOTHING) + cost


async def plan(reader: Reader, reference: Reference, run: Run, missed: Reason = Reason.BUDGET_EXHAUSTED) -> Plan:
    """The plan of a run; `missed` is the reason of those whom its money does not reach."""
    known = await editions.load(reader)
    now = known.named(known.newest)
    made, considered = Plan(run), Counter[str]()
    while True:
        page = await facts.page(
            reader,
            regency=run.regency,
            period=run.period,
            cutoff=run.cutoff,
            cursor=made.run.cursor,
            limit=reference.step_workers,
        )
        drawn = runs.draw(made.run, page, now)
        made.run = drawn.run
        considered.update(one.district for _, one in page.candidates)
        for worker_id, one in page.candidates:
            if worker_id in page.billed:
                made.leave_out(one.district, Reason.ALREADY_BILLED, 1)
        for left in drawn.left_out:
            reason = missed if left.reason == Reason.BUDGET_EXHAUSTED else left.reason
            made.leave_out(left.district, reason, 1, left.cost)
            if len(made.named) < NAMED_MAX:
                made.named.append(left._replace(reason=reason))
        if page.last:
            break
    _leave_out_the_rest(made, considered, await facts.ever_verified_by_district(reader, run.regency))
    return made


def _leave_out_the_rest(made: Plan, considered: Mapping[str, int], enrolled: Mapping[str, int]) -> None:
    for district, count in enrolled.items():
        made.leave_out(district, Reason.NOT_ELIGIBLE, count - considered.get(district, 0))
