"""A suspected double: the verdict is reached and stored, but published only after the suspicion is cleared."""

from __future__ import annotations

from typing import Any

import pytest

from services.verification.documents import STORED
from services.verification.domain.state import CheckStatus, Identity, SideFacts
from shared.contracts.registration import WorkerCleared, WorkerSuspected
from tests.toy import CIPHER
from tests.unit.verification.test_verification_decide import (
    DIED,
    LATER,
    check,
    pending,
    said,
    snapshot,
    verified,
    when,
)
from tests.unit.verification.test_verification_decide import answer as dukcapil

WHERE: dict[str, Any] = {
    "worker_id": "w",
    "regency": "64.08",
    "district": "64.08.04",
    "village": "64.08.04.2001",
    "sector": "fisheries",
}
SUSPECTED = WorkerSuspected(**WHERE, others=["x"], score=90, reasons=["name-same"])
CLEARED = WorkerCleared(**WHERE)
HELD = [("identity.held.v1", ["duplicate-identity"])]
VERIFIED: list[tuple[str, list[str]]] = [("identity.verified.v1", [])]


def test_a_suspected_worker_is_held_and_verified_again_with_the_same_validity() -> None:
    before = verified()
    first = when(None, check(), snapshot(), sequence=2).outcomes[0].data
    blocked = when(before, SUSPECTED, at=LATER, sequence=3)
    assert said(blocked) == HELD
    cleared = when(blocked.state, CLEARED, at=LATER, sequence=4)
    assert said(cleared) == VERIFIED
    assert cleared.outcomes[0].data == first


@pytest.mark.parametrize("early", [False, True])
def test_a_worker_suspected_before_the_verdict_is_published_as_held(early: bool) -> None:
    state: Any = when(None if early else pending(), SUSPECTED, sequence=3).state
    if early:
        assert isinstance(state, SideFacts)
        judged = when(state, check(), snapshot(), sequence=2)
    else:
        judged = when(state, dukcapil())
    assert said(judged) == HELD
    assert said(when(judged.state, CLEARED, sequence=4)) == VERIFIED


def test_an_older_message_changes_nothing_and_a_repeated_one_publishes_nothing() -> None:
    blocked = when(verified(), SUSPECTED, sequence=5).state
    assert said(when(blocked, CLEARED, sequence=4)) == []
    assert said(when(blocked, SUSPECTED, sequence=6)) == []


def test_a_death_ends_a_blocked_worker_and_clearing_does_not_revive_them() -> None:
    blocked = when(verified(), SUSPECTED, sequence=3).state
    ended = when(blocked, DIED)
    assert said(ended) == [("identity.ended.v1", ["deceased"])]
    assert said(when(ended.state, CLEARED, sequence=4)) == []


def test_a_suspicion_is_stored() -> None:
    blocked = when(verified(), SUSPECTED, sequence=3).state
    assert isinstance(blocked, Identity)
    assert (blocked.status, blocked.told) == (CheckStatus.VERIFIED, CheckStatus.HELD)
    codec = STORED["identities"]
    assert codec.decode(codec.encode(blocked, CIPHER), CIPHER) == blocked
