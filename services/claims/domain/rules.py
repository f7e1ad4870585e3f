"""What a claim is worth and what it needs, by the law in force on the day of the event (rules.md 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.claims.domain.state import Claim, Details
from shared.contracts.base import BenefitLine
from shared.kernel.calendar import age_on, parse_date, period_of, shift_period
from shared.reference.rates import Rates

# contracts.md 3, Claims: above this an officer must decide.
OFFICER_ABOVE = 50_000_000
# A claim that waits for a premium is looked at again after this, doubling up to an hour; it is also woken.
LOOK_AGAIN_S = 2
LOOK_AGAIN_MAX_S = 3_600
LEVELS = ("tk", "sd", "smp", "sma", "higher")
TRANSPORTS = ("land", "sea", "air")
DOCUMENTS: Mapping[str, tuple[str, ...]] = {
    "jkm": (
        "form-4",
        "participant-card",
        "id-card",
        "heir-id-card",
        "death-certificate",
        "family-card",
        "heirs-letter",
        "bank-book",
    ),
    "jkk": ("kk1", "kk2", "doctor-letter", "participant-card", "id-card", "chronology", "witness-statement"),
    "scholarship": (
        "form",
        "birth-certificate",
        "family-card",
        "school-letter",
        "report-card",
        "bank-book",
        "guardian-id-card",
    ),
}
_JKM_PARTS = ("jkm.lump", "jkm.periodic", "jkm.funeral")


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One billed month of the worker: the base of its benefits, and when it was paid (None: not yet)."""

    base: int
    paid_on: str | None
    district: str
    sex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a worker's months, and whether the event's month is known in full in the claim's regency."""

    months: Mapping[str, Month]
    in_full: bool


def missing_documents(claim: Claim) -> tuple[str, ...]:
    """The documents still needed, by code; receipts where costs are claimed."""
    needed = DOCUMENTS[claim.kind]
    if claim.kind == "jkk" and (claim.details.treatment_cost or claim.details.transport):
        needed = (*needed, "receipts")
    return tuple(code for code in needed if code not in claim.documents)


def paid_row(months: Mapping[str, Month], period: str) -> tuple[str, ...]:
    """The unbroken row of paid months that ends with this one, oldest first."""
    row: list[str] = []
    at = period
    while at in months and months[at].paid_on is not None:
        row.append(at)
        at = shift_period(at, -1)
    return tuple(reversed(row))


def is_covered(months: Mapping[str, Month], event_date: str) -> bool | None:
    """Whether the day is covered; None while its month is billed and not paid."""
    period = event_date[:7]
    month = months.get(period)
    if month is None:
        return False
    if month.paid_on is None:
        return None
    row = paid_row(months, period)
    return len(row) > 1 or event_date >= month.paid_on


def is_expired(claim: Claim, rates: Rates) -> bool:
    """A JKK claim expires some years after the accident; no such term is known for JKM (rules.md 4)."""
    if claim.kind != "jkk":
        return False
    happened, submitted = date.fromisoformat(claim.event_date), date.fromisoformat(claim.submitted_on)
    term = rates.rate("jkk.claim_expiry_years", happened)
    return term is not None and age_on(happened, submitted) >= term.amount


def is_eligible(claim: Claim) -> bool:
    """JKK is for accidents at work, JKM for other deaths: an accident's death is JKK's."""
    if claim.kind == "jkk":
        return claim.cause == "accident"
    if claim.kind == "jkm":
        return claim.cause != "accident" and claim.details.result == "death"
    return claim.details.result in ("death", "total") and bool(claim.details.children)


def benefits(claim: Claim, months: Mapping[str, Month], rates: Rates) -> tuple[BenefitLine, ...]:
    """The lines of a covered claim; empty when the law gives nothing."""
    day = date.fromisoformat(claim.event_date)
    if claim.kind == "scholarship":
        return _scholarships(claim, months, rates, day)
    if claim.kind == "jkm":
        return (*_jkm(months, rates, day), *_scholarships(claim, months, rates, day))
    base = months[claim.event_date[:7]].base
    return (*_jkk(claim.details, base, rates, day), *_scholarships(claim, months, rates, day))


def _amount(rates: Rates, key: str, day: date) -> int:
    rate = rates.rate(key, day)
    return rate.amount if rate is not None else 0


def _jkm(months: Mapping[str, Month], rates: Rates, day: date) -> tuple[BenefitLine, ...]:
    needed = _amount(rates, "jkm.min_months_full", day)
    limited = _amount(rates, "jkm.limited", day)
    if limited and len(paid_row(months, period_of(day))) < needed:
        return (BenefitLine(benefit="jkm-limited", amount=limited, rule="jkm.limited"),)
    return tuple(
        BenefitLine(benefit=key.replace(".", "-"), amount=_amount(rates, key, day), rule=key) for key in _JKM_PARTS
    )


def _jkk(details: Details, base: int, rates: Rates, day: date) -> tuple[BenefitLine, ...]:
    lines: list[BenefitLine] = []

    def add(benefit: str, amount: int, rule: str) -> None:
        if amount > 0:
            lines.append(BenefitLine(benefit=benefit, amount=amount, rule=rule))

    if details.treatment_cost:
        add("jkk-treatment", details.treatment_cost, "jkk.treatment")
    for mode, cost in details.transport:
        key = f"jkk.transport.{mode}"
        add(f"jkk-transport-{mode}", min(cost, _amount(rates, key, day)), key)
    if details.result == "temporary":
        _add_temporary(add, details.days_off_work, base, rates, day)
    elif details.result == "partial":
        share = Fraction(details.loss_percent) / 100
        add("jkk-partial-disability", int(_amount(rates, "jkk.partial", day) * base * share), "jkk.partial")
    elif details.result == "total":
        add("jkk-total-disability", _amount(rates, "jkk.total_disability", day) * base, "jkk.total_disability")
        add("jkk-periodic", _amount(rates, "jkk.periodic", day), "jkk.periodic")
    elif details.result == "death":
        add("jkk-death", _amount(rates, "jkk.death", day) * base, "jkk.death")
        add("jkk-funeral", _amount(rates, "jkk.funeral", day), "jkk.funeral")
        add("jkk-periodic", _amount(rates, "jkk.periodic", day), "jkk.periodic")
    return tuple(lines)


def _add_temporary(add: object, days: int, base: int, rates: Rates, day: date) -> None:
    """STMB: the whole base for the first months, half of it afterwards, by thirtieths of a month."""
    assert callable(add)
    of_month = _amount(rates, "jkk.stmb.days_of_month", day) or 30
    first_days = min(days, _amount(rates, "jkk.stmb.first_months", day) * of_month)
    add("jkk-stmb", base * first_days // of_month, "jkk.stmb.first")
    add("jkk-stmb-after", base * (days - first_days) // (2 * of_month), "jkk.stmb.after")


def _scholarships(claim: Claim, months: Mapping[str, Month], rates: Rates, day: date) -> tuple[BenefitLine, ...]:
    """The first year's scholarship, two children at most; by JKM only after three paid years (rules.md T3)."""
    if claim.details.result not in ("death", "total"):
        return ()
    paid = sum(1 for month in months.values() if month.paid_on is not None)
    if claim.cause != "accident" and paid < _amount(rates, "jkm.scholarship_min_months", day):
        return ()
    lines = []
    age_end = _amount(rates, "scholarship.age_end", day)
    for child in claim.details.children:
        born = parse_date(child.birth_date)
        if born is None or age_on(born, day) >= age_end:
            continue
        key = f"scholarship.{child.level}"
        amount = _amount(rates, key, day)
        if amount:
            lines.append(BenefitLine(benefit=key.replace(".", "-"), amount=amount, rule=key))
    return tuple(lines[: _amount(rates, "scholarship.children_max", day)])
