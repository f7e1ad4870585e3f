"""The judgement of a claim: its form, the worker's cover and the law of the event's day, made into a verdict.

Pure, and without any document: what a verdict makes of the claim is domain/claims.py's. What can never be paid is said
before what is only missing, so that nobody collects papers for nothing.
"""

from __future__ import annotations

from datetime import date

from services.claims.domain import cover_rule, rules
from services.claims.domain.cover_rule import Months
from services.claims.domain.state import Child, Cover, Form, RunsKnown, Standing
from shared.contracts.base import BenefitLine
from shared.contracts.reasons import Reason
from shared.kernel.values import value
from shared.reference.rates import Rates


@value(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an assessment finds. `rejections` win over `holds`; with neither, `benefits` can be paid.

    `waiting` is the month (`regency|period`) whose news would change it; `watching`: premiums of it are still to come.
    `waits_until` is the last day (YYYY-MM-DD) on which it waits for unpaid months before the event.
    """

    rejections: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    waiting: str | None = None
    watching: bool = False
    waits_until: str | None = None
    months: int = 0
    cover: Cover | None = None
    benefits: tuple[BenefitLine, ...] = ()
    school: tuple[str, ...] = ()


def judge(rates: Rates, form: Form, regency: str, submitted_on: str, today: str, standing: Standing) -> Verdict:
    """The verdict on a claim of an agency of this regency, on a business day (YYYY-MM-DD)."""
    months = cover_rule.months_of(rates, standing, form.event_date, submitted_on)
    cover = standing.covers.get(form.period)
    rejections: list[str] = []
    if rules.has_expired(rates, form, submitted_on):
        rejections.append(Reason.CLAIM_EXPIRED)
    if not _fits_cause(form):
        rejections.append(Reason.NOT_ELIGIBLE)
    settled = cover is not None and cover_rule.is_paid(standing, cover)
    if settled and not cover_rule.covers_day(rates, standing, form.event_date):
        rejections.append(Reason.NOT_COVERED)
    if cover is None and standing.runs is RunsKnown.FULLY:
        rejections.append(Reason.NOT_COVERED)
    benefits: tuple[BenefitLine, ...] = ()
    children: tuple[Child, ...] = ()
    if settled and cover is not None and not rejections:
        children = _children(rates, form, submitted_on, months)
        benefits = _benefits(rates, form, cover, months, children)
        if not benefits:
            rejections.append(_why_nothing(rates, form, months))
    if rejections:
        return Verdict(rejections=tuple(rejections), months=months.in_row, cover=cover)
    missing = rules.missing_documents(form)
    until = cover_rule.waits_until(rates, form.event_date, submitted_on)
    waits_for_arrears = settled and _waits_for_arrears(rates, form, months) and today <= until
    holds = [Reason.DOCUMENTS_MISSING] if missing else []
    if not settled or waits_for_arrears:
        holds.append(Reason.AWAITING_PREMIUM)
    return Verdict(
        holds=tuple(holds),
        missing=missing,
        waiting=None if settled else f"{cover.regency if cover is not None else regency}|{form.period}",
        watching=cover is None and standing.runs is RunsKnown.PARTLY,
        waits_until=until if waits_for_arrears else None,
        months=months.in_row,
        cover=cover,
        benefits=benefits,
        school=tuple(f"{child.school_year}|{child.key}" for child in children),
    )


def _waits_for_arrears(rates: Rates, form: Form, months: Months) -> bool:
    """Whether months before the event that nobody paid yet may still make the full death benefit."""
    day = date.fromisoformat(form.event_date)
    return form.kind == "jkm" and months.unpaid > 0 and not rules.has_full_death_benefit(rates, months, day)


def _fits_cause(form: Form) -> bool:
    """JKK is for work accidents, JKM for every other death (rules.md 3b); a scholarship follows a death or, by
    accident, a total disability (rules.md 3c)."""
    by_accident = form.cause == "accident"
    if form.kind == "scholarship":
        return form.outcome == "death" or (form.outcome == "total" and by_accident)
    return by_accident == (form.kind == "jkk")


def _children(rates: Rates, form: Form, submitted_on: str, months: Months) -> tuple[Child, ...]:
    """The children whose scholarship this claim pays."""
    day = date.fromisoformat(form.event_date)
    if form.outcome not in ("death", "total"):
        return ()
    if not rules.has_scholarship_months(rates, months, form.cause == "accident", day):
        return ()
    return rules.eligible_children(rates, form, submitted_on)


def _benefits(
    rates: Rates, form: Form, cover: Cover, months: Months, children: tuple[Child, ...]
) -> tuple[BenefitLine, ...]:
    day = date.fromisoformat(form.event_date)
    scholarships = rules.scholarship_benefits(rates, children, day)
    if form.kind == "jkm":
        return rules.death_benefits(rates, months, day) + scholarships
    if form.kind == "jkk":
        base = rules.benefit_base(rates, cover, form.period)
        return rules.accident_benefits(rates, form, base, day) + scholarships
    return scholarships


def _why_nothing(rates: Rates, form: Form, months: Months) -> Reason:
    day = date.fromisoformat(form.event_date)
    if form.kind == "scholarship" and not rules.has_scholarship_months(rates, months, form.cause == "accident", day):
        return Reason.QUALIFYING_PERIOD
    return Reason.NOT_ELIGIBLE
