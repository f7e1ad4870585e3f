"""Commands of billing: given a budget, a command gets exactly these reasons; one line for each rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.billing.domain import decide
from services.billing.domain.state import Accounts, Budget, Facts, Invoice, InvoiceStatus, Reference
from shared.contracts.base import PremiumLine
from shared.contracts.billing import COMMANDS, CommandRefused
from shared.contracts.billing_work import InvoiceOpened, RunRequested, RunSettle
from shared.kernel.decision import Address, Decision
from shared.kernel.event import Event
from shared.reference import areas, rates

REFERENCE = Reference(areas.load(), rates.load(), 1000)
FACTS = Facts()
# 31 January 2026, 23:30 UTC is 1 February in WITA.
AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)

BUDGET = {
    "regency": "64.08",
    "year": 2026,
    "funding": "apbd-regency",
    "jkk": 100_000,
    "jkm": 68_000,
    "decree_no": "SK 1/2026",
    "target_workers": 10,
}
RUN = {"regency": "64.08", "period": "2026-02", "funding": "apbd-regency"}
PAY = {"invoice_id": "INV-1", "amount": 16_800, "paid_on": "2026-02-01", "reference": "SP2D-1"}


def event(kind: str, data: dict[str, Any], problem: str | None = None, source: str = "treasury/64.08") -> Event[Any]:
    """A command as the shell reads it."""
    return Event(
        id="1",
        source=source,
        type=kind,
        data=COMMANDS[kind](data, problem),
        at=AT,
        topic="billing-intake",
        content_hash="hash",
    )


def arrived(command: Event) -> tuple[Address, Event]:
    """The document that a command reaches, and the event that it takes: a well-formed command is passed on."""
    (part,) = decide.route(command, REFERENCE)
    seen = command.with_data(part.data)
    if part.address.collection != "commands":
        return part.address, seen
    (step,) = decide.decide(None, seen, FACTS).outcomes
    passed = replace(command, id="step", source="payung/billing", type=step.type, data=step.data, topic=step.topic)
    (part,) = decide.route(passed, REFERENCE)
    return part.address, passed.with_data(part.data, for_cause=part.for_cause)


def after(state: Any, kind: str, data: dict[str, Any], problem: str | None = None) -> tuple[str, Any]:
    """The document that the command changes, and the decision on it."""
    address, seen = arrived(event(kind, data, problem))
    made = decide.decide(state, seen, FACTS)
    return f"{address.collection}/{address.id}", made


def reasons(made: Decision[Any]) -> list[str]:
    """The reasons of a refusal; empty when the command was accepted."""
    (outcome,) = made.outcomes
    return getattr(outcome.data, "reasons", [])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"regency": None}, ["field-missing:regency"]),
        ({"regency": "6408"}, ["field-invalid:regency"]),
        ({"regency": "99.99"}, ["field-invalid:regency"]),
        ({"year": None}, ["field-missing:year"]),
        ({"year": "2026"}, ["field-invalid:year"]),
        ({"funding": "apbn"}, ["field-invalid:funding"]),
        ({"jkk": -1}, ["field-invalid:jkk"]),
        ({"jkk": True}, ["field-invalid:jkk"]),
        ({"jkm": 1.5}, ["field-invalid:jkm"]),
        ({"decree_no": "  "}, ["field-missing:decree_no"]),
        ({"target_workers": "10"}, ["field-invalid:target_workers"]),
        ({"targets": {"64.08.99": 5}}, ["field-invalid:targets"]),
        ({"targets": {"64.08.04": -5}}, ["field-invalid:targets"]),
        (
            {"year": None, "jkk": "x", "decree_no": 5},
            ["field-missing:year", "field-invalid:jkk", "field-invalid:decree_no"],
        ),
    ],
)
def test_a_budget_with_a_wrong_form_is_refused_with_every_reason(changed: dict[str, Any], expected: list[str]) -> None:
    place, made = after(None, "budget.set.v1", {**BUDGET, **changed})
    assert place == "refusals/treasury/64.08|1"
    assert made.outcomes[0].type == "budget.set.refused.v1"
    assert reasons(made) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"period": None}, ["field-missing:period"]),
        ({"period": "2026-13"}, ["field-invalid:period"]),
        ({"period": "0000-01"}, ["field-invalid:period"]),
        ({"period": "2015-06"}, ["field-invalid:period"]),
        ({"period": "2027-03"}, ["field-invalid:period"]),
        ({"funding": None}, ["field-missing:funding"]),
        ({"cutoff": "2026-02-30"}, ["field-invalid:cutoff"]),
        ({"due_date": "tomorrow"}, ["field-invalid:due_date"]),
        # Beyond a year after the period, at the end of the calendar, before the period, no day of the calendar.
        ({"due_date": "2027-03-01"}, ["field-invalid:due_date"]),
        ({"due_date": "9999-12-31"}, ["field-invalid:due_date"]),
        ({"due_date": "9999-12-31T23:59:59Z"}, ["field-invalid:due_date"]),
        ({"due_date": "2026-01-31"}, ["field-invalid:due_date"]),
        ({"due_date": "0001-01-01"}, ["field-invalid:due_date"]),
        ({"due_date": 20260215}, ["field-invalid:due_date"]),
        ({"due_date": "9999-12-31", "period": None}, ["field-missing:period"]),
    ],
)
def test_a_run_with_a_wrong_form_is_refused(changed: dict[str, Any], expected: list[str]) -> None:
    _, made = after(None, "billing.run.v1", {**RUN, **changed})
    assert made.outcomes[0].type == "billing.run.refused.v1"
    assert reasons(made) == expected


@pytest.mark.parametrize("due_date", [None, "", "2026-02-01", "2026-02-28", "2027-02-28"])
def test_an_invoice_falls_due_in_its_period_or_within_a_year_after_it(due_date: str | None) -> None:
    made = after(_budget(), "billing.run.v1", {**RUN, "due_date": due_date})[1]
    assert made.outcomes[0].data.due_date == (due_date or None)


def test_a_run_may_be_twelve_months_ahead_of_the_month_in_wita() -> None:
    place, made = after(_budget(), "billing.run.v1", {**RUN, "period": "2027-02"})
    assert place == "budgets/64.08|2027|apbd-regency"
    assert made.outcomes[0].type == "run.requested"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"invoice_id": None}, ["field-missing:invoice_id"]),
        ({"amount": "16800"}, ["field-invalid:amount"]),
        ({"amount": None, "paid_on": "03/02/2026"}, ["field-missing:amount", "field-invalid:paid_on"]),
        ({"reference": ""}, ["field-missing:reference"]),
        # The day after the record's own business day; the end of the calendar.
        ({"paid_on": "2026-02-02"}, ["field-invalid:paid_on"]),
        ({"paid_on": "2099-01-01"}, ["field-invalid:paid_on"]),
        ({"paid_on": "9999-12-31"}, ["field-invalid:paid_on"]),
    ],
)
def test_a_payment_with_a_wrong_form_is_refused(changed: dict[str, Any], expected: list[str]) -> None:
    _, made = after(None, "invoice.pay.v1", {**PAY, **changed})
    assert made.outcomes[0].type == "invoice.pay.refused.v1"
    assert reasons(made) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("treasury/64.08", []),
        ("treasury/64", []),
        ("treasury", []),
        ("treasury/64.02", ["field-invalid:regency"]),
        ("treasury/6", ["field-invalid:regency"]),
        ("treasury/64.0", ["field-invalid:regency"]),
        ("officer/rina", []),
    ],
)
@pytest.mark.parametrize(("kind", "data"), [("budget.set.v1", BUDGET), ("billing.run.v1", RUN)])
def test_a_treasury_commands_for_its_own_regency(
    kind: str, data: dict[str, Any], source: str, expected: list[str]
) -> None:
    (part,) = decide.route(event(kind, data, source=source), REFERENCE)
    answer = getattr(part.data, "answer", None)
    assert (answer.reasons if answer else []) == expected


def test_data_that_is_no_object_is_one_reason() -> None:
    assert reasons(after(None, "billing.run.v1", {}, "data is no JSON object")[1]) == ["field-invalid:data"]


def test_an_empty_command_misses_every_required_field() -> None:
    expected = ["regency", "year", "funding", "jkk", "jkm", "decree_no", "target_workers"]
    assert reasons(after(None, "budget.set.v1", {})[1]) == [f"field-missing:{name}" for name in expected]


def _budget(**changed: Any) -> Budget:
    return Budget(
        **{
            "regency": "64.08",
            "year": 2026,
            "funding": "apbd-regency",
            "ceilings": Accounts(100_000, 68_000),
            **changed,
        }
    )


def test_ceilings_are_set_and_published() -> None:
    place, made = after(None, "budget.set.v1", {**BUDGET, "targets": {"64.08.04": 4}})
    assert place == "budgets/64.08|2026|apbd-regency"
    assert made.outcomes[0].type == "budget.set-accepted.v1"
    assert made.outcomes[0].key == "64.08"
    assert made.state.free == Accounts(100_000, 68_000)
    assert made.state.targets == {"64.08.04": 4}


@pytest.mark.parametrize(
    ("jkk", "jkm", "accepted"),
    [
        (30_000, 20_400, True),
        (29_999, 20_400, False),
        (30_000, 20_399, False),
    ],
)
def test_ceilings_never_fall_below_what_is_billed_or_set_aside(jkk: int, jkm: int, accepted: bool) -> None:
    budget = _budget(committed=Accounts(20_000, 13_600), reserved=Accounts(10_000, 6_800))
    made = after(budget, "budget.set.v1", {**BUDGET, "jkk": jkk, "jkm": jkm})[1]
    assert reasons(made) == ([] if accepted else ["budget-below-committed"])
    assert made.state.ceilings == (Accounts(jkk, jkm) if accepted else Accounts(100_000, 68_000))


def test_a_run_without_a_budget_is_refused_and_takes_no_number() -> None:
    refused = after(None, "billing.run.v1", RUN)[1]
    assert reasons(refused) == ["budget-missing"]
    ceilings = after(refused.state, "budget.set.v1", BUDGET)[1]
    accepted = after(ceilings.state, "billing.run.v1", RUN)[1]
    assert accepted.outcomes[0].data.run_id == "RUN-6408-2026-02-apbd-regency-1"


def test_runs_are_numbered_by_period_and_wait_in_the_order_of_their_commands() -> None:
    state: Any = _budget()
    for period in ("2026-01", "2026-02", "2026-01"):
        state = after(state, "billing.run.v1", {**RUN, "period": period})[1].state
    assert state.queue == (
        "RUN-6408-2026-01-apbd-regency-1",
        "RUN-6408-2026-02-apbd-regency-1",
        "RUN-6408-2026-01-apbd-regency-2",
    )


@pytest.mark.parametrize(("cutoff", "expected"), [(None, "2026-02-01"), ("2026-01-15", "2026-01-15")])
def test_the_cutoff_is_the_day_of_the_run_in_wita_unless_given(cutoff: str | None, expected: str) -> None:
    made = after(_budget(), "billing.run.v1", {**RUN, "cutoff": cutoff})[1]
    assert made.outcomes[0].data.cutoff == expected


OPEN = Invoice(
    invoice_id="INV-1",
    status=InvoiceStatus.OPEN,
    regency="64.08",
    period="2026-02",
    workers=1,
    lines=(
        PremiumLine(programme="JKK", amount=10_000, rule="bpu.jkk.row1"),
        PremiumLine(programme="JKM", amount=6_800, rule="bpu.jkm.flat"),
    ),
)


@pytest.mark.parametrize(
    ("status", "amount", "expected"),
    [
        (InvoiceStatus.UNKNOWN, 16_800, ["invoice-unknown"]),
        (InvoiceStatus.PAID, 16_799, ["already-paid"]),
        (InvoiceStatus.PAID, 16_800, ["already-paid"]),
        (InvoiceStatus.OPEN, 16_799, ["amount-differs"]),
        (InvoiceStatus.OPEN, 16_801, ["amount-differs"]),
        (InvoiceStatus.OPEN, 0, ["amount-differs"]),
        (InvoiceStatus.OPEN, 16_800, []),
    ],
)
def test_an_invoice_is_paid_once_by_the_exact_amount(status: InvoiceStatus, amount: int, expected: list[str]) -> None:
    invoice = None if status is InvoiceStatus.UNKNOWN else _with(OPEN, status)
    made = after(invoice, "invoice.pay.v1", {**PAY, "amount": amount})[1]
    assert reasons(made) == expected
    assert made.outcomes[0].type == ("premium.paid.v1" if not expected else "invoice.pay.refused.v1")
    assert made.outcomes[0].key == ("INV-1" if status is InvoiceStatus.UNKNOWN else "64.08")


@pytest.mark.parametrize(
    ("source", "paid_on", "expected"),
    [
        ("treasury/64.08", "2026-02-01", []),
        ("treasury/64", "2026-02-01", []),
        ("officer/rina", "2026-02-01", []),
        ("treasury/64.02", "2026-02-01", ["invoice-unknown"]),
        ("treasury/64.0", "2026-02-01", ["invoice-unknown"]),
        ("treasury/65", "2026-02-01", ["invoice-unknown"]),
        # History may be entered: a year before the period, no more.
        ("treasury/64.08", "2025-02-01", []),
        ("treasury/64.08", "2025-01-31", ["field-invalid:paid_on"]),
        ("treasury/64.08", "2015-02-01", ["field-invalid:paid_on"]),
    ],
)
def test_only_the_invoices_own_regency_pays_and_on_a_day_that_can_be(
    source: str, paid_on: str, expected: list[str]
) -> None:
    command = event("invoice.pay.v1", {**PAY, "paid_on": paid_on}, source=source)
    _, seen = arrived(command)
    made = decide.decide(OPEN, seen, FACTS)
    assert reasons(made) == expected
    if expected:
        # A refused payment changes nothing: the right payment still finds the invoice as it was.
        assert made.state == OPEN
        right = event("invoice.pay.v1", PAY)
        _, seen = arrived(right)
        paid = decide.decide(made.state, seen, FACTS)
        assert paid.outcomes[0].type == "premium.paid.v1"


def test_a_stranger_gets_the_same_answer_for_a_known_and_an_unknown_invoice() -> None:
    command = event("invoice.pay.v1", PAY, source="treasury/64.02")
    _, seen = arrived(command)
    told = [decide.decide(state, seen, FACTS).outcomes for state in (OPEN, _with(OPEN, InvoiceStatus.PAID), None)]
    assert told[0] == told[1] == told[2]


def _with(invoice: Invoice, status: InvoiceStatus) -> Invoice:
    return Invoice(
        invoice_id=invoice.invoice_id,
        status=status,
        regency=invoice.regency,
        period=invoice.period,
        workers=invoice.workers,
        lines=invoice.lines,
    )


def test_a_conflicting_duplicate_is_refused_in_its_own_document() -> None:
    command = event("invoice.pay.v1", PAY)
    part = decide.conflicting(command)
    made = decide.decide(None, command.with_data(part.data), FACTS)
    assert part.address.id != command.name
    assert reasons(made) == ["conflicting-duplicate"]
    assert made.outcomes[0].data == CommandRefused(
        invoice_id="INV-1", reference="SP2D-1", reasons=["conflicting-duplicate"]
    )


def test_what_a_run_or_an_invoice_waits_for_stays_due_when_an_event_is_ignored() -> None:
    step: dict[str, Any] = {
        "run_id": "R",
        "regency": "64.08",
        "period": "2026-02",
        "funding": "apbd-regency",
        "cutoff": "2026-02-01",
    }
    requested = _step(RunRequested(**step, invoice_id="INV-1"))
    waiting = decide.decide(None, requested, FACTS)
    assert waiting.due is not None
    early = decide.decide(waiting.state, _step(RunSettle(**step)), FACTS)
    assert (early.ignored, early.due) == ("run-not-running", waiting.due)
    opened = _step(InvoiceOpened(**step, invoice_id="INV-1", due_date="2026-03-10", workers=1, lines=[]))
    watched = decide.decide(None, opened, FACTS)
    assert watched.due is not None
    again = decide.decide(watched.state, opened, FACTS)
    assert (again.ignored, again.due) == ("invoice-known", watched.due)


def _step(data: Any) -> Event[Any]:
    return replace(event("billing.run.v1", {}), source="payung/billing", data=data, topic="billing-work")
