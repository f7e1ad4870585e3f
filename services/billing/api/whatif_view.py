"""A what-if as JSON: the inputs, and the figures of the rest of the year. Pure."""

from __future__ import annotations

from typing import Any

from services.billing.domain.state import Accounts
from services.billing.domain.whatif_figures import NEW_WORKERS, DistrictFigures, Figures, MonthFigures
from services.billing.plans.whatif import Answer, Question
from shared.reference.areas import Areas


def inputs_of(question: Question, answer: Answer) -> dict[str, Any]:
    """What was asked, as it was written; absent inputs are None."""
    return {
        "from": answer.months[0],
        "cut": question.cut or None,
        "jkk": question.jkk or None,
        "jkm": question.jkm or None,
        "workers": question.workers or None,
        "rates": answer.rates,
    }


def figures_of(figures: Figures, areas: Areas) -> dict[str, Any]:
    """The rest of the year: the two accounts, month by month, by district."""
    first = figures.first_missed
    return {
        "ceilings": accounts(figures.ceilings),
        "committed": accounts(figures.committed),
        "reserved": accounts(figures.reserved),
        "free": accounts(figures.free),
        "left": accounts(figures.left),
        "months": [_month(one) for one in figures.months],
        "ends": dict(figures.ends),
        "first_missed": None
        if first is None
        else {"period": first.period, "accounts": list(first.too_small), "missed": first.missed},
        "keep": figures.keep,
        "lose": figures.lose,
        "months_lost": figures.months_lost,
        "exposed": figures.exposed,
        "restore": accounts(figures.restore),
        "districts": [_district(code, one, areas) for code, one in figures.districts.items()],
    }


def accounts(given: Accounts) -> dict[str, int]:
    """Rupiah of both accounts and together."""
    return {"jkk": given.jkk, "jkm": given.jkm, "total": given.total}


def _month(one: MonthFigures) -> dict[str, Any]:
    return {
        "period": one.period,
        "workers": one.workers,
        "billed": one.billed,
        "already_billed": one.already,
        "missed": one.missed,
        "barred": dict(one.barred),
        "cost": accounts(one.drawn),
        "short": accounts(one.short),
        "left": accounts(one.left),
        "reached": one.reached,
        "missed_from": one.missed_from,
        "too_small": list(one.too_small),
        "benefit": one.benefit,
        "exposed": one.exposed,
    }


def _district(code: str, one: DistrictFigures, areas: Areas) -> dict[str, Any]:
    return {
        "district": code or None,
        "name": "pekerja tambahan" if code == NEW_WORKERS else areas.name(code) or code,
        "workers": one.keep + one.lose,
        "keep": one.keep,
        "lose": one.lose,
        "lost_from": one.lost_from,
        "months_lost": one.months_lost,
        "missed": dict(one.missed),
        "exposed": one.exposed,
    }
