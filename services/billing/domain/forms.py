"""The form check of billing's commands: each becomes a part to judge, or `RefusedCommand` with every reason that holds.

Pure and total: any content of `data` gives a part. Knows no document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from services.billing.domain import rules
from services.billing.domain.state import Accounts, Reference
from shared.contracts import readers, tokens
from shared.contracts.base import FUNDINGS, Funding
from shared.contracts.billing import CommandRefused
from shared.contracts.forms import INVALID, Field, Form, Values, Wrong
from shared.kernel.calendar import business_day, day_of, is_period
from shared.kernel.event import Event, Intake
from shared.kernel.values import value

V = TypeVar("V")

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


@value(frozen=True, slots=True)
class Given:
    """What the readers know besides the form: the sender, and the day of the command in WITA."""

    source: str
    today: date
    reference: Reference


def ceilings(event: Event[Intake], reference: Reference) -> Ceilings | RefusedCommand:
    """Reads `budget.set.v1`."""
    return _read(_CEILINGS, event, reference)


def run_order(event: Event[Intake], reference: Reference) -> RunOrder | RefusedCommand:
    """Reads `billing.run.v1`. The default cutoff is the day of the command in WITA."""
    return _read(_RUN_ORDER, event, reference)


def payment(event: Event[Intake], reference: Reference) -> Payment | RefusedCommand:
    """Reads `invoice.pay.v1`."""
    return _read(_PAYMENT, event, reference)


def _read(form: Form[V, Given], event: Event[Intake], reference: Reference) -> V | RefusedCommand:
    read = form.of(event.data, Given(event.source, business_day(event.at), reference))
    return refused(event, read.reasons) if read.value is None else read.value


def refused(event: Event[Intake], reasons: Sequence[str]) -> RefusedCommand:
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
            reasons=list(reasons),
        ),
    )


def _code(fields: Mapping[str, Any], name: str) -> str | None:
    """A field of the command for the answer. Everyone reads the answer, so only numbers and codes are repeated,
    no other text.
    """
    value = fields.get(name)
    return value.strip() if isinstance(value, str) and tokens.is_number(value.strip()) else None


def _regency(raw: Any, values: Values[Given]) -> str | Wrong:
    """A regency for which the sender may command."""
    given = values.given
    good = isinstance(raw, str) and given.reference.areas.is_regency(raw) and rules.speaks_for(given.source, raw)
    return raw if good else INVALID


def _funding(raw: Any, _: object) -> Funding | Wrong:
    return next((one for one in FUNDINGS if one == raw), INVALID)


def _targets(raw: Any, values: Values[Given]) -> Mapping[str, int] | Wrong:
    """Targets by district. An unknown district is refused, because no figure would ever count towards its target."""
    if not isinstance(raw, dict) or not all(readers.is_whole(number, 0, WORKERS_MAX) for number in raw.values()):
        return INVALID
    regency = values.get(_REGENCY)
    if regency is None:
        # The districts of a wrong regency are unknown; its own reason is enough.
        return raw
    districts = values.given.reference.areas.districts(regency)
    return raw if all(district in districts for district in raw) else INVALID


def _period(raw: Any, values: Values[Given]) -> str | Wrong:
    """A month that may be billed, and for which the law has a premium."""
    given, funding = values.given, values.get(_FUNDING) or _OWN_BUDGET
    if not isinstance(raw, str) or not is_period(raw) or rules.is_too_far_ahead(raw, given.today):
        return INVALID
    return raw if rules.has_premium(given.reference.rates, funding, raw) else INVALID


def _due_date(raw: Any, values: Values[Given]) -> date | Wrong:
    """Refused before anything is billed: the watch over the due date cannot compute with every day, and the invoice
    would be lost.
    """
    found, period = day_of(raw), values.get(_PERIOD)
    if found is None or (period is not None and not rules.may_be_due(period, found.isoformat())):
        return INVALID
    return found


def _paid_on(raw: Any, values: Values[Given]) -> date | Wrong:
    found = day_of(raw)
    return INVALID if found is None or found > values.given.today else found


# A month with a wrong funding is judged as if the regency itself paid.
_OWN_BUDGET: Funding = "apbd-regency"

_REGENCY = Field("regency", _regency)
_FUNDING: Field[Funding] = Field("funding", _funding)
_YEAR = Field("year", readers.whole(YEAR_MIN, YEAR_MAX))
_JKK = Field("jkk", readers.whole(0, RUPIAH_MAX))
_JKM = Field("jkm", readers.whole(0, RUPIAH_MAX))
_DECREE_NO = Field("decree_no", readers.short_text())
_TARGET_WORKERS = Field("target_workers", readers.whole(0, WORKERS_MAX))
_TARGETS = Field("targets", _targets, optional=True)
_PERIOD = Field("period", _period)
_CUTOFF = Field("cutoff", readers.day, optional=True)
_DUE_DATE = Field("due_date", _due_date, optional=True)
_INVOICE = Field("invoice_id", readers.short_text())
_AMOUNT = Field("amount", readers.whole(0, RUPIAH_MAX))
_PAID_ON = Field("paid_on", _paid_on)
_TRANSFER = Field("reference", readers.short_text())


def _ceilings(values: Values[Given]) -> Ceilings:
    return Ceilings(
        regency=values[_REGENCY],
        year=values[_YEAR],
        funding=values[_FUNDING],
        amounts=Accounts(values[_JKK], values[_JKM]),
        decree_no=values[_DECREE_NO],
        target_workers=values[_TARGET_WORKERS],
        targets=dict(values.get(_TARGETS) or {}),
    )


def _run_order(values: Values[Given]) -> RunOrder:
    cutoff, due_date = values.get(_CUTOFF) or values.given.today, values.get(_DUE_DATE)
    return RunOrder(
        regency=values[_REGENCY],
        period=values[_PERIOD],
        funding=values[_FUNDING],
        cutoff=cutoff.isoformat(),
        due_date=None if due_date is None else due_date.isoformat(),
    )


def _payment(values: Values[Given]) -> Payment:
    return Payment(
        invoice_id=values[_INVOICE],
        amount=values[_AMOUNT],
        paid_on=values[_PAID_ON].isoformat(),
        reference=values[_TRANSFER],
        source=values.given.source,
    )


_CEILINGS = Form(_ceilings, _REGENCY, _YEAR, _FUNDING, _JKK, _JKM, _DECREE_NO, _TARGET_WORKERS, _TARGETS)
_RUN_ORDER = Form(_run_order, _REGENCY, _FUNDING, _PERIOD, _CUTOFF, _DUE_DATE)
_PAYMENT = Form(_payment, _INVOICE, _AMOUNT, _PAID_ON, _TRANSFER)
