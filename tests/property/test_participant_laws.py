"""BPJS's answers end the same in every order, with every repeat, and whenever the premium comes among them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.registration.domain.decide import Facts, decide, route
from services.registration.participants.domain.rules import ANSWERS_KEPT
from services.registration.participants.domain.state import Participant
from shared.contracts.base import PremiumLine
from shared.contracts.billing import PremiumBilled
from shared.contracts.registration_participants import AnswerParticipant
from shared.kernel.event import Event
from tests.property.registration_world import NIK, REFERENCE, WORKER

INVOICE = "INV-6408-2026-02-apbd-regency-1"
AT = datetime(2026, 2, 20, tzinfo=UTC)
PREMIUM = PremiumBilled(
    worker_id=WORKER,
    regency="64.08",
    district="64.08.04",
    village="64.08.04.2001",
    sector="fisheries",
    sex="F",
    birth_month="1985-07",
    income_base=1_000_000,
    period="2026-02",
    funding="apbd-regency",
    lines=[PremiumLine(programme="JKK", amount=10_000, rule="r")],
    total=10_000,
    run_id="RUN-1",
    invoice_id=INVOICE,
    number=7,
)
SAYS = st.one_of(
    st.sampled_from(["24012345678", "24012345679"]).map(lambda card: {"kpj": card}),
    st.sampled_from(["ganda", "meninggal", "lain"]).map(lambda words: {"refused": words}),
)
ANSWERS = st.lists(
    st.builds(
        lambda says, day: {**says, "answered_at": f"2026-01-{day:02}"}, SAYS, st.integers(min_value=1, max_value=28)
    ),
    min_size=1,
    max_size=ANSWERS_KEPT + 5,
)


def event(kind: str, data: Any, name: str) -> Event[Any]:
    topic, source = ("registration-officers", "officer/rina")
    if kind == "premium.billed.v1":
        topic, source = "billing-events", "payung/billing"
    return Event(id=name, source=source, type=kind, data=data, at=AT, topic=topic, content_hash="h")


def end_of(events: list[Event[Any]]) -> tuple[Participant, list[tuple[str, Any]]]:
    """The participant after these events, and what was told of the answers that count."""
    state: Participant | None = None
    told: list[tuple[str, Any]] = []
    for one in events:
        (part,) = (routed for routed in route(one, REFERENCE) if routed.address.collection == "participants")
        made = decide(state, one.with_data(part.data), Facts(registered=frozenset({WORKER})))
        state = made.state
        told += [(outcome.type, outcome.data) for outcome in made.outcomes]
    assert state is not None
    return state, told


@settings(deadline=None, max_examples=60)
@given(answers=ANSWERS, rolled=st.randoms(use_true_random=False))
def test_every_order_and_repeat_of_answers_ends_the_same(answers: list[dict[str, Any]], rolled: Any) -> None:
    base = {"invoice_id": INVOICE, "nik": NIK}
    events = [
        event("participant.answer.v1", AnswerParticipant({**base, **said}), f"e{place}")
        for place, said in enumerate(answers)
    ]
    premium = event("premium.billed.v1", PREMIUM, "p")
    expected, _ = end_of([premium, *events])
    shuffled = [premium, *events, *rolled.sample(events, len(events) // 2)]
    # The same answer may come again under another name: another officer hands the same file in.
    shuffled = [replace(one, id=f"{one.id}-{place}") for place, one in enumerate(shuffled)]
    rolled.shuffle(shuffled)
    end, told = end_of(shuffled)
    assert end == expected
    last = [one for one in told if one[0] != "participant.answer.refused.v1"][-1]
    standing = end.standing
    assert standing is not None
    assert last[0] == ("participant.enrolled.v1" if standing.kpj else "participant.refused.v1")
