"""What was known at the end of a month: earlier states that a later month replaced, stored beside the present one.

A document holds its latest state and, in `past`, the earlier ones with the months for which they stood. Both are saved
in one write, so the figures of a past month can never differ from the events behind them. Pure.

Laws: the spans in `past` do not overlap and lie before the month of the present state. A worker who was counted at a
month's end is in exactly one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from services.reporting.domain.state import Budget, FormerState, Identity, Registration

ACTIVE = "active"


def month_of(at: str) -> str:
    """The month, YYYY-MM, in which an event was counted."""
    return at[:7]


def of_registration(state: Registration | None, at: str) -> tuple[FormerState, ...]:
    """A worker's earlier states when a new event comes at this time. A withdrawn worker was counted nowhere."""
    if state is None:
        return ()
    return _earlier(state, ACTIVE if state.active else None, at)


def of_identity(state: Identity | None, at: str) -> tuple[FormerState, ...]:
    """The earlier verdicts when a new one comes at this time."""
    return () if state is None else _earlier(state, state.status, at)


def of_budget(state: Budget | None, at: str) -> tuple[Budget, ...]:
    """The earlier targets when new ones come at this time: budgets without their own past, the oldest first."""
    if state is None:
        return ()
    month = month_of(at)
    words = (*state.past, replace(state, past=()))
    # When a month has several states, only the last was known at its end.
    return tuple(one for one in words if month_of(one.at) < month)


def budgets_known(budgets: Iterable[Budget], month: str) -> list[Budget]:
    """Each budget as it stood at the end of a month; budgets that were set later are left out."""
    found = []
    for budget in budgets:
        stood = [one for one in (*budget.past, budget) if month_of(one.at) <= month]
        found.extend(stood[-1:])
    return found


def _earlier(state: Registration | Identity, status: str | None, at: str) -> tuple[FormerState, ...]:
    month = month_of(at)
    past = [_cut(one, month) for one in state.past]
    if status is not None:
        past.append(
            FormerState(
                month=month_of(state.at),
                until=month,
                regency=state.regency,
                district=state.district,
                village=state.village,
                sector=state.sector,
                sex=state.sex,
                birth_month=state.birth_month,
                status=status,
            )
        )
    return _joined(one for one in past if one.month < one.until)


def _cut(one: FormerState, month: str) -> FormerState:
    return one if one.until <= month else replace(one, until=month)


def _joined(spans: Iterable[FormerState]) -> tuple[FormerState, ...]:
    """Joins neighbouring spans with equal content, so that a yearly event without changes does not grow the
    document.
    """
    found: list[FormerState] = []
    for one in spans:
        last = found[-1] if found else None
        if last is not None and last == replace(one, month=last.month, until=last.until) and last.until == one.month:
            found[-1] = replace(last, until=one.until)
        else:
            found.append(one)
    return tuple(found)
