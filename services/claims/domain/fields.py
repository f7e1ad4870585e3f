"""The fields of claims' commands (docs/contracts.md#claims): each gives a typed value, or the reason why it cannot be
used. The NIK goes no further than this module: its field gives the worker_id made from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, get_args

from services.claims.domain import details, rules
from services.claims.domain.details import About, Details
from services.claims.domain.state import Claimant, Reference
from shared.contracts import readers, tokens
from shared.contracts.claims import ClaimKind
from shared.contracts.forms import (
    INVALID,
    MISSING,
    Field,
    Form,
    Noted,
    Rule,
    Values,
    Wrong,
    invalid,
    is_empty,
    never,
    wrong,
)
from shared.kernel.calendar import day_of
from shared.kernel.contacts import relation
from shared.kernel.debris import fault
from shared.kernel.identity import worker_id
from shared.kernel.values import value

KINDS: Mapping[str, ClaimKind] = {kind: kind for kind in get_args(ClaimKind)}
CAUSES = ("accident", "illness", "natural")
DAYS_MAX = 36_500
DOCUMENTS_LIST_MAX = 100

_WORKER_ID = re.compile(r"[a-z2-7]{26}")
_DAY_AND_SERIAL = re.compile(r"\d{4}20\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{4}", re.ASCII)


@value(frozen=True, slots=True)
class Given:
    """What the readers know besides the form: the day of receipt, the rates and the key."""

    today: date
    reference: Reference


def _claim_no(raw: Any, values: object) -> str | Wrong:
    """The number of a claim, which is public: letters, digits and `. / _ -`, at least one digit, no telephone."""
    number = _NUMBER(raw, values)
    return number if isinstance(number, str) and tokens.is_number_of_a_claim(number) else INVALID


def _stated_worker(raw: Any, _: object) -> str | Noted[str]:
    """A worker_id; the empty text, with the reason, for anything else."""
    good = isinstance(raw, str) and _WORKER_ID.fullmatch(raw) is not None
    return raw if good else Noted("", INVALID.reasons)


def _worker(raw: Any, values: Values[Given]) -> str | Noted[str] | None:
    """The worker_id that is given, or made from the NIK. If both are given they must agree."""
    stated, given = values.get(STATED_WORKER), values.given
    if stated == "":
        return None
    if is_empty(raw):
        return stated or MISSING
    nik = readers.nik(raw, given.today)
    if isinstance(nik, Noted):
        return Noted(reasons=nik.reasons)
    made = worker_id(given.reference.id_key, nik)
    return made if stated in (None, made) else wrong(invalid(STATED_WORKER.name))


def _public_number(values: Values[Given]) -> str | Wrong | None:
    """The number of the claim, if it may appear in open topics and URLs: it contains no NIK.

    A part that looks like a NIK may be an agency's own code with a day and a serial (6408 2026-11-21 0001). It is
    allowed, unless it is this worker's NIK.
    """
    number, worker, key = values.get(CLAIM_NO), values.get(WORKER), values.given.reference.id_key
    if number is None:
        return None
    shows_a_nik = any(
        worker in (None, worker_id(key, nik)) or not _DAY_AND_SERIAL.fullmatch(nik)
        for nik in tokens.hidden_niks(number)
    )
    return INVALID if shows_a_nik else number


def _event_date(raw: Any, values: Values[Given]) -> date | Wrong:
    """A day of the calendar, not after the day of receipt, for which the law has these benefits."""
    found, given = day_of(raw), values.given
    if found is None or found > given.today or not rules.has_law(given.reference.rates, found):
        return INVALID
    return found


def _details(raw: Any, values: Values[Given]) -> Details | Noted[Details]:
    """The object `details`; a death benefit needs none."""
    kind, given, happened = values.get(KIND), values.given, values.get(EVENT_DATE)
    if is_empty(raw):
        return Details() if kind == "jkm" else MISSING
    if not isinstance(raw, Mapping):
        return INVALID
    # Days off work cannot include days that have not come yet.
    days_max = DAYS_MAX if happened is None else (given.today - happened).days + 1
    about = About(kind, values.get(WORKER), happened or given.today, days_max, given.reference.id_key)
    read = details.DETAILS.read(raw, about)
    return Noted(reasons=read.reasons) if read.value is None else read.value


def _documents(raw: Any, _: object) -> tuple[str, ...] | Wrong:
    """The codes of a claim's documents, each once. An unknown code is refused, so that the office learns of its
    mistake; so is "belum" beside a code, which means that the document is missing.
    """
    if not isinstance(raw, list) or len(raw) > DOCUMENTS_LIST_MAX or not all(_is_document(one) for one in raw):
        return INVALID
    return tuple(sorted({one.strip().lower() for one in raw}))


def _is_document(raw: Any) -> bool:
    if not isinstance(raw, str):
        return False
    known = rules.KNOWN_DOCUMENTS
    return raw in known or (fault(raw) is None and raw.strip().lower() in known)


def _relation(raw: Any, values: object) -> str | Wrong:
    text = _SHORT(raw, values)
    return relation(text) if isinstance(text, str) else text


_NUMBER, _SHORT = readers.short_text(tokens.NUMBER_MAX), readers.short_text()
_PAYEE_NAME = Field("name", _SHORT, called="claimant.name")
_PAYEE_RELATION = Field("relation", _relation, called="claimant.relation")
_PAYEE_ACCOUNT = Field("account", readers.number_text, called="claimant.account", empty=readers.has_no_number)
_CLAIMANT: Form[Claimant, Any] = Form(
    lambda values: Claimant(values[_PAYEE_NAME], values[_PAYEE_RELATION], values[_PAYEE_ACCOUNT]),
    _PAYEE_NAME,
    _PAYEE_RELATION,
    _PAYEE_ACCOUNT,
)

CLAIM_NO = Field("claim_no", _claim_no)
STATED_WORKER = Field("worker_id", _stated_worker, optional=True)
# The worker of the claim. A missing NIK is judged by the reader, because a worker_id may stand for it.
WORKER: Field[str, Given] = Field("nik", _worker, empty=never)
PUBLIC_NUMBER: Rule[str, Given] = Rule("public_number", _public_number, called="claim_no")
KIND: Field[ClaimKind] = Field("kind", readers.word(KINDS))
EVENT_DATE = Field("event_date", _event_date)
CAUSE = Field("cause", readers.word({cause: cause for cause in CAUSES}))
DETAILS: Field[Details, Given] = Field("details", _details, empty=never)
CLAIM_DOCUMENTS = Field("documents", _documents)
CLAIMANT = Field("claimant", readers.inside(_CLAIMANT))
