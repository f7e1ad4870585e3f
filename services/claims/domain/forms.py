"""Reading what an agency sends about a claim: every reason that holds, or the claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, cast

from services.claims.domain import rules
from services.claims.domain.state import Cause, Child, Claim, Claimant, Details, Kind, Result
from shared.contracts.reasons import Reason
from shared.kernel.calendar import parse_date
from shared.kernel.identity import is_nik, worker_id

KINDS = ("jkk", "jkm", "scholarship")
CAUSES = ("accident", "illness", "natural")
RESULTS = ("treatment", "temporary", "partial", "total", "death")
AMOUNT_MAX = 10_000_000_000
DAYS_MAX = 3_660
LISTED_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A form as read: the claim, or why there is none."""

    claim: Claim | None
    reasons: tuple[str, ...]
    claim_no: str | None
    worker_id: str | None
    kind: Kind | None


def missing(field: str) -> str:
    """The reason for a field that is not there."""
    return f"{Reason.FIELD_MISSING}:{field}"


def invalid(field: str) -> str:
    """The reason for a field that is not what it should be."""
    return f"{Reason.FIELD_INVALID}:{field}"


def text_of(value: Any) -> str | None:
    """A text with its outer blanks dropped; None when it is no text or empty."""
    return (value.strip() or None) if isinstance(value, str) else None


class _Form:
    """Collects reasons while fields are taken out one by one."""

    def __init__(self, fields: Mapping[str, Any], path: str = "") -> None:
        self.fields = fields
        self.path = path
        self.reasons: list[str] = []

    def _absent(self, name: str) -> bool:
        value = self.fields.get(name)
        return value is None or (isinstance(value, str) and not value.strip())

    def text(self, name: str, *, required: bool = True, among: tuple[str, ...] = ()) -> str:
        """A text field, of a closed list when there is one."""
        if self._absent(name):
            if required:
                self.reasons.append(missing(self.path + name))
            return ""
        value = text_of(self.fields[name])
        if value is None or (among and value not in among):
            self.reasons.append(invalid(self.path + name))
            return ""
        return value

    def number(self, name: str, largest: int) -> int:
        """An optional whole number, 0 when absent."""
        value = self.fields.get(name)
        if value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= largest:
            self.reasons.append(invalid(self.path + name))
            return 0
        return value

    def part(self, name: str, *, required: bool) -> _Form:
        """An object inside."""
        value = self.fields.get(name)
        if value is None and required:
            self.reasons.append(missing(self.path + name))
        elif value is not None and not isinstance(value, Mapping):
            self.reasons.append(invalid(self.path + name))
        return _Form(value if isinstance(value, Mapping) else {}, f"{self.path}{name}.")


def read(fields: Mapping[str, Any], regency: str, agency: str, id_key: bytes, today: date) -> Read:
    """A submitted claim."""
    form = _Form(fields)
    claim_no = form.text("claim_no")
    who = _worker(form, id_key)
    kind = cast("Kind", form.text("kind", among=KINDS))
    event_date = _event_date(form, today)
    cause = cast("Cause", form.text("cause", among=CAUSES))
    details = _details(form)
    documents = read_documents(form)
    claimant = _claimant(form)
    reasons = tuple(form.reasons)
    claim = None
    if not reasons:
        claim = Claim(
            regency=regency,
            agency=agency,
            claim_no=claim_no,
            worker_id=who,
            kind=kind,
            event_date=event_date,
            cause=cause,
            details=details,
            documents=documents,
            claimant=claimant,
            submitted_on=today.isoformat(),
            waiting=f"{regency}|{event_date[:7]}",
        )
    return Read(
        claim=claim,
        reasons=reasons,
        claim_no=claim_no or None,
        worker_id=who or None,
        kind=kind if kind in KINDS else None,
    )


def _worker(form: _Form, id_key: bytes) -> str:
    nik, known = form.fields.get("nik"), form.fields.get("worker_id")
    if nik is not None and nik != "":
        if not isinstance(nik, str) or not is_nik(nik.strip()):
            form.reasons.append(str(Reason.NIK_MALFORMED))
            return ""
        return worker_id(id_key, nik.strip())
    if known is None or known == "":
        form.reasons.append(missing("nik"))
        return ""
    if not isinstance(known, str) or len(known) != 26:
        form.reasons.append(invalid("worker_id"))
        return ""
    return known


def _event_date(form: _Form, today: date) -> str:
    text = form.text("event_date")
    if not text:
        return ""
    day = parse_date(text)
    if day is None or day > today:
        form.reasons.append(invalid("event_date"))
        return ""
    return text


def _details(form: _Form) -> Details:
    part = form.part("details", required=True)
    if "details" in form.fields and isinstance(form.fields["details"], Mapping):
        result = cast("Result", part.text("outcome", among=RESULTS))
    else:
        result = "treatment"
    loss = _loss_percent(part)
    transport = part.part("transport", required=False)
    costs = tuple((mode, cost) for mode in rules.TRANSPORTS if (cost := transport.number(mode, AMOUNT_MAX)))
    details = Details(
        result=result,
        days_off_work=part.number("days_off_work", DAYS_MAX),
        loss_percent=loss,
        transport=costs,
        treatment_cost=part.number("treatment_cost", AMOUNT_MAX),
        children=_children(part),
    )
    form.reasons.extend((*part.reasons, *transport.reasons))
    return details


def _loss_percent(part: _Form) -> str:
    value = part.fields.get("loss_percent")
    if value is None:
        return "0"
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
    if not good:
        part.reasons.append(invalid("details.loss_percent"))
        return "0"
    return str(Fraction(str(value)))


def _children(part: _Form) -> tuple[Child, ...]:
    value = part.fields.get("children")
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > LISTED_MAX or not all(isinstance(one, Mapping) for one in value):
        part.reasons.append(invalid("details.children"))
        return ()
    children = []
    for number, one in enumerate(value):
        form = _Form(one, f"details.children[{number}].")
        born = form.text("birth_date")
        if born and parse_date(born) is None:
            form.reasons.append(invalid(f"{form.path}birth_date"))
        children.append(
            Child(
                name=form.text("name"),
                birth_date=born,
                level=form.text("level", among=rules.LEVELS),
                school_year=form.text("school_year", required=False),
            )
        )
        part.reasons.extend(form.reasons)
    return tuple(children)


def read_documents(form: _Form | Mapping[str, Any]) -> tuple[str, ...]:
    """The codes of the documents; none given is an empty list."""
    taken = form if isinstance(form, _Form) else _Form(form)
    value = taken.fields.get("documents")
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > LISTED_MAX or not all(isinstance(one, str) for one in value):
        taken.reasons.append(invalid("documents"))
        return ()
    return tuple(dict.fromkeys(value))


def _claimant(form: _Form) -> Claimant:
    part = form.part("claimant", required=True)
    if not isinstance(form.fields.get("claimant"), Mapping):
        return Claimant(name="", relation="", account="")
    claimant = Claimant(name=part.text("name"), relation=part.text("relation"), account=part.text("account"))
    form.reasons.extend(part.reasons)
    return claimant


def read_added(fields: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The documents of `claim.add-documents.v1`, and what is wrong with them."""
    form = _Form(fields)
    form.text("claim_no")
    if fields.get("documents") is None:
        form.reasons.append(missing("documents"))
    return read_documents(form), tuple(form.reasons)


def read_decision(fields: Mapping[str, Any]) -> tuple[bool, str, tuple[str, ...]]:
    """Approved or not, by which officer, and what is wrong with the decision."""
    form = _Form(fields)
    form.text("claim_no")
    decision = form.text("decision", among=("approved", "rejected"))
    officer = form.text("officer")
    form.text("reason")
    return decision == "approved", officer, tuple(form.reasons)
