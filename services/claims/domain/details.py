"""The object `details` of a claim: what happened, what it cost, and for which children a scholarship is asked."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from services.claims.domain import rules
from services.claims.domain.state import Child
from shared.contracts import readers
from shared.contracts.claims import ClaimKind
from shared.contracts.forms import INVALID, MISSING, Field, Form, Rule, Values, Wrong, is_empty, never
from shared.kernel.calendar import day_of
from shared.kernel.values import value

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
CHILD_KEY_BYTES = 10

NO_COST = (0, 0, 0)


@value(frozen=True, slots=True)
class About:
    """The claim that the details belong to. `day` is the day of the event, or of receipt when that cannot be read."""

    kind: ClaimKind | None
    worker: str | None
    day: date
    days_max: int
    id_key: bytes


@value(frozen=True, slots=True)
class Details:
    """What `details` says, in the types of ClaimForm."""

    outcome: str = "death"
    days_off_work: int = 0
    loss_percent: str = "0"
    transport: tuple[int, int, int] = NO_COST
    treatment_cost: int = 0
    children: tuple[Child, ...] = ()


def _is_accident(values: Values[About], outcome: str) -> bool:
    return values.given.kind == "jkk" and values.get(OUTCOME) == outcome


def _outcome(raw: Any, values: Values[About]) -> str | Wrong:
    """What came of the event. A death benefit and a scholarship are about a death, so they may leave it out."""
    kind = values.given.kind
    if is_empty(raw):
        return "death" if kind in ("jkm", "scholarship") else MISSING
    found = _OUTCOME(raw, values)
    return INVALID if kind == "jkm" and found != "death" else found


def _days_off_work(raw: Any, values: Values[About]) -> int | Wrong:
    required = _is_accident(values, "temporary")
    if is_empty(raw):
        return MISSING if required else 0
    return raw if readers.is_whole(raw, 1 if required else 0, values.given.days_max) else INVALID


def _loss(raw: Any, values: Values[About]) -> str | Wrong:
    """More than 0 and at most 100 per cent, as decimal text, so that no amount is computed with a float."""
    if is_empty(raw):
        return MISSING if _is_accident(values, "partial") else "0"
    good = isinstance(raw, int | float) and not isinstance(raw, bool) and 0 < raw <= 100
    return format(Decimal(str(raw)), "f") if good else INVALID


def _cost_is_named(values: Values[About]) -> Wrong | None:
    """Treatment without any cost, not even a wrong one, lacks its cost."""
    named = values.get(TREATMENT_COST) or values.get(DAYS_OFF_WORK) or any(values.get(COSTS) or NO_COST)
    return MISSING if _is_accident(values, "treatment") and not named and not values.reasons else None


def _children(raw: Any, values: Values[About]) -> tuple[Child, ...] | Wrong:
    about = values.given
    if raw is None or raw == []:
        return MISSING if about.kind == "scholarship" else ()
    if not isinstance(raw, list) or len(raw) > CHILDREN_LIST_MAX:
        return MISSING if is_empty(raw) else INVALID
    found = [_CHILD.read(one, about).value for one in raw if isinstance(one, Mapping)]
    children = tuple(child for child in found if child is not None)
    return children if len(children) == len(raw) else INVALID


def _birth_date(raw: Any, values: Values[About]) -> date | Wrong:
    born = day_of(raw)
    return INVALID if born is None or born > values.given.day + rules.BORN_AFTER_DEATH_MAX else born


def _school_year(raw: Any, _: object) -> str | Wrong:
    year = rules.read_school_year(str(raw)) if isinstance(raw, str | int) else None
    return year or INVALID


def _child(values: Values[About]) -> Child:
    about, name, born = values.given, values[_NAME], values[_BIRTH_DATE].isoformat()
    who = f"child|{about.worker or ''}|{' '.join(name.upper().split())}|{born}"
    key = hmac.digest(about.id_key, who.encode(), hashlib.sha256)[:CHILD_KEY_BYTES].hex()
    return Child(key, name, born, values[_LEVEL], values.get(_SCHOOL_YEAR) or rules.school_year(about.day))


_NAME = Field("name", readers.short_text())
_BIRTH_DATE = Field("birth_date", _birth_date)
_LEVEL = Field("level", readers.word(LEVELS))
_SCHOOL_YEAR = Field("school_year", _school_year, optional=True)
# A child is right or wrong as a whole: the answer names the list, not the field of a child.
_CHILD = Form(_child, _NAME, _BIRTH_DATE, _LEVEL, _SCHOOL_YEAR)


def _costs(values: Values[Any]) -> tuple[int, int, int]:
    land, sea, air = (values.get(mode) or 0 for mode in _MODES)
    return land, sea, air


_MODES = tuple(
    Field(mode, readers.whole(0, RUPIAH_MAX), called=f"details.transport.{mode}", optional=True)
    for mode in rules.TRANSPORT
)
_TRANSPORT: Form[tuple[int, int, int], Any] = Form(_costs, *_MODES)

_OUTCOME = readers.word({outcome: outcome for outcome in OUTCOMES})
OUTCOME = Field("outcome", _outcome, called="details.outcome", empty=never)
DAYS_OFF_WORK = Field("days_off_work", _days_off_work, called="details.days_off_work", empty=never)
LOSS = Field("loss_percent", _loss, called="details.loss_percent", empty=never)
COSTS = Field("transport", readers.inside(_TRANSPORT), called="details.transport", optional=True)
TREATMENT_COST = Field("treatment_cost", readers.whole(0, RUPIAH_MAX), called="details.treatment_cost", optional=True)
CHILDREN = Field("children", _children, called="details.children", empty=never)


def _details(values: Values[About]) -> Details:
    return Details(
        outcome=values[OUTCOME],
        days_off_work=values[DAYS_OFF_WORK],
        loss_percent=values[LOSS],
        transport=values.get(COSTS) or NO_COST,
        treatment_cost=values.get(TREATMENT_COST) or 0,
        children=values[CHILDREN],
    )


DETAILS = Form(
    _details,
    OUTCOME,
    DAYS_OFF_WORK,
    LOSS,
    COSTS,
    TREATMENT_COST,
    CHILDREN,
    Rule("cost_is_named", _cost_is_named, called="details.treatment_cost"),
)
