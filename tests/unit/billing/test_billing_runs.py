"""Enrolments, runs and premiums: who is billed, what they cost, and whom a run reports as not billed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import pytest

from services.billing import adapters, documents
from services.billing.domain import rules
from services.billing.domain.state import Invoice, InvoiceStatus
from shared.contracts.claims import WorkerDied
from shared.contracts.verification import IdentityEnded, IdentityHeld, IdentityRejected, IdentityVerified
from shared.kernel.calendar import WITA
from shared.kernel.decision import Address
from shared.reference import rates
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Rows
from shared.runtime.store import editions
from tests.property.billing_world import CIPHER, World, run_now

WORKER: dict[str, Any] = {
    "regency": "64.08",
    "district": "64.08.04",
    "village": "64.08.04.2001",
    "sector": "fisheries",
    "sex": "F",
    "birth_month": "1985-07",
}
VERIFIED: dict[str, Any] = {
    **WORKER,
    "income_base": 1_000_000,
    "segment": "BPU",
    "evidence": ["dukcapil"],
    "score": 100,
    "valid_until": "2027-01-01",
}
UNVERIFIED = {"rejected": IdentityRejected, "held": IdentityHeld, "ended": IdentityEnded}


def on(world: World, day: str) -> None:
    """Sets the world's clock to 08:00 WITA of a day."""
    world.now = datetime.fromisoformat(f"{day}T08:00:00").replace(tzinfo=WITA)


def verdict(
    world: World, worker: str, kind: str = "verified", effective: str = "", version: int = 1, **more: Any
) -> None:
    """A verdict of verification on a worker."""
    known = {"worker_id": worker, "registration_version": version}
    data: Any
    if kind == "verified":
        data = IdentityVerified(**{**VERIFIED, **known, **more})
    else:
        data = UNVERIFIED[kind](**{**WORKER, **known, "reasons": ["not-found"], "effective_on": effective})
    world.put("verification-events", worker, f"identity.{kind}.v1", data)


def died(world: World, worker: str, day: str) -> None:
    """A death that claims paid."""
    data = WorkerDied(worker_id=worker, regency="64.08", died_on=day)
    world.put("claims-events", worker, "worker.died.v1", data)


def with_budget(jkk: int = 10_000_000, jkm: int = 6_800_000, funding: str = "apbd-regency") -> World:
    """A world in January 2026 with a budget."""
    world = World()
    on(world, "2026-01-10")
    order = {"regency": "64.08", "year": 2026, "funding": funding, "jkk": jkk, "jkm": jkm}
    world.command("budget.set.v1", {**order, "decree_no": "SK", "target_workers": 5})
    return world


def bill(world: World, period: str, funding: str = "apbd-regency", **more: Any) -> dict[str, Any]:
    """Orders a run and processes everything; the completed run."""
    world.settle_all()
    world.command("billing.run.v1", {"regency": "64.08", "period": period, "funding": funding, **more})
    world.settle_all()
    return world.of_type("billing.run-completed.v1")[-1]


def billed(world: World) -> list[str]:
    """The billed workers, in order."""
    return [one["worker_id"] for one in world.of_type("premium.billed.v1")]


def test_a_run_bills_the_verified_and_publishes_every_premium() -> None:
    world = with_budget(100_000, 68_000)
    for worker in ("a", "b"):
        verdict(world, worker, income_base=5_000_000)
    done = bill(world, "2026-01", due_date="2026-02-15")
    assert done == {
        "run_id": "RUN-6408-2026-01-apbd-regency-1",
        "invoice_id": "INV-6408-2026-01-apbd-regency-1",
        "regency": "64.08",
        "period": "2026-01",
        "funding": "apbd-regency",
        "billed_workers": 2,
        "total": 33_600,
        "lines": [
            {"programme": "JKK", "amount": 20_000, "rule": "bpu.jkk.row1"},
            {"programme": "JKM", "amount": 13_600, "rule": "bpu.jkm.flat"},
        ],
        "not_billed": {},
        "budget_left": {"jkk": 80_000, "jkm": 54_400},
    }
    first = world.of_type("premium.billed.v1")[0]
    assert first == {
        **WORKER,
        "worker_id": "a",
        # The first page, its first worker.
        "number": 1_001,
        # Public money buys the lowest bracket, for the premium and for the benefits.
        "income_base": 1_000_000,
        "period": "2026-01",
        "funding": "apbd-regency",
        "lines": [
            {"programme": "JKK", "amount": 10_000, "rule": "bpu.jkk.row1"},
            {"programme": "JKM", "amount": 6_800, "rule": "bpu.jkm.flat"},
        ],
        "total": 16_800,
        "run_id": "RUN-6408-2026-01-apbd-regency-1",
        "invoice_id": "INV-6408-2026-01-apbd-regency-1",
    }
    invoice = world.state("invoices", "INV-6408-2026-01-apbd-regency-1")
    assert (invoice.status, invoice.workers, invoice.total, invoice.due_date) == ("open", 2, 33_600, "2026-02-15")


@pytest.mark.parametrize(
    ("period", "sector", "income", "expected"),
    [
        ("2026-03", "fisheries", 1_000_000, 16_800),
        ("2026-03", "transport", 1_000_000, 8_400),
        ("2026-04", "fisheries", 1_000_000, 8_400),
        ("2026-04", "fisheries", 2_000_000, 9_750 + 3_400),
    ],
)
def test_a_worker_who_pays_alone_pays_by_bracket_and_gets_the_relief(
    period: str, sector: str, income: int, expected: int
) -> None:
    world = with_budget(funding="self")
    verdict(world, "a", sector=sector, income_base=income)
    assert bill(world, period, "self")["total"] == expected


def test_the_budget_is_the_limit_and_both_accounts_count() -> None:
    world = with_budget(100_000, 13_600)
    for worker in "cab":
        verdict(world, worker)
    done = bill(world, "2026-01")
    assert billed(world) == ["a", "b"]
    assert done["not_billed"] == {"budget-exhausted": 1}
    assert done["budget_left"] == {"jkk": 80_000, "jkm": 0}
    (told,) = world.of_type("budget.exhausted.v1")
    assert (told["account"], told["left"], told["shortfall"], told["workers"]) == ("JKM", 0, 6_800, 1)
    assert [one["workers"] for one in world.of_type("coverage.at-risk.v1")] == [1]


def test_more_money_and_a_second_run_bill_only_the_rest_on_their_own_invoice() -> None:
    world = with_budget(20_000, 13_600)
    for worker in "abc":
        verdict(world, worker)
    bill(world, "2026-01")
    order = {"regency": "64.08", "year": 2026, "funding": "apbd-regency", "jkk": 90_000, "jkm": 90_000}
    world.command("budget.set.v1", {**order, "decree_no": "SK 2", "target_workers": 5})
    done = bill(world, "2026-01")
    assert done["invoice_id"] == "INV-6408-2026-01-apbd-regency-2"
    assert (done["billed_workers"], done["not_billed"]) == (1, {"already-billed": 2})
    assert billed(world) == ["a", "b", "c"]


def test_a_run_that_bills_nobody_has_no_invoice() -> None:
    world = with_budget()
    done = bill(world, "2026-01")
    assert (done["invoice_id"], done["billed_workers"], done["lines"], done["not_billed"]) == (None, 0, [], {})
    assert world.all("invoices") == {}


def test_an_empty_budget_bills_nobody() -> None:
    world = with_budget(0, 0)
    verdict(world, "a")
    done = bill(world, "2026-01")
    assert (done["invoice_id"], done["not_billed"]) == (None, {"budget-exhausted": 1})


def test_the_first_verified_are_billed_first() -> None:
    world = with_budget(20_000, 13_600)
    for day, worker in (("2026-01-12", "a"), ("2026-01-11", "b"), ("2026-01-10", "c")):
        on(world, day)
        verdict(world, worker)
    on(world, "2026-01-12")
    bill(world, "2026-01")
    assert billed(world) == ["c", "b"]


@pytest.mark.parametrize(("cutoff", "expected"), [("2026-01-11", ["a"]), ("2026-01-12", ["a", "b"])])
def test_the_cutoff_counts_its_whole_day(cutoff: str, expected: list[str]) -> None:
    world = with_budget()
    verdict(world, "a")
    on(world, "2026-01-12")
    verdict(world, "b")
    bill(world, "2026-02", cutoff=cutoff)
    assert billed(world) == expected


# What happened to worker "a" (verified on 10 January), and the months for which a run in June bills them.
ALL = ["2026-02", "2026-03", "2026-04"]
LIVES: list[tuple[str, list[tuple[str, str, int]], list[str]]] = [
    ("nothing", [], ALL),
    ("ended in a month: that month is the last", [("ended", "2026-03-01", 1)], ["2026-02", "2026-03"]),
    ("ended on the last day of a month", [("ended", "2026-02-28", 1)], ["2026-02"]),
    ("rejected later", [("rejected", "2026-03-15", 2)], ["2026-02", "2026-03"]),
    ("a second end opens nothing", [("ended", "2026-02-10", 1), ("rejected", "2026-04-10", 2)], ["2026-02"]),
    ("held: nobody pays before an officer decides", [("held", "2026-03-01", 2)], []),
    ("held, then verified again", [("held", "2026-03-01", 2), ("verified", "", 2)], ALL),
    (
        "an older verdict is ignored",
        [("verified", "", 3), ("ended", "2026-01-15", 2)],
        ["2026-02", "2026-03", "2026-04"],
    ),
    ("died", [("died", "2026-03-31", 0)], ["2026-02", "2026-03"]),
    ("died, and verified again by mistake", [("died", "2026-02-01", 0), ("verified", "", 2)], ["2026-02"]),
    ("died before they ended", [("died", "2026-02-01", 0), ("ended", "2026-04-01", 2)], ["2026-02"]),
    ("ended and back", [("ended", "2026-02-01", 1), ("verified", "", 2)], ALL),
]


@pytest.mark.parametrize(("events", "expected"), [life[1:] for life in LIVES], ids=[life[0] for life in LIVES])
def test_which_months_a_worker_is_billed_for(events: list[tuple[str, str, int]], expected: list[str]) -> None:
    world = with_budget()
    verdict(world, "a")
    on(world, "2026-06-01")
    for kind, day, version in events:
        if kind == "died":
            died(world, "a", day)
        else:
            verdict(world, "a", kind, day, version)
    for period in ALL:
        bill(world, period)
    assert [one["period"] for one in world.of_type("premium.billed.v1")] == expected


@pytest.mark.parametrize("kind", ["rejected", "held", "ended"])
def test_a_worker_who_was_never_verified_is_not_billed_and_not_counted(kind: str) -> None:
    world = with_budget()
    verdict(world, "a", kind, "2026-12-31")
    done = bill(world, "2026-01")
    assert (done["billed_workers"], done["not_billed"]) == (0, {})


def test_a_death_may_be_known_before_the_worker() -> None:
    world = with_budget()
    died(world, "a", "2026-01-20")
    world.settle_all()
    verdict(world, "a")
    bill(world, "2026-01")
    done = bill(world, "2026-02")
    assert [one["period"] for one in world.of_type("premium.billed.v1")] == ["2026-01"]
    assert done["not_billed"] == {"not-eligible": 1}


def test_a_worker_verified_again_keeps_their_place_and_an_ended_one_starts_at_the_back() -> None:
    world = with_budget(20_000, 13_600)
    for worker in "abc":
        verdict(world, worker)
    on(world, "2026-01-20")
    verdict(world, "a", version=2)
    verdict(world, "b", "ended", "2026-01-19", 2)
    verdict(world, "b", version=3)
    bill(world, "2026-02")
    assert billed(world) == ["a", "c"]


def test_other_funders_bill_only_workers_without_a_premium_for_the_month() -> None:
    world = with_budget(10_000, 6_800)
    for worker in "ab":
        verdict(world, worker)
    bill(world, "2026-01")
    order = {"regency": "64.08", "year": 2026, "funding": "apbd-province", "jkk": 90_000, "jkm": 90_000}
    world.command("budget.set.v1", {**order, "decree_no": "SK 2", "target_workers": 5})
    done = bill(world, "2026-01", "apbd-province")
    assert (done["billed_workers"], done["not_billed"]) == (1, {"already-billed": 1})


def test_runs_of_two_funders_over_one_month_take_their_turns() -> None:
    world = with_budget()
    order = {"regency": "64.08", "year": 2026, "funding": "csr", "jkk": 90_000, "jkm": 90_000}
    world.command("budget.set.v1", {**order, "decree_no": "SK 2", "target_workers": 5})
    world.settle_all()
    for funding, period in (("csr", "2026-01"), ("apbd-regency", "2026-01"), ("apbd-regency", "2026-02")):
        world.command("billing.run.v1", {"regency": "64.08", "period": period, "funding": funding})
    budgets = ("64.08|2026|csr", "64.08|2026|apbd-regency")
    world.take(("billing-intake", "64.08"), 10)
    for key in (*budgets, "64.08|2026-01", "64.08|2026-02"):
        world.take(("billing-work", key), 10)
    turns = {run_id: world.is_its_turn(run) for run_id, run in world.all("runs").items()}
    # The second run of January waits for the first; February waits for its budget; no two runs wait for each other.
    assert turns == {
        "RUN-6408-2026-01-csr-1": True,
        "RUN-6408-2026-01-apbd-regency-1": False,
        "RUN-6408-2026-02-apbd-regency-1": False,
    }


def budgets_for(world: World, *fundings: str, workers: int = 9) -> None:
    """Budgets of these funders, each for this many workers."""
    for funding in fundings:
        order: dict[str, Any] = {"regency": "64.08", "year": 2026, "funding": funding}
        order |= {"jkk": workers * 10_000, "jkm": workers * 6_800, "decree_no": "SK", "target_workers": workers}
        world.command("budget.set.v1", order)
    world.settle_all()


@pytest.mark.parametrize("before", [(), ("2026-02",)])
def test_the_province_pays_only_for_workers_whom_the_regency_does_not_pay_for(before: tuple[str, ...]) -> None:
    world = with_budget(30_000, 20_400)
    for worker in "abc":
        verdict(world, worker)
    budgets_for(world, "apbd-province", "apbd-regency", workers=2 + 3 * len(before))
    # The province's command comes first, and the regency's run may itself wait for another month.
    orders = [("apbd-province", "2026-01"), *(("apbd-regency", one) for one in before), ("apbd-regency", "2026-01")]
    for funding, period in orders:
        world.command("billing.run.v1", {"regency": "64.08", "period": period, "funding": funding})
    world.take(("billing-intake", "64.08"), 10)
    world.settle_all()
    january = [one for one in world.of_type("premium.billed.v1") if one["period"] == "2026-01"]
    assert {one["worker_id"]: one["funding"] for one in january} == {
        "a": "apbd-regency",
        "b": "apbd-regency",
        "c": "apbd-province",
    }


@pytest.mark.parametrize("funding", ["self", "csr", "apbd-province"])
def test_no_other_budget_pays_for_a_funder_without_one(funding: str) -> None:
    world = with_budget()
    verdict(world, "a")
    world.settle_all()
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-01", "funding": funding})
    world.settle_all()
    assert [one["reasons"] for one in world.of_type("billing.run.refused.v1")] == [["budget-missing"]]
    assert billed(world) == []
    assert world.all("runs") == {}


class Workplace:
    """A workplace whose service has not caught up at the first few looks."""

    def __init__(self, world: World, behind: int) -> None:
        self.reader, self.reference, self.behind = world.reader, world.reference, behind
        self.asked: list[tuple[str, ...]] = []

    async def caught_up(self, topics: tuple[str, ...]) -> bool:
        self.asked.append(topics)
        return len(self.asked) > self.behind


async def test_a_run_starts_when_every_verdict_before_it_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "LOOK_AGAIN_S", 0)
    world = with_budget()
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-01", "funding": "apbd-regency"})
    world.take(("billing-intake", "64.08"), 10)
    for key in ("64.08|2026|apbd-regency", "64.08|2026-01"):
        world.take(("billing-work", key), 10)
    (run_id, run), *_ = world.all("runs").items()
    place = Workplace(world, behind=2)
    due: Any = world.reader.kept[Address("runs", run_id)].due
    answer = await adapters.catch_up(run_id, run, due, place)  # type: ignore[arg-type]  # as much of it as is used
    assert place.asked == [("verification-events", "claims-events", "registration-events")] * 3
    assert (answer.type, answer.key) == ("run.start", "64.08|2026|apbd-regency")
    monkeypatch.setattr(adapters, "LOOKS_MAX", 2)
    with pytest.raises(Unavailable):
        await adapters.catch_up(run_id, run, due, Workplace(world, behind=9))  # type: ignore[arg-type]


def test_other_regencies_do_not_matter() -> None:
    world = with_budget()
    verdict(world, "a", regency="64.02", district="64.02.01", village="64.02.01.2001")
    assert bill(world, "2026-01")["not_billed"] == {}


def test_a_payment_before_the_invoice_is_refused_and_the_invoice_opens_all_the_same() -> None:
    world = with_budget()
    verdict(world, "a")
    invoice_id = "INV-6408-2026-01-apbd-regency-1"
    pay = {"invoice_id": invoice_id, "amount": 16_800, "paid_on": "2026-01-10", "reference": "SP2D"}
    world.command("invoice.pay.v1", pay)
    world.settle_all()
    assert world.of_type("invoice.pay.refused.v1")[0]["reasons"] == ["invoice-unknown"]
    bill(world, "2026-01")
    world.command("invoice.pay.v1", pay)
    world.settle_all()
    assert world.of_type("premium.paid.v1") == [
        {
            "invoice_id": invoice_id,
            "regency": "64.08",
            "period": "2026-01",
            "funding": "apbd-regency",
            "total": 16_800,
            "workers": 1,
            "reference": "SP2D",
            "paid_on": "2026-01-10",
        }
    ]


def test_a_due_date_is_watched_from_the_day_after_it() -> None:
    world = with_budget()
    verdict(world, "a")
    bill(world, "2026-01", due_date="2026-02-15")
    (due,) = [kept.due for address, kept in world.reader.kept.items() if address.collection == "invoices"]
    assert due is not None
    assert due.at == datetime(2026, 2, 16, tzinfo=WITA)


# What people or programs write for "never", "always" and "everything".
EXTREME_DAYS = ["0001-01-01", "2015-07-01", "2026-02-28", "9999-12-30", "9999-12-31", "9999-12-31T23:59:59-12:00"]


@pytest.mark.parametrize("day", EXTREME_DAYS)
@pytest.mark.parametrize("field", ["due_date", "cutoff"])
@pytest.mark.parametrize("period", ["2015-07", "2026-01", "2027-01"])
def test_a_run_is_refused_whole_or_ends_with_its_invoice(period: str, field: str, day: str) -> None:
    world = with_budget(10**15, 10**15)
    order = {"regency": "64.08", "year": int(period[:4]), "funding": "apbd-regency", "jkk": 10**15, "jkm": 10**15}
    world.command("budget.set.v1", {**order, "decree_no": "SK", "target_workers": 10**9})
    verdict(world, "a", birth_month="1990-01", income_base=2**60)
    world.settle_all()
    world.command("billing.run.v1", {"regency": "64.08", "period": period, "funding": "apbd-regency", field: day})
    world.settle_all()
    done, refused = world.of_type("billing.run-completed.v1"), world.of_type("billing.run.refused.v1")
    assert len(done) + len(refused) == 1
    assert (
        len(world.of_type("premium.billed.v1")) == len(world.all("invoices")) == sum(1 for one in done if one["total"])
    )
    assert all(budget.queue == () and budget.reserved.total == 0 for budget in world.all("budgets").values())
    if refused:
        assert refused[0]["reasons"] == [f"field-invalid:{field}"]
        assert world.all("runs") == {}


def test_an_old_run_with_a_due_date_refused_today_still_gets_its_invoice() -> None:
    world = with_budget()
    opened = {"invoice_id": "INV-1", "run_id": "RUN-1", "workers": 1, "due_date": "9999-12-31", "lines": []}
    where = {"regency": "64.08", "period": "2026-01", "funding": "apbd-regency", "cutoff": "2026-01-10"}
    world.put("billing-work", "64.08|2026-01", "invoice.opened", {**opened, **where})
    world.settle_all()
    assert world.state("invoices", "INV-1").status is InvoiceStatus.OPEN


def test_ids_derive_from_regency_period_funding_and_number() -> None:
    assert rules.run_id("64.08", "2026-01", "csr", 3) == "RUN-6408-2026-01-csr-3"
    assert rules.invoice_id("64.08", "2026-01", "csr", 3) == "INV-6408-2026-01-csr-3"


def test_one_programme_costs_what_the_regencies_pay() -> None:
    """5,000 workers for a year of two programmes are exactly Rp1.008.000.000 (docs/rules.md#premiums)."""
    _, cost = rules.price_of(rates.load(), "apbd-regency", 1_000_000, "trade", "2025-06")
    assert cost.total * 12 * 5_000 == 1_008_000_000


def test_a_run_is_billed_by_one_table_of_rates_whatever_is_loaded_meanwhile() -> None:
    world = with_budget()
    # Two pages of three.
    for number in range(6):
        verdict(world, f"w{number}")
    shipped, brackets = rates.texts()
    dearer = shipped.replace(
        "bpu.jkm.flat,BPU,JKM,any,any,6800,IDR/month,2015-07-01,,",
        "bpu.jkm.flat,BPU,JKM,any,any,6800,IDR/month,2015-07-01,2026-01-31,PP 44/2015,verified\n"
        "bpu.jkm.flat,BPU,JKM,any,any,7000,IDR/month,2026-02-01,,",
    )
    world.settle_all()
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-02", "funding": "apbd-regency"})
    while not any(run.step > 1 for run in world.all("runs").values()):
        waiting = [queue for queue, records in world.queues.items() if records]
        if waiting:
            world.take(waiting[0], 1)
        else:
            world.perform_due()
    reader = cast(Rows, world.reader)
    assert run_now(editions.save(reader, (dearer, brackets)))
    assert not run_now(editions.save(reader, (dearer, brackets)))
    world.settle_all()
    assert world.of_type("billing.run-completed.v1")[-1]["total"] == 6 * 16_800
    verdict(world, "later")
    assert bill(world, "2026-02")["total"] == 17_000
    # A month before the law changed, whatever table is loaded.
    assert bill(world, "2026-01")["total"] == 7 * 16_800


def test_every_state_survives_its_document() -> None:
    world = with_budget(20_000, 13_600)
    for worker in "abc":
        verdict(world, worker)
    bill(world, "2026-01", due_date="2026-02-15")
    world.command("budget.set.v1", {})
    world.settle_all()
    skipped = {"run_id": "RUN-1", "worker_id": "a", "regency": "64.08", "period": "2026-01", "lines": []}
    world.put("billing-work", "64.08|2026-01", "premium.skipped", skipped)
    where = {"regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001", "sector": "trade"}
    left = {"worker_id": "a", **where, "reason": "other", "effective_on": "2025-12-31", "merged_into": "b"}
    world.put("registration-events", "a", "worker.withdrawn.v1", left, sequence=2)
    world.settle_all()
    for name, codec in documents.STORED.items():
        states = world.all(name)
        assert states, name
        for state in states.values():
            assert codec.decode(codec.encode(state, CIPHER), CIPHER) == state
    unknown = Invoice(invoice_id="INV-9")
    codec = documents.STORED["invoices"]
    assert codec.decode(codec.encode(unknown, CIPHER), CIPHER).status is InvoiceStatus.UNKNOWN


def test_a_payment_after_a_completed_run_finds_its_invoice() -> None:
    world = with_budget()
    verdict(world, "a")
    world.settle_all()
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-01", "funding": "apbd-regency"})
    while not world.of_type("billing.run-completed.v1"):
        waiting = [queue for queue, records in world.queues.items() if records]
        if waiting:
            world.take(waiting[0], 1)
        else:
            assert world.perform_due()
    (done,) = world.of_type("billing.run-completed.v1")
    # The payment comes on another topic, so it may be read before an event of the run. It must not depend on that
    # event.
    invoice = world.state("invoices", done["invoice_id"])
    assert (invoice.status, invoice.total) == (InvoiceStatus.OPEN, done["total"])
