"""Events to documents: one line a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.reporting.domain.decide import TABLE, decide, route
from services.reporting.domain.rules import age_band, percent, share
from services.reporting.stream import SPEC
from shared.kernel.event import Event

Make = Callable[..., Event]

WORKER = {
    "worker_id": "w1",
    "regency": "64.08",
    "district": "64.08.04",
    "village": "64.08.04.2001",
    "sector": "fisheries",
}
PERSON = {**WORKER, "sex": "F", "birth_month": "1985-07"}
REGISTERED = {**PERSON, "occupation": "nelayan", "income_base": 1_000_000, "agency": "dinsos", "submission": "S1"}
LEFT = {**WORKER, "reason": "moved", "effective_on": "2026-03-01"}
VERIFIED = {
    **PERSON,
    "income_base": 1_000_000,
    "segment": "BPU",
    "evidence": [],
    "score": 100,
    "valid_until": "2027-03-01",
    "registration_version": 1,
}
HELD = {**PERSON, "reasons": ["name-mismatch"], "effective_on": "2026-03-01", "registration_version": 1}
BILLED = {
    **PERSON,
    "income_base": 1_000_000,
    "period": "2026-03",
    "funding": "apbd-regency",
    "lines": [{"programme": "JKK", "amount": 10_000, "rule": "r"}, {"programme": "JKM", "amount": 6_800, "rule": "r"}],
    "total": 16_800,
    "run_id": "r1",
    "invoice_id": "i1",
}
CLAIM = {"claim_no": "K1", "agency": "rumahsakit", "worker_id": "w1", "regency": "64.08", "kind": "jkm"}
PAID = {
    **CLAIM,
    "district": "64.08.04",
    "sex": "F",
    "benefits": [],
    "total": 42_000_000,
    "paid_on": "2026-03-05",
    "reference": "B1",
}
ANSWER = {"submission_id": "S1", "outcome": "rejected", "reasons": ["nik-malformed", "nik-malformed"]}
FEEDBACK = "feedback-6408-dinsos"


def after(*events: Event) -> Any:
    """The state after these events of one document."""
    state: Any = None
    for one in events:
        decision = decide(state, one, None)
        state = decision.state if decision.state is not None else state
    return state


@pytest.mark.parametrize(
    ("kind", "data", "topic", "address"),
    [
        ("worker.registered.v1", REGISTERED, "registration-events", "registrations/w1"),
        ("worker.withdrawn.v1", LEFT, "registration-events", "registrations/w1"),
        ("identity.verified.v1", VERIFIED, "verification-events", "identities/w1"),
        ("premium.billed.v1", BILLED, "billing-events", "premiums/w1|2026-03"),
        ("claim.held.v1", {**CLAIM, "stage": "agenda"}, "claims-events", "claims/64.08/rumahsakit/K1"),
        ("claim.held.v1", {**CLAIM, "stage": "agenda"}, "feedback-6408-rumahsakit", None),
        ("claim.rejected.v1", {**CLAIM, "claim_no": None, "stage": "agenda"}, "claims-events",
         "claims/64.08/rumahsakit/?payung/test|e1"),
        ("submission.answered.v1", ANSWER, FEEDBACK, "answers/payung/test|e1"),
        ("submission.answered.v1", ANSWER, "registration-events", None),
    ],
)  # fmt: skip
def test_each_event_changes_one_document(make: Make, kind: str, data: Any, topic: str, address: str | None) -> None:
    routed = route(make(kind, topic=topic, **data), None)
    assert [f"{one.address.collection}/{one.address.id}" for one in routed] == ([address] if address else [])


def test_the_spec_takes_exactly_what_is_counted_and_stores_every_collection() -> None:
    assert set(SPEC.inputs.values()) == TABLE.inputs
    assert set(SPEC.indexes) <= set(SPEC.stored)


def test_a_registration_keeps_its_latest_state_in_any_order(make: Make) -> None:
    first = make("worker.registered.v1", sequence=1, **REGISTERED)
    moved = make("worker.updated.v1", sequence=2, **{**REGISTERED, "district": "64.08.05"})
    left = make("worker.withdrawn.v1", sequence=3, **LEFT)
    assert after(first, moved).district == "64.08.05"
    assert after(moved, first).district == "64.08.05"
    assert after(first, left).active is False
    assert after(first, left).sex == "F"
    assert after(left, first).active is False
    assert decide(after(left), first, None).ignored == "older"


def test_a_worker_who_comes_back_counts_again(make: Make) -> None:
    left = make("worker.withdrawn.v1", sequence=3, **LEFT)
    back = make("worker.registered.v1", sequence=4, **REGISTERED)
    assert after(left, back).active is True


@pytest.mark.parametrize(
    ("version", "sequence", "status"),
    [
        (2, 1, "held"),  # a newer registration was judged
        (1, 6, "held"),  # the same one, judged again
        (1, 4, "verified"),  # an older word on the same one
        (0, 9, "verified"),  # an older registration, whatever the sequence
    ],
)
def test_a_verdict_on_an_older_registration_is_ignored(make: Make, version: int, sequence: int, status: str) -> None:
    stands = make("identity.verified.v1", sequence=5, **VERIFIED)
    comes = make("identity.held.v1", sequence=sequence, **{**HELD, "registration_version": version})
    assert after(stands, comes).status == status


def test_a_month_of_a_worker_is_counted_once_across_funders(make: Make) -> None:
    first = make("premium.billed.v1", **BILLED)
    second = make("premium.billed.v1", name="e2", **{**BILLED, "funding": "csr", "invoice_id": "i2"})
    assert after(first, second).invoice_id == "i1"
    assert (after(first).jkk, after(first).jkm, after(first).year) == (10_000, 6_800, 2026)
    assert decide(after(first), second, None).ignored == "already-counted"


def test_a_claim_follows_its_stages_and_adds_up_its_payments(make: Make) -> None:
    approved = make("claim.approved.v1", sequence=2, stage="persetujuan", total=42_000_000, **CLAIM)
    held = make("claim.held.v1", sequence=1, stage="agenda", **CLAIM)
    paid = make("claim.paid.v1", sequence=3, **PAID)
    again = make("claim.paid.v1", sequence=4, name="e9", **{**PAID, "reference": "B2"})
    assert after(approved, held).stage == "persetujuan"
    state = after(held, approved, paid)
    assert (state.stage, state.status, state.total, state.paid) == ("selesai", "paid", 42_000_000, 42_000_000)
    assert after(approved, paid, again).paid == 84_000_000
    assert after(again, paid).paid == 84_000_000


def test_an_answer_keeps_its_agency_and_each_reason_once(make: Make) -> None:
    state = after(make("submission.answered.v1", topic=FEEDBACK, **ANSWER))
    assert (state.regency, state.agency, state.outcome, state.reasons) == (
        "64.08",
        "dinsos",
        "rejected",
        ("nik-malformed",),
    )


@pytest.mark.parametrize(
    ("born", "period", "band"),
    [
        ("2008-03", "2026-03", "18-24"),
        ("2008-04", "2026-03", "under-18"),
        ("2001-03", "2026-03", "25-34"),
        ("1961-04", "2026-03", "55-64"),
        ("1961-03", "2026-03", "65-over"),
        (None, "2026-03", "unknown"),
    ],
)
def test_age_bands(born: str | None, period: str, band: str) -> None:
    assert age_band(born, period) == band


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(613, 1000, 61.3), (77_074, 51_086, 150.9), (1, 0, None), (1, None, None), (0, 5, 0.0)],
)
def test_percent_is_never_capped(part: int, whole: int | None, shown: float | None) -> None:
    assert percent(part, whole) == shown
    assert share(part, whole) == (None if shown is None else pytest.approx(shown / 100, abs=0.0006))
