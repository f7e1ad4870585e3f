"""The form check of billing's commands: each becomes a part to judge, or `RefusedCommand` with every reason that holds.

Pure and total: any content of `data` gives a part. Knows no document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.billing.domain import rules
from services.billing.domain.state import Accounts, Reference
from shared.contracts import tokens
from shared.contracts.base import FUNDINGS, Funding
from shared.contracts.billing import CommandRefused
from shared.contracts.fields import Fields
from shared.kernel.calendar import business_day, is_period
from shared.kernel.event import Event, Intake
from shared.kernel.values import value

YEAR_MIN, YEAR_MAX = 2015, 2100
# More than the budget of any province; it also keeps sums far inside 64 bits.
RUPIAH_MAX = 10**15
WORKERS_MAX = 10**9


@value(frozen=True, slots=True)
class RefusedCommand:
    """A command that cannot be accepted, with its answer."""

    command: str
    answer: CommandRefused


@value(frozen=True, slots=True)
class Ceilings:
    """A well-formed `budget.set.v1`."""

    regency: str
    year: int
    funding: Funding
    amounts: Accounts
    decree_no: str
    target_workers: int
    targets: Mapping[str, int]


@value(frozen=True, slots=True)
class RunOrder:
    """A well-formed `billing.run.v1`."""

    regency: str
    period: str
    funding: Funding
    cutoff: str
    due_date: str | None


@value(frozen=True, slots=True)
class Payment:
    """A well-formed `invoice.pay.v1` with its sender: only the invoice knows whose money it asks for."""

    invoice_id: str
    amount: int
    paid_on: str
    reference: str
    source: str


class _Form(Fields):
    """The fields that several of billing's commands share."""

    def __init__(self, event: Event[Intake], reference: Reference) -> None:
        super().__init__(event.data.fields, event.data.problem)
        self.source = event.source
        self.reference = reference

    def regency(self) -> str:
        value = self.fields.get("regency")
        if isinstance(value, str) and self.reference.areas.is_regency(value) and rules.speaks_for(self.source, value):
            return value
        self.wrong("regency")
        return ""

    def funding(self) -> Funding:
        value = self.fields.get("funding")
        for known in FUNDINGS:
            if value == known:
                return known
        self.wrong("funding")
        return "apbd-regency"


def ceilings(event: Event[Intake], reference: Reference) -> Ceilings | RefusedCommand:
    """Reads `budget.set.v1`."""
    form = _Form(event, reference)
    regency = form.regency()
    year = form.whole("year", YEAR_MIN, YEAR_MAX)
    funding = form.funding()
    amounts = Accounts(form.whole("jkk", 0, RUPIAH_MAX), form.whole("jkm", 0, RUPIAH_MAX))
    decree_no = form.text("decree_no")
    target_workers = form.whole("target_workers", 0, WORKERS_MAX)
    targets = _targets(form, regency)
    if form.reasons:
        return refused(event, form.reasons)
    return Ceilings(regency, year, funding, amounts, decree_no, target_workers, targets)


def _targets(form: _Form, regency: str) -> dict[str, int]:
    """Targets by district. An unknown district is refused, because no figure would ever count towards its target."""
    if form.missing("targets"):
        return {}
    value = form.fields["targets"]
    districts = form.reference.areas.districts(regency)
    if isinstance(value, dict) and all(
        (not regency or district in districts)
        and isinstance(number, int)
        and not isinstance(number, bool)
        and 0 <= number <= WORKERS_MAX
        for district, number in value.items()
    ):
        return dict(value)
    form.wrong("targets")
    return {}


def run_order(event: Event[Intake], reference: Reference) -> RunOrder | RefusedCommand:
    """Reads `billing.run.v1`. The default cutoff is the day of the command in WITA."""
    today = business_day(event.at)
    form = _Form(event, reference)
    regency = form.regency()
    period = form.fields.get("period")
    funding = form.funding()
    if (
        not isinstance(period, str)
        or not is_period(period)
        or rules.is_too_far_ahead(period, today)
        or not rules.has_premium(reference.rates, funding, period)
    ):
        form.wrong("period")
        period = ""
    cutoff = form.optional_day("cutoff")
    due_date = form.optional_day("due_date")
    # Refused before anything is billed: the watch over the due date cannot compute with such a day, and the invoice
    # would be lost.
    if due_date and period and not rules.may_be_due(period, due_date):
        form.wrong("due_date")
    if form.reasons:
        return refused(event, form.reasons)
    return RunOrder(regency, period, funding, cutoff or today.isoformat(), due_date)


def payment(event: Event[Intake], reference: Reference) -> Payment | RefusedCommand:
    """Reads `invoice.pay.v1`."""
    form = _Form(event, reference)
    invoice_id = form.text("invoice_id")
    amount = form.whole("amount", 0, RUPIAH_MAX)
    paid_on = form.day("paid_on")
    if paid_on > business_day(event.at).isoformat():
        form.wrong("paid_on")
    reference_text = form.text("reference")
    if form.reasons:
        return refused(event, form.reasons)
    return Payment(invoice_id, amount, paid_on, reference_text, event.source)


def refused(event: Event[Intake], reasons: list[str]) -> RefusedCommand:
    """The refusal of a command, with those of its own ids that can be read."""
    fields = event.data.fields
    year = fields.get("year")
    return RefusedCommand(
        event.type,
        CommandRefused(
            regency=_code(fields, "regency"),
            year=year if isinstance(year, int) and not isinstance(year, bool) and abs(year) < 10**6 else None,
            period=_code(fields, "period"),
            funding=next((one for one in FUNDINGS if one == fields.get("funding")), None),
            invoice_id=_code(fields, "invoice_id"),
            reference=_code(fields, "reference"),
            reasons=reasons,
        ),
    )


def _code(fields: Mapping[str, Any], name: str) -> str | None:
    """A field of the command for the answer. Everyone reads the answer, so only numbers and codes are repeated,
    no other text.
    """
    value = fields.get(name)
    return value.strip() if isinstance(value, str) and tokens.is_number(value.strip()) else None
