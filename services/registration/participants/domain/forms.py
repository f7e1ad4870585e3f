"""Reads an answer of BPJS that an officer hands in: typed values, or every reason against it. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.registration.intake.domain.state import Reference
from shared.contracts import officers, readers, tokens
from shared.contracts.forms import INVALID, MISSING, Field, Form, Noted, Read, Rule, Values, Wrong, invalid, wrong
from shared.contracts.reasons import Reason, row_fault
from shared.kernel.calendar import WITA, business_day, day_of, parse_date
from shared.kernel.decision import Address
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.identity import worker_id
from shared.kernel.values import value
from shared.reference import bpjs_files
from shared.reference.bpjs_files import BpjsAnswers

# The form that billing gives its invoices: INV-<regency>-<period>-<funding>-<number>.
_INVOICE = re.compile(r"INV-\d{4}-\d{4}-\d{2}-[a-z-]{2,20}-\d{1,6}", re.ASCII)
WORDS_MAX = 500


@value(frozen=True, slots=True, kw_only=True)
class Answered:
    """A well-formed answer about one participant: a card number, or a reason code with BPJS's words."""

    invoice_id: str
    worker_id: str
    officer: str
    answered_at: datetime
    kpj: str = ""
    reason: str = ""
    words: str = ""


@value(frozen=True, slots=True, kw_only=True)
class RefusedAnswer:
    """An answer that cannot be taken."""

    invoice_id: str | None
    worker_id: str | None
    officer: str | None
    reasons: tuple[str, ...]


@value(frozen=True, slots=True)
class Given:
    """What the readers know besides the form: who hands it in, when it arrived, and how BPJS writes."""

    source: str
    at: datetime
    id_key: bytes


def participant_key(worker: str, invoice_id: str) -> str:
    """The key of a worker on an invoice. The worker comes first, so that all invoices of a worker are one range of
    keys."""
    return f"{worker}|{invoice_id}"


def route(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """The participant whom the answer is about, or a refusal document."""
    read = _read(event, reference)
    reasons = row_fault(event.data.fields) or read.reasons
    if reasons or read.value is None:
        return (Routed(Address("refusals", event.name), _refused(read, reasons)),)
    key = participant_key(read.value.worker_id, read.value.invoice_id)
    return (Routed(Address("participants", key), read.value),)


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses an answer whose name was used before with other content. Without the key, the worker is not named."""
    read = _ANSWER.of(event.data, Given(event.source, event.at, b""))
    part = _refused(read, (str(Reason.CONFLICTING_DUPLICATE),), named=False)
    return Routed(Address("refusals", f"{event.name}|{event.content_hash}"), part)


def _read(event: Event[Intake], reference: Reference) -> Read[Answered]:
    return _ANSWER.of(event.data, Given(event.source, event.at, reference.id_key))


def _refused(read: Read[Answered], reasons: tuple[str, ...], *, named: bool = True) -> RefusedAnswer:
    nik, given = read.values.get(_NIK), read.values.given
    return RefusedAnswer(
        invoice_id=read.values.get(_INVOICE_ID),
        worker_id=worker_id(given.id_key, nik) if nik is not None and named else None,
        officer=officers.name_of(given.source),
        reasons=reasons,
    )


def is_invoice(text: object) -> bool:
    """Whether a text has the form of an invoice's id."""
    return isinstance(text, str) and _INVOICE.fullmatch(text) is not None and not tokens.hidden_niks(text)


def _invoice(raw: Any, _: object) -> str | Wrong:
    return raw.strip() if isinstance(raw, str) and is_invoice(raw.strip()) else INVALID


def _nik(raw: Any, values: Values[Given]) -> str | Noted[str]:
    return readers.nik(raw, business_day(values.given.at))


def _instant(raw: Any, values: Values[Given]) -> datetime | Wrong:
    """An instant, or the first moment of a day in WITA. Clocks may differ, so it may be a day ahead, and no more."""
    if not isinstance(raw, str):
        return INVALID
    day = parse_date(raw)
    found = datetime.combine(day, time.min, WITA) if day is not None else _with_offset(raw)
    if found is None or day_of(raw) is None or found.year not in readers.YEARS:
        return INVALID
    # Whole seconds: the store keeps no microseconds, and the same answer must stay the same.
    exact = found.astimezone(UTC).replace(microsecond=0)
    return exact if exact <= values.given.at + timedelta(days=1) else INVALID


def _with_offset(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _officer(raw: Any, values: Values[Given]) -> Wrong | None:
    return INVALID if officers.is_signed_by_another(raw, values.given.source) else None


def _words(raw: Any, values: Values[Given]) -> str | Wrong:
    found = readers.text(raw, values)
    return found[:WORDS_MAX] if isinstance(found, str) else found


def _judge(values: Values[Given]) -> tuple[str, str, str] | Wrong | None:
    """The card number, or the reason and BPJS's words. A row that says both or neither, or contradicts itself, is
    refused."""
    kpj, status, words = values.get(_KPJ) or "", values.get(_STATUS) or "", values.get(_REFUSED) or ""
    answered_at = values.get(_ANSWERED_AT)
    if values.reasons or answered_at is None:
        return None
    how = _answers(answered_at.astimezone(WITA).date())
    is_yes, words_say = how.meaning_of(status) if status else None, how.meaning_of(words) if words else None
    if status and is_yes is None:
        return wrong(invalid(_STATUS.name))
    if kpj:
        if not how.is_card_number(kpj):
            return wrong(invalid(_KPJ.name))
        # Words beside a number are a plain yes, or explain a status of yes. Others could be the reason of a refusal.
        agree = is_yes is not False and (not words or words_say is True or (is_yes is True and words_say is None))
        return (kpj, "", "") if agree else wrong(Reason.ANSWER_CONTRADICTING)
    if is_yes or words_say:
        return MISSING
    if not words and is_yes is None:
        return MISSING
    return ("", how.code_of(words), words or status)


def _answers(day: date) -> BpjsAnswers:
    return bpjs_files.shipped().on(day).answers


def _answered(values: Values[Given]) -> Answered:
    kpj, reason, words = values[_SAID]
    return Answered(
        invoice_id=values[_INVOICE_ID],
        worker_id=worker_id(values.given.id_key, values[_NIK]),
        officer=officers.name_of(values.given.source) or "",
        answered_at=values[_ANSWERED_AT],
        kpj=kpj,
        reason=reason,
        words=words,
    )


_INVOICE_ID = Field("invoice_id", _invoice)
_NIK = Field("nik", _nik)
_KPJ = Field("kpj", _words, optional=True)
_STATUS = Field("status", _words, optional=True)
_REFUSED = Field("refused", _words, optional=True)
_ANSWERED_AT = Field("answered_at", _instant)
_SAID = Rule("said", _judge, called="kpj")
_ANSWER = Form(
    _answered,
    _INVOICE_ID,
    _NIK,
    _KPJ,
    _STATUS,
    _REFUSED,
    _ANSWERED_AT,
    Field("officer", _officer, optional=True),
    _SAID,
)
