"""The form check of claims' commands: each becomes a part to judge, or a refused part with every reason that holds.

Pure and total: any content of `data` gives a part. Knows no document. The NIK goes no further than this module: only
the worker_id made from it continues.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, get_args

from services.claims.domain import rules
from services.claims.domain.state import Child, Claimant, Form, Reference, Ruling
from shared.contracts import officers, tokens, topics
from shared.contracts.claims import ClaimKind, DecideClaim, SubmitClaim
from shared.contracts.fields import Fields
from shared.contracts.reasons import Reason, row_fault
from shared.kernel.calendar import business_day, day_of
from shared.kernel.contacts import relation
from shared.kernel.event import Event, Intake
from shared.kernel.identity import is_nik, nik_birth_date, worker_id
from shared.kernel.values import value

KINDS: tuple[ClaimKind, ...] = get_args(ClaimKind)
CAUSES = ("accident", "illness", "natural")
OUTCOMES = ("treatment", "temporary", "partial", "total", "death")
# Agencies write school levels in many ways.
LEVELS: Mapping[str, str] = {
    **{level: level for level in rules.LEVELS},
    **dict.fromkeys(("paud", "kindergarten"), "tk"),
    **dict.fromkeys(("mi", "primary", "elementary"), "sd"),
    **dict.fromkeys(("mts", "junior", "junior-high"), "smp"),
    **dict.fromkeys(("smk", "ma", "senior", "senior-high"), "sma"),
    **dict.fromkeys(("pt", "s1", "d1", "d2", "d3", "d4", "university", "college", "training", "kuliah"), "higher"),
}
CHILDREN_LIST_MAX = 20
# More than any benefit; it also keeps sums far inside 64 bits.
RUPIAH_MAX = 10**12
DAYS_MAX = 36_500
CHILD_KEY_BYTES = 10

_WORKER_ID = re.compile(r"[a-z2-7]{26}")
_DAY_AND_SERIAL = re.compile(r"\d{4}20\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{4}", re.ASCII)
_AGENCY_NAME = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
_REGENCY = re.compile(r"\d{2}\.\d{2}", re.ASCII)


@value(frozen=True, slots=True)
class Sender:
    """The agency of a claim: the agency of the event's topic, or the one that an officer's decision names.

    An officer may leave out the regency; then it is empty until the claim is found. Both are empty when the decision
    names no agency.
    """

    regency: str
    agency: str


@value(frozen=True, slots=True)
class ClaimSubmission:
    """A well-formed `claim.submit.v1`."""

    sender: Sender
    claim_no: str
    form: Form


@value(frozen=True, slots=True)
class Rejected:
    """A `claim.submit.v1` with a wrong form, with those fields that can be read."""

    sender: Sender
    claim_no: str
    worker_id: str | None
    kind: ClaimKind | None
    reasons: tuple[str, ...]


@value(frozen=True, slots=True)
class Unnamed(Rejected):
    """One whose claim_no cannot be read (it is empty): no claim can be found for it."""


@value(frozen=True, slots=True)
class Added:
    """A well-formed `claim.add-documents.v1`."""

    sender: Sender
    claim_no: str
    documents: tuple[str, ...]


@value(frozen=True, slots=True)
class Withdrawn:
    """A well-formed `claim.withdraw.v1`."""

    sender: Sender
    claim_no: str


@value(frozen=True, slots=True)
class Decided:
    """A well-formed `claim.decide.v1`."""

    sender: Sender
    claim_no: str
    ruling: Ruling


@value(frozen=True, slots=True)
class Unplaced(Decided):
    """One that names an agency without its regency: its claim must be looked up first."""


@value(frozen=True, slots=True)
class RefusedInput:
    """A command that cannot be accepted for any claim."""

    sender: Sender
    command: str
    claim_no: str | None
    reasons: tuple[str, ...]


def sender_of(event: Event) -> Sender:
    """The agency of an event, or the one that an officer's decision names.

    Raises ValueError when the source is not an agency; the shell does not admit such an event.
    """
    if isinstance(event.data, DecideClaim):
        return named_agency(event.data.fields) or Sender("", "")
    found = topics.agency_of_source(event.source)
    if found is None:
        raise ValueError("the source is no agency")
    return Sender(*found)


def named_agency(fields: Mapping[str, Any]) -> Sender | None:
    """The agency that a decision names: `64.08/rumahsakit`, or `rumahsakit` with or without a `regency` field."""
    value, regency = fields.get("agency"), fields.get("regency")
    if not isinstance(value, str):
        return None
    place, _, name = value.strip().removeprefix("agency/").rpartition("/")
    if not place and isinstance(regency, str):
        place = regency.strip()
    fits = _AGENCY_NAME.fullmatch(name) and (not place or _REGENCY.fullmatch(place))
    return Sender(place, name) if fits else None


def submission(event: Event[SubmitClaim], reference: Reference) -> ClaimSubmission | Rejected:
    """Reads `claim.submit.v1`."""
    return _submission(event.data, sender_of(event), reference, business_day(event.at))


def problems(fields: Mapping[str, Any], reference: Reference, today: date) -> tuple[str, ...]:
    """Every reason for which the form alone would be rejected. Works with a key that is not the real one."""
    # Only the holder of the real key knows whether a NIK and a worker_id agree, so this is not checked.
    stated = {name: value for name, value in fields.items() if name != "worker_id" or not fields.get("nik")}
    part = _submission(SubmitClaim(stated), Sender("", ""), reference, today)
    return part.reasons if isinstance(part, Rejected) else ()


def _submission(data: Intake, sender: Sender, reference: Reference, today: date) -> ClaimSubmission | Rejected:
    if unread := row_fault(data.fields):
        # A row of a list that could not be read: it has a reason and nothing else.
        return Unnamed(sender, "", None, None, unread)
    form = Fields(data.fields, data.problem)
    claim_no = _number(form)
    worker = _worker(form, reference, today)
    if claim_no and not _may_name(claim_no, worker, reference):
        form.wrong("claim_no")
        claim_no = ""
    kind = _kind(form)
    event_date = _event_date(form, reference, today)
    cause = form.one_of("cause", CAUSES)
    # Days off work cannot include days that have not come yet.
    days_max = DAYS_MAX if event_date is None else (today - event_date).days + 1
    details = _details(form, kind, worker, event_date or today, days_max, reference)
    documents = _documents(form)
    claimant = _claimant(form)
    if form.reasons or kind is None or event_date is None or details is None or claimant is None:
        wrong = Rejected if claim_no else Unnamed
        return wrong(sender, claim_no, worker or None, kind, tuple(form.reasons))
    return ClaimSubmission(
        sender,
        claim_no,
        Form(
            worker_id=worker,
            kind=kind,
            event_date=event_date.isoformat(),
            cause=cause,
            documents=documents,
            claimant=claimant,
            **details,
        ),
    )


def added(event: Event[Intake]) -> Added | RefusedInput:
    """Reads `claim.add-documents.v1`."""
    form = Fields(event.data.fields, event.data.problem)
    claim_no = _number(form)
    documents = _documents(form)
    return refused(event, form.reasons) if form.reasons else Added(sender_of(event), claim_no, documents)


def withdrawn(event: Event[Intake]) -> Withdrawn | RefusedInput:
    """Reads `claim.withdraw.v1`."""
    form = Fields(event.data.fields, event.data.problem)
    claim_no = _number(form)
    return refused(event, form.reasons) if form.reasons else Withdrawn(sender_of(event), claim_no)


def decided(event: Event[Intake]) -> Decided | RefusedInput:
    """Reads `claim.decide.v1`. The event's source is the officer who decides; a reason is required."""
    form = Fields(event.data.fields, event.data.problem)
    agency = named_agency(form.fields)
    if agency is None:
        form.wrong("agency")
    claim_no = _number(form)
    decision = form.one_of("decision", ("approved", "rejected"))
    officer = officers.name_of(event.source)
    if officer is None or officers.is_signed_by_another(form.fields.get("officer"), event.source):
        form.reasons.append(f"{Reason.FIELD_INVALID}:officer")
    reason = form.text("reason", 1000)
    if form.reasons or agency is None or officer is None:
        return refused(event, form.reasons)
    made = Decided if agency.regency else Unplaced
    return made(agency, claim_no, Ruling(decision == "approved", officer, reason))


def refused(event: Event[Intake], reasons: Sequence[str]) -> RefusedInput:
    """The refusal of a command, with its claim_no if that can be read."""
    claim_no = _number(Fields(event.data.fields))
    return RefusedInput(sender_of(event), event.type, unknown_number(claim_no), tuple(reasons))


def unknown_number(claim_no: str) -> str | None:
    """The number of an unknown claim for public answers: it was never validated, so it is hidden if it contains
    a NIK.
    """
    return None if not claim_no or tokens.hidden_niks(claim_no) else claim_no


def _number(form: Fields) -> str:
    """The number of a claim, which is public: letters, digits and `. / _ -`, at least one digit, no telephone."""
    number = form.text("claim_no", tokens.NUMBER_MAX)
    if number and not tokens.is_number_of_a_claim(number):
        form.wrong("claim_no")
        return ""
    return number


def _documents(form: Fields) -> tuple[str, ...]:
    """The codes of a claim's documents. An unknown code is refused, so that the office learns of its mistake."""
    codes = form.codes("documents")
    if not rules.KNOWN_DOCUMENTS.issuperset(codes):
        form.wrong("documents")
        return ()
    return codes


def _worker(form: Fields, reference: Reference, today: date) -> str:
    """The worker_id that is given, or made from the NIK. If both are given they must agree."""
    stated = form.fields.get("worker_id")
    if not form.missing("worker_id"):
        if not isinstance(stated, str) or _WORKER_ID.fullmatch(stated) is None:
            form.wrong("worker_id")
            return ""
        if form.missing("nik"):
            return stated
    made = _worker_of_nik(form, reference, today)
    if made and not form.missing("worker_id") and stated != made:
        form.wrong("worker_id")
        return ""
    return made


def _may_name(claim_no: str, worker: str, reference: Reference) -> bool:
    """Whether a number may appear in open topics and URLs: it contains no NIK.

    A part that looks like a NIK may be an agency's own code with a day and a serial (6408 2026-11-21 0001). It is
    allowed, unless it is this worker's NIK.
    """
    return not any(
        worker in ("", worker_id(reference.id_key, nik)) or not _DAY_AND_SERIAL.fullmatch(nik)
        for nik in tokens.hidden_niks(claim_no)
    )


def _worker_of_nik(form: Fields, reference: Reference, today: date) -> str:
    nik = form.fields.get("nik")
    if form.missing("nik"):
        form.wrong("nik")
    elif not isinstance(nik, str) or not is_nik(nik.strip()):
        form.reasons.append(Reason.NIK_MALFORMED)
    elif nik_birth_date(nik.strip(), today) is None:
        form.reasons.append(Reason.NIK_DATE_IMPOSSIBLE)
    else:
        return worker_id(reference.id_key, nik.strip())
    return ""


def _kind(form: Fields) -> ClaimKind | None:
    word = form.one_of("kind", KINDS)
    return next((kind for kind in KINDS if kind == word), None)


def _event_date(form: Fields, reference: Reference, today: date) -> date | None:
    """A day of the calendar, not after the day of receipt, for which the law has these benefits."""
    found = day_of(form.fields.get("event_date"))
    if found is None or found > today or not rules.has_law(reference.rates, found):
        form.wrong("event_date")
        return None
    return found


def _details(
    form: Fields, kind: ClaimKind | None, worker: str, day: date, days_max: int, reference: Reference
) -> dict[str, Any] | None:
    """The fields of Form from `details`. JKM and scholarships default to the outcome death."""
    if kind == "jkm" and form.missing("details"):
        return {"outcome": "death"}
    details = form.inside("details")
    if details is None:
        return None
    outcome = "death"
    if kind not in ("jkm", "scholarship") or not details.missing("outcome"):
        outcome = details.one_of("outcome", OUTCOMES)
        if kind == "jkm" and outcome not in ("death", ""):
            details.wrong("outcome")
    accident = kind == "jkk"
    if accident and outcome == "temporary":
        days_off_work = details.whole("days_off_work", 1, days_max)
    else:
        days_off_work = details.optional_whole("days_off_work", days_max)
    read = {
        "outcome": outcome,
        "days_off_work": days_off_work,
        "loss_percent": _loss(details, required=accident and outcome == "partial"),
        "transport": _transport(details),
        "treatment_cost": details.optional_whole("treatment_cost", RUPIAH_MAX),
        "children": _children(details, kind, worker, day, reference),
    }
    claimed = read["treatment_cost"] or read["days_off_work"] or read["transport"] != (0, 0, 0)
    if accident and outcome == "treatment" and not claimed and not details.reasons:
        # The claim names no cost at all, not even a wrong one, so the missing field is the cost.
        details.reasons.append(f"{Reason.FIELD_MISSING}:details.treatment_cost")
    form.reasons.extend(dict.fromkeys(details.reasons))
    return None if details.reasons else read


def _loss(details: Fields, *, required: bool) -> str:
    """More than 0 and at most 100 per cent, as decimal text, so that no amount is computed with a float."""
    if details.missing("loss_percent") and not required:
        return "0"
    value = details.fields.get("loss_percent")
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 100:
        return format(Decimal(str(value)), "f")
    details.wrong("loss_percent")
    return "0"


def _transport(details: Fields) -> tuple[int, int, int]:
    if details.missing("transport"):
        return (0, 0, 0)
    costs = details.inside("transport")
    if costs is None:
        return (0, 0, 0)
    costs.prefix = "details.transport."
    land, sea, air = (costs.optional_whole(mode, RUPIAH_MAX) for mode in rules.TRANSPORT)
    details.reasons.extend(costs.reasons)
    return (land, sea, air)


def _children(
    details: Fields, kind: ClaimKind | None, worker: str, day: date, reference: Reference
) -> tuple[Child, ...]:
    value = details.fields.get("children")
    if value is None or value == []:
        if kind == "scholarship":
            details.reasons.append(f"{Reason.FIELD_MISSING}:details.children")
        return ()
    if isinstance(value, list) and len(value) <= CHILDREN_LIST_MAX:
        found = [_child(one, worker, day, reference) for one in value]
        if all(child is not None for child in found):
            return tuple(child for child in found if child is not None)
    details.wrong("children")
    return ()


def _child(value: Any, worker: str, day: date, reference: Reference) -> Child | None:
    fields = Fields(value)
    name = fields.text("name")
    born = day_of(fields.fields.get("birth_date"))
    level = LEVELS[fields.one_of("level", tuple(LEVELS)) or "tk"]
    year: str | None = rules.school_year(day)
    if not fields.missing("school_year"):
        stated = fields.fields["school_year"]
        year = rules.read_school_year(str(stated)) if isinstance(stated, str | int) else None
    if fields.reasons or born is None or year is None or born > day + rules.BORN_AFTER_DEATH_MAX:
        return None
    who = f"child|{worker}|{' '.join(name.upper().split())}|{born.isoformat()}"
    key = hmac.digest(reference.id_key, who.encode(), hashlib.sha256)[:CHILD_KEY_BYTES].hex()
    return Child(key, name, born.isoformat(), level, year)


def _claimant(form: Fields) -> Claimant | None:
    claimant = form.inside("claimant")
    if claimant is None:
        return None
    found = Claimant(claimant.text("name"), relation(claimant.text("relation")), claimant.text("account"))
    form.reasons.extend(claimant.reasons)
    return None if claimant.reasons else found
