"""Limits and predicates of forms about workers (docs/contracts.md#workers-and-their-forms)."""

from __future__ import annotations

from dataclasses import replace

from services.registration.workers.domain.state import WorkerForm
from shared.contracts.reasons import Reason

# The income assumed when the form states none; also the base of the lowest bracket (docs/rules.md#income-brackets).
DEFAULT_INCOME = 1_000_000
# A monthly income above this is a typing error, not a vulnerable worker.
INCOME_MAX = 1_000_000_000
# Older people do not exist; registers hold ages up to 105.
EARLIEST_BIRTH_YEARS = 110
# In a NIK a woman's day of birth is written with 40 added (docs/rules.md#nik-and-civil-register).
WOMEN_DAY_OFFSET = 40
WITHDRAWAL_REASONS = ("moved", "deceased", "employed", "request", "other")


def form_warnings(form: WorkerForm) -> tuple[str, ...]:
    """Where the digits of the NIK differ from the form: a warning, never a refusal
    (docs/rules.md#nik-and-civil-register).
    """
    nik, born = form.nik, form.birth_date
    day = int(nik[6:8])
    says_woman = day > WOMEN_DAY_OFFSET
    found = []
    # DDMMYY is compared with YYYY-MM-DD; a NIK does not contain the century.
    if (day - WOMEN_DAY_OFFSET if says_woman else day) != int(born[8:]) or nik[8:12] != born[5:7] + born[2:4]:
        found.append(str(Reason.BIRTH_DATE_MISMATCH))
    if says_woman != (form.sex == "F"):
        found.append(str(Reason.SEX_MISMATCH))
    return tuple(found)


def needs_new_check(before: WorkerForm, after: WorkerForm) -> bool:
    """Whether a change touches what verification judged, or what its verdict carries to other services."""
    return (
        before.name != after.name
        or before.birth_date != after.birth_date
        or before.sex != after.sex
        or before.birth_place != after.birth_place
        or before.village != after.village
        or before.sector != after.sector
        or before.monthly_income != after.monthly_income
    )


def is_published_change(before: WorkerForm, after: WorkerForm) -> bool:
    """Whether a change touches what other services know of the worker (worker.registered.v1)."""
    return (
        before.village != after.village
        or before.sector != after.sector
        or before.occupation != after.occupation
        or before.sex != after.sex
        or before.birth_date[:7] != after.birth_date[:7]
        or before.monthly_income != after.monthly_income
    )


def same_but_consent(form: WorkerForm, other: WorkerForm) -> bool:
    """Whether two forms say the same. Renewed consent is no change."""
    return replace(form, consent_on=other.consent_on) == other
