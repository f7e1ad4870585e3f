"""The laws of billing hold for all commands, batch sizes, interleavings and redeliveries."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.domain import decide
from services.billing.domain.state import Accounts, Facts, Reference
from services.billing.stream import SPEC
from shared.contracts.base import SECTORS
from shared.contracts.billing import COMMANDS
from shared.contracts.billing_work import WORK
from shared.contracts.verification import IdentityEnded, IdentityVerified
from shared.kernel.event import Event
from shared.reference import areas, rates
from tests.property.billing_world import START, World

PERIODS = ("2026-01", "2026-04")
FUNDINGS = ("apbd-regency", "self")
REFERENCE = Reference(areas.load(), rates.load(), 1000)


def verified(number: int, income: int, sector: Any) -> IdentityVerified:
    """A verdict on the worker of this number."""
    return IdentityVerified(
        worker_id=f"w{number:025d}",
        regency="64.08",
        district="64.08.04",
        village="64.08.04.2001",
        sector=sector,
        sex="F",
        birth_month="1985-07",
        income_base=income,
        segment="BPU",
        evidence=["dukcapil"],
        score=100,
        valid_until="2027-01-01",
        registration_version=1,
    )


def budget(funding: str, jkk: int, jkm: int) -> dict[str, Any]:
    """A budget command."""
    return {
        "regency": "64.08",
        "year": 2026,
        "funding": funding,
        "jkk": jkk,
        "jkm": jkm,
        "decree_no": "SK 1",
        "target_workers": 10,
    }


workers = st.lists(
    st.tuples(st.sampled_from([1_000_000, 1_500_000, 2_000_000, 30_000_000]), st.sampled_from(SECTORS[:6])), max_size=12
)
few = st.lists(st.tuples(st.sampled_from([1_000_000, 2_000_000]), st.sampled_from(SECTORS[:2])), max_size=4)
runs = st.lists(st.tuples(st.sampled_from(PERIODS), st.sampled_from(FUNDINGS)), min_size=1, max_size=5)
money = st.integers(0, 200_000)


@given(workers, runs, st.tuples(money, money), st.tuples(money, money), st.integers(1, 4), st.data())
def test_money_is_conserved_and_a_month_is_billed_once(
    people: list[tuple[int, str]],
    ordered: list[tuple[str, str]],
    public: tuple[int, int],
    own: tuple[int, int],
    step_workers: int,
    data: st.DataObject,
) -> None:
    world = World(step_workers, polite=data.draw(st.booleans()))
    for number, (income, sector) in enumerate(people):
        world.put("verification-events", f"w{number}", "identity.verified.v1", verified(number, income, sector))
    for funding, ceilings in zip(FUNDINGS, (public, own), strict=True):
        world.command("budget.set.v1", budget(funding, *ceilings))
    world.settle_all()
    for period, funding in ordered:
        world.command(
            "billing.run.v1", {"regency": "64.08", "period": period, "funding": funding}, f"{period}{funding}"
        )
    for _ in range(300):
        waiting = sorted(queue for queue, records in world.queues.items() if records)
        if not waiting:
            break
        world.take(data.draw(st.sampled_from(waiting)), data.draw(st.integers(1, 5)), data.draw(st.booleans()))
        if data.draw(st.booleans()):
            world.perform_due()
        for one in world.all("budgets").values():
            assert one.free.jkk >= 0
            assert one.free.jkm >= 0
    world.settle_all()
    audit(world, len(people), len(ordered))


# Each example is a whole story of several runs; a few dozen a session are worth their time.
@settings(max_examples=25)
@given(few, few, runs, st.tuples(money, money), st.integers(1, 4), st.data())
def test_revisions_and_late_verdicts_while_runs_are_open_lose_no_money_and_miss_nobody(
    people: list[tuple[int, str]],
    late: list[tuple[int, str]],
    ordered: list[tuple[str, str]],
    ceilings: tuple[int, int],
    step_workers: int,
    data: st.DataObject,
) -> None:
    world = World(step_workers, polite=data.draw(st.booleans()))
    for number, (income, sector) in enumerate(people):
        world.put("verification-events", f"w{number}", "identity.verified.v1", verified(number, income, sector))
    for funding in FUNDINGS:
        world.command("budget.set.v1", budget(funding, *ceilings))
    world.settle_all()
    for number, (income, sector) in enumerate(late, start=len(people)):
        world.put("verification-events", f"w{number}", "identity.verified.v1", verified(number, income, sector))
    for period, funding in ordered:
        world.command(
            "billing.run.v1", {"regency": "64.08", "period": period, "funding": funding}, f"{period}{funding}"
        )
    for _ in range(300):
        waiting = sorted(queue for queue, records in world.queues.items() if records)
        if not waiting and not world.perform_due():
            break
        if waiting:
            world.take(data.draw(st.sampled_from(waiting)), data.draw(st.integers(1, 5)), data.draw(st.booleans()))
        if data.draw(st.integers(0, 9)) == 9:
            revised = data.draw(st.tuples(money, money))
            world.command("budget.set.v1", budget(data.draw(st.sampled_from(FUNDINGS)), *revised))
        for one in world.all("budgets").values():
            assert one.ceilings.carries(one.committed + one.reserved)
        if data.draw(st.booleans()):
            world.perform_due()
    world.settle_all()
    audit_money(world)
    assert len(world.of_type("billing.run-completed.v1")) == len(ordered)


def audit(world: World, people: int, ordered: int, ended: int = 0) -> None:
    """Checks what must hold when nothing moves any more."""
    completed = world.of_type("billing.run-completed.v1")
    assert len(completed) == ordered
    for one in completed:
        assert one["billed_workers"] + sum(one["not_billed"].values()) == people
        assert one["not_billed"].get("not-eligible", 0) == ended
    audit_money(world)
    for one in world.all("runs").values():
        # A worker is missed only when an account did not suffice for the first missed worker.
        assert one.stop is None or not one.left.carries(one.stop.price)
        first = one.stop.price if one.stop else None
        done = next(run for run in completed if run["run_id"] == one.run_id)
        left = Accounts(**done["budget_left"])
        assert first is None or not left.carries(first)


def audit_money(world: World) -> None:
    """Checks what must hold of the money when nothing moves any more, whatever happened before."""
    billed = world.of_type("premium.billed.v1")
    completed = world.of_type("billing.run-completed.v1")
    invoices = world.all("invoices")
    months = Counter((one["worker_id"], one["period"]) for one in billed)
    assert all(count == 1 for count in months.values())
    assert len(billed) == len(world.all("premiums"))
    for one in billed:
        assert one["total"] == sum(line["amount"] for line in one["lines"])
    for one in completed:
        own = [premium for premium in billed if premium["run_id"] == one["run_id"]]
        assert one["billed_workers"] == len(own)
        assert one["total"] == sum(premium["total"] for premium in own) == sum(line["amount"] for line in one["lines"])
        assert (one["invoice_id"] is None) == (not own)
        if own:
            assert invoices[one["invoice_id"]].total == one["total"]
            assert invoices[one["invoice_id"]].workers == len(own)
    assert len(invoices) == sum(1 for one in completed if one["invoice_id"])
    for one in world.all("budgets").values():
        own = [premium for premium in billed if premium["funding"] == one.funding]
        for account, committed, ceiling in (
            ("JKK", one.committed.jkk, one.ceilings.jkk),
            ("JKM", one.committed.jkm, one.ceilings.jkm),
        ):
            drawn = sum(line["amount"] for premium in own for line in premium["lines"] if line["programme"] == account)
            assert committed == drawn <= ceiling
        assert one.reserved.total == 0
        assert one.queue == ()
    for one in world.all("runs").values():
        assert one.status == "closed"
    for one in world.of_type("budget.exhausted.v1"):
        assert one["shortfall"] > 0
        assert one["workers"] > 0


@pytest.mark.parametrize("polite", [True, False])
def test_two_funders_at_once_share_the_workers_and_waste_no_money(polite: bool) -> None:
    """Where both runs reserve the same workers, the second to insert gets its money back and goes on with the rest."""
    world = World(step_workers=2, polite=polite)
    for number in range(6):
        world.put("verification-events", f"w{number}", "identity.verified.v1", verified(number, 1_000_000, "fisheries"))
    for funding in ("apbd-regency", "csr"):
        world.command("budget.set.v1", budget(funding, 30_000, 20_400))
    world.settle_all()
    for funding in ("apbd-regency", "csr"):
        world.command("billing.run.v1", {"regency": "64.08", "period": "2026-01", "funding": funding})
    # Both runs have their money before either draws a page, unless one lets the other go first.
    budgets = ("64.08|2026|apbd-regency", "64.08|2026|csr")
    for queue in (("billing-intake", "64.08"), *(("billing-work", key) for key in (*budgets, "64.08|2026-01"))):
        world.take(queue, 9)
    world.perform_due()
    for key in budgets:
        world.take(("billing-work", key), 9)
    world.settle_all(batch=2)
    completed = world.of_type("billing.run-completed.v1")
    assert [one["billed_workers"] for one in completed] == [3, 3]
    assert sum(1 for one in world.told if one["type"] == "premium.billed.v1") == 6
    assert bool(world.all("skips")) == (not polite)
    audit(world, 6, 2)


def test_the_size_of_batches_does_not_change_the_result() -> None:
    results = []
    for batch in (1, 2, 7, 2000):
        world = World()
        for number in range(8):
            world.put("verification-events", f"w{number}", "identity.verified.v1", verified(number, 1_000_000, "trade"))
        world.put("verification-events", "w0", "identity.ended.v1", _ended(0, "2025-12-31"))
        world.settle_all(batch)
        world.command("budget.set.v1", budget("apbd-regency", 50_000, 60_000))
        for _ in range(2):
            world.command("billing.run.v1", {"regency": "64.08", "period": "2026-01", "funding": "apbd-regency"})
        world.settle_all(batch)
        results.append([(one["type"], one["data"]) for one in world.told])
        audit(world, 8, 2, ended=1)
    assert all(result == results[0] for result in results)


def _ended(number: int, on: str) -> IdentityEnded:
    known = verified(number, 1_000_000, "trade").model_dump()
    return IdentityEnded(
        **{name: known[name] for name in IdentityEnded.model_fields if name in known},
        reasons=["wage-earner"],
        effective_on=on,
    )


REFUSABLE = ("regency", "year", "period", "funding", "invoice_id", "reference")
scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["64.08", "2026-01", "0000-01", "9999-12", "apbd-regency", "self", "2026-01-31", "INV-1", 2026, 5]),
)
names = [*REFUSABLE, "jkk", "jkm", "decree_no", "target_workers", "targets", "cutoff", "due_date", "amount", "paid_on"]
fields = st.dictionaries(
    st.sampled_from(names),
    st.one_of(scalars, st.lists(scalars, max_size=2), st.dictionaries(st.text(), scalars)),
)


@given(st.sampled_from(sorted(COMMANDS)), fields, st.sampled_from([None, "data is no JSON object"]))
def test_every_command_is_answered_whatever_it_contains(kind: str, values: dict[str, Any], problem: str | None) -> None:
    event = Event(
        id="1",
        source="s",
        type=kind,
        data=COMMANDS[kind]({} if problem else values, problem),
        at=START,
        topic="billing-intake",
        content_hash="h",
    )
    parts = decide.route(event, REFERENCE)
    assert parts == decide.route(event, REFERENCE)
    for part in (*parts, decide.conflicting(event)):
        routed = event.with_data(part.data)
        first = decide.decide(None, routed, Facts())
        assert first == decide.decide(None, routed, Facts())
        assert len(first.outcomes) == 1
        SPEC.stored[part.address.collection].encode(first.state, _no_cipher())
        decide.decide(first.state, replace(routed, at=event.at + timedelta(days=1)), Facts())


def _no_cipher() -> Any:
    return None


figures = ("runs", "budgets", "invoices", "premiums", "skips")


# As above: each example is a whole story, which is played twice.
@settings(max_examples=40, deadline=None)
@given(few, few, runs, st.tuples(money, money), st.integers(1, 3), st.data())
def test_a_restored_store_that_reads_the_log_again_ends_with_every_figure(
    people: list[tuple[int, str]],
    late: list[tuple[int, str]],
    ordered: list[tuple[str, str]],
    ceilings: tuple[int, int],
    step_workers: int,
    data: st.DataObject,
) -> None:
    """Any copy of the store, any order of the topics in both readings, any cut of the batches: the end is the same."""
    world = World(step_workers, polite=data.draw(st.booleans()))
    backup = world.backup()
    for number, (income, sector) in enumerate(people):
        world.put("verification-events", f"w{number}", "identity.verified.v1", verified(number, income, sector))
    for funding in FUNDINGS:
        world.command("budget.set.v1", budget(funding, *ceilings))
    world.settle_all()
    todo: list[Any] = [("run", one) for one in ordered] + [("late", one) for one in enumerate(late, start=len(people))]
    todo += [("ended", number) for number in range(len(people)) if data.draw(st.booleans())]
    todo += [("ceilings", data.draw(st.tuples(money, money)))]
    for what, one in data.draw(st.permutations(todo)):
        for _ in range(data.draw(st.integers(0, 6))):
            _anything(world, data)
        if data.draw(st.integers(0, 3)) == 3:
            backup = world.backup()
        _happens(world, what, one)
    world.settle_all()
    for invoice in list(world.all("invoices").values()):
        if data.draw(st.booleans()):
            _pays(world, invoice)
    world.settle_all()
    found, told = {name: world.all(name) for name in figures}, sorted(one["id"] for one in world.told)
    world.restore(backup)
    for _ in range(data.draw(st.integers(0, 200))):
        _anything(world, data)
    world.settle_all(data.draw(st.integers(1, 50)))
    for name in figures:
        assert world.all(name) == found[name]
    assert sorted(one["id"] for one in world.told) == told


def _anything(world: World, data: st.DataObject) -> None:
    waiting = sorted(queue for queue, records in world.queues.items() if records)
    if waiting:
        world.take(data.draw(st.sampled_from(waiting)), data.draw(st.integers(1, 5)))
    if data.draw(st.booleans()):
        world.perform_due()


def _happens(world: World, what: str, one: Any) -> None:
    match what:
        case "run":
            order = {"regency": "64.08", "period": one[0], "funding": one[1]}
            world.command("billing.run.v1", order)
        case "late":
            number, (income, sector) = one
            world.put("verification-events", f"w{number}", "identity.verified.v1", verified(number, income, sector))
        case "ended":
            world.put("verification-events", f"w{one}", "identity.ended.v1", _ended(one, "2025-12-31"), sequence=2)
        case _:
            world.command("budget.set.v1", budget("apbd-regency", *one))


def _pays(world: World, invoice: Any) -> None:
    payment = {
        "invoice_id": invoice.invoice_id,
        "amount": invoice.total,
        "paid_on": "2026-01-10",
        "reference": "SP2D-1",
    }
    world.command("invoice.pay.v1", payment, invoice.invoice_id)


def test_a_page_drawn_again_by_a_restored_store_bills_nobody_else() -> None:
    """A restored store may know a worker who was verified after the run before it reads the run again."""
    world = World(step_workers=2)
    for number in range(3):
        world.put("verification-events", f"w{number}", "identity.verified.v1", verified(number, 1_000_000, "trade"))
    world.command("budget.set.v1", budget("apbd-regency", 1_000_000, 1_000_000))
    world.settle_all()
    backup = world.backup()
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-01", "funding": "apbd-regency"})
    world.settle_all()
    for number in range(3, 6):
        world.put("verification-events", f"w{number}", "identity.verified.v1", verified(number, 1_000_000, "trade"))
    world.put("verification-events", "w0", "identity.ended.v1", _ended(0, "2025-12-31"), sequence=2)
    world.settle_all()
    found = {name: world.all(name) for name in figures}
    world.restore(backup)
    for number in range(6):
        world.take(("verification-events", f"w{number}"), 9)
    world.settle_all(batch=1)
    assert {name: world.all(name) for name in figures} == found
    assert len(world.of_type("premium.billed.v1")) == 3
    audit_money(world)


# Premiums are inserted and commands are taken in every state of their run.
COMMANDING = {"run.drawn", "run.step-reserved", "budget.ordered", "run.ordered", "payment.ordered"}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("kind", [kind for kind in WORK if kind not in COMMANDING])
def test_a_step_out_of_place_has_no_effect(kind: str, known: bool) -> None:
    """A step on a missing document, or on one that is further on, never raises and has no outcome."""
    world = World()
    world.put("verification-events", "w1", "identity.verified.v1", verified(1, 1_000_000, "trade"))
    world.command("budget.set.v1", budget("apbd-regency", 50_000, 60_000))
    world.command("billing.run.v1", {"regency": "64.08", "period": "2026-01", "funding": "apbd-regency"})
    world.settle_all()
    run_id = "RUN-6408-2026-01-apbd-regency-1" if known else "RUN-6408-2026-01-apbd-regency-9"
    data = {
        "run_id": run_id,
        "invoice_id": run_id.replace("RUN", "INV"),
        "regency": "64.08",
        "period": "2026-01",
        "funding": "apbd-regency",
        "cutoff": "2026-01-31",
        "lines": [],
        "jkk": 1,
        "jkm": 1,
        "cursor": "",
        "number": 1,
        "workers": 1,
        "worker_id": "w1",
        "billed_workers": 0,
        "already_billed": 0,
        "not_eligible": 0,
        "missed_workers": 0,
        "missed_jkk": 0,
        "missed_jkm": 0,
        "skipped": 0,
        "enrolled": 1,
    }
    before = len(world.told)
    world.put("billing-work", "64.08|2026-01", kind, data)
    world.settle_all()
    # Only an invoice that is still open after its due date gives a warning.
    assert len(world.told) == before + (kind == "invoice.overdue" and known)
