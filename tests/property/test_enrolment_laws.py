"""The law of enrolments: the events about a worker may arrive in any order; the end is the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain import decide
from services.billing.domain.enrolments import VERDICTS_MAX
from services.billing.domain.state import Enrolment, Facts
from shared.contracts.claims import WorkerDied
from shared.contracts.verification import IdentityEnded, IdentityHeld, IdentityRejected, IdentityVerified
from shared.kernel.calendar import WITA
from shared.kernel.event import Event

START = datetime(2026, 1, 5, 9, 0, tzinfo=WITA)
UNVERIFIED: dict[str, Any] = {"rejected": IdentityRejected, "held": IdentityHeld, "ended": IdentityEnded}
days = st.integers(0, 400).map(lambda days: (START + timedelta(days=days)).date().isoformat())
places = st.sampled_from([("64.08", "64.08.04"), ("64.02", "64.02.01")])


@st.composite
def news(draw: st.DrawFn) -> list[Event]:
    """Verdicts on one worker in their own order, each with another version or sequence, and deaths between them."""
    keys = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5)), unique=True, max_size=7).map(sorted))
    events = [
        _event(
            number,
            _verdict(draw, version),
            sequence,
            START + timedelta(days=number * 20),
        )
        for number, (version, sequence) in enumerate(keys)
    ]
    deaths = draw(st.lists(days, max_size=2))
    died = [WorkerDied(worker_id="w", regency="64.08", died_on=day) for day in deaths]
    return [*events, *(_event(100 + number, data, None, START) for number, data in enumerate(died))]


def _verdict(draw: st.DrawFn, version: int) -> Any:
    regency, district = draw(places)
    who: dict[str, Any] = {
        "worker_id": "w",
        "regency": regency,
        "district": district,
        "village": f"{district}.2001",
        "sector": "trade",
        "sex": "F",
        "birth_month": "1985-07",
        "registration_version": version,
    }
    kind = draw(st.sampled_from(["verified", "verified", *UNVERIFIED]))
    if kind != "verified":
        return UNVERIFIED[kind](**who, reasons=["not-found"], effective_on=draw(days))
    income, until = draw(st.sampled_from([1_000_000, 2_000_000])), draw(days)
    more: dict[str, Any] = {"segment": "BPU", "evidence": [], "score": 100, "valid_until": until}
    return IdentityVerified(**who, **more, income_base=income)


def _event(number: int, data: Any, sequence: int | None, at: datetime) -> Event:
    return Event(
        id=f"e{number}",
        source="payung/verification",
        type=type(data).__name__,
        data=data,
        at=at,
        topic="verification-events",
        content_hash="h",
        sequence=sequence,
    )


def told(events: list[Event]) -> Enrolment | None:
    """The enrolment after these events, in this order."""
    state: Enrolment | None = None
    for event in events:
        state = decide.decide(state, event, Facts()).state
    return state


@given(news(), st.data())
def test_any_order_of_events_ends_the_same(events: list[Event], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events))
    assert told(shuffled) == told(events)


def test_an_end_that_arrives_before_its_verified_verdict_bills_the_months_until_it() -> None:
    who: dict[str, Any] = {"worker_id": "w", "regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001"}
    who |= {"sector": "trade", "sex": "F", "birth_month": "1985-07", "registration_version": 1}
    more: dict[str, Any] = {"segment": "BPU", "evidence": [], "score": 100, "valid_until": "2027-01-05"}
    good = _event(1, IdentityVerified(**who, **more, income_base=1_000_000), 1, START)
    end = _event(2, IdentityEnded(**who, reasons=["wage-earner"], effective_on="2026-03-10"), 2, START)
    state = told([end, good])
    assert state is not None
    assert (state.place, state.until, state.income_base) == ("2026-01-05|w", "2026-03", 1_000_000)
    assert state == told([good, end])


def test_only_the_last_verdicts_are_kept() -> None:
    who: dict[str, Any] = {"worker_id": "w", "regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001"}
    who |= {"sector": "trade", "sex": "F", "birth_month": "1985-07", "registration_version": 1}
    more: dict[str, Any] = {"segment": "BPU", "evidence": [], "score": 100, "valid_until": "2027-01-05"}
    good = IdentityVerified(**who, **more, income_base=1_000_000)
    # The worker keeps the place of the first day, although the verdict of that day is no longer kept.
    state = told([_event(n, good, n, START + timedelta(days=n)) for n in range(1, VERDICTS_MAX + 6)])
    assert state is not None
    assert len(state.verdicts) == VERDICTS_MAX
    assert state.place == "2026-01-06|w"
    late = _event(99, good, 0, START)
    assert decide.decide(state, late, Facts()).ignored == "older-verdict"
