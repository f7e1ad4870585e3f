"""Invoices: opened by a closed run, paid once with the exact amount.

A payment may name an invoice that is not open yet. It is refused; the document that remembers the refusal can still be
opened later in the normal way. Only the treasury of the invoice's own regency or province, or an officer, may pay it.
Any other sender is answered as if the invoice did not exist, and changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from services.billing.domain import outcomes, rules
from services.billing.domain.forms import Payment
from services.billing.domain.state import Facts, Invoice, InvoiceStatus
from shared.contracts import tokens
from shared.contracts.billing import CommandRefused, CoverageAtRisk, PremiumPaid
from shared.contracts.billing_work import InvoiceOpened, InvoiceOverdue
from shared.contracts.reasons import Reason
from shared.kernel.calendar import WITA, business_day, parse_date
from shared.kernel.decision import Decision, Due
from shared.kernel.event import Event

OVERDUE = "overdue"


def opened(state: Invoice | None, event: Event[InvoiceOpened], facts: Facts) -> Decision[Invoice]:
    """Opens the invoice and only then publishes that its run is complete.

    So a treasury that pays because of that event, through another topic, always finds the invoice. If there is a due
    date, it is watched.
    """
    data = event.data
    invoice = Invoice(
        invoice_id=data.invoice_id,
        status=InvoiceStatus.OPEN,
        run_id=data.run_id,
        regency=data.regency,
        period=data.period,
        funding=data.funding,
        workers=data.workers,
        lines=tuple(data.lines),
        due_date=data.due_date,
        opened_on=business_day(event.at).isoformat(),
    )
    events = () if data.completed is None else (outcomes.completed(data.completed),)
    return Decision(state=invoice, outcomes=events, due=watch(invoice, event))


def paid(state: Invoice | None, event: Event[Payment], facts: Facts) -> Decision[Invoice]:
    """Pays every premium of the invoice, or refuses with the reason."""
    payment = event.data
    invoice = state or Invoice(invoice_id=payment.invoice_id)
    reason = _refusal(invoice, payment)
    if reason is not None:
        # A refused payment changes nothing, so the watch over the due date continues.
        answer = _answer(invoice, payment, reason)
        return Decision(
            state=invoice, outcomes=(outcomes.refusal(rules.PAY_INVOICE, answer),), due=watch(invoice, event)
        )
    invoice = replace(invoice, status=InvoiceStatus.PAID, paid_on=payment.paid_on, reference=payment.reference)
    data = PremiumPaid(
        invoice_id=invoice.invoice_id,
        regency=invoice.regency,
        period=invoice.period,
        funding=invoice.funding,
        total=invoice.total,
        workers=invoice.workers,
        reference=tokens.number_or_nothing(payment.reference),
        paid_on=payment.paid_on,
    )
    return Decision(
        state=invoice, outcomes=(outcomes.issued("premium.paid.v1", invoice.regency, data, invoice.invoice_id),)
    )


def _is_unknown(invoice: Invoice, payment: Payment) -> bool:
    return invoice.status is InvoiceStatus.UNKNOWN or not rules.speaks_for(payment.source, invoice.regency)


def _refusal(invoice: Invoice, payment: Payment) -> str | None:
    if _is_unknown(invoice, payment):
        return Reason.INVOICE_UNKNOWN
    if invoice.status is InvoiceStatus.PAID:
        return Reason.ALREADY_PAID
    if rules.is_paid_too_early(invoice.period, payment.paid_on):
        return f"{Reason.FIELD_INVALID}:paid_on"
    if payment.amount != invoice.total:
        return Reason.AMOUNT_DIFFERS
    return None


def _answer(invoice: Invoice, payment: Payment, reason: str) -> CommandRefused:
    unknown = _is_unknown(invoice, payment)
    return CommandRefused(
        regency=None if unknown else invoice.regency,
        period=None if unknown else invoice.period,
        funding=None if unknown else invoice.funding,
        invoice_id=tokens.number_or_nothing(payment.invoice_id) or None if unknown else payment.invoice_id,
        reference=tokens.number_or_nothing(payment.reference),
        reasons=[reason],
    )


def overdue_of(invoice: Invoice) -> InvoiceOverdue:
    """The event for the time when the due date has passed."""
    return InvoiceOverdue(invoice_id=invoice.invoice_id, regency=invoice.regency, period=invoice.period)


def overdue(state: Invoice, event: Event[InvoiceOverdue], facts: Facts) -> Decision[Invoice]:
    """Warns that a late payment interrupts the row of paid months (docs/rules.md#cover-and-arrears)."""
    data = CoverageAtRisk(
        regency=state.regency, period=state.period, workers=state.workers, reason=Reason.AWAITING_PREMIUM
    )
    at_risk = outcomes.issued("coverage.at-risk.v1", state.regency, data, state.invoice_id)
    return Decision(state=replace(state, overdue=True), outcomes=(at_risk,))


def watch(invoice: Invoice, event: Event) -> Due | None:
    """The due work of an open invoice with a due date that has not been warned of."""
    day = parse_date(invoice.due_date)
    if invoice.status is not InvoiceStatus.OPEN or invoice.overdue or day is None:
        return None
    # A run of an older release may carry a due date that is refused today. Its invoice opens but is not watched.
    if not rules.may_be_due(invoice.period, day.isoformat()):
        return None
    # A payment on the due date itself is in time, until midnight in WITA.
    passed = datetime.combine(day, time(0), WITA) + timedelta(days=1)
    correlation = {"correlation_id": event.correlation_id or event.id}
    return Due(f"{invoice.invoice_id}|{OVERDUE}", OVERDUE, passed, correlation)
