"""Officers: a decision on an identity has exactly this result; one line for each rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.verification.domain import decide
from services.verification.domain.state import CheckStatus, Refusal, Ruling, SideFacts
from shared.contracts.verification import DecideIdentity
from shared.kernel.event import Event
from tests.unit.verification.test_verification_decide import EMPLOYED, NOBODY, held, pending, said, verified, when

AT = datetime(2026, 7, 31, 16, 30, tzinfo=UTC)  # 1 August in WITA
WORD = {"worker_id": "w", "decision": "verified", "officer": "Ani", "reason": "KTP asli dilihat"}


def officer(
    state: Any, fields: dict[str, Any], source: str = "officer/ani", problem: str | None = None
) -> tuple[str, Any]:
    event = Event(
        id="e9",
        source=source,
        type="identity.decide.v1",
        data=DecideIdentity(fields, problem),
        at=AT,
        topic="verification-intake",
        content_hash="h",
    )
    (part,) = decide.route(event, None)
    made = decide.decide(state, event.with_data(part.data), NOBODY)
    return f"{part.address.collection}/{part.address.id}", made


def test_an_officer_verifies_a_held_identity() -> None:
    place, made = officer(held(), WORD)
    assert place == "identities/w"
    assert said(made) == [("identity.verified.v1", [])]
    assert made.outcomes[0].data.evidence == ["snapshot:7", "officer"]
    assert made.outcomes[0].data.valid_until == "2027-08-01"
    assert made.state.ruling == Ruling(officer="ani", reason="KTP asli dilihat", decided_on="2026-08-01")


def test_an_officers_rejection_has_the_reasons_of_the_hold() -> None:
    _, made = officer(held("inactive"), {**WORD, "decision": "rejected"})
    assert said(made) == [("identity.rejected.v1", ["inactive-identity"])]
    assert made.outcomes[0].data.effective_on == "2026-08-01"


def test_a_wage_job_outweighs_an_officers_decision() -> None:
    _, made = officer(when(held(), EMPLOYED).state, WORD)
    assert said(made) == [("identity.rejected.v1", ["wage-earner"])]


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        (None, ["not-registered"]),
        (SideFacts(wage_earner=True), ["not-registered"]),
        (verified(), ["not-eligible"]),
        (pending(), ["not-eligible"]),
    ],
)
def test_a_case_that_is_not_held_cannot_be_decided(given: Any, reasons: list[str]) -> None:
    _, made = officer(given, WORD)
    assert said(made) == [("identity.decide.refused.v1", reasons)]
    assert made.state == (given or SideFacts())
    if getattr(given, "status", None) is CheckStatus.PENDING:
        assert made.due is not None


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({"worker_id": None}, ["field-missing:worker_id"]),
        ({"worker_id": 5}, ["field-invalid:worker_id"]),
        ({"decision": " "}, ["field-missing:decision"]),
        ({"decision": "held"}, ["field-invalid:decision"]),
        ({"officer": ""}, ["field-missing:officer"]),
        ({"reason": None}, ["field-missing:reason"]),
        ({"reason": ["x"], "officer": None}, ["field-missing:officer", "field-invalid:reason"]),
    ],
)
def test_a_decision_with_a_wrong_form_is_refused_with_every_reason(changed: dict[str, Any], reasons: list[str]) -> None:
    place, made = officer(None, {**WORD, **changed})
    assert place == "refusals/officer/ani|e9"
    assert said(made) == [("identity.decide.refused.v1", reasons)]
    assert made.state == Refusal(reasons=tuple(reasons))


@pytest.mark.parametrize("source", ["agency/64.08/dinsos", "officer/", "payung/verification"])
def test_only_an_officer_decides(source: str) -> None:
    assert said(officer(held(), WORD, source)[1]) == [("identity.decide.refused.v1", ["field-invalid:source"])]


def test_a_nik_in_place_of_the_worker_id_is_not_published() -> None:
    _, made = officer(held(), {**WORD, "worker_id": "6408044107850002"})
    assert said(made) == [("identity.decide.refused.v1", ["field-invalid:worker_id"])]
    (one,) = made.outcomes
    assert "6408044107850002" not in f"{one.key} {one.data}"


def test_data_that_is_no_object_is_one_reason() -> None:
    assert said(officer(None, {}, problem="no object")[1])[0][1] == ["field-invalid:data"]


def test_other_content_under_a_used_name_is_refused_in_its_own_document() -> None:
    event = Event(
        id="e9",
        source="officer/ani",
        type="identity.decide.v1",
        data=DecideIdentity(WORD),
        at=AT,
        topic="verification-intake",
        content_hash="other",
    )
    routed = decide.conflicting(event)
    assert (routed.address.collection, routed.address.id) == ("refusals", "officer/ani|e9|other")
    made: Any = decide.decide(None, event.with_data(routed.data), NOBODY)
    assert said(made) == [("identity.decide.refused.v1", ["conflicting-duplicate"])]
    assert made.outcomes[0].key == "unknown"
