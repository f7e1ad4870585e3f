"""Judges a claim by its form, the worker's cover, what other claims took, and the law of the event's day.

Pure, and without any document: domain/claims.py applies the verdict to the claim. Reasons that can never be cured come
before missing things, so that no family collects papers in vain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from services.claims.domain import cover_rule, rules
from services.claims.domain.cover_rule import Months
from services.claims.domain.state import Child, ClaimForm, Cover, CoverHistory, Entitlement, PaidEvent, RunsKnown, Use
from shared.contracts.base import BenefitLine
from shared.contracts.reasons import Reason
from shared.kernel.values import value
from shared.reference.rates import Rates

# These benefits are one entitlement of one accident: what was paid for one of them is subtracted from the others.
LASTING = ("disability-partial", "disability-total", "death")
# Each of these is paid up to its cap, over all claims of one accident.
CAPPED = ("transport-land", "transport-sea", "transport-air")
COSTS = ("treatment", *CAPPED)
PERIODIC, FUNERAL = "periodic", "funeral"


@value(frozen=True, slots=True, kw_only=True)
class AssessmentInput:
    """Everything by which a claim is judged. `others`: what all other claims took of the person.

    `submitted_on` is the day of this submission, `first_on` the day of the first one under its number, and `today` the
    day of this look. `by_officer`: an officer has approved it.
    """

    rates: Rates
    form: ClaimForm
    regency: str
    submitted_on: str
    first_on: str
    today: str
    standing: CoverHistory
    others: Entitlement
    by_officer: bool = False

    @property
    def day(self) -> date:
        """The day of the event."""
        return date.fromisoformat(self.form.event_date)


@value(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The result of an assessment. `rejections` win over `holds`; without either, `benefits` can be paid.

    `waiting` is the month (`regency|period`) whose news could change the verdict; `watching`: premiums of that month
    are still to come. `waits_until` is the last day (YYYY-MM-DD) on which it waits for unpaid months before the event.
    `days_off_work` are the days that `benefits` pay for. `lasting` is the total value of the harm. `levels` are the
    levels of the slots in `school`. `of_event`: the total of this and the other claims of the same event.
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
    days_off_work: int = 0
    lasting: int = 0
    school: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    of_event: int = 0


@value(frozen=True, slots=True)
class _Entitled:
    """What a covered claim is owed, and the reason when that is nothing."""

    benefits: tuple[BenefitLine, ...] = ()
    days_off_work: int = 0
    lasting: int = 0
    children: tuple[Child, ...] = ()
    why_nothing: Reason = Reason.NOT_ELIGIBLE


def judge(case: AssessmentInput) -> Assessment:
    """The verdict on a claim of an agency of this regency."""
    form, standing, rates = case.form, case.standing, case.rates
    months = cover_rule.months_of(rates, standing, form.event_date, case.submitted_on)
    cover = standing.covers.get(form.period)
    settled = cover is not None and cover_rule.is_paid(standing, cover)
    rejections = _rejections(case, settled)
    owed = _Entitled()
    follows = _waits_for_event(case)
    if settled and cover is not None and not rejections and not follows:
        owed = _entitled(case, cover, months)
        if not owed.benefits:
            rejections = [owed.why_nothing]
    if rejections:
        return Assessment(rejections=tuple(rejections), months=months.in_row, cover=cover)
    missing = rules.missing_documents(form)
    until = cover_rule.waits_until(rates, form.event_date, case.submitted_on)
    waits_for_arrears = settled and _waits_for_arrears(case, months) and case.today <= until
    holds = [Reason.DOCUMENTS_MISSING] if missing else []
    if not settled or waits_for_arrears:
        holds.append(Reason.AWAITING_PREMIUM)
    if follows:
        holds.append(Reason.AWAITING_EVENT)
    if not case.by_officer and _is_payee_unknown(form):
        holds.append(Reason.PAYEE_NOT_HEIR)
    return Assessment(
        holds=tuple(holds),
        missing=missing,
        waiting=None if settled else f"{cover.regency if cover is not None else case.regency}|{form.period}",
        watching=cover is None and standing.runs is RunsKnown.PARTLY,
        waits_until=until if waits_for_arrears else None,
        months=months.in_row,
        cover=cover,
        benefits=owed.benefits,
        days_off_work=owed.days_off_work,
        lasting=owed.lasting,
        school=tuple(rules.slot_of(child) for child in owed.children),
        levels=tuple(child.level for child in owed.children),
        of_event=_total(owed.benefits) + _total(_used(case)),
    )


def _rejections(case: AssessmentInput, settled: bool) -> list[Reason]:
    form, others = case.form, case.others
    found = []
    if rules.has_expired(case.rates, form, case.first_on):
        found.append(Reason.CLAIM_EXPIRED)
    if not _fits_cause(form) or (
        others.died_on is not None and form.kind == "jkk" and others.died_on < form.event_date
    ):
        # A natural death is no accident, and a dead worker can have no later accident.
        found.append(Reason.NOT_ELIGIBLE)
    if form.is_death and others.death is not None:
        found.append(Reason.DUPLICATE_CLAIM)
    uncovered = settled and not cover_rule.covers_day(case.rates, case.standing, form.event_date)
    if uncovered or (form.period not in case.standing.covers and case.standing.runs is RunsKnown.FULLY):
        found.append(Reason.NOT_COVERED)
    return found


def _fits_cause(form: ClaimForm) -> bool:
    """Whether kind, outcome and cause fit together.

    JKK is for work accidents and occupational diseases, JKM for every other death, including an accident off duty
    (docs/rules.md#claims). A scholarship follows a death or, under JKK, a total disability.
    """
    if form.kind == "scholarship":
        return form.outcome == "death" or (form.outcome == "total" and form.cause != "natural")
    return form.kind == "jkm" or form.cause != "natural"


def _event_followed(case: AssessmentInput) -> PaidEvent | None:
    """The paid death or total disability that a scholarship claim follows."""
    form = case.form
    found = (
        one for one in case.others.paid.values() if (one.outcome, one.event_date) == (form.outcome, form.event_date)
    )
    return next(found, None)


def _waits_for_event(case: AssessmentInput) -> bool:
    return case.form.kind == "scholarship" and _event_followed(case) is None


def _waits_for_arrears(case: AssessmentInput, months: Months) -> bool:
    """Whether a later payment of unpaid months before the event could still give the full death benefit."""
    is_full = rules.has_full_death_benefit(case.rates, months, case.day)
    return case.form.kind == "jkm" and months.unpaid > 0 and not is_full


def _is_payee_unknown(form: ClaimForm) -> bool:
    """Whether the payee is no family member: death and scholarship are paid to the family, so an officer must look."""
    relation = form.claimant.relation
    if form.kind == "scholarship":
        return relation not in rules.GUARDIANS
    return form.is_death and relation not in rules.HEIRS


def _entitled(case: AssessmentInput, cover: Cover, months: Months) -> _Entitled:
    form, rates = case.form, case.rates
    children, has_months = _children(case, months)
    scholarships = rules.scholarship_benefits(rates, children, case.day)
    days = 0
    if form.kind == "jkm":
        gross = benefits = rules.death_benefits(rates, months, case.day)
    elif form.kind == "jkk":
        base = rules.benefit_base(rates, cover, form.period)
        before = sum(use.days_off_work for use in _uses(case))
        days = max(0, min(form.days_off_work, rules.days_passed(form.event_date, case.submitted_on) - before))
        gross = rules.accident_benefits(rates, form, base, case.day, 0, form.days_off_work)
        benefits = _less(rules.accident_benefits(rates, form, base, case.day, before, days), case)
    else:
        gross = benefits = ()
    why = Reason.NOT_ELIGIBLE
    if form.kind == "scholarship" and not has_months:
        why = Reason.QUALIFYING_PERIOD
    elif gross or rules.payable_children(rates, form, case.submitted_on):
        why = Reason.DUPLICATE_CLAIM if gross or _are_taken(case) else Reason.NOT_ELIGIBLE
    lasting = _total(line for line in gross if line.benefit in LASTING)
    return _Entitled(benefits + scholarships, days, lasting, children if scholarships else (), why)


def _children(case: AssessmentInput, months: Months) -> tuple[tuple[Child, ...], bool]:
    """The children whose scholarship this claim pays, and whether there are enough months for any."""
    form = case.form
    if form.outcome not in ("death", "total"):
        return (), True
    followed = _event_followed(case)
    by_accident = (followed.kind if followed is not None else form.kind) == "jkk"
    if not rules.has_scholarship_months(case.rates, months, by_accident, case.day):
        return (), False
    taken = {slot: year.level for slot, year in case.others.school.items()}
    payable = rules.payable_children(case.rates, form, case.submitted_on)
    return rules.within_years(case.rates, payable, taken, case.day), True


def _are_taken(case: AssessmentInput) -> bool:
    """Whether another claim took one of the requested school years."""
    return any(rules.slot_of(child) in case.others.school for child in case.form.children)


def _less(lines: Sequence[BenefitLine], case: AssessmentInput) -> tuple[BenefitLine, ...]:
    """The lines minus what other claims of the same event, or of the same death, received."""
    left = ((line, _left_of(line, case)) for line in lines)
    return tuple(line.model_copy(update={"amount": amount}) for line, amount in left if amount > 0)


def _left_of(line: BenefitLine, case: AssessmentInput) -> int:
    used = _used(case)
    same = [one for one in used if one.benefit == line.benefit]
    if line.benefit in COSTS and not case.by_officer and any(one.amount == line.amount for one in same):
        # The same cost of the same accident again is the same receipt, unless an officer has approved it.
        return 0
    if line.benefit in CAPPED:
        cap = case.rates.rate(line.rule, case.day)
        return line.amount if cap is None else min(line.amount, cap.amount - _total(same))
    if line.benefit in LASTING:
        worth = max([line.amount, *(use.lasting for use in _uses(case))])
        return min(line.amount, worth - _total(one for one in used if one.benefit in LASTING))
    if line.benefit == PERIODIC:
        return line.amount - _total(same)
    if line.benefit == FUNERAL:
        given = (one for use in case.others.uses.values() for one in use.lines if one.benefit == FUNERAL)
        return line.amount - _total(given)
    return line.amount


def _used(case: AssessmentInput) -> list[BenefitLine]:
    """The lines that other claims of the same event received."""
    return [line for use in _uses(case) for line in use.lines]


def _uses(case: AssessmentInput) -> list[Use]:
    """What other claims took of the same event."""
    return [use for use in case.others.uses.values() if use.event_date == case.form.event_date]


def _total(lines: Iterable[BenefitLine]) -> int:
    return sum(line.amount for line in lines)
