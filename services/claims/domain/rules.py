"""The rules of claims as named numbers and predicates, each with its source. Knows no event of Kafka, no document.

Amounts are dated rows of shared/reference/rates.csv, chosen by the day of the event. Their keys are the rules that a
benefit names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction

from services.claims.domain.cover_rule import Months
from services.claims.domain.state import Child, ClaimForm, Cover
from shared.contracts.base import BenefitLine
from shared.contracts.claims import ClaimKind
from shared.kernel.calendar import age_on, years_later
from shared.reference.rates import FULL_DEATH_BENEFIT, Rates, number

# Documents by kind of claim (docs/contracts.md#claims).
DOCUMENTS: dict[ClaimKind, tuple[str, ...]] = {
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
RECEIPTS = "receipts"
# Further documents that offices add (docs/rules.md#claims).
OTHER_DOCUMENTS = (
    *("marriage-book", "power-of-attorney", "tax-number", "work-reference", "kk3", "police-report"),
    *("insurance-letter", "attendance", "guardian-letter", "disability-letter", "will-letter", "photo", "other"),
)
KNOWN_DOCUMENTS = frozenset(code for codes in (*DOCUMENTS.values(), (RECEIPTS,), OTHER_DOCUMENTS) for code in codes)
# PP 82/2019: treatment by medical need, without a ceiling, so the rates have no row for it.
TREATMENT_RULE, TREATMENT_LAW = "jkk.treatment", "PP 82/2019 (treatment by medical need, no ceiling)"
TRANSPORT = ("land", "sea", "air")
LEVELS = ("tk", "sd", "smp", "sma", "higher")
SCHOOL_YEAR_STARTS_IN = 7
# No law gives an age for a level. A child up to two years younger than usual is still accepted.
LEVEL_AGES = {"tk": 3, "sd": 5, "smp": 10, "sma": 13, "higher": 15}
# For a child born after the worker's death.
BORN_AFTER_DEATH_MAX = timedelta(days=300)
# Who receives a death benefit, in the order of the law (docs/rules.md#claims). A guardian may receive a scholarship.
HEIRS = frozenset(
    ("spouse", "child", "parent", "grandchild", "grandparent", "sibling", "parent-in-law", "will", "named-heir")
)
GUARDIANS = frozenset((*HEIRS, "guardian"))

_SCHOOL_YEAR = re.compile(r"(\d{4})(?:[/-](\d{4}))?")


def missing_documents(form: ClaimForm) -> tuple[str, ...]:
    """The documents that the kind requires and the claim lacks, in the order of the contract."""
    asked = DOCUMENTS[form.kind]
    if form.kind == "jkk" and form.has_costs:
        asked = (*asked, RECEIPTS)
    return tuple(code for code in asked if code not in form.documents)


def has_expired(rates: Rates, form: ClaimForm, submitted_on: str) -> bool:
    """PP 82/2019 Pasal 26: a JKK claim lapses 5 years after the event (2 before December 2019); JKM never does."""
    day = date.fromisoformat(form.event_date)
    limit = rates.rate("jkk.claim_expiry_years", day)
    if form.kind != "jkk" or limit is None:
        return False
    # The last day of the term is still inside it.
    return date.fromisoformat(submitted_on) > years_later(day, limit.amount)


def days_passed(event_date: str, until: str) -> int:
    """The days from an event to a day, both counted. Days off work cannot be more than that."""
    return (date.fromisoformat(until) - date.fromisoformat(event_date)).days + 1


def school_year(day: date) -> str:
    """The school year of a day; it starts in July."""
    start = day.year if day.month >= SCHOOL_YEAR_STARTS_IN else day.year - 1
    return f"{start}/{start + 1}"


def read_school_year(text: str) -> str | None:
    """`2025/2026`, `2025-2026` or `2025` as `2025/2026`, else None."""
    found = _SCHOOL_YEAR.fullmatch(text.strip())
    if found is None or (found[2] is not None and int(found[2]) != int(found[1]) + 1):
        return None
    return f"{int(found[1]):04d}/{int(found[1]) + 1:04d}"


def has_full_death_benefit(rates: Rates, months: Months, day: date) -> bool:
    """Three paid months in a row give the full JKM (Permenaker 5/2021; before it no months were required)."""
    least = rates.rate("jkm.min_months_full", day)
    return least is None or months.in_row >= least.amount


def has_scholarship_months(rates: Rates, months: Months, by_accident: bool, day: date) -> bool:
    """JKM requires three years of contributions, JKK none (PP 82/2019)."""
    least = rates.rate("jkm.scholarship_min_months", day)
    return by_accident or (least is not None and months.paid >= least.amount)


def payable_children(rates: Rates, form: ClaimForm, submitted_on: str) -> tuple[Child, ...]:
    """Children under 23 at a level that fits their age, each school year of a child once (PP 82/2019).

    The age counts on the day of the event; for a yearly claim, on the day of submission. A yearly claim reaches back
    three school years and never ahead.
    """
    day = date.fromisoformat(form.event_date)
    today = date.fromisoformat(submitted_on) if form.kind == "scholarship" else day
    ends_at, years_back = (number(rates, f"scholarship.{key}", day) for key in ("age_end", "back_years"))
    found: dict[tuple[str, str], Child] = {}
    for child in form.children:
        born = date.fromisoformat(child.birth_date)
        if (
            born <= day + BORN_AFTER_DEATH_MAX
            and age_on(born, today) < ends_at
            and _fits_level(child)
            and (form.kind != "scholarship" or _is_payable_year(child.school_year, today, years_back))
        ):
            found.setdefault((child.key, child.school_year), child)
    return tuple(found.values())


def within_years(rates: Rates, children: Sequence[Child], taken: Mapping[str, str], day: date) -> tuple[Child, ...]:
    """The children's school years that the law still pays, given the slots (`year|child` -> level) already taken.

    At most two children of a worker, and a limited number of years at each level (PP 82/2019). Before it one sum
    for one child.
    """
    once = rates.rate("scholarship.once", day) is not None
    children_max = number(rates, "scholarship.children_max", day)
    held = dict(taken)
    found = []
    for child in children:
        slot = slot_of(child)
        known = {one.split("|")[-1] for one in held}
        years = rates.rate(f"scholarship.{child.level}.years", day)
        used = sum(one.endswith(f"|{child.key}") and level == child.level for one, level in held.items())
        if (
            slot not in held
            and (child.key in known or len(known) < children_max)
            and not (once and held)
            and (years is None or used < years.amount)
        ):
            held[slot] = child.level
            found.append(child)
    return tuple(found)


def slot_of(child: Child) -> str:
    """The name of one school year of one child."""
    return f"{child.school_year}|{child.key}"


def _fits_level(child: Child) -> bool:
    """Whether the child is old enough for the level when the school year ends."""
    starts = int(child.school_year[:4])
    return (
        age_on(date.fromisoformat(child.birth_date), date(starts + 1, SCHOOL_YEAR_STARTS_IN, 1))
        >= LEVEL_AGES[child.level]
    )


def death_benefits(rates: Rates, months: Months, day: date) -> tuple[BenefitLine, ...]:
    """JKM: Rp42,000,000 with three months in a row, Rp10,000,000 below (docs/rules.md#claims)."""
    limited = (("limited", "jkm.limited"),)
    names = FULL_DEATH_BENEFIT if has_full_death_benefit(rates, months, day) else limited
    return _lines(_fixed(rates, benefit, key, day) for benefit, key in names)


def accident_benefits(
    rates: Rates, form: ClaimForm, base: int, day: date, days_before: int, days: int
) -> tuple[BenefitLine, ...]:
    """JKK: costs, pay while unable to work, and the benefit of the outcome (docs/rules.md#claims).

    `days` are the paid days off work; they follow `days_before`, which other claims of the same accident were paid.
    """
    lines: list[BenefitLine | None] = []
    if form.treatment_cost:
        lines.append(BenefitLine(benefit="treatment", amount=form.treatment_cost, rule=TREATMENT_RULE))
    lines.extend(
        _capped(rates, f"transport-{mode}", f"jkk.transport.{mode}", cost, day)
        for mode, cost in zip(TRANSPORT, form.transport, strict=True)
    )
    lines.extend(_unable_to_work(rates, days_before, days, base, day))
    if form.outcome == "partial":
        lines.append(_partial(rates, form, base, day))
    elif form.outcome == "total":
        lines.append(_times_base(rates, "disability-total", "jkk.total_disability", base, day))
        lines.append(_fixed(rates, "periodic", "jkk.periodic", day))
    elif form.outcome == "death":
        lines.append(_times_base(rates, "death", "jkk.death", base, day))
        lines.append(_fixed(rates, "funeral", "jkk.funeral", day))
        lines.append(_fixed(rates, "periodic", "jkk.periodic", day))
    return _lines(lines)


def scholarship_benefits(rates: Rates, children: Sequence[Child], day: date) -> tuple[BenefitLine, ...]:
    """One year for each child by school level; before PP 82/2019 one sum for one child."""
    if children and rates.rate("scholarship.once", day) is not None:
        return _lines([_fixed(rates, "scholarship", "scholarship.once", day)])
    return _lines(_fixed(rates, "scholarship", f"scholarship.{child.level}", day) for child in children)


def benefit_base(rates: Rates, cover: Cover, period: str) -> int:
    """The income from which benefits are computed; public money always buys the lowest bracket (Rp1,000,000)."""
    base = rates.benefit_base(cover.funding, cover.income_base, period)
    return base.amount if base is not None else 0


def law_of(rates: Rates, rule: str, day: date) -> str:
    """The legal basis of a benefit's rule on a day."""
    return TREATMENT_LAW if rule == TREATMENT_RULE else rates.laws(rule, day)


def has_law(rates: Rates, day: date) -> bool:
    """Whether the law has these benefits on a day (not before July 2015)."""
    return rates.rate("jkm.lump", day) is not None


def _is_payable_year(year: str, today: date, years_back: int) -> bool:
    behind = int(school_year(today)[:4]) - int(year[:4])
    return 0 <= behind < years_back


def _partial(rates: Rates, form: ClaimForm, base: int, day: date) -> BenefitLine | None:
    """The benefit of a partial disability. A part of the body is never worth more than a total disability."""
    part = _times_base(rates, "disability-partial", "jkk.partial", base, day, Fraction(form.loss_percent) / 100)
    whole = _times_base(rates, "disability-total", "jkk.total_disability", base, day)
    if part is None or whole is None:
        return part
    return part.model_copy(update={"amount": min(part.amount, whole.amount)})


def _unable_to_work(rates: Rates, before: int, days: int, base: int, day: date) -> list[BenefitLine | None]:
    """STMB: the base for twelve months, then half of it, by the day (a month has 30 days). It does not matter how many
    claims divide the time.
    """
    first, after = rates.rate("jkk.stmb.first", day), rates.rate("jkk.stmb.after", day)
    months, of_month = rates.rate("jkk.stmb.first_months", day), rates.rate("jkk.stmb.days_of_month", day)
    if first is None or after is None or months is None or of_month is None:
        return []
    full_days = months.amount * of_month.amount

    def paid(until: int) -> tuple[int, int]:
        """Whole rupiah for this number of days from the first day on: at the full rate, and at the rate after it."""
        in_full = min(until, full_days)
        return (
            int(first.value * base * in_full / of_month.amount),
            int(after.value * base * (until - in_full) / of_month.amount),
        )

    # Computed as differences, so that fractions of a rupiah are lost once and not in every period.
    (full_before, half_before), (full, half) = paid(before), paid(before + days)
    return [
        BenefitLine(benefit="temporary", amount=full - full_before, rule="jkk.stmb.first"),
        BenefitLine(benefit="temporary", amount=half - half_before, rule="jkk.stmb.after"),
    ]


def _fixed(rates: Rates, benefit: str, key: str, day: date) -> BenefitLine | None:
    rate = rates.rate(key, day)
    return None if rate is None else _line(benefit, key, rate.value)


def _capped(rates: Rates, benefit: str, key: str, cost: int, day: date) -> BenefitLine | None:
    rate = rates.rate(key, day)
    return None if rate is None else _line(benefit, key, min(Fraction(cost), rate.value))


def _times_base(
    rates: Rates, benefit: str, key: str, base: int, day: date, share: Fraction = Fraction(1)
) -> BenefitLine | None:
    rate = rates.rate(key, day)
    return None if rate is None else _line(benefit, key, rate.value * base * share)


def _line(benefit: str, rule: str, amount: Fraction) -> BenefitLine:
    # Whole rupiah; fractions are dropped.
    return BenefitLine(benefit=benefit, amount=int(amount), rule=rule)


def _lines(lines: Iterable[BenefitLine | None]) -> tuple[BenefitLine, ...]:
    return tuple(line for line in lines if line is not None and line.amount > 0)
