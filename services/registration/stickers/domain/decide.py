"""House stickers: until when a worker is paid, the number of the sticker, and whether it was issued and put up. Pure.

Theory of operation
A sticker says "paid until", so registration reads the events about premiums. `covers` (worker_id) holds a worker's
billed months with their invoices; `invoices` holds which invoices are paid. A month is covered only when both are
there; the order of arrival does not matter. A sticker's number is computed from the worker and the day on which the
registration was opened: a second print gives the same number, and a worker who left and came back gets a new one. An
officer's request issues stickers (`sticker.issue.v1` on the work topic), and sheets print issued stickers only.
Validity is not stored with a sticker: it is valid while its worker is (`revoked`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from services.registration.intake.domain import answers, submissions
from services.registration.intake.domain.fields import SUBMISSION, Given
from services.registration.intake.domain.outcomes import open_event
from services.registration.intake.domain.state import Reference, Refusal, Sender
from services.registration.intake.domain.submissions import Submission
from services.registration.stickers.domain.rules import is_sticker_no
from services.registration.stickers.domain.state import BilledMonths, PaidInvoice, Sticker
from shared.contracts import readers
from shared.contracts.billing import PremiumBilled, PremiumPaid
from shared.contracts.forms import INVALID, Field, Form, Values, Wrong
from shared.contracts.reasons import Reason
from shared.contracts.registration import InstallSticker
from shared.contracts.registration_stickers import IssueSticker, StickerInstalled, StickerIssued
from shared.kernel.calendar import business_day, day_of, period_of, shift_period
from shared.kernel.decision import Address, Decision
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value

# Billing runs at most a year ahead (docs/contracts.md#premiums-and-runs), and a past month no longer gives cover.
MONTHS_KEPT = 14


@value(frozen=True, slots=True, kw_only=True)
class Install:
    """A valid report that a sticker was put up."""

    sender: Sender
    sticker_no: str
    installed_on: str


def of_install(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """The document of the sticker that was put up, or a refusal document."""
    return submissions.read(event, reference, _INSTALLATION, _install)


def _install(submission: Submission[str]) -> Routed:
    report = Install(
        sender=submission.sender, sticker_no=submission.form, installed_on=submission.values[_INSTALLED_ON].isoformat()
    )
    return Routed(Address("stickers", submission.form), report)


def _sticker_no(raw: Any, _: object) -> str | Wrong:
    number = raw.strip().upper() if isinstance(raw, str) else ""
    return number if is_sticker_no(number) else INVALID


def _installed_on(raw: Any, values: Values[Given]) -> date | Wrong:
    day = day_of(raw)
    return day if day is not None and day <= values.given.today else INVALID


_STICKER_NO = Field("sticker_no", _sticker_no)
_INSTALLED_ON = Field("installed_on", _installed_on)
_INSTALLATION = Form(
    lambda values: values[_STICKER_NO], SUBMISSION, _STICKER_NO, _INSTALLED_ON, Field("by", readers.text)
)


def of_premium(event: Event[PremiumBilled]) -> Routed:
    """The billed months that a premium adds to."""
    return Routed(Address("covers", event.data.worker_id), event.data)


def billed(state: BilledMonths | None, event: Event[PremiumBilled], facts: object) -> Decision[BilledMonths]:
    """Notes a billed month and drops months that ended before the last one."""
    premium = event.data
    oldest = shift_period(period_of(business_day(event.at)), -1)
    months = {period: invoice for period, invoice in (state.months if state else ()) if period >= oldest}
    months[premium.period] = premium.invoice_id
    return Decision(state=BilledMonths(months=tuple(sorted(months.items())[-MONTHS_KEPT:])))


def paid(state: PaidInvoice | None, event: Event[PremiumPaid], facts: object) -> Decision[PaidInvoice]:
    """Notes that an invoice is paid."""
    payment = event.data
    return Decision(state=PaidInvoice(period=payment.period))


def issue(state: Sticker | Refusal | None, event: Event[IssueSticker], facts: object) -> Decision[Sticker]:
    """Issues a sticker. Issued again without a later last day it is not published again."""
    part = event.data
    before = state if isinstance(state, Sticker) else None
    if before is not None and before.valid_until >= part.valid_until:
        return Decision(state=before, ignored="already-issued")
    sticker = Sticker(
        worker_id=part.worker_id,
        opened_on=part.opened_on,
        regency=part.regency,
        district=part.district,
        village=part.village,
        issued_on=business_day(event.at).isoformat(),
        valid_until=part.valid_until,
        installed_on=before.installed_on if before else "",
        installed_for=before.installed_for if before else "",
    )
    said = StickerIssued(
        sticker_no=part.sticker_no,
        regency=part.regency,
        district=part.district,
        village=part.village,
        issued_on=sticker.issued_on,
        valid_until=part.valid_until,
    )
    return Decision(state=sticker, outcomes=(open_event(part.sticker_no, "sticker.issued.v1", said),))


def install(state: Sticker | Refusal | None, event: Event[Install], facts: object) -> Decision[Sticker | Refusal]:
    """Notes that a sticker was put up. A number that was never issued in this regency is refused."""
    part = event.data
    sender = part.sender
    if not isinstance(state, Sticker) or state.regency != sender.regency:
        answer = answers.answered(event.id, sender, "rejected", reasons=(Reason.STICKER_UNKNOWN,))
        kept = state or Refusal(submission_id=sender.submission_id, reasons=(Reason.STICKER_UNKNOWN,))
        return Decision(state=kept, outcomes=(answer,))
    answer = answers.answered(event.id, sender, "accepted")
    if (state.installed_on, state.installed_for) == (part.installed_on, state.valid_until):
        return Decision(state=state, outcomes=(answer,))
    said = StickerInstalled(
        sticker_no=part.sticker_no,
        regency=state.regency,
        district=state.district,
        village=state.village,
        installed_on=part.installed_on,
        agency=sender.agency,
    )
    hanging = replace(state, installed_on=part.installed_on, installed_for=state.valid_until)
    return Decision(state=hanging, outcomes=(open_event(part.sticker_no, "sticker.installed.v1", said), answer))


_covers = Documents[BilledMonths, object]("covers", Kind(BilledMonths))
_covers.on(PremiumBilled).always(billed)

_invoices = Documents[PaidInvoice, object]("invoices", Kind(PaidInvoice))
_invoices.on(PremiumPaid, lambda payment: payment.invoice_id).always(paid)

# A number that was never issued leaves a refusal.
_stickers = Documents[Sticker | Refusal, object]("stickers", Kind(Sticker), Kind(Refusal))
_stickers.on(IssueSticker, lambda one: one.sticker_no).always(issue)
_stickers.on(Install).always(install)

TABLE = Table[object, Reference](_covers, _invoices, _stickers).reads(InstallSticker, of_install)
