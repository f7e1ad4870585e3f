"""Laws of reporting: totals are sums, order across aggregates and redelivery change nothing, decide is total."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.documents import STORED
from services.reporting.domain import coverage
from services.reporting.domain.decide import decide, route
from services.reporting.domain.rules import age_band
from shared.contracts.catalogue import OUTCOMES
from shared.kernel.decision import Address
from shared.kernel.event import Event

MODELS: dict[str, Any] = {kind: model for by_type in OUTCOMES.values() for kind, model in by_type.items()}
START = datetime(2026, 1, 1, tzinfo=UTC)

months = st.builds("{:04d}-{:02d}".format, st.integers(1940, 2026), st.integers(1, 12))
periods = st.sampled_from(["2026-01", "2026-02"])
counts = st.integers(0, 10_000)
groups = st.sampled_from(["64.08.04", "64.08.05", "64.99.99", None])
invoices = st.sampled_from(["i1", "i2", "i3"])


def people(field: str, values: st.SearchStrategy[Any], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.fixed_dictionaries({field: values, "count": counts, **more}), max_size=8)


def tallies(field: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[coverage.Tallies]:
    statuses = st.sampled_from(["verified", "held", "rejected", "ended"])
    return st.builds(
        coverage.Tallies,
        registrations=people(field, values),
        identities=people(field, values, status=statuses),
        premiums=people(field, values, invoice_id=invoices),
        paid_invoices=st.frozensets(invoices),
        budgets=st.just(()),
    )


@given(tallies("district", groups))
def test_totals_are_the_sums_of_the_rows_and_nobody_is_lost(counted: coverage.Tallies) -> None:
    rows, totals = coverage.assemble("district", "2026-02", counted, ["64.08.04", "64.08.05"], str)
    assert len({row["area"] for row in rows}) == len(rows)
    for figure in coverage.COUNTS:
        assert totals[figure] == sum(row[figure] for row in rows)
    assert totals["registered"] == sum(row["count"] for row in counted.registrations)
    assert totals["billed"] == sum(row["count"] for row in counted.premiums)
    assert totals["covered"] <= totals["billed"]


@given(tallies("birth_month", months))
def test_groups_by_age_count_every_worker(counted: coverage.Tallies) -> None:
    rows, totals = coverage.assemble("age", "2026-02", counted, [], str)
    assert totals["registered"] == sum(row["count"] for row in counted.registrations)
    assert {row["age"] for row in rows} <= {age_band(f"{year}-01", "2026-02") for year in range(1930, 2027)}


worker = st.sampled_from(["w1", "w2"])
place = st.sampled_from([("64.08.04", "64.08.04.2001"), ("64.08.05", "64.08.05.2001")])


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """The events of each service about a few workers and a claim, in the order of each aggregate's sequence."""
    events: list[Event] = []
    for number in range(draw(st.integers(1, 12))):
        district, village = draw(place)
        who = {"worker_id": draw(worker), "regency": "64.08", "district": district, "village": village}
        who |= {"sector": "trade", "sex": draw(st.sampled_from(["F", "M"])), "birth_month": draw(months)}
        said = {"reasons": [], "effective_on": "2026-01-01", "registration_version": 1, "reason": "moved"}
        form = {"occupation": "x", "income_base": 1, "agency": "dinsos", "submission": "s"}
        seen = {"segment": "BPU", "evidence": [], "score": 1, "valid_until": "2027-01-01"}
        line = {"programme": "JKK", "amount": 10_000, "rule": "r"}
        money = {"period": draw(periods), "funding": "self", "lines": [line], "total": 10_000}
        money |= {"run_id": "r", "invoice_id": draw(invoices), "workers": 1, "reference": "S", "paid_on": "2026-01-09"}
        claim = {"claim_no": "K1", "kind": "jkm", "stage": "agenda", "benefits": []}
        kind = draw(st.sampled_from(KINDS))
        at = START + timedelta(days=11 * number)
        events.append(
            Event(
                id=f"e{number}", source="payung/x", type=kind, at=at, topic="x-events", content_hash="h",
                sequence=number + 1, data=MODELS[kind].model_validate(who | said | form | seen | money | claim),
            )
        )  # fmt: skip
    return events


KINDS = (
    "worker.registered.v1",
    "worker.updated.v1",
    "worker.withdrawn.v1",
    "identity.verified.v1",
    "identity.held.v1",
    "identity.ended.v1",
    "premium.paid.v1",
    "claim.held.v1",
    "claim.paid.v1",
)


def told(events: list[Event]) -> dict[Address, dict[str, Any]]:
    """The documents after these events, saved and loaded between any two. Repeated inputs are left out, because the
    shell drops them.
    """
    saved: dict[Address, dict[str, Any]] = {}
    taken: set[str] = set()
    for event in events:
        if event.name in taken:
            continue
        taken.add(event.name)
        for routed in route(event, None):
            codec = STORED[routed.address.collection]
            body = saved.get(routed.address)
            state = codec.decode(body, None) if body is not None else None  # type: ignore[arg-type]
            decision = decide(state, event.with_data(routed.data), None)
            assert decision == decide(state, event.with_data(routed.data), None)
            assert decision.outcomes == ()
            if decision.state is not None:
                saved[routed.address] = codec.encode(decision.state, None)  # type: ignore[arg-type]
                assert codec.decode(saved[routed.address], None) == decision.state  # type: ignore[arg-type]
    return saved


@given(histories(), st.data())
def test_interleaving_of_topics_and_repeats_change_nothing(events: list[Event], data: st.DataObject) -> None:
    # Within one document of one service Kafka keeps the order; between them there is none.
    lanes: dict[Address, list[Event]] = {}
    for event in events:
        lanes.setdefault(route(event, None)[0].address, []).append(event)
    mixed: list[Event] = []
    waiting = [list(lane) for lane in lanes.values()]
    while waiting:
        lane = data.draw(st.sampled_from(waiting))
        mixed.append(lane.pop(0))
        if data.draw(st.booleans()):
            mixed.append(data.draw(st.sampled_from(mixed)))
        waiting = [one for one in waiting if one]
    assert told(mixed) == told(events)


@given(histories(), st.randoms(use_true_random=False))
def test_the_latest_event_of_an_aggregate_counts_in_any_order(events: list[Event[Any]], random: Any) -> None:
    last = {route(event, None)[0].address: event for event in events if event.type.startswith(("worker.", "identity."))}
    shuffled = list(events)
    random.shuffle(shuffled)
    for address, body in told(shuffled).items():
        if address in last:
            assert body["sequence"] == last[address].sequence
            assert body["district"] == last[address].data.district
