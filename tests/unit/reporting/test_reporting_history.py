"""A past month shows what was known at its end. Later events do not change it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.api.board import this_month
from services.reporting.facts import Filters, default_period, read_coverage
from shared.kernel.calendar import WITA, shift_period
from shared.kernel.event import Event

Make = Callable[..., Event]
MONTHS = ("2026-01", "2026-02", "2026-03", "2026-04")
NOW = "2026-05"
PLACES = ("64.08.04.2001", "64.08.04.2002", "64.02.01.2001")
KNOWN = ("registered", "verified", "held", "rejected", "target")


def at(month: str, day: int = 10) -> datetime:
    return datetime(int(month[:4]), int(month[5:]), day, 12, tzinfo=UTC)


def word(make: Make, kind: str, worker: str, village: str, sequence: int, when: datetime, **more: Any) -> Event:
    """An event of one service about a worker."""
    who = {"worker_id": worker, "regency": village[:5], "district": village[:8], "village": village}
    person = {"sector": "trade", "sex": "F", "birth_month": "1985-07"}
    form = {"occupation": "x", "income_base": 1_000_000, "agency": "dinsos", "submission": worker}
    left = {"reason": "moved", "effective_on": "2026-01-01", "reasons": ["name-mismatch"], "registration_version": 1}
    seen = {"segment": "BPU", "evidence": [], "score": 99, "valid_until": "2027-01-01"}
    data = {**who, **person, **form, **left, **seen, **more}
    return make(kind, sequence=sequence, name=f"{kind}|{worker}|{sequence}", at=when, **data)


def budget(make: Make, target: int, sequence: int, when: datetime) -> Event:
    data = {"regency": "64.08", "year": 2026, "funding": "apbd-regency", "jkk": 1, "jkm": 1, "decree_no": "D"}
    more = {"committed_jkk": 0, "committed_jkm": 0, "target_workers": target, "targets": {}}
    return make("budget.set-accepted.v1", sequence=sequence, name=f"b{sequence}", at=when, **data, **more)


async def figures(context: Any, month: str, now: str = NOW, regency: str | None = "64.08") -> dict[str, Any]:
    report = await read_coverage(context, context.reference.areas, Filters(regency, "village", month), now)
    return {figure: report.totals[figure] for figure in KNOWN}


async def test_each_column_of_a_month_is_as_it_was_known_at_its_end(context: Any, make: Make) -> None:
    village, other = PLACES[0], PLACES[1]
    context.take(
        word(make, "worker.registered.v1", "a", village, 1, at("2026-01")),
        word(make, "identity.held.v1", "a", village, 1, at("2026-01")),
        budget(make, 100, 1, at("2026-01")),
        word(make, "identity.verified.v1", "a", village, 2, at("2026-02")),
        word(make, "worker.updated.v1", "a", other, 2, at("2026-03")),
        budget(make, 150, 2, at("2026-03")),
        word(make, "worker.withdrawn.v1", "a", other, 3, at("2026-04")),
        word(make, "identity.ended.v1", "a", village, 3, at("2026-04")),
    )
    seen = {month: tuple((await figures(context, month)).values()) for month in ("1900-01", "2025-12", *MONTHS, NOW)}
    assert seen == {
        "1900-01": (0, 0, 0, 0, None),
        "2025-12": (0, 0, 0, 0, None),
        "2026-01": (1, 0, 1, 0, 100),
        "2026-02": (1, 1, 0, 0, 100),
        "2026-03": (1, 1, 0, 0, 150),
        "2026-04": (0, 0, 0, 0, 150),
        "2026-05": (0, 0, 0, 0, 150),
    }
    february = await read_coverage(context, context.reference.areas, Filters("64.08", "village", "2026-02"), NOW)
    march = await read_coverage(context, context.reference.areas, Filters("64.08", "village", "2026-03"), NOW)
    where = [{row["area"] for row in report.rows if row["registered"]} for report in (february, march)]
    assert where == [{village}, {other}]


async def test_a_month_ends_at_midnight_in_wita(context: Any, make: Make) -> None:
    midnight = datetime(2026, 2, 1, tzinfo=WITA)
    context.take(word(make, "worker.registered.v1", "a", PLACES[0], 1, midnight - timedelta(milliseconds=1)))
    context.take(word(make, "worker.registered.v1", "b", PLACES[0], 1, midnight))
    assert (await figures(context, "2026-01"))["registered"] == 1
    assert (await figures(context, "2026-02"))["registered"] == 2


async def test_a_yearly_event_without_changes_does_not_grow_a_document(context: Any, make: Make) -> None:
    for number in range(24):
        month = shift_period("2024-06", number)
        context.take(word(make, "identity.verified.v1", "a", PLACES[0], number + 1, at(month)))
    (body,) = context.bodies["identities"].values()
    assert len(body["state"]["past"]) == 1
    assert (await figures(context, "2024-06"))["verified"] == (await figures(context, "2026-04"))["verified"] == 1


async def test_by_default_the_latest_paid_month_that_is_not_after_this_one(context: Any, make: Make) -> None:
    paid = {"regency": "64.08", "funding": "self", "total": 1, "workers": 2, "reference": "S", "paid_on": "2026-03-05"}
    for month in ("2026-02", "2027-06"):
        context.take(make("premium.paid.v1", name=month, invoice_id=month, period=month, **paid))
    assert await default_period(context, None, "2026-03") == "2026-02"
    assert await default_period(context, "64.08", "2027-06") == "2027-06"
    assert (
        await default_period(context, None, "2026-01") == "2026-01"
    )  # nothing paid or billed: the month of the events
    assert this_month() >= "2026-11"


KINDS = ("worker.registered.v1", "worker.updated.v1", "worker.withdrawn.v1")
VERDICTS = ("identity.verified.v1", "identity.held.v1", "identity.rejected.v1", "identity.ended.v1")
WORDS = st.tuples(
    st.integers(0, 3), st.sampled_from("ab"), st.sampled_from(PLACES), st.sampled_from((*KINDS, *VERDICTS, "budget"))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=14).map(lambda words: sorted(words, key=lambda one: one[0])))
async def test_a_month_shows_the_same_as_if_nothing_had_come_after_it(
    context: Any, make: Make, words: list[tuple[int, str, str, str]]
) -> None:
    events = [
        budget(make, number + 1, number, at(MONTHS[month]))
        if kind == "budget"
        else word(make, kind, worker, village, number, at(MONTHS[month]))
        for number, (month, worker, village, kind) in enumerate(words)
    ]
    whole = type(context)()
    whole.take(*events)
    for month in MONTHS:
        then = type(context)()
        then.take(*(one for one, (number, *_) in zip(events, words, strict=True) if MONTHS[number] <= month))
        for regency in (None, "64.08", "64.02"):
            assert await figures(whole, month, NOW, regency) == await figures(then, month, month, regency)
